"""How pitches are spelled: key signatures, accidentals, and a part's written key, on the line of fifths.

A place on that line names a letter with its accidental: .. Bb -2, F -1, C 0, G 1, D 2 .. B 5, F# 6 .. Seven places up
is a sharp, twelve is the same key on a piano.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.jazz.theory.chords import Chord
from engine.jazz.theory.instruments import Instrument
from engine.jazz.theory.keys import split_key

_LETTERS = "FCGDAEB"
_NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHIFTS = {0: 0, 2: 2, 9: 3}
"""Fifths of a transposition within the octave, by semitones up: a second, a sixth."""
_STEPS_DOWN = {0: 0, 2: 1, 9: 5}
"""Its staff steps."""
_INTERVALS = {0: 0, 1: -5, 2: 2, 3: -3, 4: 4, 5: -1, 6: -6, 7: 1, 8: -4, 9: 3, 10: -2, 11: 5}
"""Semitones above a chord's root -> fifths: b9, 9, minor third, third, 11, b5, 5, b13, 13, b7, major seventh."""
FAR = 9.0
"""Fifths from the middle of the key beyond which a tone of a chord is spelled as the key has it: no B# in F minor."""


def place_of(name: str) -> int:
    """The place of a letter with accidentals on the line of fifths: "Bb" -> -2."""
    return _LETTERS.index(name[0].upper()) - 1 + 7 * (name.count("#") - name[1:].count("b"))


def letter(place: int) -> tuple[str, int]:
    """Letter and alteration in semitones of a place: -2 -> ("B", -1)."""
    alter, index = divmod(place + 1, 7)
    return _LETTERS[index], alter


def spell_pitch(pitch: int, place: int) -> tuple[str, int, int]:
    """(letter, alteration, octave) of a MIDI pitch that is spelled as `place`: B#3 sounds like C4."""
    name, alter = letter(place)
    return name, alter, (pitch - alter - _NATURALS[name]) // 12 - 1


@dataclass(frozen=True, slots=True)
class Reading:
    """How a part is written for its player. `fifths`: sharps of the written key (flats below 0), `mode`: major,
    minor or empty; `semitones`, `places`: from sounding to written pitch, and on the line of fifths."""

    fifths: int
    mode: str
    semitones: int = 0
    places: int = 0

    @classmethod
    def of(cls, key: str, instrument: Instrument) -> Reading:
        """The reading of an instrument in a sounding key ("Bb", "Cm"; empty: without accidentals)."""
        shift = _SHIFTS[instrument.transposition % 12]
        if not key:
            return cls(0, "", instrument.transposition, shift)
        tonic, minor = split_key(key)
        sounding = _signature(place_of(tonic) - 3 * minor)
        fifths = _signature(sounding + shift)
        return cls(fifths, "minor" if minor else "major", instrument.transposition, fifths - sounding)

    @property
    def staff_steps(self) -> int:
        """Staff steps from the written pitch down to the sounding one, octaves left out."""
        # twelve places are one step further: where the sharps became too many, G# is written as Ab
        up = self.semitones % 12
        return _STEPS_DOWN[up] - (self.places - _SHIFTS[up]) // 12

    def signed(self, step: str) -> int:
        """What the key signature does to a letter: -1, 0 or 1 semitone."""
        return (self.fifths - 1 - _LETTERS.index(step)) // 7 + 1

    def chord_place(self, name: str) -> int:
        """The written place of a sounding chord root or bass ("F#"): as spelled, unless the key has it nearer."""
        place = place_of(name) + self.places
        middle = self.fifths + 1
        place += 12 * (place < middle - 8) - 12 * (place > middle + 8)
        return place + 12 * (place < -7) - 12 * (place > 10)

    def note_place(self, written: int, chord: Chord | None) -> int:
        """The place of a written pitch: a tone of the (sounding) chord's scale over its root, any other as the key
        has it."""
        centre = self.fifths + 0.5
        near = _nearest(written, centre)
        if chord is None or chord.root is None:
            return near
        tone = (written - self.semitones) % 12
        if tone not in chord.scale:
            return near
        step = (tone - chord.root) % 12
        place = self.chord_place(root_name(chord)) + _INTERVALS[step]
        if step == 6 and tone not in chord.tones:
            place += 12  # a sharp eleventh, no flat fifth
        if step == 8 and tone == chord.fifth and chord.quality != "altered":
            place += 12  # a raised fifth, no flat thirteenth
        return place if abs(place - centre) <= FAR else near


def root_name(chord: Chord) -> str:
    """The root as the symbol spells it. `chord` must have one."""
    match = re.match(r"[A-G][#b]*", chord.symbol)
    assert match is not None
    return match.group()


def _nearest(pitch: int, centre: float) -> int:
    """The place of a pitch class that lies nearest to `centre`: from the flat second to the sharp fourth of a key."""
    place = 7 * pitch % 12
    return place + 12 * round((centre - place) / 12)


def _signature(fifths: int) -> int:
    """A key's accidentals with at most six of them."""
    return fifths - 12 if fifths > 6 else fifths + 12 if fifths < -6 else fifths
