"""Chord symbols: what the letters after a root mean.

Both spellings in use are read, also mixed: the fake-book one (`Cm7`, `Fmaj7`, `F^7`, `Am7b5`, `Bb7alt`, `C7b9`) and the
Weimar Jazz Database's (`C-7`, `Fj7`, `A-7b5`, `G79b13`, where an accidental follows its number).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from engine.errors import BadChords

QUALITIES = ("major", "minor", "minor_major", "dominant", "altered", "suspended", "half_diminished", "diminished",
             "augmented", "none")  # fmt: skip
"""What a chord does, in ten words. `altered`: a dominant whose ninth or fifth is altered; `augmented`: a raised fifth
without a minor seventh; `none`: NC, nobody plays a chord."""

NO_CHORD = "NC"

_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_DEGREES = {2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 10, 8: 0, 9: 2, 11: 5, 13: 9}
"""Semitones above the root of a written degree; 7 is the minor seventh, as chord symbols have it."""

# Chord scales, semitones above the root (Nettles & Graf, The Chord Scale Theory & Jazz Harmony, 1997).
IONIAN = (0, 2, 4, 5, 7, 9, 11)
DORIAN = (0, 2, 3, 5, 7, 9, 10)
AEOLIAN = (0, 2, 3, 5, 7, 8, 10)
LYDIAN = (0, 2, 4, 6, 7, 9, 11)
MIXOLYDIAN = (0, 2, 4, 5, 7, 9, 10)
LOCRIAN = (0, 1, 3, 5, 6, 8, 10)
PHRYGIAN = (0, 1, 3, 5, 7, 8, 10)
MELODIC_MINOR = (0, 2, 3, 5, 7, 9, 11)
LYDIAN_DOMINANT = (0, 2, 4, 6, 7, 9, 10)
MIXOLYDIAN_FLAT_13 = (0, 2, 4, 5, 7, 8, 10)
PHRYGIAN_DOMINANT = (0, 1, 4, 5, 7, 8, 10)
LYDIAN_AUGMENTED = (0, 2, 4, 6, 8, 9, 11)
ALTERED_SCALE = (0, 1, 3, 4, 6, 8, 10)
WHOLE_TONE = (0, 2, 4, 6, 8, 10)
HALF_WHOLE = (0, 1, 3, 4, 6, 7, 9, 10)
WHOLE_HALF = (0, 2, 3, 5, 6, 8, 9, 11)


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord symbol, understood. All pitches are pitch classes 0 (C) .. 11 (B).

    `tones`: root, third (or fourth, suspended), fifth, then sixth or seventh if the symbol has one.
    `tensions`: the ninths, elevenths and thirteenths that the symbol writes.
    `scale`: the chord scale, upwards from the root. `bass`: the lowest note, other than the root after a slash.
    For `NC` the root and bass are None and the tuples empty."""

    symbol: str
    quality: str
    root: int | None
    bass: int | None
    tones: tuple[int, ...]
    tensions: tuple[int, ...]
    scale: tuple[int, ...]

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
    """Understand one chord symbol. Raises `BadChords`, naming the symbol."""
    text = _normalise(symbol)
    if text.upper().replace(".", "") in ("NC", "N"):
        return Chord(NO_CHORD, "none", None, None, (), (), ())
    match = re.fullmatch(r"([A-Ga-g])([#b]*)(.*?)(?:/([A-Ga-g])([#b]*))?", text)
    if match is None:
        raise BadChords(f"“{symbol}” is not a chord symbol that I know.")
    letter, accidentals, body, bass_letter, bass_accidentals = match.groups()
    root = _pitch_class(letter, accidentals)
    bass = root if bass_letter is None else _pitch_class(bass_letter, bass_accidentals)
    reading = _read_body(body)
    if reading is None:
        raise BadChords(f"“{symbol}” is not a chord symbol that I know.")
    quality, intervals, tensions, scale = _interpret(reading)
    scale = tuple(sorted({*scale, *intervals, *tensions}))

    def absolute(steps: tuple[int, ...]) -> tuple[int, ...]:
        return tuple((root + step) % 12 for step in steps)

    written = letter.upper() + text[1:]
    return Chord(written, quality, root, bass, absolute(intervals), absolute(tensions), absolute(scale))


def transpose_symbol(symbol: str, semitones: int, *, flats: bool = True) -> str:
    """The same chord symbol `semitones` higher: `transpose_symbol("C-7/Eb", 2)` is `D-7/F`."""
    chord = parse_chord(symbol)
    if chord.root is None:
        return NO_CHORD
    names = _FLAT_NAMES if flats else _SHARP_NAMES

    def moved(match: re.Match[str]) -> str:
        return match.group(1) + names[(_pitch_class(match.group(2), match.group(3)) + semitones) % 12]

    return re.sub(r"(^|/)([A-G])([#b]*)", moved, chord.symbol)


