"""The picture for the next lesson: how each topic went, and the hardest questions with what is believed instead."""

from __future__ import annotations

import textwrap
from typing import Any

from matplotlib.axes import Axes

from bot.charts.paint import BLUE, CARD, INK, ORANGE, WIDTH_IN, plt, png_of
from bot.rules.listening.intervals import wilson_interval

MOST_TOPICS, MOST_QUESTIONS = 10, 6
HALF = 0.5
LETTERS_A_LINE = 58


def paint_lesson(asked: dict[str, Any]) -> tuple[bytes, str]:
    """A PNG, 900 px wide, and what it shows in words; empty where nothing was answered.

    `asked["topics"]` has [name, right, answers], `asked["questions"]` [name, right, answers, belief, believers], from
    the top."""
    topics, questions = asked["topics"][:MOST_TOPICS], asked["questions"][:MOST_QUESTIONS]
    if not topics:
        return b"", ""
    beliefs = [_belief(belief, believers, answers) for _, _, answers, belief, believers in questions]
    heights = [1.0] * len(topics) + [1.0 + 0.55 * len(lines) for lines in beliefs] + [1.4 * bool(questions)]
    figure, axes = plt.subplots(figsize=(WIDTH_IN, 1.4 + 0.36 * sum(heights)), facecolor=CARD)
    figure.subplots_adjust(left=0.4, right=0.82)
    _frame(axes)
    row = 0.0
    for name, right, answers in topics:
        _share(axes, row, name, right, answers)
        row += 1.0
    if questions:
        row += 0.5
        axes.text(-66, row, "Hardest questions", va="center", fontsize=15, color=INK)
        row += 0.9
    for (name, right, answers, _, _), lines in zip(questions, beliefs, strict=True):
        _share(axes, row, name, right, answers)
        for place, line in enumerate(lines):
            axes.text(-66, row + 0.62 + 0.55 * place, line, va="center", fontsize=11, style="italic", color=INK)
        row += 1.0 + 0.55 * len(lines)
    axes.set_ylim(row - 0.3, -0.7)
    return png_of(axes), _words(topics, questions)


def _belief(belief: str, believers: int, answers: int) -> list[str]:
    if not belief:
        return []
    return textwrap.wrap(f"{believers} of {answers}: {belief}", LETTERS_A_LINE)[:3]


def _frame(axes: Axes) -> None:
    axes.set_facecolor(CARD)
    axes.set_title("Right answers in class, by topic", fontsize=15, color=INK, loc="left", pad=14, x=-0.66)
    axes.set_xlim(0, 100)
    axes.set_xticks([0, 50, 100], ["0", "50", "100 %"], fontsize=13, color=INK)
    axes.set_yticks([])
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _share(axes: Axes, row: float, name: str, right: int, answers: int) -> None:
    """A bar with the 95 % interval of the share, and the counts as words."""
    interval = wilson_interval(right, answers)
    colour, hatch = (ORANGE, "//") if right < HALF * answers else (BLUE, "")
    axes.barh(row, 100 * right / answers, height=0.55, color=colour, alpha=0.75, hatch=hatch, edgecolor=CARD)
    axes.plot([100 * interval.low, 100 * interval.high], [row, row], color=INK, linewidth=1.6)
    axes.text(103, row, f"{right} of {answers}", va="center", fontsize=12, color=INK, clip_on=False)
    label = name if len(name) <= 27 else f"{name[:26]}…"
    axes.text(-3, row, label, va="center", ha="right", fontsize=12, color=INK, clip_on=False)


def _words(topics: list[Any], questions: list[Any]) -> str:
    said = "Share of right answers by topic: "
    said += ", ".join(f"{name} {right} of {answers}" for name, right, answers in topics)
    hardest = [
        f"{name} {right} of {answers}" + (f" ({believers} {belief})" if belief else "")
        for name, right, answers, belief, believers in questions
    ]
    return said + (f". The hardest questions: {'; '.join(hardest)}." if hardest else ".")
