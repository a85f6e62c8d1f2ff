"""Chords: a symbol in, and what a musician makes of it out. The spellings are in `symbols`, the scales in `scales`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from engine.errors import BadChords
from engine.jazz.theory.dialects import harte, hint, solfege
from engine.jazz.theory.scales import interpret
from engine.jazz.theory.symbols import plain, plain_body, read_body

QUALITIES = ("major", "minor", "minor_major", "dominant", "altered", "suspended", "half_diminished", "diminished",
             "augmented", "none")  # fmt: skip
"""What a chord does, in ten words. `altered`: a dominant whose ninth or fifth is altered; `augmented`: a raised fifth
without a minor seventh; `none`: NC, nobody plays a chord."""

NO_CHORD = "NC"

_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_MISPRINTS = {"AminD7": "Am7"}  # once in iRb (Chelsea Bridge): two symbols run together


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord symbol, understood. All pitches are pitch classes 0 (C) .. 11 (B).

    `tones`: root, third (or fourth, suspended), fifth, then sixth or seventh if the symbol has one.
    `tensions`: the ninths, elevenths and thirteenths that the symbol writes.
    `scale`: the chord scale, upwards from the root. `bass`: the lowest note, other than the root after a slash.
    `degrees`: (number, alteration) of what the symbol adds to third, fifth and seventh, as written: (9, -1) is b9.
    `omitted`: 3 or 5 where the symbol takes one away.
    For `NC` the root and bass are None and the tuples empty."""

    symbol: str
    quality: str
    root: int | None
    bass: int | None
    tones: tuple[int, ...]
    tensions: tuple[int, ...]
    scale: tuple[int, ...]
    degrees: tuple[tuple[int, int], ...] = ()
    omitted: tuple[int, ...] = ()

    @property
    def bass_name(self) -> str:
        """The bass after the slash as the symbol spells it ("Eb"); empty without one."""
        match = re.search(r"/([A-G][#b]*)$", self.symbol)
        return match.group(1) if match else ""

    @property
    def third(self) -> int | None:
        """The tone that says major or minor; the fourth of a suspended chord."""
        return self.tones[1] if len(self.tones) > 1 else None

    @property
    def fifth(self) -> int | None:
        return self.tones[2] if len(self.tones) > 2 else None

    @property
    def seventh(self) -> int | None:
        """Seventh or sixth; None for a triad."""
        return self.tones[3] if len(self.tones) > 3 else None

    @property
    def avoid(self) -> tuple[int, ...]:
        """Scale tones a semitone above a chord tone that the symbol does not ask for: passing notes, no resting places.

        An altered dominant has none: its flat ninth and flat thirteenth are what it is there for."""
        if self.quality in ("altered", "diminished", "none"):
            return ()
        asked = {*self.tones, *self.tensions}
        return tuple(pc for pc in self.scale if pc not in asked and (pc - 1) % 12 in self.tones)


@lru_cache(maxsize=4096)
def parse_chord(symbol: str) -> Chord:
    """Understand one chord symbol. Raises `BadChords` with the symbol and, by nearest match, what it may have meant."""
    text = "".join(plain(symbol).split())  # `C7 (b9, #11)` is one symbol wherever it is shown in a line of chords
    if text.upper().replace(".", "") in ("NC", "N", "(NC)", "NOCHORD", "TACET"):
        return Chord(NO_CHORD, "none", None, None, (), (), ())
    text = _MISPRINTS.get(text, text)
    for spelled in (harte(text) or text, solfege(text)):
        chord = _read(spelled) if spelled else None
        if chord is not None:
            return chord
    raise BadChords(f"I don't know the chord “{symbol}”. {hint(text)}".rstrip())


def _read(text: str) -> Chord | None:
    """The chord of a symbol in letters; None if it is none."""
    match = re.fullmatch(r"([A-Ga-g])(##?|bb?)?(.*?)(?:/([A-Ga-g])(##?|bb?)?)?", text)
    if match is None or text.count("(") != text.count(")"):
        return None
    letter, accidentals, body, bass_letter, bass_accidentals = match.groups(default="")
    body = plain_body(body)
    reading = read_body(body) if plain_body(body) == body else None
    if reading is None:
        return None
    root = _pitch_class(letter, accidentals)
    bass = _pitch_class(bass_letter, bass_accidentals) if bass_letter else root
    quality, intervals, tensions, scale = interpret(reading)
    scale = tuple(sorted({*scale, *intervals, *tensions}))

    def absolute(steps: tuple[int, ...]) -> tuple[int, ...]:
        return tuple((root + step) % 12 for step in steps)

    if letter + accidentals + body in ("Do", "do"):
        body = "dim"  # alone it would be read as solfège's Do
    over = f"/{bass_letter.upper()}{bass_accidentals}" if bass_letter else ""
    return Chord(
        letter.upper() + accidentals + body + over, quality, root, bass, absolute(intervals), absolute(tensions),
        absolute(scale), tuple(reading.degrees), tuple(reading.omitted),
    )  # fmt: skip


def transpose_symbol(symbol: str, semitones: int, *, flats: bool = True) -> str:
    """The same chord symbol `semitones` higher: `transpose_symbol("C-7/Eb", 2)` is `D-7/F`."""
    chord = parse_chord(symbol)
    if chord.root is None:
        return NO_CHORD
    names = _FLAT_NAMES if flats else _SHARP_NAMES

    def moved(match: re.Match[str]) -> str:
        return match.group(1) + names[(_pitch_class(match.group(2), match.group(3)) + semitones) % 12]

    return re.sub(r"(^|/)([A-G])(##?|bb?|)", moved, chord.symbol)


def pitch_class_name(pitch_class: int, *, flats: bool = True) -> str:
    """0 -> "C", 10 -> "Bb" (or "A#")."""
    return (_FLAT_NAMES if flats else _SHARP_NAMES)[pitch_class % 12]


def _pitch_class(letter: str, accidentals: str) -> int:
    return (_LETTERS[letter.upper()] + accidentals.count("#") - accidentals.count("b")) % 12