def pitch_class_name(pitch_class: int, *, flats: bool = True) -> str:
    """0 -> "C", 10 -> "Bb" (or "A#")."""
    return (_FLAT_NAMES if flats else _SHARP_NAMES)[pitch_class % 12]


# ---------------------------------------------------------------- what the letters say


@dataclass(slots=True)
class _Reading:
    """What the letters after the root say, before it is interpreted."""

    third: str = ""  # "" (major), "minor", "suspended4", "suspended2", "none"
    fifth: int = 7
    seventh: int | None = None
    tensions: set[int] = field(default_factory=set)  # semitones above the root
    diminished: bool = False
    altered: bool = False
    flat_sixth: bool = False


_MISPRINTS = {"AminD7": "Am7"}  # once in iRb (Chelsea Bridge): two symbols run together

_MAJOR = r"maj|ma(?!dd)|M|j|\^"
_MINOR = r"min|mi|m|-"
_KINDS = (
    (rf"(?:{_MINOR})\(?(?:{_MAJOR})7?\)?", "minor_major"),
    (rf"(?:{_MINOR})7\(?b5\)?|ø7?|h7|half-?dim7?", "half_diminished"),
    (r"dim7?|o7?", "diminished"),
    (_MAJOR, "major"),
    (_MINOR, "minor"),
    (rf"(?:aug|\+)(?:{_MAJOR})7?", "augmented_major_seventh"),
    (r"aug|\+(?![0-9])|\+(?=7|9|13)", "augmented"),
)
"""What may follow the root, tried in this order."""


_SPELLINGS = {
    "♭": "b",
    "♯": "#",
    "Δ": "^",
    "△": "^",
    "°": "o",
    "º": "o",
    "Ø": "ø",
    "−": "-",
    "–": "-",
    "6/9": "69",
}


def _normalise(symbol: str) -> str:
    text = "".join(symbol.split())  # `C7 (b9, #11)` is one symbol wherever it is shown in a line of chords
    text = _MISPRINTS.get(text, text)
    for other, plain in _SPELLINGS.items():
        text = text.replace(other, plain)
    text = re.sub(r"(?<=.)(?:MAJ|Maj|MA(?=[79]))", "maj", text)
    return re.sub(r"(?<=.)(?:MIN|Min)", "min", text)


def _pitch_class(letter: str, accidentals: str) -> int:
    return (_LETTERS[letter.upper()] + accidentals.count("#") - accidentals.count("b")) % 12


def _read_body(body: str) -> _Reading | None:
    """Read what follows the root; None if it is no chord."""
    reading = _Reading()
    kind, match = "", None
    for pattern, name in _KINDS:
        match = re.match(pattern, body)
        if match:
            kind, body = name, body[match.end() :]
            break
    if kind in ("minor", "minor_major", "half_diminished", "diminished"):
        reading.third = "minor"
    if kind == "minor_major":
        reading.seventh = 11
    elif kind == "half_diminished":
        reading.fifth, reading.seventh = 6, 10
    elif kind == "diminished":
        reading.fifth, reading.seventh, reading.diminished = 6, 9, True
    elif kind == "augmented":
        reading.fifth = 8
    elif kind == "augmented_major_seventh":
        reading.fifth, reading.seventh = 8, 11
    elif kind == "major" and match is not None:
        # `Cmaj` and `CM` are triads; `C^`, `CΔ` and `Cj` mean the seventh, as does any number above it
        if match.group() in ("^", "j") or re.match(r"\(?(?:[#b]?(?:9|11|13)|7)", body):
            reading.seventh = 11
        body = body.removeprefix("7")
    return _read_degrees(body, reading)


def _read_degrees(body: str, reading: _Reading) -> _Reading | None:
    """Read numbers, alterations and words such as `7b9sus` into `reading`."""
    body = re.sub(r"[(),\s]", "", body)
    # An accidental behind its number, as in `79b13`, `9b` or `j79#11`: the Weimar and iRb way.
    numbers = re.sub(r"sus4?|add3|\+(?![0-9])", "", body)
    behind = bool(re.match(r"7[0-9]", numbers) or re.search(r"[#b](?:$|[#b][0-9])", numbers))
    position = 0
    while position < len(body):
        rest = body[position:]
        if word := re.match(
            r"sus4|sus2|sus|alt|dom|maj7|\^7|j7|aug|(?:omit|no)[35]|add(?:[#b]?(?:11|13|[2-79]))", rest
        ):
            _apply_word(word.group(), reading)
            position += word.end()
            continue
        if raised := re.match(r"\+5?(?![0-9])", rest):
            reading.fifth = 8
            position += raised.end()
            continue
        if behind and rest[0] not in "#b":
            degree = re.match(r"(?P<number>13|11|[2-79])(?P<accidental>[#b](?!5)|b(?=b5)|#(?=b5))?", rest)
        else:
            degree = re.match(r"(?P<accidental>[#b+-])?(?P<number>13|11|[2-79])", rest)
        if degree is None or (degree["number"] == "7" and degree["accidental"]) or body.count(degree.group()) > 1:
            return None
        _apply_degree(int(degree["number"]), degree["accidental"] or "", reading)
        position += degree.end()
    return reading


