"""A chord as MusicXML's `<harmony>`: the kind that comes nearest, and a `<degree>` for everything else that it says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element, SubElement

from engine.jazz.theory.chords import Chord
from engine.jazz.theory.spelling import Reading, letter, root_name

_MAJOR = {None: "major", 9: "major-sixth", 10: "dominant", 11: "major-seventh"}
_MINOR = {None: "minor", 9: "minor-sixth", 10: "minor-seventh", 11: "major-minor"}
_DIMINISHED = {None: "diminished", 9: "diminished-seventh", 10: "half-diminished", 11: "diminished"}
_EXTENDED = {"dominant": "dominant", "major-seventh": "major", "minor-seventh": "minor"}
_EXTENSIONS = {9: ("ninth", (9,)), 11: ("11th", (9, 11)), 13: ("13th", (9, 11, 13))}


@dataclass(frozen=True, slots=True)
class Degree:
    """`alter` in semitones: against the kind's own degree for `alter`, against that of a dominant thirteenth for `add`
    (MusicXML 4.0, degree-alter)."""

    value: int
    alter: int
    type: Literal["add", "alter", "subtract"]


def kind_of(chord: Chord) -> tuple[str, tuple[Degree, ...]]:
    """The kind of a chord that has a root, and the degrees that it adds, alters or leaves out."""
    assert chord.root is not None
    steps = [(tone - chord.root) % 12 for tone in chord.tones]
    third, fifth = steps[1], steps[2]
    seventh = steps[3] if len(steps) > 3 else None
    kind, degrees = _triad(third, fifth, seventh)
    implied: set[int] = set()
    extension = re.match(r"[A-G][#b]*(?:maj|min|ma|mi|dom|[Mmj^t-])?(9|11|13)", chord.symbol)
    if kind in _EXTENDED and extension:
        name, numbers = _EXTENSIONS[int(extension.group(1))]
        kind, implied = f"{_EXTENDED[kind]}-{name}", set(numbers)
    written = [(9, -1), (9, 1), *chord.degrees] if "alt" in chord.symbol else list(chord.degrees)
    for number, alter in written:
        if number in implied:
            implied.remove(number)
            if alter:
                degrees.append(Degree(number, alter, "alter"))
        else:
            degrees.append(Degree(9 if number == 2 else number, alter, "add"))
    if 3 in chord.omitted and kind != "power":
        degrees.append(Degree(3, 0, "subtract"))
    if 5 in chord.omitted:
        degrees.append(Degree(5, 0, "subtract"))
    return kind, tuple(dict.fromkeys(degrees))


def _triad(third: int, fifth: int, seventh: int | None) -> tuple[str, list[Degree]]:
    """Kind and degrees of third, fifth and sixth or seventh, in semitones above the root."""
    degrees = []
    altered_fifth = Degree(5, fifth - 7, "alter")
    if third == 7:
        if seventh is None:
            return "power", []
        return _MAJOR[seventh], []
    if third in (2, 5):
        kind = "suspended-second" if third == 2 else "suspended-fourth"
        if seventh is not None:
            degrees.append(Degree(6, 0, "add") if seventh == 9 else Degree(7, seventh - 10, "add"))
        return kind, [*degrees, altered_fifth] if fifth != 7 else degrees
    if third == 3 and fifth == 6:
        return _DIMINISHED[seventh], [Degree(7, 1, "add")] if seventh == 11 else []
    if third == 4 and fifth == 8 and seventh in (None, 10):
        return "augmented" if seventh is None else "augmented-seventh", []
    return (_MINOR if third == 3 else _MAJOR)[seventh], [altered_fifth] if fifth != 7 else []


def write_harmony(measure: Element, chord: Chord, reading: Reading, offset: int) -> None:
    """The chord over the next note of the measure, `offset` ticks later."""
    harmony = SubElement(measure, "harmony")
    if chord.root is None:
        SubElement(SubElement(harmony, "root"), "root-step").text = "C"
        SubElement(harmony, "kind", text="N.C.").text = "none"
        return
    name, bass = root_name(chord), chord.bass_name
    _named(SubElement(harmony, "root"), "root", reading.chord_place(name))
    kind, degrees = kind_of(chord)
    suffix = chord.symbol.removeprefix(name).removesuffix(f"/{bass}" if bass else "")
    SubElement(harmony, "kind", text=suffix).text = kind
    if bass:
        _named(SubElement(harmony, "bass"), "bass", reading.chord_place(bass))
    for degree in degrees:  # the suffix says it already, in the writer's own spelling
        element = SubElement(harmony, "degree", {"print-object": "no"})
        SubElement(element, "degree-value").text = str(degree.value)
        SubElement(element, "degree-alter").text = str(degree.alter)
        SubElement(element, "degree-type").text = degree.type
    if offset:
        SubElement(harmony, "offset").text = str(offset)


def _named(element: Element, what: str, place: int) -> None:
    step, alter = letter(place)
    SubElement(element, f"{what}-step").text = step
    if alter:
        SubElement(element, f"{what}-alter").text = str(alter)
