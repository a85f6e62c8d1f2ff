"""Figures and charts come from a process of their own, are the same as here, and can be read."""

from __future__ import annotations

import io
import math
import random
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from bot import charts
from bot.charts import Chart, figures
from bot.rules.listening.judgements import Design, Judgement, Reason
from bot.rules.listening.summary import summarise

HOUSE = Path(__file__).resolve().parents[3]


def votes(trials: int = 12, listeners: int = 9, right: float = 0.6) -> list[Judgement]:
    rng = random.Random(5)
    return [
        Judgement(
            listener,
            trial,
            trial,
            Design.PAIR if trial % 3 else Design.SINGLE,
            is_human=(human := rng.random() < 0.5),
            called_human=human if rng.random() < right else not human,
            series=trial // 4,
            confidence=rng.choice((None, 60, 90)),
            reasons=(Reason.TIMING,) if rng.random() < 0.3 else (),
            is_musician=rng.choice((None, True, False)),
            model_version=("old", "new")[trial // 6],
            closed_at=float(trial // 4),
        )
        for trial in range(trials)
        for listener in range(listeners)
    ]


@pytest.mark.parametrize("chart", list(Chart))
async def test_the_other_process_finds_the_same_figures_and_draws_a_chart(chart: Chart) -> None:
    judgements = votes()
    drawn = await figures(judgements, chart)
    assert drawn.summary == summarise(judgements)
    picture = Image.open(io.BytesIO(drawn.png))
    assert 700 <= picture.width <= 1100, "as wide as a phone shows"
    assert picture.height <= 1600
    assert len(drawn.png) < 300_000
    assert "%" in drawn.alt


async def test_a_ratio_without_end_crosses_over_unharmed() -> None:
    judgements = [Judgement(n, n, n, Design.SINGLE, is_human, not is_human) for n, is_human in enumerate([True, False])]
    drawn = await figures(judgements, Chart.TRIALS)
    assert drawn.summary.figures["human-call ratio"].value == math.inf


async def test_without_votes_there_is_nothing_to_draw() -> None:
    drawn = await figures([], Chart.VERDICT)
    assert drawn.png == b""
    assert drawn.summary.votes == 0


async def test_figures_come_without_a_chart_where_the_other_process_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts.sys, "executable", "/nowhere/python")
    drawn = await figures(votes(), Chart.TRIALS)
    assert drawn.png == b""
    assert drawn.summary == summarise(votes())


async def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "PATIENCE_S", 0.05)
    assert (await figures(votes(), Chart.TRIALS)).png == b""


def test_the_charts_colours_are_far_apart_for_everybody_and_from_the_card() -> None:
    """Luminance contrast (WCAG 2.2) against the card at least 3 for marks, 7 for words."""
    printed = subprocess.run(
        [sys.executable, "-c", "from bot.charts.paint import *; print(BLUE, ORANGE, INK, CARD)"],
        cwd=HOUSE, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip

    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    blue, orange, ink, card = map(luminance, printed)
    assert min((card + 0.05) / (mark + 0.05) for mark in (blue, orange)) >= 3
    assert (card + 0.05) / (ink + 0.05) >= 7
    assert printed[0] != printed[1]


def test_the_bot_itself_never_loads_matplotlib() -> None:
    probe = "import sys, bot.charts, cogs.poll; print('matplotlib' in sys.modules, 'numpy' in sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", probe], cwd=HOUSE, capture_output=True, text=True, check=True
    ).stdout
    assert printed.split() == ["False", "False"]
