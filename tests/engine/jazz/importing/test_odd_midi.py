"""MIDI files as they are in the wild: odd, old, broken by other programs. Music is read; hostile ones end soon."""

import contextlib
import random
from itertools import pairwise

import pytest

from engine.errors import BadMidi, CallerError
from engine.jazz.importing.for_the_band import human_score, phrase_to_answer
from engine.jazz.importing.melody import find_melody
from engine.jazz.importing.metres import longest_stretch
from engine.jazz.importing.midi_file import Piece, read_midi
from engine.jazz.importing.smf import MAX_NOTES, decoded, name_of
from tests.engine.jazz.importing.smf_bytes import END, PER_BEAT, TUNE, header, meta, notes, smf, track, variable

LIMIT_S = 600.0
PLAIN = smf(track(notes()))


def read(data: bytes) -> Piece:
    return read_midi(data, LIMIT_S)


def line(piece: Piece) -> list[tuple[float, int]]:
    return [(note.onset, note.pitch) for note in find_melody(piece).notes]


WANTED = [(i / 2, pitch) for i, pitch in enumerate(TUNE)]

ODD = {
    "a key of 18 flats": smf(track(meta(0x59, b"\xee\x00"), notes())),
    "a key of 9 sharps": smf(track(meta(0x59, b"\x09\x00"), notes())),
    "a mode of 7": smf(track(meta(0x59, b"\x01\x07"), notes())),
    "a key of no bytes": smf(track(meta(0x59, b""), notes())),
    "a sequence number of one byte": smf(track(meta(0x00, b"\x01"), notes())),
    "an SMPTE offset of nonsense": smf(track(meta(0x54, b"\xff" * 5), notes())),
    "a tempo of two bytes": smf(track(meta(0x51, b"\x07\xa1"), notes())),
    "a metre of one byte": smf(track(meta(0x58, b"\x04"), notes())),
    "a metre in 2^40ths": smf(track(meta(0x58, b"\x04\x28\x18\x08"), notes())),
    "a meta event of unknown kind": smf(track(meta(0xEE, b"abc"), notes())),
    "a foreign chunk in front": header() + b"XFIH\0\0\0\3abc" + track(notes()),
    "a foreign chunk behind": PLAIN + b"XFKM\0\0\0\3abc",
    "a foreign chunk that is longer than the file": PLAIN + b"XFKM\0\1\0\0abc",
    "one track less than there are": header(1) + track(meta(0x51, b"\x07\xa1\x20")) + track(notes()),
    "more tracks than there are": header(9) + track(notes()),
    "a track longer than it says": header() + b"MTrk\0\0\0\x10" + notes() + END,
    "a track shorter than it says": header() + b"MTrk\0\0\xff\0" + notes() + END,
    "a header of 8 bytes": b"MThd\0\0\0\x08\0\1\0\1" + PER_BEAT.to_bytes(2, "big") + b"\0\0" + track(notes()),
    "no end of track": smf(track(notes(), end=b"")),
    "MacBinary": bytes(128) + PLAIN,
    "RMID of size 0": b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + PLAIN,
    "a byte too many at the end": PLAIN + b"\0",
    "system bytes between events": smf(track(b"\0\xfe\0\xf8\0\xf1\x01\0\xf2\x01\x02", notes())),
    "running status": smf(
        track(b"\0\x90\x3e\x50" + variable(200) + b"\x3e\0" + b"".join(
            variable(40) + bytes((pitch, 80)) + variable(200) + bytes((pitch, 0)) for pitch in TUNE[1:]
        ))
    ),
    "running status across a SysEx": smf(
        track(b"\0\x90\x3e\x50" + variable(200) + b"\x3e\0" + b"\0\xf0\x05\x7e\x7f\x09\x01\xf7" + b"".join(
            variable(40) + bytes((pitch, 80)) + variable(200) + bytes((pitch, 0)) for pitch in TUNE[1:]
        ))
    ),
    "a data byte that belongs to nothing": smf(track(b"\0\x40", notes())),
    "nobody ends a note": smf(track(b"".join(variable(240 if i else 0) + bytes((0x90, p, 80))
                                             for i, p in enumerate(TUNE)))),
    "one controller ends every note": smf(track(b"".join(
        variable(40 if i else 0) + bytes((0x90, p, 80)) + variable(200) + b"\xb0\x7b\0" for i, p in enumerate(TUNE)))),
    "lengths of nothing": smf(track(notes(length=0))),
    "nine minutes of silence first": smf(track(notes(first=PER_BEAT * 2 * 480))),
    "a tempo of 0": smf(track(meta(0x51, b"\0\0\0"), notes())),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_read_as_it_was_meant(name: str) -> None:
    piece = read(ODD[name])
    found = line(piece)
    first = found[0][0]
    assert [(onset - first, pitch) for onset, pitch in found] == WANTED
    assert piece.tempo_bpm == 120.0
    assert piece.metre == 4.0


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_a_phrase_to_answer_and_a_clip(name: str) -> None:
    piece = read(ODD[name])
    phrase = phrase_to_answer(piece, "", 64)
    assert (phrase.bars, len(phrase.notes)) == (1, 8)
    assert len(human_score(piece, "", 0.0, "", -1, 1, 30.0).solo) == 8


def test_a_pitch_that_is_struck_again_has_ended_before() -> None:
    held = b"".join(variable(240 if i else 0) + b"\x90\x3c\x50" for i in range(8)) + b"\x0a\x80\x3c\0" * 8
    (part,) = read(smf(track(held))).parts
    assert [note.onset for note in part.notes] == [i / 2 for i in range(8)]
    assert all(a.onset + a.duration <= b.onset for a, b in pairwise(part.notes))


def test_a_controller_ends_the_notes_of_its_channel_when_it_comes() -> None:
    (part,) = read(ODD["one controller ends every note"]).parts
    assert {note.duration for note in part.notes} == {200 / PER_BEAT}


def test_songs_of_a_file_of_format_2_follow_each_other() -> None:
    piece = read(smf(track(notes()), track(notes([48, 50])), song_format=2))
    assert [part.notes[0].onset for part in piece.parts] == [0.0, 4.0]


@pytest.mark.parametrize("length", [1, 10, 60])
def test_a_short_last_note_on_the_bar_line_counts_its_bar(length: int) -> None:
    piece = read(smf(track(notes([*TUNE, *TUNE, 62], length=length))))
    assert phrase_to_answer(piece, "", 64).bars == 3
    with pytest.raises(BadMidi, match="longer than 2 bars"):
        phrase_to_answer(piece, "", 2)


def test_drums_on_another_channel_are_drums() -> None:
    rhythm = b"\0\xf0\x0a\x41\x10\x42\x12\x40\x1b\x15\x02\x0e\xf7"
    with pytest.raises(BadMidi, match="only drums"):
        read(smf(track(rhythm, notes([36, 42, 38, 42], channel=11))))
    assert read(smf(track(rhythm, notes(channel=10)))).parts[0].drums is False


def test_texts_are_utf_8_and_else_latin_1() -> None:
    chords = b"".join(meta(1, text.encode(), 960 if i else 0) for i, text in enumerate(("Dm7", "G7♭9", "C△7", "Eø7")))
    piece = read(smf(track(chords), track(notes([*TUNE, *TUNE]))))
    assert [span.symbol for span in piece.chords] == ["Dm7", "G7b9", "C^7", "Eø7"]
    assert decoded("Соло".encode()) == "Соло"
    assert decoded("Flöte".encode("latin-1")) == "Flöte"
    assert decoded("мело".encode()[:-1]) == "мел"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Мелодия".encode(), "Мелодия"), ("低音".encode(), "低音"), (b"Piano\0\0\0", "Piano"), (b"\0\1\x07", ""),
        (b"**@everyone** `x`", "everyone x"),
        (b"[a](http://b)\n# c <@&1>", "a(http://b) # c &1"), (b"x" * 500, "x" * 60),
        (b"Alto_Sax", "Alto Sax"), ("a\u202eb\u200bc".encode(), "a b c"),
    ],
)  # fmt: skip
def test_a_tracks_name_is_safe_to_show(name: bytes, shown: str) -> None:
    assert name_of(name) == shown
    assert read(smf(track(meta(3, name), notes()))).parts[0].name == shown


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (header(1, 1, 0xE728) + track(notes()), "film frames"),
        (header(1, 1, 0) + track(notes()), "damaged"),
        (header(), "damaged"),
        (b"RIFF\0\0\0\0WAVEfmt ", "not a MIDI file"),
        (PLAIN[:50], "damaged or cut off"),
        (smf(track(meta(1, b"a"))), "no notes"),
        (smf(*[track()] * 1100), "more than 1024 tracks"),
        (smf(track(b"\0\x90\x3c\x50\x01\x80\x3c\0" * (MAX_NOTES + 1))), "more than 50,000 notes"),
        (smf(track(b"\0\xb0\x01\x01" * 400_001)), "400,000 events"),
    ],
)
def test_what_is_not_music_is_refused_in_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(BadMidi) as refused:
        read(data)
    assert words in str(refused.value)