def _apply_word(word: str, reading: _Reading) -> None:
    if word in ("sus", "sus4"):
        reading.third = "suspended4"
    elif word == "sus2":
        reading.third = "suspended2"
    elif word in ("omit3", "no3"):
        reading.third = "none"
    elif word == "alt":
        reading.altered = True
        reading.seventh = 10 if reading.seventh is None else reading.seventh
    elif word in ("maj7", "j7", "^7"):
        reading.seventh = 11
    elif word == "aug":
        reading.fifth = 8
    elif word.startswith("add"):
        degree = word.removeprefix("add")
        number = int(degree.lstrip("#b"))
        reading.tensions.add((_DEGREES[number] + _SHIFTS[degree.rstrip("0123456789")]) % 12)


_SHIFTS = {"#": 1, "+": 1, "b": -1, "-": -1, "": 0}


def _apply_degree(number: int, accidental: str, reading: _Reading) -> None:
    shift = _SHIFTS[accidental]
    if number == 5:
        if shift:
            reading.fifth = 7 + shift
        elif not reading.third and reading.seventh is None and not reading.tensions:
            reading.third = "none"  # C5, the power chord
    elif number == 7:
        reading.seventh = 10 if reading.seventh is None else reading.seventh
    elif number == 6:
        if shift < 0:
            reading.flat_sixth = True
        elif reading.seventh is None:
            reading.seventh = 9
        else:
            reading.tensions.add(9)
    else:
        reading.tensions.add((_DEGREES[number] + shift) % 12)
        if number in (9, 11, 13) and reading.seventh is None:
            reading.seventh = 10


def _interpret(reading: _Reading) -> tuple[str, tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Quality, chord tones, tensions and chord scale, in semitones above the root."""
    extra = set(reading.tensions)
    third = {"": 4, "minor": 3, "suspended4": 5, "suspended2": 2, "none": 7}[reading.third]
    seventh, fifth = reading.seventh, reading.fifth
    suspended = reading.third.startswith("suspended")
    if reading.altered:
        extra |= {1, 3, 8}
        fifth = 8 if fifth == 7 else fifth
    quality = _quality(reading, third, extra)
    scale = _scale(quality, third, fifth, seventh, extra, reading)
    tones = [0, third, fifth] if third != 7 else [0, 7, 7]
    if seventh is not None:
        tones.append(seventh)
    written = {8} if reading.flat_sixth else set()
    tensions = tuple(sorted((extra | written) - set(tones)))
    if suspended:
        tensions = tuple(step for step in tensions if step != 4) + ((4,) if 4 in extra else ())
    return quality, tuple(tones), tensions, scale


def _quality(reading: _Reading, third: int, extra: set[int]) -> str:
    if reading.diminished:
        return "diminished"
    if third == 3:
        if reading.seventh == 11:
            return "minor_major"
        if reading.fifth == 6 and reading.seventh == 10:
            return "half_diminished"
        return "diminished" if reading.fifth == 6 else "minor"
    if reading.third.startswith("suspended"):
        return "suspended"
    if reading.seventh == 10:
        return "altered" if reading.altered or extra & {1, 3, 8} or reading.fifth in (6, 8) else "dominant"
    return "augmented" if reading.fifth == 8 else "major"


def _scale(
    quality: str, third: int, fifth: int, seventh: int | None, extra: set[int], reading: _Reading
) -> tuple[int, ...]:
    if quality == "minor":
        if reading.flat_sixth or 8 in extra:
            return PHRYGIAN if 1 in extra else AEOLIAN
        if 1 in extra:
            return PHRYGIAN
        return MELODIC_MINOR if seventh == 9 else DORIAN
    if quality == "altered":
        if fifth == 8 and not extra & {1, 3}:
            return WHOLE_TONE
        if fifth == 6 and not extra & {1, 3, 8}:
            return LYDIAN_DOMINANT
        if reading.altered or fifth != 7 or (extra & {3} and 8 in extra):
            return ALTERED_SCALE
        if 8 in extra:
            return PHRYGIAN_DOMINANT if 1 in extra else MIXOLYDIAN_FLAT_13
        return HALF_WHOLE
    if quality == "major":
        return LYDIAN if 6 in extra or 3 in extra else IONIAN
    if quality == "dominant":
        return LYDIAN_DOMINANT if 6 in extra else MIXOLYDIAN
    if quality == "suspended":
        return PHRYGIAN if 1 in extra else MIXOLYDIAN
    return {"minor_major": MELODIC_MINOR, "half_diminished": LOCRIAN, "diminished": WHOLE_HALF,
            "augmented": LYDIAN_AUGMENTED}[quality]  # fmt: skip
