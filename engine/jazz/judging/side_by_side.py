"""Pictures for listening with one's eyes: solos of people and of the soloist, as histograms and as piano rolls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from engine.jazz.judging.measures import Line
from engine.jazz.model.windows import Window
from engine.jazz.playing.matched import Clip
from engine.jazz.rendering.roll import draw_roll
from engine.jazz.theory.score import Score

ROLLS = 4
BINS = {
    "place in the beat": np.linspace(0, 1, 49),
    "on the beat: late by ms": np.linspace(-80, 120, 41),
    "interval, semitones": np.arange(-14.5, 15),
    "beats between onsets": np.linspace(0, 3, 61),
    "sounding share of the gap": np.linspace(0, 1.05, 43),
    "velocity": np.arange(10, 130, 4),
}


def values_of(windows: Sequence[Window]) -> dict[str, np.ndarray]:
    """What the histograms count, by name, over all notes of the windows."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in BINS}
    for window in windows:
        gap = np.diff(window.onset)
        late = np.mod(window.onset + 0.25, 1.0) - 0.25
        found["place in the beat"].append(np.mod(window.onset, 1.0))
        found["on the beat: late by ms"].append(late[np.abs(late) < 0.2] * 60_000.0 / window.tempo_bpm)
        found["interval, semitones"].append(np.diff(window.pitch))
        found["beats between onsets"].append(gap)
        found["sounding share of the gap"].append(window.duration[:-1] / np.maximum(gap, 1e-3))
        found["velocity"].append(window.velocity)
    return {name: np.concatenate(parts) if parts else np.zeros(0) for name, parts in found.items()}


def draw_histograms(sides: dict[str, Sequence[Window]], path: Path) -> None:
    """A PNG with one panel for each of `BINS`, one line for each side; shares of all notes."""
    figure = Figure(figsize=(13, 7))
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3).flat
    values = {name: values_of(windows) for name, windows in sides.items()}
    for panel, (what, bins) in zip(axes, BINS.items(), strict=True):
        for name, numbers in values.items():
            counts, _ = np.histogram(numbers[what], bins)
            panel.stairs(counts / max(1, len(numbers[what])), bins, label=name)
        panel.set_title(what, fontsize=10)
    figure.axes[0].legend(loc="upper right", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def draw_all(
    folder: Path, human: Sequence[Window], machine: Sequence[Window], pieces: Sequence[tuple[Line, float]],
    clips: Sequence[Clip],
) -> None:  # fmt: skip
    """Histograms of both sides and the first rolls of each; `pieces` are human lines with their tempo, beats a
    minute."""
    folder.mkdir(parents=True, exist_ok=True)
    draw_histograms({"people": human, "soloist": machine}, folder / "histograms.png")
    for number, (line, tempo_bpm) in enumerate(pieces[:ROLLS], 1):
        _draw_line(line, tempo_bpm, folder / f"people-{number}.png")
    for number, clip in enumerate(clips[:ROLLS], 1):
        line = Line(clip.improvisation.notes, clip.request.changes, clip.request.beats_per_bar)
        _draw_line(line, clip.request.tempo_bpm, folder / f"soloist-{number}.png")


def _draw_line(line: Line, tempo_bpm: float, path: Path) -> None:
    last = max((note.onset for note in line.notes), default=0.0)
    bars = int(last // line.beats_per_bar) + 1
    score = Score(tempo_bpm, bars, line.chords, {"solo": line.notes}, line.beats_per_bar)
    path.write_bytes(draw_roll(score))
