"""What the tests of commands have in common."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import pytest

import cogs.club.status
import cogs.poll.figures
import cogs.quiz.report
from bot.charts import Chart, Drawn
from bot.rules.class_report import Report
from bot.rules.listening.judgements import Judgement
from bot.rules.listening.summary import summarise
from tests.engine_double import png


@pytest.fixture(autouse=True)
def charts_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture in the place of each chart: the process that draws them takes seconds, and has tests of its own."""

    async def plain(judgements: Sequence[Judgement], chart: Chart) -> Drawn:
        return Drawn(summarise(judgements, resamples=100), png() if judgements else b"", f"A chart of {chart}.")

    async def lesson(report: Report) -> tuple[bytes, str]:
        return png(), "A chart of the lesson."

    async def day(request: bytes, module: str) -> dict[str, str]:
        return {"png": base64.b64encode(png()).decode()}

    monkeypatch.setattr(cogs.poll.figures, "figures", plain)
    monkeypatch.setattr(cogs.club.status, "ask", day)
    monkeypatch.setattr(cogs.quiz.report, "lesson_chart", lesson)
