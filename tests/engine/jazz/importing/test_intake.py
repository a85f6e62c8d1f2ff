"""What crosses from the process that reads uploads: everything a piece needs, nothing that isn't checked."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.errors import BadAudio, BadMidi
from engine.jazz.importing.intake import phrase_of, piece_of, read_midi_upload, read_sound_upload
from engine.jazz.importing.midi_file import read_midi
from engine.progress import silent
from engine.uploads import Reading
from tests.engine.jazz.importing.smf_bytes import meta, notes, smf, track
from tests.engine.jazz.importing.wav_bytes import tone, wav

HOUSE = Path(__file__).parents[4]
FILE = smf(
    track(meta(1, b"Dm7"), meta(1, b"G7", 960)),
    track(meta(3, "Соло".encode()), b"\0\xc0\x42", notes()),
    track(notes([36, 42], channel=9)),
)


def crossed(reading: Reading) -> Reading:
    """As it comes out of a pipe and shared memory."""
    return Reading(json.loads(json.dumps(reading.facts)), tuple(array.copy() for array in reading.arrays))


def test_a_piece_comes_out_of_intake_as_it_was_read() -> None:
    reading = crossed(read_midi_upload(FILE, {"max_duration_s": 60.0}, silent))
    assert piece_of(reading) == read_midi(FILE, 60.0)


def test_a_recording_comes_out_as_the_phrase_in_it() -> None:
    data = wav(tone(4, 8000), 8000)
    reading = crossed(read_sound_upload(data, {"max_duration_s": 60.0, "phrase_s": 2.0}, silent))
    phrase = phrase_of(reading, 2.0)
    assert phrase.dtype == np.float32
    assert 1.0 < len(phrase) / 48_000 <= 2.1


NOTES = np.array([[0.0, 1.0, 60.0, 80.0], [1.0, 1.0, 62.0, 80.0]])
FACTS = {"title": "", "tempo_bpm": 120.0, "metre": 4.0, "notated": False, "compound": False, "remarks": [],
         "chords": [[0.0, 4.0, "C7"]], "parts": [[0, "sax", 66, False, 2]]}  # fmt: skip


def test_an_honest_reading_is_taken() -> None:
    assert len(piece_of(Reading(FACTS, (NOTES,))).parts[0].notes) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"parts": [[0, "sax", 66, False, 3]]}, {"parts": [[0, "sax", 66, False, 1]]}, {"parts": [[0, "", 66, True, 2]]},
        {"parts": [[0, "sax", 900, False, 2]]}, {"parts": [[-1, "sax", 0, False, 2]]}, {"parts": []}, {"parts": None},
        {"parts": [[0, "sax", 66, False, 0], [0, "sax", 66, False, 2]]}, {"tempo_bpm": 0.0}, {"tempo_bpm": "fast"},
        {"tempo_bpm": 1e300}, {"metre": -1.0}, {"metre": None}, {"chords": [[0.0, -1.0, "C7"]]},
        {"chords": [[0.0, 1.0, "H7"]]}, {"chords": [["a", 1.0, "C"]]}, {"chords": 7}, {"remarks": 5},
    ],
    ids=str,
)  # fmt: skip
def test_facts_that_no_reader_states_are_refused(changed: dict) -> None:
    with pytest.raises(BadMidi):
        piece_of(Reading(FACTS | changed, (NOTES,)))


@pytest.mark.parametrize(
    "array",
    [
        NOTES.astype(np.float32), NOTES[:, :3], NOTES[0], np.where(NOTES == 60, np.nan, NOTES),
        np.add(NOTES, [0, 0, 128, 0]),
        NOTES * [1, 0, 1, 1], NOTES * [1, 1, 1, 0], NOTES - [1e9, 0, 0, 0], NOTES * [1e9, 1, 1, 1],
        np.zeros((10**6, 4)),
    ],
)  # fmt: skip
def test_notes_that_no_reader_finds_are_refused(array: np.ndarray) -> None:
    with pytest.raises(BadMidi):
        piece_of(Reading(FACTS, (array,)))
    with pytest.raises(BadMidi):
        piece_of(Reading(FACTS, ()))


@pytest.mark.parametrize(
    "arrays",
    [(), (np.zeros((5, 2)),), (np.zeros((5, 3), np.float32),), (np.zeros((0, 2), np.float32),),
     (np.zeros((10**6, 2), np.float32),), (np.zeros(10, np.float32),)],
)  # fmt: skip
def test_samples_that_no_reader_hears_are_refused(arrays: tuple[np.ndarray, ...]) -> None:
    with pytest.raises(BadAudio):
        phrase_of(Reading({}, arrays), 2.0)


def test_readers_load_neither_torch_nor_a_network() -> None:
    probe = (
        "import sys, engine.jazz.importing.intake\n"
        "heavy = {'torch', 'music21', 'matplotlib', 'scipy', 'pretty_midi', 'safetensors'} & set(sys.modules)\n"
        "rooms = {name for name in sys.modules if name.startswith(('engine.jazz.model', 'engine.jazz.playing'))}\n"
        "print(sorted(heavy | rooms))"
    )
    printed = subprocess.run([sys.executable, "-c", probe], cwd=HOUSE, capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"
