"""How a piece ends: the whole band lands on the tonic after the last bar and lets it ring."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from engine.jazz.band.drums import CRASH, KICK, RIDE
from engine.jazz.band.voicing import lead
from engine.jazz.theory.chords import NO_CHORD, Chord, parse_chord, pitch_class_name
from engine.jazz.theory.feel import Feel
from engine.jazz.theory.score import ChordSpan, Note

RING_BEATS_MIN = 3.0
RING_S = 2.6
"""The last chord is held at least this long (or RING_BEATS_MIN); the room and the cymbals outlast it."""


def home(changes: tuple[ChordSpan, ...]) -> Chord | None:
    """The chord that the changes are about: where dominants resolve to, what lasts, begins and ends; None if none is
    named. A seventh chord counts less than one at rest, but a blues is at home on its own."""
    spans = [(span, parse_chord(span.symbol)) for span in changes]
    spans = [(span, chord) for span, chord in spans if chord.root is not None]
    if not spans:
        return None
    weights: dict[tuple[int, str], float] = defaultdict(float)
    best_chord: dict[tuple[int, str], Chord] = {}
    for index, (span, chord) in enumerate(spans):
        assert chord.root is not None
        kind = _KIND.get(chord.quality, "major")
        rest = (
            0.4 if kind == "dominant" or (kind == "minor" and chord.quality == "minor" and _has_seventh(chord)) else 1.0
        )
        before = spans[index - 1][1]
        resolved = before.quality in DOMINANTS and before.root == (chord.root + 7) % 12
        place = (chord.root, kind)
        weights[place] += rest * min(span.beats, 8.0) + 4.0 * rest * resolved + 2.0 * (index == 0)
        weights[place] += 4.0 * rest * (index == len(spans) - 1)
        best_chord.setdefault(place, chord)
    return best_chord[max(weights, key=lambda place: weights[place])]


DOMINANTS = ("dominant", "altered", "suspended")
_KIND = {
    "minor": "minor", "minor_major": "minor", "half_diminished": "minor", "dominant": "dominant",
    "altered": "dominant", "suspended": "dominant", "diminished": "diminished",
}  # fmt: skip


def _has_seventh(chord: Chord) -> bool:
    return chord.seventh is not None and chord.root is not None and (chord.seventh - chord.root) % 12 == 10


def final_symbol(changes: tuple[ChordSpan, ...]) -> str:
    """The symbol of the last chord: home with the colours of an ending."""
    chord = home(changes)
    if chord is None or chord.root is None:
        return NO_CHORD
    colour = {"minor": "m69", "dominant": "9", "diminished": "o7"}.get(_KIND.get(chord.quality, "major"), "69")
    return pitch_class_name(chord.root) + colour


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
