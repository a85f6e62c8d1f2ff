"""People's MIDI files and recordings: what is found in them, and what is refused, each with one sentence."""

import io
from dataclasses import replace
from itertools import pairwise

import mido
import numpy as np
import pytest

from engine.errors import BadAudio, BadChords, BadMidi, BadOption
from engine.jazz.band import weights
from engine.jazz.band.section import accompany
from engine.jazz.importing.chords import estimate_chords
from engine.jazz.importing.for_the_band import human_score, phrase_to_answer
from engine.jazz.importing.melody import find_melody, off_beat, phrase_window, top_line
from engine.jazz.importing.midi_file import read_midi
from engine.jazz.importing.pieces import PIECES, read_piece
from engine.jazz.importing.recording import cut_phrase
from engine.jazz.importing.smf import MAX_BYTES
from engine.jazz.rendering.midi import write_midi
from engine.jazz.rendering.samples import RATE_HZ
from engine.jazz.theory.feel import FEELS
from engine.jazz.theory.harmony import format_changes, parse_changes
from engine.jazz.theory.score import Note

LIMIT_S = 600.0
TUNE = tuple(Note(i * 0.5 + (0.1 if i % 2 else 0.02), 0.4, 62 + (i * 5) % 12, 70 + i % 30) for i in range(64))


def midi_of(*tracks, tempo_bpm=120.0, metre=(4, 4), metres=(), texts=(), kind="text"):
    """A file with one track for each of (name, channel, program, notes in beats). `metres`: (beat, numerator,
    denominator), instead of one `metre`; `texts`: (beat, text), events of that kind."""
    file = mido.MidiFile(ticks_per_beat=480)
    conductor = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo_bpm))])
    events = [
        (beat, mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator))
        for beat, numerator, denominator in metres or [(0, *metre)]
    ]
    events += [(beat, mido.MetaMessage(kind, text=text)) for beat, text in texts]
    now = 0
    for beat, event in sorted(events, key=lambda event: event[0]):
        conductor.append(event.copy(time=round(beat * 480) - now))
        now = round(beat * 480)
    file.tracks.append(conductor)
    for name, channel, program, notes in tracks:
        events = [(0, mido.Message("program_change", channel=channel, program=program))]
        for note in notes:
            events.append(
                (
                    round(note.onset * 480),
                    mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity),
                )
            )
            events.append(
                (round((note.onset + note.duration) * 480), mido.Message("note_off", channel=channel, note=note.pitch))
            )
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
        now = 0
        for tick, message in sorted(events, key=lambda event: (event[0], event[1].type == "note_on")):
            track.append(message.copy(time=tick - now))
            now = tick
        file.tracks.append(track)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def chord_notes(*chords, beats=4.0, low=48):
    return [Note(i * beats, beats * 0.95, low + step, 60) for i, steps in enumerate(chords) for step in steps]


GOOD = midi_of(("sax", 0, 66, TUNE))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"not midi at all", "not a MIDI file"),
        (GOOD[:40], "damaged or cut off"),
        (GOOD[: len(GOOD) // 2], "damaged or cut off"),
        (b"MThd" + bytes(range(200)), "damaged or cut off"),
        (midi_of(("empty", 0, 0, ())), "no notes"),
        (midi_of(("kit", 9, 0, TUNE)), "only drums"),
        (midi_of(("long", 0, 0, [Note(0, 1, 60, 80), Note(3 * 3600 * 2, 1, 60, 80)])), "3.0 hours"),
        (midi_of(("longer", 0, 0, [Note(0, 10 * 3600 * 2, 60, 80)])), "10.0 hours"),
    ],
)
def test_a_bad_midi_file_is_refused_with_one_sentence(data, sentence):
    with pytest.raises(BadMidi, match=sentence) as refused:
        read_midi(data, LIMIT_S)
    assert str(refused.value).endswith(".")


def test_a_large_midi_file_is_refused_before_it_is_parsed(monkeypatch):
    parsed = []
    monkeypatch.setattr("engine.jazz.importing.smf._Parser", lambda *_: parsed.append(1))
    with pytest.raises(BadMidi, match=r"larger than 2 MiB, .* ten hours of piano and the most that I can read\.$"):
        read_midi(GOOD + bytes(25 * 2**20 - len(GOOD)), LIMIT_S)
    assert not parsed


