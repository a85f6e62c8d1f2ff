"""Comping: where the chords are struck, so that the soloist has room.

Each bar gets one of the rhythms that pianists use (`FIGURES`). A figure is the likelier the more of its strokes fall
where the soloist breathes, and a riff that was just played is likely to come again. There is no corpus of annotated
comping to learn from, so figures and weights are the trade's own (Levine, The Jazz Piano Book, chapter 19), not
learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.jazz.band.listening import CROWDED, Attention
from engine.jazz.band.voicing import lead, shell
from engine.jazz.theory.chords import parse_chord
from engine.jazz.theory.feel import Feel
from engine.jazz.theory.harmony import chord_at
from engine.jazz.theory.score import ChordSpan, Note


@dataclass(frozen=True, slots=True)
class Figure:
    """Strokes of one bar as (beat, length in beats); beats ending in .5 are off-beats and follow the swing."""

    name: str
    strokes: tuple[tuple[float, float], ...]
    weight: float


FIGURES = {
    "swing": (
        Figure("Charleston", ((0, 0.9), (1.5, 0.4)), 3.0),
        Figure("Charleston, late", ((1, 0.6), (2.5, 0.4)), 1.5),
        Figure("reverse Charleston", ((0.5, 0.4), (2, 0.8)), 1.5),
        Figure("Red Garland", ((1.5, 0.45), (3.5, 0.45)), 3.0),
        Figure("push", ((3.5, 0.9),), 2.0),
        Figure("and of two", ((1.5, 1.2),), 2.0),
        Figure("and of two, four", ((1.5, 0.4), (3, 0.5)), 1.0),
        Figure("pad", ((0, 2.8),), 1.0),
        Figure("one and three", ((0, 0.5), (2.5, 0.9)), 1.5),
        Figure("answer", ((2.5, 0.4), (3.5, 0.4)), 1.5),
        Figure("three strokes", ((0.5, 0.4), (1.5, 0.4), (3, 0.6)), 0.8),
        Figure("laying out", (), 1.0),
    ),
    "ballad": (
        Figure("whole", ((0, 3.6),), 3.0),
        Figure("halves", ((0, 1.8), (2, 1.8)), 3.0),
        Figure("one and pickup", ((0, 2.6), (3, 0.9)), 1.5),
        Figure("after the beat", ((0.5, 1.4), (2, 1.8)), 1.5),
        Figure("push", ((0, 1.8), (2, 1.3), (3.5, 0.5)), 1.0),
    ),
    "bossa": (
        Figure("clave three", ((0, 0.9), (1.5, 0.9), (3, 0.7)), 3.0),
        Figure("clave two", ((1, 0.9), (2.5, 1.2)), 3.0),
        Figure("syncopated", ((0, 0.7), (1.5, 0.7), (2.5, 0.4), (3.5, 0.5)), 1.5),
        Figure("sparse", ((0, 1.4), (2.5, 1.2)), 1.0),
    ),
}


def comp(
    changes: tuple[ChordSpan, ...],
    bars: int,
    feel: Feel,
    swing: float,
    solo: tuple[Note, ...],
    rng: np.random.Generator,
    beats_per_bar: int = 4,
) -> list[Note]:
    """Chords for `bars` bars: every stroke one voicing, led from the last. `swing`: where off-beats lie."""
    busy = occupied(solo, bars * beats_per_bar)
    family = feel.drums if feel.drums in FIGURES else "swing"
    strokes: list[tuple[float, float]] = []
    before: Figure | None = None
    two_before: Figure | None = None
    for bar in range(bars):
        figure = _choose(FIGURES[family], busy, bar, beats_per_bar, (before, two_before), rng)
        strokes.extend((bar * beats_per_bar + beat, length) for beat, length in figure.strokes if beat < beats_per_bar)
        two_before, before = before, figure
    strokes = _without_echo(strokes)
    # a push before the final chord belongs to the ending
    strokes = [(beat, length) for beat, length in strokes if beat < bars * beats_per_bar - 0.75]
    if not strokes:  # a bar or two in which the soloist leaves no room
        return []
    attention = Attention.of(solo, bars * beats_per_bar)
    chords = [parse_chord(chord_at(changes, sounding_beat(beat)).symbol) for beat, _ in strokes]
    notes: list[Note] = []
    shapes = lead(chords, quartal=feel.name == "modal")
    loudness = _loudness(solo)
    following = [swung(beat, swing) for beat, _ in strokes[1:]] + [float(bars * beats_per_bar)]
    for (beat, length), chord, full, next_stroke in zip(strokes, chords, shapes, following, strict=True):
        _, denser = attention.at(beat)
        shape = shell(full, chord) if denser > CROWDED else full
        onset = swung(beat, swing)
        end = min(swung(beat + length, swing), _end_of_harmony(changes, beat), next_stroke - 0.05)
        accent = 6 if beat % 1 else 0
        for voice, pitch in enumerate(shape):
            top = 3 if voice == len(shape) - 1 else 0
            notes.append(Note(onset, max(0.2, end - onset), pitch, int(np.clip(loudness + accent + top, 30, 96))))
    return notes


def _without_echo(strokes: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A chord that was anticipated is held over its beat, not struck again there."""
    kept: list[tuple[float, float]] = []
    for beat, length in strokes:
        if kept and beat - kept[-1][0] < 1.0 and kept[-1][0] % 1 and not beat % 1:
            kept[-1] = (kept[-1][0], max(kept[-1][1], beat - kept[-1][0] + 0.5 * length))
        else:
            kept.append((beat, length))
    return kept


