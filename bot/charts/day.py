"""`python -m bot.charts.day`: the last day of a bot's life as a chart, drawn in a process of its own.

One request on standard input, one reply on standard output, both JSON, then the end."""

from __future__ import annotations

import base64
import io
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # before pyplot: there is no screen here

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from pydantic import TypeAdapter

from bot.store.pulses import Pulse

BLUE, ORANGE, SKY, GREY, INK, CARD = "#0072B2", "#D55E00", "#56B4E9", "#8a8f98", "#1e2127", "#f7f7f5"
"""Okabe & Ito (2008): told apart by everybody."""
HOURS = 24
BIN_H = 0.5
WIDTH_IN, HEIGHT_IN, DPI = 6.0, 6.6, 150
PULSES = TypeAdapter(list[Pulse])


def paint(pulses: Sequence[Pulse], now: float) -> bytes:
    """A PNG, 900 px wide, of the 24 hours before `now`: commands, waits, the queue. Grey: no bot."""
    figure, (commands, waits, queue) = plt.subplots(
        3, 1, figsize=(WIDTH_IN, HEIGHT_IN), sharex=True, facecolor=CARD, layout="constrained"
    )
    bins = int(HOURS / BIN_H)
    left = [-HOURS + BIN_H * i for i in range(bins)]
    in_bin: list[list[Pulse]] = [[] for _ in range(bins)]
    for pulse in pulses:
        hour = (pulse.at - now) / 3600
        if -HOURS <= hour <= 0:
            in_bin[min(bins - 1, int((hour + HOURS) / BIN_H))].append(pulse)
    bottom = [0] * bins
    for name, colour in (("answered", BLUE), ("refused", SKY), ("failed", ORANGE)):
        counts = [sum(getattr(pulse, name) for pulse in group) for group in in_bin]
        commands.bar(left, counts, BIN_H, bottom=bottom, align="edge", color=colour, label=name)
        bottom = [below + count for below, count in zip(bottom, counts, strict=True)]
    _title(commands, "Commands")
    commands.legend(loc="upper left", ncols=3, frameon=False, fontsize=11)
    commands.set_ylim(0, max(4.0, 1.35 * max(bottom)))
    _steps(waits, left, in_bin, "slowest_s", SKY, "slowest")
    _steps(waits, left, in_bin, "middle_s", BLUE, "median")
    _title(waits, "Seconds to the answer")
    if waits.get_legend_handles_labels()[0]:
        waits.legend(loc="upper left", ncols=2, frameon=False, fontsize=11)
    waits.set_ylim(0, max(2.0, 1.35 * waits.get_ylim()[1]))
    _steps(queue, left, in_bin, "queue", BLUE, "jobs")
    _title(queue, "Most jobs in the engine; orange: no engine")
    queue.set_ylim(0, max(4.0, 1.2 * queue.get_ylim()[1]))
    for start, group in zip(left, in_bin, strict=True):
        if not group:
            for axes in (commands, waits, queue):
                axes.axvspan(start, start + BIN_H, color=GREY, alpha=0.2, linewidth=0)
        elif min(pulse.engine_up for pulse in group) < 0.5:
            queue.axvspan(start, start + BIN_H, color=ORANGE, alpha=0.35, linewidth=0)
    queue.set_xlim(-HOURS, 0)
    ticks = range(-HOURS, 1, 6)
    queue.set_xticks(ticks, [time.strftime("%H:%M", time.gmtime(now + 3600 * tick)) for tick in ticks], fontsize=11)
    queue.set_xlabel("UTC", fontsize=11, color=INK)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI, facecolor=CARD)
    plt.close(figure)
    return out.getvalue()


def _steps(
    axes: Axes, left: Sequence[float], in_bin: Sequence[Sequence[Pulse]], name: str, colour: str, label: str
) -> None:
    """The largest value of each bin that has one."""
    for start, group in zip(left, in_bin, strict=True):
        values = [value for pulse in group if (value := getattr(pulse, name)) is not None]
        if values:
            axes.bar(start, max(values), BIN_H, align="edge", color=colour, label=label)
            label = "_"  # in the legend once


def _title(axes: Axes, title: str) -> None:
    axes.set_facecolor(CARD)
    axes.set_title(title, fontsize=14, color=INK, loc="left")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    axes.tick_params(axis="y", labelsize=11)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def answer(request: bytes) -> bytes:
    asked: dict[str, Any] = json.loads(request)
    png = paint(PULSES.validate_python(asked["pulses"]), asked["now"])
    return json.dumps({"png": base64.b64encode(png).decode()}).encode()


if __name__ == "__main__":
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read()))