def test_ten_hours_of_piano_fit_into_the_largest_midi_file():
    minute = [Note(i / 3, 0.3, 40 + i % 40, 60 + i % 40) for i in range(360)]  # six notes a second
    assert 600 * (len(midi_of(("", 0, 0, minute))) - len(midi_of(("", 0, 0, ())))) < MAX_BYTES


def test_the_sounds_beside_a_midi_file_in_a_riff_file_do_not_count():
    chunk = b"data" + len(GOOD).to_bytes(4, "little") + GOOD
    sounds = bytes(3 * 2**20)
    riff = b"RIFF" + (4 + len(chunk) + len(sounds)).to_bytes(4, "little") + b"RMID" + chunk + sounds
    assert read_midi(riff, LIMIT_S) == read_midi(GOOD, LIMIT_S)


def test_a_polyphonic_mash_is_refused():
    rng = np.random.default_rng(0)
    mash = [
        Note(i * 0.5, 4.0, int(pitch), 80)
        for i in range(60)
        for pitch in rng.choice(np.arange(36, 90), 9, replace=False)
    ]
    with pytest.raises(BadMidi, match="melody"):
        find_melody(read_midi(midi_of(("", 0, 0, mash)), LIMIT_S))


def test_the_melody_is_found_among_the_band():
    score = accompany(
        weights.load(), TUNE, parse_changes("Dm7 G7 | Cmaj7", 8), (), 8, 160, FEELS["swing"], "trumpet", 1
    )
    piece = read_midi(write_midi(score), LIMIT_S)
    assert find_melody(piece).part.name == "solo"


def test_the_melody_is_found_without_names():
    bass = [Note(float(i), 0.9, 36 + i % 5, 80) for i in range(32)]
    pads = chord_notes(*[(0, 4, 7, 11)] * 8)
    piece = read_midi(midi_of(("", 1, 32, bass), ("", 2, 0, pads), ("", 3, 65, TUNE), ("", 9, 0, TUNE)), LIMIT_S)
    assert find_melody(piece).part.program == 65


def test_a_track_can_be_chosen_and_a_wrong_one_is_named():
    bass = [Note(float(i), 0.9, 36 + i % 5, 80) for i in range(32)]
    piece = read_midi(midi_of(("low", 1, 32, bass), ("high", 3, 65, TUNE)), LIMIT_S)
    assert find_melody(piece, 1).part.name == "low"
    with pytest.raises(BadMidi, match=r"track 7\. .* 1 \(low\), 2 \(high\)"):
        find_melody(piece, 7)


def test_the_top_line_of_two_hands_is_one_voice():
    notes = tuple(chord_notes(*[(0, 4, 7, 12)] * 4, beats=1.0, low=60))
    line = top_line(notes)
    assert [note.pitch for note in line] == [72] * 4
    assert all(a.onset + a.duration <= b.onset + 1e-9 for a, b in pairwise(line))


def test_a_clip_is_whole_bars_from_the_first_phrase():
    notes = tuple(Note(8 + i * 0.5, 0.4, 60, 80) for i in range(200))
    assert phrase_window(notes, 4, 15) == (8, 12)
    assert phrase_window(notes[:16], 4, 15) == (8, 2)
    pickup = (Note(7.5, 0.4, 60, 80), *notes)
    assert phrase_window(pickup, 4, 8) == (8, 8)


def test_chords_written_in_the_file_are_used():
    texts = ((0, "Dm7"), (4, "G7"), (6, "a remark"), (8, "Cmaj7"), (12, "A7 (b9, b13)"))
    data = midi_of(("sax", 0, 66, TUNE), texts=texts)
    found = human_score(read_midi(data, LIMIT_S), "", 0, "", -1, 1, 30)
    assert format_changes(found.changes).startswith("Dm7 | G7 | Cmaj7 | A7(b9,b13)")
    assert not any("worked the chords out" in remark for remark in found.remarks)
    assert not found.estimated


def test_the_last_chord_counts_where_the_melody_has_ended():
    texts = ((0, "Dm7"), (4, "G7"), (8, "C"), (10, "A7"))
    piece = read_midi(midi_of(("sax", 0, 66, [Note(i * 1.0, 0.5, 60 + i, 80) for i in range(9)]), texts=texts), LIMIT_S)
    assert format_changes(human_score(piece, "", 0, "", -1, 1, 30).changes) == "Dm7 | G7 | C A7"


