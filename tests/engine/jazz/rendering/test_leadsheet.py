"""The lead sheet is music that a notation program reads: full bars, every note, its chords, for its player."""

import warnings
from collections import Counter
from xml.etree import ElementTree

import pytest

from engine.jazz.rendering.leadsheet import write_lead_sheet
from engine.jazz.rendering.notation import DIVISIONS, INK, notate
from engine.jazz.theory.chords import parse_chord
from engine.jazz.theory.harmony import parse_changes
from engine.jazz.theory.instruments import SOLOISTS, find_instrument
from engine.jazz.theory.score import Note, Score
from engine.jazz.theory.spelling import Reading, letter

EIGHTH = DIVISIONS // 2
CHANGES = parse_changes("Dm7 G7alt | Cmaj7 | F#m7b5/C % | Bbm6")
SWUNG = tuple(Note(i / 2 + (0.09 if i % 2 else 0.02), 0.42, 60 + (i * 5) % 13, 80) for i in range(12))
TRIPLETS = tuple(Note(8 + i / 3, 0.3, 70 + i % 3, 80) for i in range(6))
LONG = (Note(10.5, 3.2, 67, 80),)


def score(*notes, bars=4, changes=CHANGES, instrument="trombone", beats=4):
    return Score(150.0, bars, changes, {"solo": tuple(notes)}, beats, instrument=instrument)


def sounding(sheet):
    """MIDI pitches of the notes that are struck, as the sheet says that they sound."""
    steps = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    down = int(sheet.findtext(".//transpose/chromatic") or 0)
    down += 12 * int(sheet.findtext(".//transpose/octave-change") or 0)
    pitches = []
    for note in sheet.findall(".//note"):
        pitch = note.find("pitch")
        if pitch is None or any(tie.get("type") == "stop" for tie in note.findall("tie")):
            continue
        octave = 12 * (int(pitch.findtext("octave")) + 1)
        pitches.append(octave + steps[pitch.findtext("step")] + int(pitch.findtext("alter") or 0) + down)
    return pitches


def struck(pieces):
    return [piece for piece in pieces if piece.pitch is not None and not piece.tied_from]


def chords_of(sheet):
    return [
        harmony.findtext("root/root-step")
        + {None: "", "1": "#", "-1": "b"}[harmony.findtext("root/root-alter")]
        + harmony.find("kind").get("text")
        for harmony in sheet.findall(".//harmony")
    ]


def read_by_music21(data):
    from music21 import converter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return converter.parse(data.decode(), format="musicxml")


@pytest.fixture(scope="module")
def sheet():
    return ElementTree.fromstring(write_lead_sheet(score(*SWUNG, *TRIPLETS, *LONG)))


def test_every_bar_is_full(sheet):
    measures = sheet.findall(".//measure")
    assert len(measures) == 4
    for measure in measures:
        assert sum(int(d.text) for d in measure.findall("note/duration")) == 4 * DIVISIONS


def test_the_pitches_of_the_solo_are_on_paper_in_order(sheet):
    assert sounding(sheet) == [note.pitch for note in (*SWUNG, *TRIPLETS, *LONG)]


