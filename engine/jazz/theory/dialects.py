"""Chord symbols that need more than another spelling: Harte's, solfège, and guesses at what a typo meant."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

NOTE = r"[A-G](?:##?|bb?)?"
_LETTERS = "CDEFGAB"
_NATURALS = (0, 2, 4, 5, 7, 9, 11)
_SOLFEGE = {"do": "C", "re": "D", "ré": "D", "mi": "E", "fa": "F", "sol": "G", "la": "A", "si": "B"}
_SYLLABLE = "Do|R[eé]|Mi|Fa|Sol|La|Si"

COMMON = (
    "", "m", "7", "maj7", "m7", "m7b5", "dim7", "6", "m6", "9", "m9", "maj9", "13", "11", "m11", "69", "7b9", "7#9",
    "7#11", "7b5", "7#5", "7alt", "7sus4", "sus4", "sus2", "m(maj7)", "maj7#11", "aug", "dim", "add9", "7b13", "13b9",
    "13#11", "9sus4", "maj7#5", "b5", "5",
)  # fmt: skip
"""Bodies of the symbols that people mean most."""


def harte(text: str) -> str | None:
    """`C:min7(9)/b3` (Harte et al., Symbolic Representation of Musical Chords, ISMIR 2005) in the usual spelling,
    `Cmin7(9)/Eb`; None for anything else."""
    match = re.fullmatch(rf"({NOTE}):([a-z0-9]*)(\([^()]*\))?(?:/([#b]*)([0-9]+))?", text)
    if match is None:
        return None
    root, shorthand, listed, bass_sign, bass_number = match.groups()
    if shorthand in ("maj", "min") and listed:  # what Harte lists is added; it implies no seventh
        listed = "".join(f"({re.sub(r'^(?=9|11|13)', 'add', tone.strip())})" for tone in listed.strip("()").split(","))
        shorthand = shorthand.replace("maj", "") if "7" not in listed else shorthand
    body = shorthand + (listed or "") if match.group(2) else _of_tones((listed or "").strip("()").split(","))
    if body is None:
        return None
    if bass_number is None:
        return root + body
    bass = _degree_over(root, bass_sign, int(bass_number))
    return None if bass is None else f"{root}{body}/{bass}"


def _of_tones(tones: list[str]) -> str | None:
    """The body of a chord that is spelled out as `b3,5,b7`."""
    left = {tone.strip() for tone in tones} - {"1", "5", ""}
    if not left:
        return "5"

    def take(*options: tuple[str, str]) -> str:
        for tone, word in options:
            if tone in left:
                left.remove(tone)
                return word
        return ""

    third = take(("b3", "m"), ("3", ""), ("4", "sus4"), ("2", "sus2")) if left & {"b3", "3", "4", "2"} else "no3"
    seventh = take(("b7", "7"), ("7", "maj7"), ("bb7", "6"), ("6", "6"))
    rest = "".join(f"({tone})" for tone in sorted(left))
    return third + seventh + rest if not third.startswith(("sus", "no")) else seventh + third + rest


def _degree_over(root: str, sign: str, number: int) -> str | None:
    """The note a degree of the major scale above a root: the flat third of C is Eb."""
    if not 1 <= number <= 14:
        return None
    step = _LETTERS.index(root[0]) + number - 1
    octave, index = divmod(step, 7)
    wanted = _NATURALS[(number - 1) % 7] + 12 * ((number - 1) // 7) + sign.count("#") - sign.count("b")
    have = _NATURALS[index] + 12 * octave - _NATURALS[_LETTERS.index(root[0])]
    alter = wanted - have + root.count("#") - root.count("b")
    return _LETTERS[index] + ("#" * alter if alter >= 0 else "b" * -alter) if abs(alter) <= 2 else None


def solfege(text: str) -> str | None:
    """`Sib7`, `Do/Mi` with letters, `Bb7`, `C/E`; None for what doesn't begin with a syllable."""
    match = re.fullmatch(rf"({_SYLLABLE})(.*?)(?:/({_SYLLABLE})(##?|bb?)?)?", text)
    if match is None or text == "Solo":
        return None
    root, rest, bass, bass_sign = match.groups()
    over = f"/{_SOLFEGE[bass.lower()]}{bass_sign or ''}" if bass else ""
    return _SOLFEGE[root.lower()] + rest + over


def hint(text: str) -> str:
    """A sentence on what a symbol that can't be read was probably meant to be; empty where nothing comes to mind."""
    if match := re.fullmatch(r"[Hh](m?.*)", text):
        return f"German H is B here: write B{match.group(1)}."
    if re.fullmatch(r"[#b]?(?:[IViv]+|[1-7])(?:[^a-z].*|maj.*|dim.*|m.*)?", text):
        return "Write chord names such as Dm7, not scale degrees."
    if re.fullmatch(r"\(?x?[0-9]+x?\)?", text):
        return "To repeat bars, write |: before them and :| x3 after them."
    if re.fullmatch(rf"{NOTE}(?:/{NOTE}){{2,}}", text):
        return "Name the chord instead of its notes."
    nearest = _nearest(text)
    return f"Did you mean {nearest}?" if nearest else ""


def _nearest(text: str) -> str:
    match = re.match(r"[A-Ga-g](?:##?|bb?)?", text)
    if match is None:
        return ""
    root, body = match.group()[:1].upper() + match.group()[1:], text[match.end() :]
    body, slash, bass = body.partition("/")
    scores = [(SequenceMatcher(None, body, known).ratio(), -abs(len(known) - len(body)), known) for known in COMMON]
    score, _, known = max(scores)
    if score < 0.5:
        return ""
    return root + known + (slash + bass if re.fullmatch(NOTE, bass) else "")