WORDS = "Oh I am so glad to go and do a dance with you a"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("lyrics", WORDS),
        ("text", WORDS),
        ("text", WORDS.title()),
        ("lyrics", "A Am Go Do"),
        ("marker", "A A B A"),
        ("cue_marker", "C D"),
        ("text", "a e d g"),
        ("text", "Dm7"),
    ],
)
def test_lyrics_and_markers_are_no_chords(kind, words):
    texts = [(2 * i, word) for i, word in enumerate(words.split())]
    found = human_score(read_midi(midi_of(("sax", 0, 66, TUNE), texts=texts, kind=kind), LIMIT_S), "", 0, "", -1, 1, 30)
    assert found.estimated
    assert any("worked the chords out" in remark for remark in found.remarks)


def test_chords_of_one_track_are_believed_beside_the_words_of_another():
    data = midi_of(("sax", 0, 66, TUNE), texts=[(4 * i, symbol) for i, symbol in enumerate(("Dm7", "G7", "C", "A7"))])
    file = mido.MidiFile(file=io.BytesIO(data))
    file.tracks.append(mido.MidiTrack(mido.MetaMessage("text", text=word, time=240) for word in WORDS.split()))
    buffer = io.BytesIO()
    file.save(file=buffer)
    piece = read_midi(buffer.getvalue(), LIMIT_S)
    assert [(span.onset, span.symbol) for span in piece.chords] == [(0, "Dm7"), (4, "G7"), (8, "C"), (12, "A7")]


def test_chords_given_by_hand_win_and_are_checked():
    piece = read_midi(GOOD, LIMIT_S)
    assert human_score(piece, "Am7 D7", 0, "", -1, 1, 30).changes[0].symbol == "Am7"
    with pytest.raises(BadChords, match="Hm7"):
        human_score(piece, "Hm7", 0, "", -1, 1, 30)


def test_chords_are_estimated_and_shown():
    steps = {"Dm7": (2, 5, 9, 12), "G7": (-5, 5, 11, 14), "Cmaj7": (0, 4, 7, 11), "Am": (-3, 4, 9, 12)}
    written = ["Dm7", "G7", "Cmaj7", "Am"] * 2
    piece = read_midi(midi_of(("keys", 0, 0, chord_notes(*[steps[name] for name in written]))), LIMIT_S)
    estimated = estimate_chords(piece, 0, 8, 4)
    roots = [span.symbol[:1] for span in estimated]
    assert roots == ["D", "G", "C", "A"] * 2
    assert estimated[0].symbol in ("Dm", "Dm7")
    assert estimated[1].symbol == "G7"
    found = human_score(piece, "", 0, "", -1, 1, 30)
    assert any("worked the chords out" in remark and "G7" in remark for remark in found.remarks)
    assert found.estimated
    assert not human_score(piece, "Dm7", 0, "", -1, 1, 30).estimated


def test_a_file_tells_where_its_melody_could_be():
    bass = [Note(float(i), 0.9, 36 + i % 5, 80) for i in range(32)]
    data = midi_of(("bass", 1, 32, bass), ("horn", 3, 65, TUNE), ("kit", 9, 0, TUNE))
    piece = read_midi(data, LIMIT_S)
    assert piece.tracks == [(1, "bass", 32), (2, "horn", 64)]
    assert human_score(piece, "C", 0, "", -1, 1, 30).track == 2
    assert human_score(piece, "C", 0, "", 1, 1, 30).track == 1


def test_tempo_metre_and_instrument_are_the_files_own():
    waltz = midi_of(("sax", 0, 71, TUNE), tempo_bpm=150, metre=(3, 4))
    found = human_score(read_midi(waltz, LIMIT_S), "C", 0, "", -1, 1, 30)
    assert (found.beats_per_bar, found.instrument) == (3, "clarinet")
    assert found.tempo_bpm == pytest.approx(150, abs=0.1)


def test_a_metre_that_the_band_does_not_play_is_refused():
    five = midi_of(("sax", 0, 66, TUNE), metre=(5, 4))
    with pytest.raises(BadMidi, match=r"plays in 4/4 and 3/4, .* this file has 5 quarter notes to the bar\.$"):
        human_score(read_midi(five, LIMIT_S), "C", 0, "", -1, 1, 30)


