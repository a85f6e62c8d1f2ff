"""A score as a picture: piano roll with chord names, bar lines and the four parts; a recording as a spectrogram."""

from __future__ import annotations

import io
import re
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from engine.jazz.rendering.samples import RATE_HZ, Stereo
from engine.jazz.theory.chords import NO_CHORD
from engine.jazz.theory.score import Note, Score

# Figures are made from the object API: pyplot keeps global state and is not safe on the engine's worker thread.

COLOURS = {"solo": "#f2a33a", "bass": "#4f9d8f", "comping": "#8d86c9", "drums": "#9aa0a6"}
PAPER, INK, GRID = "#14161a", "#e8e6e1", "#343840"
BARS_PER_LINE = 8
TOP_IN, PITCHED_IN, KIT_IN, LINE_IN = 0.42, 2.2, 0.68, 3.12
"""Inches: the title, the pitched parts of a line, its kit, and the whole line with its bar numbers."""
DRUM_ROWS = {
    "kick": (35, 36), "snare": (37, 38, 39, 40), "toms": (41, 43, 45, 47, 48, 50), "hat": (42, 44, 46),
    "ride": (51, 53, 59), "crash": (49, 52, 55, 57),
}  # fmt: skip


def draw_roll(score: Score, title: str = "", bars_per_line: int = BARS_PER_LINE) -> bytes:
    """PNG: lines of eight bars, the pitched parts above, the kit below, chord names over the bars. Loud notes are
    opaque, soft ones pale."""
    bars = score.bars + (1 if any(section.name == "ending" for section in score.sections) else 0)
    starts = list(range(0, bars, bars_per_line))
    if len(starts) > 1 and bars - starts[-1] == 1:  # the ending's one bar joins the last line
        starts.pop()
    longest = max(end - start for start, end in _lines(starts, bars))
    height = TOP_IN + LINE_IN * len(starts)
    figure = Figure(figsize=(12.8, height), facecolor=PAPER)
    FigureCanvasAgg(figure)
    low, high = _pitch_range(score)
    for line, (start, end) in enumerate(_lines(starts, bars)):
        top = height - TOP_IN - LINE_IN * line
        kit = figure.add_axes((0.045, (top - PITCHED_IN - KIT_IN) / height, 0.947, KIT_IN / height))
        pitched = figure.add_axes((0.045, (top - PITCHED_IN) / height, 0.947, PITCHED_IN / height))
        window = (start * score.beats_per_bar, end * score.beats_per_bar)
        width = longest * score.beats_per_bar
        _draw_pitched(pitched, score, window, width, low, high)
        _draw_kit(kit, score, window, width)
        _draw_bar_numbers(kit, score, start, end)
    _legend(figure, score, title)
    return _png(figure)


def _lines(starts: list[int], bars: int) -> list[tuple[int, int]]:
    return list(zip(starts, [*starts[1:], bars], strict=True))


def _pitch_range(score: Score) -> tuple[int, int]:
    pitches = [note.pitch for part in ("solo", "bass", "comping") for note in score.parts.get(part, ())]
    return (min(pitches, default=40) - 2, max(pitches, default=76) + 9)


def _draw_pitched(axis: Axes, score: Score, window: tuple[float, float], width: float, low: int, high: int) -> None:
    _prepare(axis, score, window, width)
    axis.set_ylim(low, high)
    octaves = [pitch for pitch in range(low, high - 6) if pitch % 12 == 0]
    axis.set_yticks(octaves, [f"C{pitch // 12 - 1}" for pitch in octaves], color=INK, fontsize=7)
    for pitch in octaves:
        axis.axhline(pitch - 0.5, color=GRID, lw=0.5, zorder=0)
    for part in ("comping", "bass", "solo"):
        boxes, colours = [], []
        for note in score.parts.get(part, ()):
            if window[0] - 0.2 <= note.onset < window[1] or window[0] < note.onset + note.duration <= window[1]:
                height = 0.95 if part != "solo" else 1.15
                width_beats = max(0.06, min(note.duration, window[0] + width - note.onset) - 0.03)
                left, right = note.onset, note.onset + width_beats
                low_edge, top_edge = note.pitch - height / 2, note.pitch + height / 2
                boxes.append(((left, low_edge), (right, low_edge), (right, top_edge), (left, top_edge)))
                colours.append(_shade(COLOURS[part], note))
        axis.add_collection(
            PolyCollection(boxes, facecolors=colours, linewidths=0, zorder=3 if part == "solo" else 2), autolim=False
        )
    for chord in score.chords:
        if window[0] <= chord.onset < window[1]:
            axis.text(chord.onset + 0.08, high - 1.2, _pretty(chord.symbol), color=INK, fontsize=10.5, va="top",
                      fontweight="bold", zorder=5)  # fmt: skip
    for section in score.sections:
        if window[0] <= section.onset < window[1]:
            axis.text(section.onset + 0.08, high - 5.0, section.name, color="#b8b5ad", fontsize=7.5, va="top", zorder=5)


