"""The log: to standard error, structured, and never with the token."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]

SCRIPT = """
import logging, structlog
from bot.logs import configure_logs
from bot.settings import LogSettings
configure_logs(LogSettings(format={format!r}, level={level!r}), "t0ken-abc")
log = structlog.get_logger("woodshed")
log.debug("whisper")
log.info("started", answer=42)
log.warning("header", headers={{"Authorization": "Bot t0ken-abc"}})
logging.getLogger("discord.http").warning("got %s", "t0ken-abc")
try:
    raise ValueError("t0ken-abc in an exception")
except ValueError:
    log.exception("failed")
"""


def logged(**options):
    script = SCRIPT.format(**{"format": "console", "level": "info", **options})
    ended = subprocess.run([sys.executable, "-c", script], cwd=HOUSE, capture_output=True, text=True, check=True)
    assert ended.stdout == ""
    return ended.stderr


@pytest.mark.parametrize("format", ["console", "json"])
def test_the_token_is_in_no_line(format):
    text = logged(format=format)
    assert "t0ken" not in text
    assert text.count("<token>") == 3
    assert "ValueError" in text


def test_json_lines_are_for_collectors():
    lines = [json.loads(line) for line in logged(format="json").splitlines()]
    assert (lines[0]["event"], lines[0]["answer"], lines[0]["level"]) == ("started", 42, "info")


def test_the_level_is_kept():
    assert "whisper" not in logged()
    assert "whisper" in logged(level="debug")
    assert "started" not in logged(level="warning")