BARS = [Note(i + 0.02, 0.5, 60 + (i * 5) % 12, 70 + i) for i in range(32)]


@pytest.mark.parametrize("metres", [((0, 1, 4), (1, 4, 4)), ((0, 4, 4), (1, 4, 4))])
def test_a_pickup_bar_decides_no_metre_and_bars_are_counted_after_it(metres):
    tune = [Note(0.02, 0.9, 67, 80), *(replace(note, onset=note.onset + 1) for note in BARS)]
    texts = [(0, "G7"), *((1 + 4 * i, symbol) for i, symbol in enumerate(("C", "F", "Am", "Dm7")))]
    piece = read_midi(midi_of(("sax", 0, 66, tune), metres=metres, texts=texts), LIMIT_S)
    assert piece.metre == 4
    assert [note.onset for note in find_melody(piece).notes[:2]] == pytest.approx([3.02, 4.02], abs=0.003)
    found = human_score(piece, "", 0, "", -1, 1, 30)
    assert (found.beats_per_bar, found.bars) == (4, 8)
    assert format_changes(found.changes).startswith("C | F | Am | Dm7")
    assert found.solo[0].onset == pytest.approx(0.02, abs=0.003)
    assert found.solo[0].pitch % 12 == 0
    assert len(found.solo) == 32


def test_the_clip_is_from_the_longest_stretch_in_the_metre_that_holds_longest():
    metres = ((0, 3, 4), (6, 4, 4), (22, 2, 4), (24, 4, 4))
    shifted = [replace(note, onset=note.onset + 24) for note in BARS]
    tune = [*(Note(i + 0.02, 0.5, 80, 80) for i in range(24)), *shifted]
    texts = [(4 * i, "F7" if i % 2 else "Bb") for i in range(6)] + [(24, "C"), (28, "G7")]
    found = human_score(
        read_midi(midi_of(("sax", 0, 66, tune), metres=metres, texts=texts), LIMIT_S), "", 0, "", -1, 1, 30
    )
    assert [round(note.onset) for note in found.solo] == list(range(32))
    assert format_changes(found.changes).startswith("C | G7")
    assert "The file changes metre. The clip comes from the longest stretch in one metre, 8 bars." in found.remarks


def test_silence_and_what_rings_on_change_no_metre():
    waltz = [Note(60 + i, 0.9, 60 + i % 12, 80) for i in range(24)]
    piece = read_midi(midi_of(("sax", 0, 66, waltz), metres=((0, 4, 4), (60, 3, 4), (84, 4, 4))), LIMIT_S)
    assert (piece.metre, piece.remarks) == (3, ())
    assert [part.notes[0].onset for part in piece.parts] == [60]


def test_a_rag_in_two_four_is_read_in_cut_time():
    rag = midi_of(("rh", 0, 0, [Note(i / 4, 0.2, 70 + i % 7, 80) for i in range(64)]), tempo_bpm=80, metre=(2, 4))
    found = human_score(read_midi(rag, LIMIT_S), "C", 0, "clarinet", -1, 1, 30)
    assert found.tempo_bpm == pytest.approx(160, abs=0.1)
    assert found.bars == 8


@pytest.mark.parametrize(("metre", "beats"), [((12, 8), 4), ((6, 8), 4), ((9, 8), 3)])
def test_three_eighths_of_a_compound_metre_are_one_beat(metre, beats):
    shuffle = [Note(i * 1.5 + step, 0.4, 60 + (3 * i) % 12, 80) for i in range(24) for step in (0.0, 1.0)]
    piece = read_midi(midi_of(("sax", 0, 66, shuffle), tempo_bpm=180, metre=metre), LIMIT_S)
    found = human_score(piece, "C", 0, "", -1, 1, 30)
    assert found.beats_per_bar == beats
    assert found.tempo_bpm == pytest.approx(120, abs=0.1)
    assert {round(note.onset % 1, 2) for note in found.solo} == {0.0, 0.67}
    assert human_score(piece, "C", 100, "", -1, 1, 30).tempo_bpm == 100
    if beats == 4:
        assert phrase_to_answer(piece, "", 64).tempo_bpm == pytest.approx(120, abs=0.1)