def sounding_beat(beat: float) -> float:
    """The beat whose chord a stroke belongs to: an off-beat anticipates the beat that it leads to."""
    return beat + 0.5 if beat % 1 else beat


def swung(beat: float, swing: float) -> float:
    """Eighth-note position -> performed position: off-beats move to `swing` of the beat."""
    whole, phase = divmod(beat, 1.0)
    return whole + (phase * swing / 0.5 if phase <= 0.5 else swing + (phase - 0.5) * (1 - swing) / 0.5)


def occupied(solo: tuple[Note, ...], beats: int) -> NDArray[np.float64]:
    """(2 * beats,): for each eighth, the share of it in which the soloist attacks or sounds; attacks weigh double."""
    cells = np.zeros(2 * beats)
    for note in solo:
        start = int(np.floor(note.onset * 2))
        if 0 <= start < len(cells):
            cells[start] += 1.0
        for cell in range(max(0, start + 1), min(len(cells), int(np.ceil((note.onset + note.duration) * 2)))):
            cells[cell] += 0.4
    return np.minimum(cells, 1.5)


def _choose(
    figures: tuple[Figure, ...],
    busy: NDArray[np.float64],
    bar: int,
    beats_per_bar: int,
    history: tuple[Figure | None, Figure | None],
    rng: np.random.Generator,
) -> Figure:
    window = busy[bar * beats_per_bar * 2 : (bar + 1) * beats_per_bar * 2]
    crowding = float(window.mean()) if len(window) else 0.0
    scores = []
    for figure in figures:
        clash = sum(float(window[int(beat * 2)]) for beat, _ in figure.strokes if int(beat * 2) < len(window))
        score = np.log(figure.weight) - 1.1 * clash + 0.5 * len(figure.strokes) * (0.9 - crowding)
        if figure is history[1]:
            score += 0.8  # a two-bar riff
        if figure is history[0]:
            score -= 0.3
        if not figure.strokes and history[0] is not None and not history[0].strokes:
            score -= 3.0
        scores.append(score)
    weights = np.exp(np.array(scores) - max(scores))
    return figures[int(rng.choice(len(figures), p=weights / weights.sum()))]


def _end_of_harmony(changes: tuple[ChordSpan, ...], beat: float) -> float:
    """Where the chord struck at `beat` stops fitting."""
    span = chord_at(changes, sounding_beat(beat))
    end = span.onset + span.beats
    for after in changes:
        if abs(after.onset - end) < 1e-6 and after.symbol == span.symbol:
            end = after.onset + after.beats
    return end


def _loudness(solo: tuple[Note, ...]) -> float:
    """A little under the soloist's median velocity."""
    return float(np.median([note.velocity for note in solo])) * 0.5 + 26 if solo else 62.0
