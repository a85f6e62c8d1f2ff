"""Chords in MusicXML: whatever a symbol adds, alters or leaves out stands in the file for programs that read it."""

import warnings
from xml.etree import ElementTree

import pytest

from engine.jazz.rendering.chord_xml import kind_of
from engine.jazz.rendering.leadsheet import write_lead_sheet
from engine.jazz.theory.chords import parse_chord
from engine.jazz.theory.score import ChordSpan, Note, Score


@pytest.mark.parametrize(
    ("symbol", "kind", "degrees"),
    [
        ("C", "major", []), ("Cm6", "minor-sixth", []), ("Cmaj7", "major-seventh", []), ("Cm(maj7)", "major-minor", []),
        ("E7b9", "dominant", [(9, -1, "add")]), ("G79b13", "dominant", [(9, -1, "add"), (13, 0, "add")]),
        ("C7b9b13", "dominant", [(9, -1, "add"), (13, -1, "add")]), ("C13b9", "dominant-13th", [(9, -1, "alter")]),
        ("C13#11", "dominant-13th", [(11, 1, "alter")]), ("C9#11", "dominant-ninth", [(11, 1, "add")]),
        ("C7#9#5", "augmented-seventh", [(9, 1, "add")]), ("C7b5", "dominant", [(5, -1, "alter")]),
        ("C7b9#9", "dominant", [(9, -1, "add"), (9, 1, "add")]), ("Cmaj7#11", "major-seventh", [(11, 1, "add")]),
        ("Cmaj7#5", "major-seventh", [(5, 1, "alter")]), ("Cm7b5", "half-diminished", []),
        ("Cø9", "half-diminished", [(9, 0, "add")]), ("Cm9", "minor-ninth", []), ("Cm11", "minor-11th", []),
        ("C7alt", "augmented-seventh", [(9, -1, "add"), (9, 1, "add")]), ("Co7", "diminished-seventh", []),
        ("Cmb5", "diminished", []), ("C+", "augmented", []), ("C5", "power", []),
        ("C69", "major-sixth", [(9, 0, "add")]),
        ("Cadd9", "major", [(9, 0, "add")]), ("Cm(b6)", "minor", [(6, -1, "add")]), ("Csus2", "suspended-second", []),
        ("C7sus4", "suspended-fourth", [(7, 0, "add")]), ("C9sus", "suspended-fourth", [(7, 0, "add"), (9, 0, "add")]),
        ("C7susb9", "suspended-fourth", [(7, 0, "add"), (9, -1, "add")]),
        ("C4(5+)", "suspended-fourth", [(5, 1, "alter")]), ("C7no5", "dominant", [(5, 0, "subtract")]),
        ("C7no3", "dominant", [(3, 0, "subtract")]),
    ],
)  # fmt: skip
def test_every_alteration_is_a_degree(symbol: str, kind: str, degrees: list[tuple[int, int, str]]) -> None:
    found, added = kind_of(parse_chord(symbol))
    assert (found, [(degree.value, degree.alter, degree.type) for degree in added]) == (kind, degrees)


SYMBOLS = ["E7b9", "C6", "Cm7", "C7#5", "C7b5", "C7#9", "C9", "C9#11", "Cmaj9", "Cm9", "C69", "Cm69", "Cadd9",
           "Cmaj7#11", "Cmaj7#5", "Cm(maj7)", "C7alt", "C7b9b13", "C7b9#9", "Cmb5", "Co7", "Cm7b5", "Cø9",
           "C7(b9,13)", "C(b5)", "C+", "C5", "Bb7#11/D", "F#m7b5", "C7no5", "G79b13"]  # fmt: skip


def test_a_program_that_reads_the_sheet_hears_the_chords_that_were_written() -> None:
    from music21 import converter, harmony

    spans = tuple(ChordSpan(4.0 * i, 4.0, symbol) for i, symbol in enumerate(SYMBOLS))
    notes = tuple(Note(span.onset, 3.9, 67, 80) for span in spans)
    score = Score(120.0, len(spans), spans, {"solo": notes}, instrument="piano")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = converter.parse(write_lead_sheet(score, key="C").decode(), format="musicxml")
    chords = read.flatten().getElementsByClass(harmony.ChordSymbol)
    heard = {
        symbol: {pitch.pitchClass for pitch in chord.pitches} for symbol, chord in zip(SYMBOLS, chords, strict=True)
    }
    written = {}
    for symbol in SYMBOLS:
        chord = parse_chord(symbol)
        left_out = {chord.fifth} if 5 in chord.omitted else set()
        written[symbol] = {*chord.tones, *chord.tensions, chord.bass} - left_out
    assert heard == written


def test_the_suffix_is_shown_once_and_the_bass_apart() -> None:
    spans = (ChordSpan(0.0, 4.0, "Bb7(b9,#11)/D"),)
    score = Score(120.0, 1, spans, {"solo": (Note(0.0, 3.9, 67, 80),)}, instrument="piano")
    sheet = ElementTree.fromstring(write_lead_sheet(score, key="F"))
    (harmony,) = sheet.findall(".//harmony")
    assert harmony.find("kind").get("text") == "7(b9,#11)"
    assert harmony.findtext("bass/bass-step") == "D"
    assert {degree.get("print-object") for degree in harmony.findall("degree")} == {"no"}
    order = [child.tag for child in harmony]
    assert order == ["root", "kind", "bass", "degree", "degree"]
