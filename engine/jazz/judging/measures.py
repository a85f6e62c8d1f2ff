"""What a solo is like, in the numbers that the literature uses, alike for human and generated solos.

H1, H4 (entropy of pitch classes over one and four bars) and grooving similarity: Wu & Yang, The Jazz Transformer on
the Front Line, ISMIR 2020. Chord and scale tones: Madaghiele et al., MINGUS, ISMIR 2021 (theirs count other tokens).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.jazz.theory.harmony import chord_at, parse_chord
from engine.jazz.theory.score import ChordSpan, Note

MEASURES = (
    "H1",
    "H4",
    "grooving similarity",
    "chord tones %",
    "scale tones %",
    "notes a bar",
    "range",
    "longest repeat",
    "phrase length",
    "off-beat at",
    "interval entropy",
    "legato %",
    "velocity sd",
)
_GROOVE_PLACES = 64


@dataclass(frozen=True)
class Line:
    """A solo to measure: notes with onsets in beats from bar 1, the chords under it."""

    notes: tuple[Note, ...]
    chords: tuple[ChordSpan, ...]
    beats_per_bar: int = 4


def _entropy(counts: np.ndarray) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum())


def pitch_class_entropy(onset: np.ndarray, pitch: np.ndarray, beats: int) -> float:
    """Mean entropy in bits of the pitch classes within consecutive windows of `beats`; empty windows don't count."""
    window = np.floor(onset / beats).astype(int)
    values = [_entropy(np.bincount(pitch[window == number] % 12, minlength=12)) for number in np.unique(window)]
    return float(np.mean(values)) if values else 0.0


def grooving_similarity(onset: np.ndarray, beats_per_bar: int) -> float:
    """Mean over pairs of bars of 1 - share of the bar's places (64 in 4/4) where just one of both has an onset."""
    place = np.rint(onset * _GROOVE_PLACES / 4).astype(int)
    places = _GROOVE_PLACES * beats_per_bar // 4
    bars = np.zeros((place.max() // places + 1, places), bool)
    bars[place // places, place % places] = True
    bars = bars[bars.any(axis=1)]
    if len(bars) < 2:
        return 1.0
    first, second = np.triu_indices(len(bars), 1)
    return float(1.0 - (bars[first] ^ bars[second]).mean())


def longest_repeat(pitch: np.ndarray) -> int:
    """Notes of the longest run of intervals that occurs twice in the solo, without overlap."""
    step = np.diff(pitch)
    longest = 0
    table = np.zeros(len(step) + 1, int)
    for i in range(len(step)):
        before = table.copy()
        for j in range(i):
            table[j + 1] = min(before[j] + 1, i - j) if step[i] == step[j] else 0
            longest = max(longest, int(table[j + 1]))
        table[i + 1] = 0
    return longest + 1 if longest else 0


def phrase_lengths(onset: np.ndarray, duration: np.ndarray) -> np.ndarray:
    """Notes of each phrase; a phrase ends where nothing sounds for a beat or more."""
    silent = onset[1:] - (onset[:-1] + duration[:-1]) >= 1.0
    edges = np.concatenate([[0], np.flatnonzero(silent) + 1, [len(onset)]])
    return np.diff(edges)


def off_beat_position(onset: np.ndarray) -> float:
    """Mean place in the beat of the second of two eighths: beats with one onset near 0 and one between .4 and .75."""
    beat = np.floor(onset + 0.12).astype(int)
    place = onset - beat
    found = []
    for number in np.unique(beat):
        inside = place[beat == number]
        if len(inside) == 2 and abs(inside[0]) < 0.12 and 0.4 < inside[1] < 0.75:
            found.append(inside[1] - inside[0])
    return float(np.mean(found)) if len(found) >= 4 else float("nan")


def measure(line: Line) -> dict[str, float]:
    """All `MEASURES` of a solo; NaN where it has nothing to measure."""
    if len(line.notes) < 4:
        return dict.fromkeys(MEASURES, float("nan"))
    onset = np.maximum(np.array([note.onset for note in line.notes]), 0.0)
    duration = np.array([note.duration for note in line.notes])
    pitch = np.array([note.pitch for note in line.notes])
    in_chord, in_scale = [], []
    for note in line.notes:
        chord = parse_chord(chord_at(line.chords, note.onset).symbol) if line.chords else None
        if chord is not None and chord.root is not None:
            in_chord.append(note.pitch % 12 in chord.tones)
            in_scale.append(note.pitch % 12 in chord.scale)
    bars = max(1.0, np.ceil((onset[-1] - onset[0]) / line.beats_per_bar))
    gap = np.diff(onset)
    nan = float("nan")
    return {
        "H1": pitch_class_entropy(onset, pitch, line.beats_per_bar),
        "H4": pitch_class_entropy(onset, pitch, 4 * line.beats_per_bar),
        "grooving similarity": grooving_similarity(onset, line.beats_per_bar),
        "chord tones %": 100.0 * float(np.mean(in_chord)) if in_chord else nan,
        "scale tones %": 100.0 * float(np.mean(in_scale)) if in_scale else nan,
        "notes a bar": len(pitch) / bars,
        "range": float(np.ptp(pitch)),
        "longest repeat": float(longest_repeat(pitch)),
        "phrase length": float(np.mean(phrase_lengths(onset, duration))),
        "off-beat at": off_beat_position(onset),
        "interval entropy": _entropy(np.bincount(np.clip(np.diff(pitch), -24, 24) + 24)),
        "legato %": 100.0 * float(np.mean(duration[:-1] >= 0.95 * gap)),
        "velocity sd": float(np.std([note.velocity for note in line.notes])),
    }


def table(rows: dict[str, Sequence[Line]]) -> str:
    """A Markdown table of mean ± standard deviation; columns are the keys of `rows`. The first is the yardstick: a
    mean further than half of its standard deviation away is marked with `*`."""
    measured = {name: [measure(line) for line in lines] for name, lines in rows.items()}
    names = list(rows)
    text = ["| measure | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for key in MEASURES:
        cells = []
        yardstick: tuple[float, float] | None = None
        for name in names:
            values = np.array([row[key] for row in measured[name]])
            values = values[np.isfinite(values)]
            if not len(values):
                cells.append("-")
                continue
            mean, deviation = float(values.mean()), float(values.std())
            yardstick = yardstick or (mean, deviation)
            mark = " *" if abs(mean - yardstick[0]) > 0.5 * yardstick[1] else ""
            digits = 3 if key in ("off-beat at", "grooving similarity") else 2
            cells.append(f"{mean:.{digits}f} ± {deviation:.{digits}f}{mark}")
        text.append(f"| {key} | " + " | ".join(cells) + " |")
    return "\n".join(text)
