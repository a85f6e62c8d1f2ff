"""The MIDI file is a musician's: other programs read the bars, names, chords and sections that were meant."""

import io
from dataclasses import replace

import mido
import numpy as np
import pretty_midi
import pytest

from engine.jazz.band import weights
from engine.jazz.band.section import accompany
from engine.jazz.importing.midi_file import read_midi
from engine.jazz.rendering.midi import write_midi
from engine.jazz.theory.feel import FEELS
from engine.jazz.theory.harmony import QUALITIES, parse_changes, parse_chord
from engine.jazz.theory.score import ChordSpan, Note, Score, Section

CHANGES = parse_changes("Dm7 G7 | Cmaj7 | Fø Bb7alt | C6/9")
SOLO = (Note(0.02, 0.5, 62, 80), Note(1.6, 0.3, 65, 95), Note(4.01, 2.0, 64, 70), Note(15.9, 0.08, 60, 60))


@pytest.fixture(scope="module")
def score() -> Score:
    return accompany(
        weights.load(), SOLO, CHANGES, (Section(0.0, "A"), Section(8.0, "B")), 4, 140.0, FEELS["swing"], "trumpet", 1
    )


@pytest.fixture(scope="module")
def heard(score) -> pretty_midi.PrettyMIDI:
    return pretty_midi.PrettyMIDI(io.BytesIO(write_midi(score)))


def test_there_are_four_named_tracks_in_their_order(heard):
    assert [instrument.name for instrument in heard.instruments] == ["solo", "bass", "comping", "drums"]
    assert [instrument.is_drum for instrument in heard.instruments] == [False, False, False, True]
    assert heard.instruments[0].program == 56


def test_bars_and_beats_line_up(score, heard):
    assert heard.get_tempo_changes()[1] == pytest.approx([140.0], abs=1e-3)
    signature = heard.time_signature_changes[0]
    assert (signature.numerator, signature.denominator, signature.time) == (4, 4, 0)
    beat_s = 60 / 140
    assert heard.get_downbeats()[:5] == pytest.approx(np.arange(5) * 4 * beat_s, abs=1e-3)
    solo = heard.instruments[0].notes
    assert [note.start for note in solo] == pytest.approx([note.onset * beat_s for note in SOLO], abs=1e-3)
    assert [note.end - note.start for note in solo] == pytest.approx([n.duration * beat_s for n in SOLO], abs=2e-3)
    assert [note.velocity for note in solo] == [note.velocity for note in SOLO]


def test_chords_are_text_events_and_sections_markers_at_their_beats(score):
    file = mido.MidiFile(file=io.BytesIO(write_midi(score)))
    now, texts, markers = 0, [], []
    for message in file.tracks[0]:
        now += message.time
        if message.type == "text":
            texts.append((now / file.ticks_per_beat, message.text))
        elif message.type == "marker":
            markers.append((now / file.ticks_per_beat, message.text))
    assert texts[:6] == [(0, "Dm7"), (2, "G7"), (4, "Cmaj7"), (8, "Fm7b5"), (10, "Bb7alt"), (12, "C69")]
    assert markers == [(0, "A"), (8, "B"), (16, "ending")]


def test_reading_the_file_back_gives_the_chords_and_the_melody(score):
    piece = read_midi(write_midi(score), 600)
    assert [span.symbol for span in piece.chords][:3] == ["Dm7", "G7", "Cmaj7"]
    assert piece.tempo_bpm == pytest.approx(140, abs=0.01)
    solo = next(part for part in piece.parts if part.name == "solo")
    assert [note.pitch for note in solo.notes] == [note.pitch for note in SOLO]
    assert [note.onset for note in solo.notes] == pytest.approx([note.onset for note in SOLO], abs=1e-3)


EVERY_BODY = """
    ^ maj7 M7 j7 Maj7 6 6/9 69 6(9) add9 5 maj9 maj7#11 j711# maj7(#11) j79# m m7 -7 min7 mi7 m9 -79 m6 madd9 m7b6
    m(maj7) mM7 -j7 -^7 minmaj7 7 dom7 9 13 9#11 7911# 7b9 79b 7-9 7(b9) 7#9 79# 7+9 13b9 79b13 7b9b13 7(b9,b13) 7#5
    +7 7+ aug7 7#9#5 79#+ 7alt alt sus 7sus 7sus4 sus2 7susadd3 9sus 7b5 m7b5 -7b5 ø ø7 ø9 ø79 ø11 ø7b9 ø(9) ø7/Eb h7
    halfdim7 o o7 dim dim7 °7 + aug +j7 maj7+ maj7#5 7/G m7/Bb
"""


def test_every_chord_reads_back_as_the_chord_that_was_written():
    symbols = [
        parse_chord(root + body).symbol for root in ("C", "F#", "Bb", "A") for body in ("", *EVERY_BODY.split())
    ] + ["NC"]
    assert {parse_chord(symbol).quality for symbol in symbols} == set(QUALITIES)
    changes = tuple(ChordSpan(4.0 * bar, 4.0, symbol) for bar, symbol in enumerate(symbols))
    notes = (Note(4.0 * len(symbols) - 1, 1.0, 60, 80),)
    piece = read_midi(write_midi(Score(200.0, len(symbols), changes, {"solo": notes})), 3600)
    assert [span.onset for span in piece.chords] == [span.onset for span in changes]
    for span, symbol in zip(piece.chords, symbols, strict=True):
        assert span.symbol.isascii()
        assert replace(parse_chord(span.symbol), symbol="") == replace(parse_chord(symbol), symbol=""), symbol


@pytest.mark.parametrize(
    ("symbol", "written"),
    [("Aø", "Am7b5"), ("Aø7", "Am7b5"), ("Aø7/Eb", "Am7b5/Eb"), ("Aø9", "Am9b5"), ("Aø7b9", "Am7b5b9")],
)
def test_a_half_diminished_chord_is_spelled_as_other_programs_know_it(symbol, written):
    score = Score(120, 1, (ChordSpan(0.0, 4.0, symbol),), {"solo": (Note(0, 1.0, 60, 90),)})
    assert next(event.text for event in mido.MidiFile(file=io.BytesIO(write_midi(score))) if event.type == "text") == (
        written
    )


def test_a_note_struck_again_is_released_first():
    score = Score(120, 1, (), {"solo": (Note(0, 2.0, 60, 90), Note(1, 0.5, 60, 80))})
    notes = pretty_midi.PrettyMIDI(io.BytesIO(write_midi(score))).instruments[0].notes
    assert [(n.start, n.end) for n in notes] == [(0, 0.5), (0.5, 0.75)]


def test_the_same_score_is_the_same_file(score):
    assert write_midi(score) == write_midi(score)