def _draw_kit(axis: Axes, score: Score, window: tuple[float, float], width: float) -> None:
    _prepare(axis, score, window, width)
    names = list(DRUM_ROWS)
    axis.set_ylim(-0.7, len(names) - 0.3)
    axis.set_yticks(range(len(names)), names, color=INK, fontsize=6)
    row_of = {pitch: row for row, pitches in enumerate(DRUM_ROWS.values()) for pitch in pitches}
    hits = [note for note in score.parts.get("drums", ()) if window[0] - 0.1 <= note.onset < window[1]]
    drawn = [(note.onset, row_of[note.pitch], note.velocity) for note in hits if note.pitch in row_of]
    if drawn:
        onset, row, velocity = np.array(drawn, dtype=float).T
        axis.scatter(onset, row, s=2 + (velocity / 12) ** 1.5, color=COLOURS["drums"], lw=0, zorder=3)


def _draw_bar_numbers(axis: Axes, score: Score, start: int, end: int) -> None:
    beats = score.beats_per_bar
    places = [bar * beats for bar in range(start, end)]
    labels = [str(bar + 1) if bar < score.bars else "" for bar in range(start, end)]
    axis.set_xticks(places, labels, color="#8f8c85", fontsize=7, ha="left")
    axis.tick_params(axis="x", length=0, pad=1)


def _prepare(axis: Axes, score: Score, window: tuple[float, float], width: float) -> None:
    axis.set_facecolor(PAPER)
    axis.set_xlim(window[0] - 0.15, window[0] + width)
    axis.set_xticks([])
    axis.tick_params(axis="y", length=0)
    for side in axis.spines.values():
        side.set_visible(False)
    beats = range(int(window[0]), int(window[1]) + 1)
    bar_lines = [beat % score.beats_per_bar == 0 for beat in beats]
    axis.add_collection(
        LineCollection(
            [((beat, 0.0), (beat, 1.0)) for beat in beats],
            colors=["#6a6f78" if bar_line else GRID for bar_line in bar_lines],
            linewidths=[1.0 if bar_line else 0.4 for bar_line in bar_lines],
            zorder=1,
            transform=axis.get_xaxis_transform(),
        ),
        autolim=False,
    )


def _shade(colour: str, note: Note) -> tuple[float, float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return (red, green, blue, 0.35 + 0.65 * min(1.0, max(0.0, (note.velocity - 30) / 75)))


def _pretty(symbol: str) -> str:
    """♭, ♯, ° and ø as signs; matplotlib's own font has them."""
    if symbol == NO_CHORD:
        return "N.C."
    head, rest = symbol[:1], symbol[1:]
    rest = re.sub(r"^([b#]*)(o7?|dim7?)", r"\1°7", rest)
    rest = re.sub(r"^([b#]*)m7b5", r"\1ø7", rest)
    return head + rest.replace("b", "♭").replace("#", "♯")


def _legend(figure: Figure, score: Score, title: str) -> None:
    top = 1 - 0.09 / float(figure.get_figheight())
    text = title or f"{score.instrument}, {score.tempo_bpm:.0f} bpm"
    figure.text(0.045, top, text, color=INK, fontsize=11, va="top")
    x = 0.992
    for part, colour in reversed(COLOURS.items()):
        label = score.instrument if part == "solo" else part
        figure.text(x, top, label, color=colour, fontsize=9.5, va="top", ha="right", fontweight="bold")
        x -= 0.012 + 0.0078 * len(label)


def draw_spectrogram(signal: Stereo, title: str = "") -> bytes:
    """PNG of a recording: short-time spectrum in dB on a logarithmic frequency axis, 50 Hz to 16 kHz."""
    mono = signal.mean(axis=1)
    size, hop = 4096, 1024
    if len(mono) < size:
        mono = np.pad(mono, (0, size - len(mono)))
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[::hop] * np.hanning(size).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    level = 10 * np.log10(power.T + 1e-9)
    frequency = np.fft.rfftfreq(size, 1 / RATE_HZ)
    edges = np.geomspace(50, 16_000, 161)
    bands = np.clip(np.searchsorted(frequency, edges), 1, len(frequency) - 1)
    rows = np.stack([level[a : max(a + 1, b)].max(axis=0) for a, b in pairwise(bands)])
    figure = Figure(figsize=(12.8, 4.2), facecolor=PAPER)
    FigureCanvasAgg(figure)
    axis = figure.add_axes((0.055, 0.12, 0.935, 0.76))
    axis.set_facecolor(PAPER)
    extent = (0.0, len(mono) / RATE_HZ, 0.0, 160.0)
    top = float(rows.max())
    axis.imshow(rows, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=top - 75, vmax=top)
    marks = (100, 200, 400, 800, 1600, 3200, 6400, 12800)
    places = [float(np.interp(np.log(mark), np.log(edges), np.arange(161))) for mark in marks]
    axis.set_yticks(places, [f"{mark} Hz" if mark < 1000 else f"{mark / 1000:g} kHz" for mark in marks])
    axis.tick_params(colors=INK, labelsize=7, length=2)
    axis.set_xlabel("seconds", color=INK, fontsize=8)
    for side in axis.spines.values():
        side.set_visible(False)
    figure.text(0.055, 0.97, title, color=INK, fontsize=11, va="top")
    return _png(figure)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, facecolor=figure.get_facecolor(), metadata={"Software": None})
    return buffer.getvalue()
