"""Chords for a piece that brings none: estimated from its notes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.jazz.importing.midi_file import Piece
from engine.jazz.theory.chords import NO_CHORD, pitch_class_name
from engine.jazz.theory.score import ChordSpan, Note

TEMPLATES = {
    "": (0, 4, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m": (0, 3, 7),
    "m7": (0, 3, 7, 10),
    "m7b5": (0, 3, 6, 10),
    "o7": (0, 3, 6, 9),
}
PRIOR = {"": 0.5, "7": 0.35, "maj7": -0.1, "m": 0.1, "m7": 0.2, "m7b5": -0.5, "o7": -0.6}
CHANGE = 2.2
"""Log-cost of a new chord; half of it on a bar line. A second of silence explains any chord."""
STATES = [(root, kind) for root in range(12) for kind in TEMPLATES]


def estimate_chords(piece: Piece, start: float, bars: int, beats_per_bar: int) -> tuple[ChordSpan, ...]:
    """One or two chords a bar by Viterbi over chroma: which of 84 chords explains the notes of each half bar, weighed
    by length, with the lowest note as a hint of the root; moves along the circle of fifths come cheap."""
    last = start + bars * beats_per_bar
    notes = [
        note
        for part in piece.parts if not part.drums
        for note in part.notes if note.onset < last and note.onset + note.duration > start
    ]  # fmt: skip
    step = beats_per_bar / 2 if beats_per_bar % 2 == 0 else float(beats_per_bar)
    count = round(bars * beats_per_bar / step)
    fit = np.array([_fit(notes, start + i * step, step) for i in range(count)])
    path = _viterbi(fit, round(beats_per_bar / step))
    spans: list[ChordSpan] = []
    for i, state in enumerate(path):
        root, kind = STATES[state]
        symbol = pitch_class_name(root) + kind
        bar_line = i % round(beats_per_bar / step) == 0
        if spans and spans[-1].symbol == symbol and not bar_line:
            spans[-1] = ChordSpan(spans[-1].onset, spans[-1].beats + step, symbol)
        else:
            spans.append(ChordSpan(i * step, step, symbol))
    return tuple(spans) or (ChordSpan(0.0, float(bars * beats_per_bar), NO_CHORD),)


def _fit(notes: list[Note], start: float, length: float) -> NDArray[np.float64]:
    """(84,): how well each chord explains the notes that sound in a window."""
    chroma = np.zeros(12)
    lowest = 128
    for note in notes:
        overlap = min(note.onset + note.duration, start + length) - max(note.onset, start)
        if overlap <= 0.02:
            continue
        on_beat = 1.5 if abs(note.onset - start) < 0.1 else 1.0
        chroma[note.pitch % 12] += min(overlap, 1.0) * on_beat
        lowest = min(lowest, note.pitch)
    if not chroma.any():
        return np.zeros(len(STATES))
    chroma /= chroma.sum()
    scores = []
    for root, kind in STATES:
        tones = [(root + tone) % 12 for tone in TEMPLATES[kind]]
        inside = chroma[tones].sum()
        weak = 0.25 * sum(chroma[tone] == 0 for tone in tones[:3])
        scores.append(
            6.0 * inside - weak + 0.8 * (lowest % 12 == root) * (lowest < 60) + PRIOR[kind] - 0.12 * len(tones)
        )
    return np.array(scores)


def _viterbi(fit: NDArray[np.float64], per_bar: int) -> list[int]:
    roots = np.array([root for root, _ in STATES])
    interval = (roots[None, :] - roots[:, None]) % 12
    move = np.where(interval == 5, -0.8 * CHANGE, -CHANGE)  # down a fifth
    np.fill_diagonal(move, 0.0)
    best = fit[0]
    back: list[NDArray[np.int64]] = []
    for i in range(1, len(fit)):
        total = best[:, None] + move * (0.5 if i % per_bar == 0 else 1.0)
        back.append(total.argmax(axis=0))
        best = total.max(axis=0) + fit[i]
    path = [int(best.argmax())]
    for pointers in reversed(back):
        path.append(int(pointers[path[-1]]))
    return path[::-1]


def chords_in_window(chords: tuple[ChordSpan, ...], start: float, beats: float) -> tuple[ChordSpan, ...]:
    """Written chords, cut to a window and counted from its first beat, on whole beats."""
    cut: list[ChordSpan] = []
    for span in chords:
        onset, end = round(max(span.onset - start, 0.0)), round(min(span.onset + span.beats - start, beats))
        if end > onset:
            cut.append(ChordSpan(float(onset), float(end - onset), span.symbol))
    if cut and cut[0].onset > 0:
        cut[0] = ChordSpan(0.0, cut[0].onset + cut[0].beats, cut[0].symbol)
    return tuple(cut)
