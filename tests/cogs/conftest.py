"""What the tests of commands have in common."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import cogs.poll.figures
from bot.charts import Chart, Drawn
from bot.rules.listening.judgements import Judgement
from bot.rules.listening.summary import summarise


@pytest.fixture
def with_charts() -> None:
    """A test that asks for this has its charts drawn, by the process that draws them."""


@pytest.fixture(autouse=True)
def without_charts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everywhere else the figures come without: a process that loads matplotlib takes a second or two."""

    async def plain(judgements: Sequence[Judgement], chart: Chart) -> Drawn:
        return Drawn(summarise(judgements, resamples=100), b"", "")

    if "with_charts" not in request.fixturenames:
        monkeypatch.setattr(cogs.poll.figures, "figures", plain)
