"""What a failed test leaves behind: the transcript in its report, and a picture of every tab that was open."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Error

from playground.control.transcript import Entry, Transcript

SCREENSHOTS = Path("var/screenshots")
_PATIENCE_S = 5.0
_PATIENCE_MS = 5_000
_failed: set[str] = set()


def note(item: pytest.Item, report: pytest.TestReport) -> None:
    """Called with each report: remembers a failure, and puts the playground's transcript beside it."""
    if report.when != "call" or not report.failed:
        return
    _failed.add(item.nodeid)
    given = getattr(item, "funcargs", {})
    if "course" in given:  # it lives in the test's own event loop, which stands still now
        report.sections.append(("who did what", _lines(given["course"].playground.transcript.all())))
    elif "house" in given:
        report.sections.append(("who did what", fetched(given["house"].address)))


def fetched(address: str) -> str:
    """The transcript of a playground in another process, or why there is none."""
    try:
        with urllib.request.urlopen(f"{address}control/transcript", timeout=_PATIENCE_S) as answer:
            return _lines(json.load(answer))
    except (OSError, ValueError) as error:
        return f"no transcript: {error}"


def _lines(entries: list[dict[str, Any]]) -> str:
    return Transcript.lines(Entry(**entry) for entry in entries)


async def keep_pictures(browser: Browser, *, failing: bool) -> list[Path]:
    """Where the test is `failing`, or has failed, a picture of every tab; the files."""
    name = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    if not failing and name not in _failed:
        return []
    pages = [page for context in browser.contexts for page in context.pages]
    kept = []
    for number, page in enumerate(pages):
        path = SCREENSHOTS / "failed" / f"{re.sub(r'[^A-Za-z0-9]+', '-', name)[-120:]}-{number}.png"
        try:
            await page.screenshot(path=path, timeout=_PATIENCE_MS)
        except Error:  # the tab has crashed, or hangs
            continue
        kept.append(path)
    return kept
