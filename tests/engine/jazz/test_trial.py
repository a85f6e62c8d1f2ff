"""Both sides of a blind trial: nothing but who chose the notes tells one from the other."""

import io
import struct

import numpy as np
import pretty_midi
import pytest
import torch

from engine.contract import engine_pb2 as pb
from engine.jazz.combo import Combo
from engine.jazz.rendering.codec import decode
from engine.jazz.rendering.render import Path
from engine.jazz.rendering.sound import TRIAL_RING_S
from engine.progress import silent
from engine.settings import JazzSettings

SMALL_SOUNDFONT = str(Path(pretty_midi.__file__).parent / "TimGM6mb.sf2")
PIECES = ("alexanders-ragtime-band", "jeanie")


@pytest.fixture(scope="module")
def combo():
    return Combo(torch.device("cpu"), JazzSettings(soundfont=SMALL_SOUNDFONT, clip_duration_s=12.0))


def human_side(combo, piece, seed, **more):
    return combo.render(pb.RenderRequest(piece_id=piece, seed=seed, melody_track=-1, for_trial=True, **more), silent)


def model_side(combo, human, seed):
    request = pb.PlayRequest(
        chords=human.chords, bars=human.bars, tempo_bpm=human.tempo_bpm, instrument=human.instrument, feel=human.feel,
        beats_per_bar=human.beats_per_bar, seed=seed, solo_seed=seed + 1, takes=1, for_trial=True,
    )  # fmt: skip
    return combo.play(request, silent)


@pytest.fixture(scope="module", params=PIECES)
def sides(combo, request):
    human = human_side(combo, request.param, seed=11)
    return human, model_side(combo, human, seed=11)


def page_headers(audio):
    """Of each Ogg page what a file's reader sees: flags, position, sizes."""
    found, at = [], 0
    while at < len(audio):
        flags, position = struct.unpack_from("<Bq", audio, at + 5)
        segments = audio[at + 26]
        size = sum(audio[at + 27 : at + 27 + segments])
        found.append((flags, position, segments, size))
        at += 27 + segments + size
    return found


def test_length_loudness_and_size_are_the_same_on_both_sides(sides):
    human, model = sides
    assert human.duration_s == pytest.approx(model.duration_s, abs=0.05)
    assert human.loudness_lufs == pytest.approx(model.loudness_lufs, abs=0.2)
    assert len(human.audio) == len(model.audio)
    assert page_headers(human.audio) == page_headers(model.audio)


def test_conditions_are_the_same_on_both_sides(sides):
    human, model = sides
    for name in ("chords", "bars", "tempo_bpm", "instrument", "feel", "beats_per_bar", "soundfont"):
        assert getattr(human, name) == getattr(model, name), name


def test_a_side_lasts_as_long_as_its_bars_and_the_ring(sides):
    human, _ = sides
    music_s = human.bars * human.beats_per_bar * 60 / human.tempo_bpm
    assert human.duration_s == pytest.approx(music_s + TRIAL_RING_S, abs=0.05)


def test_a_side_ends_in_silence_and_begins_with_music(sides):
    for clip in sides:
        signal = decode(clip.audio, 60)
        assert np.abs(signal[-480:]).max() < 0.01
        assert np.abs(signal[:48_000]).max() > 0.01


def test_a_catch_has_the_solos_notes_in_another_order_and_everything_else_in_place(combo):
    plain, catch = human_side(combo, PIECES[0], 3), human_side(combo, PIECES[0], 3, shuffle_seed=9)
    assert len(plain.audio) == len(catch.audio)
    solos = [pretty_midi.PrettyMIDI(io.BytesIO(clip.midi)).instruments[0].notes for clip in (plain, catch)]
    assert sorted(note.pitch for note in solos[0]) == sorted(note.pitch for note in solos[1])
    assert [note.pitch for note in solos[0]] != [note.pitch for note in solos[1]]
    same = human_side(combo, PIECES[0], 3, shuffle_seed=9)
    assert same.audio == catch.audio
