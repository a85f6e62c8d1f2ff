"""The charts: for a phone held in one hand, on a card of their own that is readable in a dark and in a light app.

Colours of Okabe & Ito (2008, Color Universal Design), told apart by everybody; shapes and words say the same again.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib as mpl

mpl.use("Agg")  # before pyplot: there is no screen here

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bot.charts import Chart
from bot.rules.listening.confidence_sequence import confidence_sequence
from bot.rules.listening.intervals import Interval, wilson_interval
from bot.rules.listening.summary import Summary

BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#8a8f98", "#1e2127"
CARD = "#f7f7f5"
WIDTH_IN, DPI = 6.0, 150
MOST_ROWS = 24
MOST_LOOKS = 40


def paint(summary: Summary, chart: Chart) -> tuple[bytes, str]:
    """A PNG, 900 px wide, and what it shows in words; empty without votes."""
    if not summary.votes:
        return b"", ""
    match chart:
        case Chart.TRIALS:
            return _trials(summary)
        case Chart.VERDICT:
            return _verdict(summary)
        case Chart.SEASONS:
            return _seasons(summary)


def _trials(summary: Summary) -> tuple[bytes, str]:
    scores = summary.trials[-MOST_ROWS:]
    rows = [
        (f"{place}", score.right, score.votes, wilson_interval(score.right, score.votes))
        for place, score in enumerate(scores, start=1)
    ]
    axes = _card(len(rows), "Right on each trial")
    _dots(axes, rows)
    words = ", ".join(f"{label}: {right} of {votes}" for label, right, votes, _ in rows)
    return png_of(axes), f"Share of right votes on each trial, with 95 % intervals. {words}."


def _seasons(summary: Summary) -> tuple[bytes, str]:
    versions = summary.versions[-MOST_ROWS:]
    rows = [(v.name[:12] or "?", v.share.right, v.share.votes, v.interval) for v in versions]
    axes = _card(len(rows), "Listeners right, by version of the model")
    _dots(axes, rows)
    words = ", ".join(f"version {label}: {right} of {votes}" for label, right, votes, _ in rows)
    return png_of(axes), f"Share of right votes against each version of the model, with 95 % intervals. {words}."


def _dots(axes: Axes, rows: Sequence[tuple[str, int, int, Interval]]) -> None:
    """One row each, from the top: a dot, its interval, and the counts as words."""
    for row, (label, right, votes, interval) in enumerate(rows):
        better = interval.low > 0.5
        colour, marker = (ORANGE, "D") if better else (BLUE, "o")
        axes.plot([100 * interval.low, 100 * interval.high], [row, row], color=colour, linewidth=3, alpha=0.45)
        axes.plot(100 * right / votes, row, marker=marker, markersize=11, color=colour)
        axes.text(103, row, f"{right} of {votes}", va="center", fontsize=13, color=INK, clip_on=False)
        axes.text(-3, row, label, va="center", ha="right", fontsize=13, color=INK, clip_on=False)
    axes.set_yticks([])
    axes.set_ylim(len(rows) - 0.4, -0.6)


def _verdict(summary: Summary) -> tuple[bytes, str]:
    scores = summary.trials
    step = max(1, -(-len(scores) // MOST_LOOKS))
    looks = sorted({*range(step, len(scores) + 1, step), len(scores)})
    intervals = [confidence_sequence(scores[:look]) for look in looks]
    margin = 100 * summary.verdict.margin
    axes = _card(6, "What the votes say so far")
    axes.axvspan(100 - margin, margin, color=GREY, alpha=0.18)
    for look, interval in zip(looks, intervals, strict=True):
        axes.plot([100 * interval.low, 100 * interval.high], [look, look], color=BLUE, linewidth=5, alpha=0.6)
    axes.set_ylim(len(scores) + 0.8, 0.2)
    axes.set_ylabel("trials", fontsize=13, color=INK)
    axes.tick_params(axis="y", labelsize=12)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    last = intervals[-1]
    return png_of(axes), (
        f"The interval of the class's accuracy after each trial; after {len(scores)} trials it reaches from "
        f"{100 * last.low:.0f} to {100 * last.high:.0f} %. Guessing is 50 %; the grey band counts as can't tell."
    )


def _card(rows: int, title: str) -> Axes:
    """Axes in percent right, with guessing marked."""
    figure, axes = plt.subplots(figsize=(WIDTH_IN, 1.7 + 0.42 * max(rows, 2)), facecolor=CARD)
    figure.subplots_adjust(left=0.16, right=0.80)
    axes.set_facecolor(CARD)
    axes.set_title(title, fontsize=16, color=INK, loc="left", pad=14, x=-0.16)
    axes.set_xlim(0, 100)
    axes.set_xticks([0, 25, 50, 75, 100], ["0", "25", "50\nguessing", "75", "100 %"], fontsize=13, color=INK)
    axes.axvline(50, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return axes


def png_of(axes: Axes) -> bytes:
    """The axes' figure as a PNG on its card; the figure is closed."""
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI, facecolor=CARD, bbox_inches="tight", pad_inches=0.25)
    plt.close("all")
    return out.getvalue()
