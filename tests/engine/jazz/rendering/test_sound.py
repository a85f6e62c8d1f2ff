"""Every clip has one loudness and one ceiling, measured on the file itself, and the same score is the same bytes."""

import io

import av
import numpy as np
import pytest

from engine.contract.configuration import ConfigurationError
from engine.errors import BadAudio
from engine.jazz.rendering import codec, render, room
from engine.jazz.rendering.loudness import integrated_lufs, levelled, limited, true_peak_dbtp
from engine.jazz.rendering.room import CPU, in_room
from engine.jazz.rendering.samples import RATE_HZ
from engine.jazz.rendering.sound import finish, play_score
from engine.jazz.theory.score import Note, Score
from engine.progress import silent


def tone(seconds=3.0, hertz=997.0, level_db=-20.0):
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * hertz * time_s)
    return np.stack([wave, wave], axis=1).astype(np.float32)


def spiky(seconds=4.0):
    """Quiet noise with loud strokes of 20 ms: what a limiter is for."""
    rng = np.random.default_rng(1)
    signal = rng.standard_normal((int(seconds * RATE_HZ), 2))
    since_stroke_s = np.arange(len(signal)) % (RATE_HZ // 3) / RATE_HZ
    return (signal * (0.03 + 0.4 * np.exp(-since_stroke_s / 0.02))[:, None]).astype(np.float32)


@pytest.fixture(scope="module")
def synthesizer():
    import pretty_midi

    folder = render.Path(pretty_midi.__file__).parent
    return render.Synthesizer(folder / "TimGM6mb.sf2")


@pytest.fixture(scope="module")
def score():
    solo = tuple(Note(i / 2, 0.45, 62 + i % 7, 90) for i in range(32))
    return Score(
        150.0,
        4,
        (),
        {
            "solo": solo,
            "bass": tuple(Note(float(i), 0.9, 36 + i % 5, 84) for i in range(16)),
            "comping": tuple(Note(i * 2.0, 0.8, pitch, 70) for i in range(8) for pitch in (53, 57, 60, 64)),
            "drums": tuple(Note(i / 2, 0.2, 51, 80) for i in range(32)),
        },
    )


def test_loudness_is_measured_as_the_standard_says():
    # EBU Tech 3341, case 1: a stereo sine of -23 dBFS reads -23 LUFS
    assert integrated_lufs(tone(20.0, 1000.0, -23.0)) == pytest.approx(-23.0, abs=0.1)
    assert integrated_lufs(np.zeros((RATE_HZ, 2), dtype=np.float32)) == float("-inf")


def test_a_peak_between_samples_is_seen():
    # a quarter of the sampling rate, sampled off its crests: 3 dB hide between the samples
    time_s = np.arange(RATE_HZ) / RATE_HZ
    wave = np.sin(2 * np.pi * (RATE_HZ / 4) * time_s + np.pi / 4).astype(np.float32)
    signal = np.stack([wave, wave], axis=1)
    assert 20 * np.log10(np.abs(signal).max()) == pytest.approx(-3.01, abs=0.01)
    assert true_peak_dbtp(signal) == pytest.approx(0.0, abs=0.3)


def test_the_limiter_holds_its_ceiling_and_leaves_quiet_music_alone():
    loud = spiky() * 3
    assert true_peak_dbtp(limited(loud, -2.0)) <= -1.9
    quiet = tone(level_db=-12.0)
    assert limited(quiet) is quiet


@pytest.mark.parametrize("signal", [tone(), spiky(), tone(hertz=60.0, level_db=-45.0)], ids=["tone", "spiky", "soft"])
def test_a_clip_is_at_sixteen_lufs_under_minus_one_dbtp_in_the_file(signal):
    finished = finish(signal, 0, silent)
    heard = codec.decode(finished.audio, 60)
    assert finished.true_peak_dbtp <= -1.0
    assert true_peak_dbtp(heard) <= -1.0
    assert integrated_lufs(heard) == pytest.approx(-16.0, abs=0.6)
    assert finished.loudness_lufs == pytest.approx(integrated_lufs(heard), abs=0.01)
    assert finished.duration_s == pytest.approx(len(signal) / RATE_HZ, abs=0.02)


def test_silence_stays_silence():
    assert not levelled(np.zeros((RATE_HZ, 2), dtype=np.float32)).any()


def test_the_file_is_stereo_opus_at_48_khz_in_ogg():
    audio = codec.encode_opus(tone())
    with av.open(io.BytesIO(audio)) as container:
        stream = container.streams.audio[0]
        assert container.format.name == "ogg"
        assert stream.codec_context.name in ("opus", "libopus")
        assert (stream.rate, stream.codec_context.layout.name) == (48_000, "stereo")
        assert float(container.duration / av.time_base) == pytest.approx(3.0, abs=0.05)


def test_the_same_signal_is_the_same_file():
    first, second = codec.encode_opus(spiky()), codec.encode_opus(spiky())
    assert first == second
    assert first[14:18] == codec.SERIAL.to_bytes(4, "little")


def test_a_clip_fits_the_upload_limit_or_says_that_it_cannot():
    signal = spiky(12.0)
    assert len(codec.encode_within(signal, 100_000)) <= 100_000
    with pytest.raises(BadAudio, match="fewer bars"):
        codec.encode_within(signal, 5_000)


def test_thirty_seconds_stay_under_a_megabyte(synthesizer, score):
    signal = play_score(synthesizer, score, False, in_room, silent)
    second = finish(signal, 0, silent)
    assert len(second.audio) / second.duration_s * 30 < 1_000_000


def test_the_same_score_sounds_the_same_to_the_last_bit(synthesizer, score):
    first = play_score(synthesizer, score, False, in_room, silent)
    again = play_score(synthesizer, score, False, in_room, silent)
    assert np.array_equal(first, again)


def test_notes_sound_when_they_are_written(synthesizer):
    score = Score(60.0, 1, (), {"drums": (Note(1.0, 0.2, 37, 120), Note(2.5, 0.2, 37, 120))})
    stem = synthesizer.stems(score, False, lambda share: None)["drums"]
    loud = np.abs(stem).max(axis=1)
    first = int(np.argmax(loud > 0.2 * loud.max())) / RATE_HZ
    assert first == pytest.approx(1.0, abs=0.01)
    after = loud[int(2.2 * RATE_HZ) :]
    assert 2.2 + int(np.argmax(after > 0.2 * loud.max())) / RATE_HZ == pytest.approx(2.5, abs=0.01)


def test_the_ending_rings_out_instead_of_being_cut(synthesizer, score):
    signal = play_score(synthesizer, score, False, in_room, silent)
    end = np.abs(signal[-RATE_HZ // 10 :]).max()
    assert end < 0.01 * np.abs(signal).max()
    assert len(signal) / RATE_HZ > score.seconds(score.beats) + 1


def test_parts_stand_at_different_places(synthesizer, score):
    mixed = render.mix({"comping": synthesizer.stems(score, False, lambda share: None)["comping"]}, in_room)
    left, right = np.square(mixed).mean(axis=0)
    assert right > 1.3 * left


def test_the_room_is_small_and_the_same_each_time():
    impulse = room.room_impulse()
    energy = np.square(impulse).sum(axis=1).cumsum()
    assert np.searchsorted(energy, 0.99 * energy[-1]) / RATE_HZ < 0.5
    impulse_of_one = np.zeros((RATE_HZ, 2), dtype=np.float32)
    impulse_of_one[0] = 1.0
    wet = room.convolve(impulse_of_one, impulse, CPU)
    assert np.allclose(wet[: len(impulse)], impulse[: len(wet)], atol=1e-5)


def test_a_missing_or_broken_soundfont_is_a_wrong_setting(tmp_path):
    with pytest.raises(ConfigurationError, match=r"'jazz\.soundfont' names /nowhere\.sf2"):
        render.find_soundfont("/nowhere.sf2")
    broken = tmp_path / "broken.sf2"
    broken.write_bytes(b"no sounds")
    with pytest.raises(ConfigurationError, match="which is not a SoundFont"):
        render.Synthesizer(broken)
    assert render.find_soundfont().is_file()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"", "empty"), (b"nonsense" * 100, "neither audio nor MIDI"), (b"OggS" + bytes(200), "neither")],
)
def test_what_is_not_audio_is_refused(data, sentence):
    with pytest.raises(BadAudio, match=sentence):
        codec.decode(data, 60)


def test_a_long_recording_is_refused_with_its_length():
    with pytest.raises(BadAudio, match="minutes"):
        codec.decode(codec.encode_opus(np.zeros((RATE_HZ * 130, 2), dtype=np.float32), 32_000), 60)


def test_a_film_without_sound_is_refused():
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), dtype=np.uint8))))
        container.mux(stream.encode(None))
    with pytest.raises(BadAudio, match="no sound track"):
        codec.decode(buffer.getvalue(), 60)
