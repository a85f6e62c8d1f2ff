"""What the letters of a chord symbol say, in all the dialects that musicians write: one table of spellings.

Real Book (`C-7`, `CΔ7`, `C7(b9)`), iReal Pro (`C^7`, `Ch7`, `C-^7`), MuseScore (`CMa7`, `C07`, `Ct7`), Impro-Visor
(`CM7#11`, `C7susb9`), Harte (`C:min7`), the Weimar Jazz Database, where an accidental follows its number (`G79b13`),
and Brazil and Portugal (`C7M(9)`, `Cm7(5-)`, `C7/9`, `C4`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

DEGREES = {2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 10, 9: 2, 11: 5, 13: 9}
"""Semitones above the root of a written degree; 7 is the minor seventh, as chord symbols have it."""
SHIFTS = {"#": 1, "+": 1, "b": -1, "-": -1, "": 0}


@dataclass(slots=True)
class Reading:
    """What the letters after the root say, before anybody interprets it. Numbers are semitones above the root; in
    `degrees`: (number, alteration) of what the symbol adds, as written. `omitted`: 3 or 5 where it takes one away.

    `third`: "" (major), "minor", "suspended4", "suspended2", "none"."""

    third: str = ""
    fifth: int = 7
    seventh: int | None = None
    tensions: set[int] = field(default_factory=set)
    diminished: bool = False
    altered: bool = False
    flat_sixth: bool = False
    major: bool = False
    degrees: list[tuple[int, int]] = field(default_factory=list)
    omitted: list[int] = field(default_factory=list)


# ---------------------------------------------------------------- characters

_BEFORE_NFKC = {"˚": "°", "⁰": "°", "ᵒ": "°", "⌀": "ø", "∅": "ø", "Ø": "ø", "φ": "ø", "ϕ": "ø", "𝄫": "bb", "𝄪": "##"}
_PLAIN = {
    **dict.fromkeys("Δ∆△▵▲", "^"), **dict.fromkeys("°º", "o"), "♭": "b", "♯": "#", "♮": "",
    **dict.fromkeys("−–—‐‑‒﹣", "-"), **dict.fromkeys("∕⁄", "/"), **dict.fromkeys("’‘′", "'"), "×": "x",
    **dict.fromkeys("│┃❘ǀ¦", "|"), "‖": "||", "𝄆": "|:", "𝄇": ":|", "𝄀": "|", "𝄁": "||", "𝄂": "||", "𝄎": "%",
    **dict(zip("АВСЕНМасео", "ABCEHMaceo", strict=True)),
}  # fmt: skip
"""On top of Unicode's compatibility forms (NFKC: `⁷` is `7`): signs, dashes, bar lines, Cyrillic letters that look
Latin."""


def plain(text: str) -> str:
    """The same text in the characters that a chord reader knows. What can't be seen (zero-width spaces, direction
    marks) goes."""
    text = "".join(_BEFORE_NFKC.get(letter, letter) for letter in text)
    text = unicodedata.normalize("NFKC", text)
    return "".join(_PLAIN.get(letter, letter) for letter in text if unicodedata.category(letter) != "Cf")


# ---------------------------------------------------------------- words

_WORDS = (
    (r"(?i:half-?dim(?:inished)?)", "ø"),
    (r"(?i:maj(?:or)?)\.?", "maj"),
    (r"(?i:minor|min)\.?", "min"),
    (r"(?i:dominant|dom)\.?", "dom"),
    (r"(?i:diminished|dim)\.?", "dim"),
    (r"(?i:augmented|aug)\.?", "aug"),
    (r"(?i:suspended|sus)\.?", "sus"),
    (r"(?i:altered|alt)\.?", "alt"),
    (r"(?i:add)\.?", "add"),
    (r"(?i:omit|no)\.?(?=[35])", "no"),
    (r"(?i:lydian|lyd)", "lyd"),
    (r"(?i:phrygian|phryg)", "phryg"),
    (r"MA(?=[679]|1[13]|$)|Ma(?!dd|j)", "maj"),
    (r"M[Ii](?!n)", "min"),
    (r"(?<!maj)(?<![jM^])7(?:M|maj)(?![a-z])", "maj7"),
)
"""Longer and capital spellings, and the one that the rest of this page reads instead."""

MAJOR = r"(?:maj|ma(?!dd)|M|j|\^|t(?=[679]|1[13]|$))"
MINOR = r"(?:min|mi|m|-(?!5(?![0-9])))"  # but `C-5` is C with a flat fifth
_KINDS = (
    (r"ø7?|hdim7?|h7?|0(?![0-9])|07", "half_diminished"),
    (r"dim7?|o7?", "diminished"),
    (MAJOR, "major"),
    (MINOR, "minor"),
    (r"aug|\+(?![0-9])|\+(?=7|9|13)", "augmented"),
)
"""What may follow the root, tried in this order."""


def plain_body(body: str) -> str:
    """What follows the root in plain spelling: `7M(9)` -> `maj7(9)`, `MI7(b5)` -> `min7(b5)`, `7/9-` -> `7(b9)`."""
    for pattern, word in _WORDS:
        body = re.sub(pattern, word, body)
    body = re.sub(r"\([^()]*\)", lambda inside: inside.group().replace("/", ","), body.replace("6/9", "69"))
    body = re.sub(r"^(m|min|mi|-|)(?:/(9|11|13)|\((9|11|13)\))$", r"\1add\2\3", body)  # a triad: no seventh is meant
    body = re.sub(r",(?![^()]*\))", "", body)  # commas are for parentheses
    first, *others = body.split("/")
    if not all(others):
        return body
    first = re.sub(r"(?<![0-9#b+-])5\+(?![0-9])", "#5", first)
    first = re.sub(r"(13|11|9|5)-(?![0-9])", r"b\1", first)
    first = re.sub(r"\(([^()]*)\)", lambda inside: f"({_signs_first(inside.group(1))})", first)
    first = re.sub(r"^(?:[#b][0-9]+)+", r"(\g<0>)", first)  # beside the root it would read as the root's own
    others = [_signs_first(part) for part in others]
    return first + "".join(part if part.startswith("(") else f"({part})" for part in others)


def _signs_first(text: str) -> str:
    """`9-`, `11+` -> `b9`, `#11`, as these are meant beside a chord or in its parentheses."""
    sign = {"-": "b", "+": "#"}
    return re.sub(r"(13|11|9|5|4)([-+])(?!\d)", lambda match: sign[match.group(2)] + match.group(1), text)


def read_body(body: str) -> Reading | None:
    """Read what follows the root, in the spelling of `plain_body`; None if it is no chord."""
    reading = Reading()
    first, *others = [part for part in re.split(r"[(),\s]+", body) if part] or [""]
    if not body.startswith("("):
        first = _read_kind(first, reading, others[0] if others else "")
    seen: set[tuple[str, str]] = set()
    for part in (first, *others):
        if not _read_degrees(part, reading, seen):
            return None
    return reading


def _read_kind(text: str, reading: Reading, following: str) -> str:
    """Read the chord's kind into `reading`; returns what is left. `following`: the next part, in parentheses."""
    kind, match = "", None
    for pattern, name in _KINDS:
        match = re.match(pattern, text)
        if match:
            kind = name
            break
    if match is None:
        return text
    left = text[match.end() :]
    if kind in ("minor", "half_diminished", "diminished"):
        reading.third = "minor"
    if kind == "minor" and (raised := re.match(r"[+#]7", left)):
        reading.seventh, left = 11, left[raised.end() :]
    elif kind == "half_diminished":
        reading.fifth, reading.seventh = 6, 10
    elif kind == "diminished":
        reading.fifth, reading.seventh, reading.diminished = 6, 9, True
    elif kind == "augmented":
        reading.fifth = 8
    elif kind == "major":
        reading.major = True
        # `Cmaj` and `CM` are triads; `C^`, `CΔ` and `Cj` mean the seventh, as does any number above it
        if match.group() in ("^", "j", "t") or re.match(r"[#b]?(?:9|11|13)|7", left or following):
            reading.seventh = 11
        left = left.removeprefix("7")
        if left.startswith("7"):
            return "?"
    return left