def test_the_melody_is_moved_into_the_instruments_range():
    low = tuple(Note(n.onset, n.duration, n.pitch - 36, n.velocity) for n in TUNE)
    found = human_score(read_midi(midi_of(("", 0, 0, low)), LIMIT_S), "C", 0, "trumpet", -1, 1, 30)
    assert all(52 <= note.pitch <= 86 for note in found.solo)
    assert any("octave" in remark for remark in found.remarks)


def test_notated_music_is_told_from_played_music():
    straight = [Note(i / 2, 0.45, 65 + i % 7, 80) for i in range(64)]
    notated = human_score(read_midi(midi_of(("", 0, 66, straight)), LIMIT_S), "C", 0, "", -1, 1, 30)
    assert notated.notated
    assert off_beat(notated.solo) == pytest.approx(0.5, abs=0.01)
    played = human_score(read_midi(GOOD, LIMIT_S), "C", 0, "", -1, 1, 30)
    assert not played.notated
    assert played.solo[1].onset == pytest.approx(TUNE[1].onset, abs=0.003)


@pytest.mark.parametrize("velocities", [[80], [64, 101, 90]])
def test_written_dynamics_are_told_from_none(velocities):
    straight = [Note(i / 2, 0.45, 65 + i % 7, velocities[i % len(velocities)]) for i in range(64)]
    found = human_score(read_midi(midi_of(("", 0, 66, straight)), LIMIT_S), "C", 0, "", -1, 1, 30)
    assert found.notated
    assert found.dynamics == (len(velocities) > 1)
    assert not human_score(read_piece("jeanie"), "", 0, "", -1, 1, 30).dynamics


def test_a_straight_performance_gets_a_straight_band():
    rng = np.random.default_rng(0)
    played = [Note(i / 2 + 0.02 * rng.random(), 0.4, 65 + i % 7, 80) for i in range(64)]
    found = human_score(read_midi(midi_of(("", 0, 66, played), tempo_bpm=130), LIMIT_S), "C", 0, "", -1, 1, 30)
    assert found.feel.name == "bossa"


def test_a_phrase_to_answer_brings_its_tempo_and_chords():
    phrase = phrase_to_answer(read_midi(midi_of(("", 0, 66, TUNE[:32]), tempo_bpm=144), LIMIT_S), "", 64)
    assert phrase.bars == 4
    assert phrase.tempo_bpm == pytest.approx(144, abs=0.1)
    assert parse_changes(phrase.chords)
    with pytest.raises(BadMidi, match="longer than 2 bars"):
        phrase_to_answer(read_midi(GOOD, LIMIT_S), "", 2)


def noise(seconds, level=0.2, seed=0):
    return (level * np.random.default_rng(seed).standard_normal((int(seconds * RATE_HZ), 2))).astype(np.float32)


def test_a_recording_is_cut_at_a_quiet_moment():
    gap = np.zeros((RATE_HZ // 2, 2), dtype=np.float32)
    recording = np.concatenate([gap, noise(8), gap, noise(8, seed=1)])
    cut = cut_phrase(recording, 9.5)
    assert 8.0 <= len(cut) / RATE_HZ <= 8.6
    assert np.abs(cut[: RATE_HZ // 20]).max() > 0
    assert np.abs(cut[-100:]).max() < 0.02


def test_a_silent_or_tiny_recording_is_refused():
    with pytest.raises(BadAudio, match="silent"):
        cut_phrase(np.zeros((RATE_HZ * 3, 2), dtype=np.float32), 30)
    with pytest.raises(BadAudio, match="shorter than a second"):
        cut_phrase(np.ones((1, 2), dtype=np.float32), 30)
    blip = np.zeros((RATE_HZ * 3, 2), dtype=np.float32)
    blip[RATE_HZ : RATE_HZ + 4000] = 0.5
    with pytest.raises(BadAudio, match="less than a second"):
        cut_phrase(blip, 30)


def test_the_rag_of_1899_comes_with_music21():
    piece = read_piece("maple-leaf-rag")
    melody = find_melody(piece)
    assert melody.part.track == 0
    assert len(melody.notes) > 300
    assert human_score(piece, "", 0, "clarinet", -1, 1, 30).bars >= 16
    with pytest.raises(BadOption, match=r"the piece .* maple-leaf-rag"):
        read_piece("take-five")


def test_every_piece_says_where_it_comes_from():
    for piece in PIECES.values():
        assert piece.composer
        assert int(piece.year) < 1929
        assert "music21" in piece.source
