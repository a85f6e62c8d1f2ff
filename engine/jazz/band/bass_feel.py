"""From a line of one pitch a beat to bass notes: walking, in two, or bossa nova."""

from __future__ import annotations

import math

import numpy as np

from engine.jazz.band.bass import LOWEST, MAX_LEAP, BassTables, walk
from engine.jazz.theory.chords import parse_chord
from engine.jazz.theory.harmony import chord_at
from engine.jazz.theory.score import ChordSpan, Note

SKIP = 0.07
"""Share of beats that a walking bassist subdivides with a skipped eighth."""
LEGATO = 0.94


def play(
    tables: BassTables,
    changes: tuple[ChordSpan, ...],
    bars: int,
    style: str,
    swing: float,
    rng: np.random.Generator,
    beats_per_bar: int = 4,
) -> list[Note]:
    """Bass notes for `bars` bars in a style of `engine.jazz.theory.feel`: "walking", "two" or "bossa"."""
    line = walk(tables, changes, bars * beats_per_bar, beats_per_bar, rng)
    if style == "two":
        return _two(line, beats_per_bar, swing, changes, rng)
    if style == "bossa":
        return _bossa(line, bars, beats_per_bar, changes)
    return _walking(line, beats_per_bar, swing, rng)


def _walking(line: list[int | None], beats_per_bar: int, swing: float, rng: np.random.Generator) -> list[Note]:
    notes = []
    for beat, pitch in enumerate(line):
        if pitch is None:
            continue
        place = beat % beats_per_bar
        velocity = 84 if place in (1, 3) else 80 if place == 0 else 76
        skips = place in (1, 3) and rng.random() < 2 * SKIP
        notes.append(Note(float(beat), swing * 0.9 if skips else LEGATO, pitch, velocity))
        if skips:
            notes.append(Note(beat + swing, (1 - swing) * 0.8, pitch, velocity - 18))
    return notes


def _two(
    line: list[int | None], beats_per_bar: int, swing: float, changes: tuple[ChordSpan, ...], rng: np.random.Generator
) -> list[Note]:
    """Half notes on 1 and 3, now and then with the fourth beat or its off-beat as a pickup; a chord that lasts one beat
    gets its own note."""
    starts = {math.ceil(span.onset - 1e-6) for span in changes}
    notes: list[Note] = []
    before: int | None = None
    for bar in range(len(line) // beats_per_bar):
        first = bar * beats_per_bar
        onsets = [first, first + 2] if beats_per_bar == 4 else [first]
        onsets += [beat for beat in range(first, first + beats_per_bar) if beat in starts and beat not in onsets]
        if rng.random() < 0.3 and first + beats_per_bar - 1 not in onsets:
            onsets.append(first + beats_per_bar - 1)
        onsets.sort()
        for index, beat in enumerate(onsets):
            pitch = line[beat]
            end = onsets[index + 1] if index + 1 < len(onsets) else first + beats_per_bar
            if pitch is None:
                continue
            before = pitch = _within_an_octave(pitch, before)
            notes.append(Note(float(beat), (end - beat) * 0.95, pitch, 78 if beat == first else 72))
    return notes


def _within_an_octave(pitch: int, before: int | None) -> int:
    """The pitch, or its octave where the notes left out made the leap too wide."""
    if before is None or abs(pitch - before) <= MAX_LEAP:
        return pitch
    return pitch + (12 if pitch < before else -12)


def _bossa(line: list[int | None], bars: int, beats_per_bar: int, changes: tuple[ChordSpan, ...]) -> list[Note]:
    """A chord's root where it begins and on the bar line, its fifth on the half bar of a chord that goes on; what lasts
    two beats or more is led out of by the fifth as an eighth: one, and-of-two, three, and-of-four."""
    notes: list[Note] = []
    root_before = LOWEST + 8
    before: int | None = None
    for bar in range(bars):
        first = bar * beats_per_bar
        inside = [span.onset for span in changes if first < span.onset < first + beats_per_bar]
        places = sorted({float(first), *inside, *([first + 2.0] if beats_per_bar == 4 else [])})
        for place, following in zip(places, [*places[1:], float(first + beats_per_bar)], strict=True):
            span = chord_at(changes, place)
            chord = parse_chord(span.symbol)
            if chord.bass is None or chord.root is None or line[int(place)] is None:
                continue
            root = _near(chord.bass, root_before)
            fifth = _near(chord.tones[2], root - 3 if root - 5 >= LOWEST else root + 7)
            begins = place == first or span.onset == place
            root_before = root
            before = pitch = _within_an_octave(root if begins else fifth, before)
            room = following - place
            notes.append(Note(place, min(1.4, 0.95 * room), pitch, 84 if place == first else 78))
            if room >= 2:
                before = fifth = _within_an_octave(fifth, before)
                notes.append(Note(place + 1.5, 0.45, fifth, 68))
    return notes


def _near(pitch_class: int, pitch: int) -> int:
    """The pitch of that class nearest to `pitch`, not below the lowest string nor above A2."""
    options = [p for p in range(LOWEST, 46) if p % 12 == pitch_class % 12]
    return min(options, key=lambda p: abs(p - pitch))