def test_swing_is_written_as_eighths_and_triplets_as_triplets():
    onsets = [piece.onset for piece in struck(notate(score(*SWUNG, *TRIPLETS)))]
    assert onsets[:12] == [EIGHTH * i for i in range(12)]
    assert onsets[12:] == [8 * DIVISIONS + DIVISIONS // 3 * i for i in range(6)]


@pytest.mark.parametrize("place", [0.5, 0.57, 0.62, 0.66])
def test_eighths_are_eighths_however_much_they_swing(place):
    swung = [Note(beat + off, 0.3, 60 + beat, 80) for beat in range(8) for off in (0.0, place)]
    assert [piece.onset for piece in struck(notate(score(*swung)))] == [EIGHTH * i for i in range(16)]


@pytest.mark.parametrize("count", range(1, 21))
def test_no_note_of_a_run_gets_lost_however_fast_it_is(count):
    run = tuple(Note(5 + (i + 0.1) / count, 0.9 / count, 60 + i, 80) for i in range(count))
    whole = score(Note(4.0, 0.5, 50, 80), *run, Note(6.0, 1.0, 55, 80))
    pieces = notate(whole)
    assert sum(len(piece.graces) for piece in pieces) == max(0, count - 16)
    sheet = ElementTree.fromstring(write_lead_sheet(whole))
    assert sounding(sheet) == [50, *(note.pitch for note in run), 55]
    assert [sum(int(d.text) for d in bar.findall("note/duration")) for bar in sheet.findall(".//measure")] == [
        4 * DIVISIONS
    ] * 4


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16])
def test_an_even_run_is_written_in_its_own_division(count):
    run = tuple(Note(5 + i / count, 1 / count, 60 + i, 80) for i in range(count))
    pieces = struck(notate(score(*run)))
    assert [piece.onset for piece in pieces] == [5 * DIVISIONS + DIVISIONS * i // count for i in range(count)]
    assert {piece.tuplet for piece in pieces} == ({count} if count in (3, 5, 6, 7, 9, 10, 12) else {0})


def test_notes_stand_where_they_are_known_to_stand():
    played = (Note(0.08, 0.2, 60, 80), Note(0.42, 0.2, 62, 80), Note(0.71, 0.2, 64, 80), Note(0.93, 0.8, 65, 80))
    places = (0.0, 0.25, 0.5, 1.0)
    known = dict(zip(played, places, strict=True))
    assert [piece.onset for piece in struck(notate(score(*played), known))] == [DIVISIONS * p for p in places]
    halfway = {note: place for note, place in known.items() if place in (0.0, 1.0)}
    onsets = [piece.onset for piece in struck(notate(score(*played), halfway))]
    assert onsets[0] == 0
    assert onsets[-1] == DIVISIONS
    assert len(onsets) == 4


def test_notes_at_the_edges_of_the_form_stay():
    edges = (Note(-0.3, 0.2, 60, 80), Note(0.02, 0.3, 61, 80), Note(15.6, 0.2, 62, 80), Note(15.95, 0.3, 63, 80))
    assert [piece.pitch for piece in struck(notate(score(*edges)))] == [60, 61, 62, 63]


def test_every_tuplet_fills_its_beat():
    runs = [Note(beat + i / n, 0.8 / n, 60 + i, 80) for beat, n in enumerate((3, 5, 6, 7, 9, 10, 12)) for i in range(n)]
    runs += [Note(9 + 1 / 3, 0.2, 60, 80), Note(10 + 1 / 6, 2.4, 60, 80)]
    groups: dict[int, int] = Counter()
    opened = closed = 0
    for piece in notate(score(*runs)):
        if piece.tuplet:
            groups[piece.onset // DIVISIONS] += piece.length
            opened += piece.opens
            closed += piece.closes
    assert set(groups.values()) == {DIVISIONS}
    assert opened == closed == len(groups) >= 7


def test_the_notes_of_a_beat_hang_under_one_beam():
    places = (0, 0.25, 0.5, 1, 1.5, 1.75, 2, 3, 3.75)
    notes = [
        Note(at, 0.2 if at == 3.75 else following - at, 60, 80)
        for at, following in zip(places, (*places[1:], 4), strict=True)
    ]
    beams = [piece.beams for piece in notate(score(*notes), {note: note.onset for note in notes})][:9]
    assert beams[:3] == [("begin", "begin"), ("continue", "end"), ("end",)]
    assert beams[3:6] == [("begin",), ("continue", "begin"), ("end", "end")]
    assert beams[6] == ()
    assert beams[7:] == [("begin",), ("end", "backward hook")]
    sheet = ElementTree.fromstring(write_lead_sheet(score(*SWUNG, *TRIPLETS, *LONG)))
    for number in {beam.get("number") for beam in sheet.findall(".//beam")}:
        texts = [beam.text for beam in sheet.findall(".//beam") if beam.get("number") == number]
        assert texts.count("begin") == texts.count("end") > 0


def test_what_a_note_looks_like_is_how_long_it_is():
    quarters = {"whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25, "32nd": 0.125, "64th": 0.0625}
    normal = {3: 2, 5: 4, 6: 4, 7: 4, 9: 8, 10: 8, 12: 8}
    solo = [Note(beat + i / n, 0.4 / n, 60 + i, 80) for beat, n in enumerate(INK) for i in range(0, n, 2)]
    for beats in (3, 4):
        for piece in notate(score(*solo, beats=beats)):
            length = quarters[piece.value] * (2 - 0.5**piece.dots) * normal.get(piece.tuplet, 1) / (piece.tuplet or 1)
            assert length * DIVISIONS == pytest.approx(piece.length), piece


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
    read = read_by_music21(write_lead_sheet(score(*SWUNG, *TRIPLETS, *LONG)))
    figures = [harmony.figure for harmony in read.recurse().getElementsByClass("Harmony")]
    assert figures[0].startswith("Dm7")
    assert len(figures) == len(CHANGES)


@pytest.mark.parametrize("name", SOLOISTS)
def test_a_part_is_written_for_its_player_and_sounds_as_it_was_played(name):
    instrument = find_instrument(name)
    solo = tuple(Note(i / 2, 0.4, instrument.lowest + i * 5 % 24, 80) for i in range(24))
    data = write_lead_sheet(score(*solo, instrument=name))
    sheet = ElementTree.fromstring(data)
    assert sounding(sheet) == [note.pitch for note in solo]
    read = read_by_music21(data)
    heard = read.toSoundingPitch().recurse().notes
    assert [n.pitch.midi for n in heard if n.isNote and (not n.tie or n.tie.type == "start")] == sounding(sheet)
    octaves = int(sheet.findtext(".//transpose/octave-change") or 0)
    chromatic = int(sheet.findtext(".//transpose/chromatic") or 0)
    assert -chromatic - 12 * octaves == instrument.transposition
    part, words = sheet.findtext(".//part-name"), sheet.findtext(".//words")
    if instrument.pitched_in == "C":
        assert "concert pitch" in words
        assert chords_of(sheet)[:2] == ["Dm7", "G7alt"]
    else:
        assert f"in {instrument.pitched_in}" in part
        assert f"in {instrument.pitched_in}" in words
        assert chords_of(sheet)[:2] == {"B♭": ["Em7", "A7alt"], "E♭": ["Bm7", "E7alt"]}[instrument.pitched_in]


@pytest.mark.parametrize(
    ("text", "instrument", "fifths"),
    [
        ("Dm7 G7 | Cmaj7", "trombone", 0),
        ("Gm7 C7 | Fmaj7", "trombone", -1),
        ("Bb7 | Eb7 | Bb7 | F7 | Bb7", "trombone", -2),
        ("Bb7 | Eb7 | Bb7 | F7 | Bb7", "tenor sax", 0),
        ("Bb7 | Eb7 | Bb7 | F7 | Bb7", "alto sax", 1),
        ("Cm6 | Dm7b5 G7b9 | Cm6", "piano", -3),
        ("F#m7 B7 | Emaj7", "alto sax", -5),
        ("NC", "trumpet", 0),
    ],
)
def test_the_key_signature_is_that_of_the_tune_for_its_player(text, instrument, fifths):
    changes = parse_changes(text, 4)
    data = write_lead_sheet(score(Note(0.0, 1.0, 67, 80), changes=changes, instrument=instrument))
    assert ElementTree.fromstring(data).findtext(".//key/fifths") == str(fifths)


def test_a_key_that_is_given_is_written():
    sheet = ElementTree.fromstring(write_lead_sheet(score(*SWUNG, instrument="trumpet"), key="Abm"))
    assert sheet.findtext(".//key/fifths") == "-5"
    assert sheet.findtext(".//key/mode") == "minor"


@pytest.mark.parametrize("name", ["alto sax", "tenor sax", "trombone"])
@pytest.mark.parametrize("key", ["C", "Gb", "B", "E", "Ebm", "Gbm", "A"])
def test_the_staff_steps_of_a_transposition_agree_with_its_keys(name, key):
    """The letters move by as many steps as the key says, also where too many sharps became flats."""
    instrument = find_instrument(name)
    reading = Reading.of(key, instrument)
    plain = Reading.of(key, find_instrument("piano"))
    assert abs(reading.fifths) <= 6
    tonic = 3 if key.endswith("m") else 0
    letters = "CDEFGAB"
    written, sounds = (letters.index(letter(r.fifths + tonic)[0]) for r in (reading, plain))
    assert (written - reading.staff_steps - sounds) % 7 == 0


@pytest.mark.parametrize(
    ("key", "symbol", "pitch", "spelled"),
    [
        ("F", "F7", 70, ("B", -1)),
        ("F", "A7", 61, ("C", 1)),  # the third of A7
        ("F", "C7b9", 61, ("D", -1)),  # the flat ninth of C7
        ("D", "Dmaj7", 66, ("F", 1)),
        ("D", "Bb7", 68, ("A", -1)),
        ("Am", "E7", 68, ("G", 1)),
        ("C", "Cmaj7", 66, ("F", 1)),
        ("C", "Dbmaj7", 66, ("G", -1)),
        ("Ebm", "Abm7", 71, ("C", -1)),
        ("G", "C7#11", 66, ("F", 1)),
        ("G", "Caug", 68, ("G", 1)),
        ("C", "", 63, ("E", -1)),
    ],
)
def test_accidentals_follow_the_chord_and_the_key(key, symbol, pitch, spelled):
    reading = Reading.of(key, find_instrument("piano"))
    assert letter(reading.note_place(pitch, parse_chord(symbol) if symbol else None)) == spelled


def test_an_accidental_is_written_once_a_bar_and_taken_back_by_a_natural():
    notes = [Note(float(i), 0.9, pitch, 80) for i, pitch in enumerate((65, 66, 66, 65, 65, 66))]
    sheet = ElementTree.fromstring(
        write_lead_sheet(score(*notes, changes=parse_changes("Cmaj7", 4), instrument="piano"))
    )
    written = [note.findtext("accidental") for note in sheet.findall(".//note") if note.find("pitch") is not None]
    assert written == [None, "sharp", None, "natural", None, "sharp"]


def test_a_tied_note_keeps_its_name_over_a_change_of_chords():
    changes = parse_changes("E7 | Fm7 | Cmaj7 | %")
    sheet = ElementTree.fromstring(write_lead_sheet(score(Note(3.0, 3.0, 68, 80), changes=changes, instrument="piano")))
    assert {step.text for step in sheet.findall(".//note/pitch/step")} == {"G"}


def test_an_empty_solo_is_bars_of_rest():
    sheet = ElementTree.fromstring(write_lead_sheet(score()))
    assert len(sheet.findall(".//note/rest")) >= 4
