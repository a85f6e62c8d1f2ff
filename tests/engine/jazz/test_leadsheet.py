"""The lead sheet is music that a notation program reads: full bars, the solo's pitches, its chords."""

import warnings
from xml.etree import ElementTree

import pytest

from engine.jazz.harmony import parse_changes
from engine.jazz.leadsheet import DIVISIONS, notate, write_lead_sheet
from engine.jazz.score import Note, Score

CHANGES = parse_changes("Dm7 G7alt | Cmaj7 | F#m7b5/C % | Bbm6")
SWUNG = tuple(Note(i / 2 + (0.09 if i % 2 else 0.02), 0.42, 60 + (i * 5) % 13, 80) for i in range(12))
TRIPLETS = tuple(Note(8 + i / 3, 0.3, 70 + i % 3, 80) for i in range(6))
LONG = (Note(10.5, 3.2, 67, 80),)


def score(*notes, bars=4):
    return Score(150.0, bars, CHANGES, {"solo": tuple(notes)}, instrument="trumpet")


@pytest.fixture(scope="module")
def sheet():
    return ElementTree.fromstring(write_lead_sheet(score(*SWUNG, *TRIPLETS, *LONG)))


def test_every_bar_is_full(sheet):
    measures = sheet.findall(".//measure")
    assert len(measures) == 4
    for measure in measures:
        assert sum(int(d.text) for d in measure.findall("note/duration")) == 4 * DIVISIONS


def test_the_pitches_of_the_solo_are_on_paper_in_order(sheet):
    steps = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    written = []
    for note in sheet.findall(".//note"):
        pitch = note.find("pitch")
        if pitch is None or any(tie.get("type") == "stop" for tie in note.findall("tie")):
            continue
        written.append(
            12 * (int(pitch.findtext("octave")) + 1) + steps[pitch.findtext("step")] + int(pitch.findtext("alter") or 0)
        )
    assert written == [note.pitch for note in (*SWUNG, *TRIPLETS, *LONG)]


def test_swing_is_written_as_eighths_and_triplets_as_triplets():
    written = notate(score(*SWUNG, *TRIPLETS))
    onsets = [piece.onset for piece in written if piece.pitch is not None and not piece.tied_from]
    assert onsets[:12] == [6 * i for i in range(12)]
    assert onsets[12:] == [96 + 4 * i for i in range(6)]


@pytest.mark.parametrize("place", [0.5, 0.57, 0.62, 0.66])
def test_eighths_are_eighths_however_much_they_swing(place):
    swung = [Note(beat + off, 0.3, 60 + beat, 80) for beat in range(8) for off in (0.0, place)]
    onsets = [piece.onset for piece in notate(score(*swung)) if piece.pitch is not None and not piece.tied_from]
    assert onsets == [6 * i for i in range(16)]


def test_a_note_over_the_bar_line_is_tied(sheet):
    ties = [tie.get("type") for tie in sheet.findall(".//note/tie")]
    assert ties.count("start") == ties.count("stop") > 0


def test_chords_stand_where_they_sound(sheet):
    first = sheet.findall(".//measure")[0]
    roots = [harmony.findtext("root/root-step") for harmony in first.findall("harmony")]
    assert roots == ["D", "G"]
    slash = sheet.findall(".//measure")[2].find("harmony")
    assert (slash.findtext("root/root-step"), slash.findtext("root/root-alter")) == ("F", "1")
    assert slash.findtext("bass/bass-step") == "C"


def test_music21_reads_it():
    from music21 import converter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = converter.parse(write_lead_sheet(score(*SWUNG, *TRIPLETS, *LONG)).decode(), format="musicxml")
    figures = [harmony.figure for harmony in read.recurse().getElementsByClass("Harmony")]
    assert figures[0].startswith("Dm7")
    assert len(figures) == len(CHANGES)


def test_an_empty_solo_is_bars_of_rest():
    sheet = ElementTree.fromstring(write_lead_sheet(score()))
    assert len(sheet.findall(".//note/rest")) >= 4
