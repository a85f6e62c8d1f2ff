"""How a piece ends: the whole band lands on the tonic after the last bar and lets it ring."""

from __future__ import annotations

import numpy as np

from engine.jazz.band.drums import CRASH, KICK, RIDE
from engine.jazz.band.voicing import lead
from engine.jazz.theory.chords import parse_chord
from engine.jazz.theory.feel import Feel
from engine.jazz.theory.keys import final_symbol
from engine.jazz.theory.score import ChordSpan, Note

RING_BEATS_MIN = 3.0
RING_S = 2.6
"""The last chord is held at least this long (or RING_BEATS_MIN); the room and the cymbals outlast it."""


def end(
    changes: tuple[ChordSpan, ...],
    beat: float,
    tempo_bpm: float,
    feel: Feel,
    swing: float,
    last_bass: int | None,
    rng: np.random.Generator,
) -> tuple[str, dict[str, list[Note]]]:
    """Symbol and notes of the ending, which starts at `beat` (the bar line after the form).

    Either all hold the chord from the first beat, or strike it short and hold it from the off-beat of two."""
    symbol = final_symbol(changes)
    chord = parse_chord(symbol)
    if chord.root is None:
        return symbol, {"bass": [], "comping": [], "drums": []}
    hold = max(RING_BEATS_MIN, RING_S * tempo_bpm / 60.0)
    twice = feel.swings and feel.name != "ballad" and rng.random() < 0.4
    strokes = [(beat, 0.4, 78), (beat + 1 + swing, hold, 84)] if twice else [(beat, hold, 80)]
    shape = lead([chord])[0]
    low = min((28 + (chord.root - 28) % 12, 40 + (chord.root - 40) % 12), key=lambda p: abs(p - (last_bass or 36)))
    parts: dict[str, list[Note]] = {"bass": [], "comping": [], "drums": []}
    for onset, length, velocity in strokes:
        parts["bass"].append(Note(onset, length, low, velocity))
        parts["comping"].extend(Note(onset, length, pitch, velocity - 8) for pitch in shape)
        final = onset == strokes[-1][0]
        parts["drums"].append(Note(onset, 0.5, KICK, velocity - 14))
        parts["drums"].append(Note(onset, 2.0, CRASH if final and feel.name != "ballad" else RIDE, velocity - 16))
    return symbol, parts
