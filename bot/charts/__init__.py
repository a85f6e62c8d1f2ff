"""Figures and charts of listening experiments and of lessons, made in a process of their own.

A second of arithmetic and a megabyte of matplotlib have no place in a process that must answer within 3 s. So the bot
hands the votes to `python -m bot.charts` as JSON and gets the figures and a PNG back; nothing of matplotlib is ever
loaded in the bot itself.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from pydantic import TypeAdapter

from bot.rules.class_report import Report
from bot.rules.listening.judgements import Judgement
from bot.rules.listening.summary import Summary, summarise

log = structlog.get_logger(__name__)

PATIENCE_S = 60.0
"""A small machine that is busy with other work takes ten seconds to load matplotlib for the first time."""
SUMMARY = TypeAdapter(Summary)


class Chart(StrEnum):
    """What to draw."""

    TRIALS = "trials"
    """the share right on each trial"""
    VERDICT = "verdict"
    """how the interval of the accuracy narrows, trial after trial"""
    SEASONS = "seasons"
    """each version of the model"""


@dataclass(frozen=True)
class Drawn:
    """The figures, the chart (PNG; empty where it couldn't be drawn), and what it shows in words."""

    summary: Summary
    png: bytes
    alt: str


async def figures(judgements: Sequence[Judgement], chart: Chart) -> Drawn:
    """Compute and draw. Where the other process fails, the figures come without a chart."""
    request = {"judgements": [dataclasses.asdict(judgement) for judgement in judgements], "chart": chart}
    try:
        reply = await ask(json.dumps(request).encode())
        return Drawn(SUMMARY.validate_python(reply["summary"]), base64.b64decode(reply["png"]), reply["alt"])
    except (OSError, TimeoutError, ValueError, KeyError) as error:
        log.error("no chart", chart=chart, error=str(error))
        return Drawn(await asyncio.to_thread(summarise, judgements), b"", "")


async def lesson_chart(report: Report) -> tuple[bytes, str]:
    """The picture for the next lesson (PNG) and what it shows in words; both empty where it couldn't be drawn."""
    topics = [(name.replace("-", " "), round(share * answers), answers) for name, share, answers in report.topics]
    questions = [
        (item.item.replace("-", " "), item.right, item.answers, item.misconception, item.believers)
        for item in report.items
        if item.difficulty < 1
    ]
    try:
        reply = await ask(json.dumps({"lesson": {"topics": topics, "questions": questions}}).encode())
        return base64.b64decode(reply["png"]), str(reply["alt"])
    except (OSError, TimeoutError, ValueError, KeyError) as error:
        log.error("no chart", chart="lesson", error=str(error))
        return b"", ""


async def ask(request: bytes, module: str = "bot.charts") -> dict[str, Any]:
    """Have a module draw, in a process of its own.

    Raises OSError, TimeoutError, and ValueError for an answer that is none."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            output, _ = await child.communicate(request)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise OSError(f"the process of the charts ended with {child.returncode}")
    reply: dict[str, Any] = json.loads(output)
    return reply