def test_the_work_grows_with_the_file_and_not_with_its_square() -> None:
    """Counted, not timed: how often the stretches look at an onset."""

    class Counted(int):
        looks = 0

        def __lt__(self, other: int) -> bool:
            Counted.looks += 1
            return int(self) < int(other)

        def __gt__(self, other: int) -> bool:
            Counted.looks += 1
            return int(self) > int(other)

        def __ge__(self, other: int) -> bool:
            Counted.looks += 1
            return int(self) >= int(other)

    def looks(count: int) -> int:
        Counted.looks = 0
        signatures = [(i * 100, 3 + i % 2, 4) for i in range(count)]
        longest_stretch(signatures, [Counted(i * 100) for i in range(count)], count * 100, PER_BEAT)
        return Counted.looks

    assert looks(8000) < 2.5 * looks(4000)


HOSTILE = {
    "signatures": meta(0x58, b"\4\2\x18\x08", 16) + meta(0x58, b"\3\2\x18\x08", 16) + notes([60], length=8),
    "one pitch again and again": b"\x01\x90\x3c\x50",
    "all channels": bytes((1, 0x9F, 60, 80, 1, 0xBF, 123, 0)),
    "chords": meta(1, b"Dm", 32) + meta(1, b"G7", 32),
    "tempi": meta(0x51, b"\7\xa1\x20", 1),
    "names": meta(3, b"\xff" * 40, 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_mebibyte_of_anything_is_read_or_refused(name: str) -> None:
    data = smf(track(notes(), HOSTILE[name] * (2**20 // len(HOSTILE[name])), notes()))
    with contextlib.suppress(CallerError):
        phrase_to_answer(read(data), "", 64)


SEEDS = [PLAIN, *ODD.values(), *(smf(track(meta(3, b"sax"), HOSTILE[name] * 20, notes())) for name in HOSTILE)]


@pytest.mark.parametrize("seed", range(20))
def test_mutated_files_are_read_or_refused_and_nothing_else(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(20):
        data = bytearray(draw.choice(SEEDS))
        for _ in range(draw.choice((1, 1, 2, 4, 16))):
            at = draw.randrange(max(1, len(data)))
            match draw.randrange(5):
                case 0:
                    data[at : at + 1] = bytes((draw.randrange(256),))
                case 1:
                    data[at : at + 1] = bytes(byte ^ 1 << draw.randrange(8) for byte in data[at : at + 1])
                case 2:
                    del data[at : at + draw.randrange(1, 9)]
                case 3:
                    data[at:at] = bytes(draw.randrange(256) for _ in range(draw.randrange(1, 9)))
                case _:
                    data = data[: at + 1]
        try:
            piece = read(bytes(data))
            assert all(note.duration > 0 and 0 <= note.pitch < 128 for part in piece.parts for note in part.notes)
            phrase_to_answer(piece, "", 64)
            human_score(piece, "", 0.0, "", -1, seed, 30.0)
        except CallerError:
            continue