def _read_degrees(text: str, reading: Reading, seen: set[tuple[str, str]]) -> bool:
    """Read numbers, alterations and words such as `7b9sus` into `reading`; False for what isn't any."""
    # An accidental behind its number, as in `79b13`, `9b` or `j79#11`: the Weimar and iRb way.
    numbers = re.sub(r"sus4?|add3|\+(?![0-9])", "", text)
    behind = bool(re.match(r"7[0-9]", numbers) or re.search(r"[#b](?:$|[#b][0-9])", numbers))
    position = 0
    while position < len(text):
        rest = text[position:]
        if word := re.match(
            rf"sus24|sus4|sus2|sus|alt|dom|aug|lyd|phryg|{MAJOR}7?|(?:no|\*)[35]|add(?:[#b]?(?:11|13|[2-79]))", rest
        ):
            if re.match(MAJOR, word.group()) and reading.major:
                return False
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
        if degree is None:
            return False
        written = (degree["accidental"] or "", degree["number"])
        if written in seen or (written[1] == "7" and written[0] and not rest.startswith("b7")):
            return False
        seen.add(written)
        _apply_degree(int(written[1]), written[0], reading)
        position += degree.end()
    return True


def _apply_word(word: str, reading: Reading) -> None:
    if word in ("sus", "sus4", "sus24"):
        reading.third = "suspended4"
        if word == "sus24":
            reading.tensions.add(2)
            reading.degrees.append((9, 0))
    elif word == "sus2":
        reading.third = "suspended2"
    elif word[-1] in "35" and word[:-1] in ("no", "*"):
        reading.omitted.append(int(word[-1]))
        if word[-1] == "3":
            reading.third = "none"
    elif word == "alt":
        reading.altered = True
        reading.seventh = 10 if reading.seventh is None else reading.seventh
    elif word == "aug":
        reading.fifth = 8
    elif word == "lyd":
        reading.seventh = 11 if reading.seventh is None else reading.seventh
        _add(11, 1, reading)
    elif word == "phryg":
        reading.third, reading.seventh = "suspended4", 10
        _add(9, -1, reading)
    elif word.startswith("add"):
        degree = word.removeprefix("add")
        _add(int(degree.lstrip("#b")), SHIFTS[degree.rstrip("0123456789")], reading)
    elif word != "dom":
        reading.seventh, reading.major = 11, True


def _add(number: int, shift: int, reading: Reading) -> None:
    reading.tensions.add((DEGREES[number] + shift) % 12)
    reading.degrees.append((number, shift))


def _apply_degree(number: int, accidental: str, reading: Reading) -> None:
    shift = SHIFTS[accidental]
    if number == 5:
        if shift:
            reading.fifth = 7 + shift
        elif not reading.third and reading.seventh is None and not reading.tensions:
            reading.third = "none"  # C5, the power chord
    elif number == 7:
        reading.seventh = 10 if reading.seventh is None or shift else reading.seventh
    elif number == 6 and shift < 0:
        reading.flat_sixth = True
        reading.degrees.append((6, -1))
    elif number == 6 and reading.seventh is None:
        reading.seventh = 9
    elif number == 6:
        reading.tensions.add(9)
        reading.degrees.append((13, 0))
    elif number == 4 and not shift and not reading.third:
        reading.third = "suspended4"  # `C4`, `C7/4`
    else:
        _add(number, shift, reading)
        if number in (9, 11, 13) and reading.seventh is None:
            reading.seventh = 10
