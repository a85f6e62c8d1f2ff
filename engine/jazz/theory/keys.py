"""Keys: their names, and the one that a tune's changes come home to."""

from __future__ import annotations

from collections import defaultdict

from engine.errors import BadOption
from engine.jazz.theory.chords import NO_CHORD, Chord, parse_chord, pitch_class_name
from engine.jazz.theory.score import ChordSpan

KEYS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
USUAL_KEYS = ("F", "Bb", "Eb", "C", "Ab", "G")
"""Where horns live: keys that are drawn when none is asked for."""
USUAL_MINOR_KEYS = ("C", "F", "G", "D", "Bb", "A")


def split_key(key: str) -> tuple[str, bool]:
    """ "Ebm" -> ("Eb", True). Raises `BadOption`."""
    minor = key.endswith("m") and len(key) > 1
    tonic = key.removesuffix("m")
    spelled = tonic[:1].upper() + tonic[1:].lower()
    if spelled in KEYS:
        return spelled, minor
    sharps = {"C#": "Db", "D#": "Eb", "F#": "Gb", "G#": "Ab", "A#": "Bb", "Cb": "B", "Fb": "E", "E#": "F", "B#": "C"}
    if spelled in sharps:
        return sharps[spelled], minor
    raise BadOption(f"I don't know the key “{key}”. Choose one of these: {', '.join(KEYS)}; add an m for minor.")


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


def home_key(changes: tuple[ChordSpan, ...]) -> str:
    """The key that the changes come home to: "Bb", "Cm"; empty when no chord is named."""
    chord = parse_chord(final_symbol(changes))
    if chord.root is None:
        return ""
    return pitch_class_name(chord.root) + ("m" if chord.quality in ("minor", "minor_major") else "")
