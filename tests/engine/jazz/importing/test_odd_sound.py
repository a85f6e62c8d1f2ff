"""Recordings as they are in the wild: damaged, joined, mislabelled. What sounds is heard; what is none is refused."""

import random

import numpy as np
import pytest

from engine.errors import BadAudio, CallerError
from engine.jazz.importing.recording import cut_phrase
from engine.jazz.rendering.codec import MAX_CHANNELS, decode, ogg_chains
from engine.jazz.rendering.samples import RATE_HZ
from tests.engine.jazz.importing.wav_bytes import encoded, tone, wav

LIMIT_S = 600.0


def seconds(data: bytes) -> float:
    return len(decode(data, LIMIT_S)) / RATE_HZ


MP3 = encoded(tone(4), 44_100, "libmp3lame", "mp3")
FLAC = encoded(tone(4), 44_100, "flac", "flac")
AAC = encoded(tone(4), 44_100, "aac", "adts")


@pytest.mark.parametrize("data", [MP3, FLAC, AAC], ids=["mp3", "flac", "aac"])
def test_a_hole_in_the_middle_costs_no_more_than_the_hole(data: bytes) -> None:
    broken = bytearray(data)
    broken[len(data) // 2 : len(data) // 2 + 80] = bytes(80)
    assert 3.6 < seconds(bytes(broken)) <= 4.2


@pytest.mark.parametrize("data", [MP3, FLAC, AAC], ids=["mp3", "flac", "aac"])
def test_a_recording_that_was_cut_off_is_heard_up_to_there(data: bytes) -> None:
    assert 1.0 < seconds(data[: len(data) * 2 // 3]) < 3.5


@pytest.mark.parametrize(
    ("codec", "container", "rates"),
    [
        ("libmp3lame", "mp3", (44_100, 48_000)),
        ("libopus", "ogg", (48_000, 48_000)),
        ("aac", "adts", (44_100, 48_000)),
    ],
)
def test_mono_and_stereo_in_one_file_are_both_heard(codec: str, container: str, rates: tuple[int, int]) -> None:
    first = encoded(tone(2, rates[0]), rates[0], codec, container)
    second = encoded(tone(3, rates[1], channels=2, hz=500), rates[1], codec, container)
    assert seconds(first + second) == pytest.approx(5.0, abs=0.2)


def test_chains_of_ogg_are_told_from_streams_side_by_side() -> None:
    one = encoded(tone(1, 48_000), 48_000, "libopus", "ogg")
    assert [len(chain) for chain in ogg_chains(one + one + one)] == [len(one)] * 3
    assert ogg_chains(b"OggS") == [b"OggS"]


def test_a_guessed_length_refuses_nobody() -> None:
    """A VBR MP3 without a header, quiet at first: its length is guessed many times too long."""
    quiet = np.concatenate([np.zeros((44_100, 1), np.float32), tone(3)])
    frames = encoded(quiet, 44_100, "libmp3lame", "mp3")
    headless = frames[frames.index(b"\xff\xfb", 200) :]
    assert len(decode(headless, 8.0)) > 3 * RATE_HZ


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (wav(tone(1, 8000)[:590], 1), "1 samples a second"),
        (wav(tone(1, 8000), 2_000_000_000), "samples a second"),
        (wav(np.zeros((800, 40), np.float32), 8000), "40 channels"),
        (b"ffconcat version 1.0\nfile /etc/hostname\n", "neither audio nor MIDI"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "neither audio nor MIDI"),
        (b"v=0\nm=audio 5004 RTP/AVP 0\nc=IN IP4 127.0.0.1\n", "neither audio nor MIDI"),
        (b"\x1a\x45\xdf\xa3v=0\nm=audio 5004 RTP/AVP 0\nc=IN IP4 127.0.0.1\n", "neither audio nor MIDI"),
        (b"RIFF\0\0\0\0WAVE", "neither audio nor MIDI"),
        (b"fLaC", "neither audio nor MIDI"),
        (b"", "empty"),
    ],
)
def test_what_is_no_recording_is_refused_in_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(BadAudio) as refused:
        decode(data, LIMIT_S)
    assert words in str(refused.value)
    assert str(refused.value)[-1] == "."


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 96_000, 192_000])
def test_every_usual_rate_is_read(rate_hz: int) -> None:
    assert seconds(wav(tone(2, rate_hz), rate_hz)) == pytest.approx(2.0, abs=0.05)


def test_surround_and_big_endian_waves_are_read() -> None:
    assert seconds(wav(tone(2, 8000, channels=MAX_CHANNELS), 8000)) == pytest.approx(2.0, abs=0.05)
    assert seconds(wav(tone(2, 8000), 8000, magic=b"RIFX")) == pytest.approx(2.0, abs=0.05)


def test_a_long_recording_is_refused_while_it_is_read() -> None:
    with pytest.raises(BadAudio, match="longer than"):
        decode(MP3, 2.0)
    with pytest.raises(BadAudio, match="at most"):
        decode(FLAC, 2.0)


def test_noise_alone_is_no_recording() -> None:
    draw = np.random.default_rng(0)
    hiss = draw.uniform(-1 / 128, 1 / 128, (3 * RATE_HZ, 2)).astype(np.float32)
    with pytest.raises(BadAudio, match="hiss"):
        cut_phrase(hiss, 30)
    with pytest.raises(BadAudio, match="silent"):
        cut_phrase(np.full((3 * RATE_HZ, 2), 0.07, np.float32), 30)
    music = 0.02 * tone(3, RATE_HZ, channels=2) + 0.1 * hiss
    assert len(cut_phrase(music, 30)) > 2 * RATE_HZ


def test_a_recorders_offset_is_taken_out() -> None:
    shifted = 0.5 * tone(3, RATE_HZ, channels=2) + 0.2
    assert abs(float(cut_phrase(shifted, 30).mean())) < 0.02


SEEDS = [MP3[:6000], FLAC[-9000:], FLAC[:12_000], AAC[:5000], wav(tone(1, 8000), 8000),
         encoded(tone(1, 48_000), 48_000, "libopus", "ogg"), encoded(tone(1), 44_100, "aac", "mp4"),
         encoded(tone(1, 48_000), 48_000, "libopus", "webm")]  # fmt: skip


@pytest.mark.parametrize("seed", range(10))
def test_mutated_recordings_are_read_or_refused_and_nothing_else(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(12):
        data = bytearray(draw.choice(SEEDS))
        for _ in range(draw.choice((1, 4, 32))):
            at = draw.randrange(len(data))
            data[at : at + 1] = bytes(draw.randrange(256) for _ in range(draw.choice((0, 1, 1, 1, 3))))
        try:
            signal = decode(bytes(data[: draw.randrange(len(data) // 2, len(data) + 1)]), 60.0)
        except CallerError:
            continue
        assert signal.dtype == np.float32
        assert signal.shape[1] == 2
        assert np.isfinite(signal).all()
