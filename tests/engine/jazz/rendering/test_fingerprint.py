"""The same music is found again as another file: in another key and tempo, or noisier, softer and cut."""

import numpy as np
import pytest

from bot.library.likeness import is_alike, likeness
from engine.jazz.rendering import fingerprint
from engine.jazz.rendering.samples import RATE_HZ
from engine.jazz.theory.score import Note


def melody(seed, count=120):
    rng = np.random.default_rng(seed)
    pitches = 60 + np.cumsum(rng.integers(-4, 5, count)).clip(-12, 12)
    onsets = np.cumsum(rng.choice([0.5, 1.0, 1.5], count))
    return [Note(float(onset), 0.4, int(pitch), 80) for onset, pitch in zip(onsets, pitches, strict=True)]


def sound(seed, seconds=8.0):
    """Plucked tones of any pitch, about four a second, (N, 2)."""
    rng = np.random.default_rng(seed)
    signal = np.zeros(int(seconds * RATE_HZ), np.float32)
    for start in np.cumsum(rng.integers(RATE_HZ // 8, RATE_HZ // 3, 24)):
        at = np.arange(RATE_HZ // 2) / RATE_HZ
        hertz = 440.0 * 2 ** rng.uniform(-1.0, 1.0)
        tone = sum(np.sin(2 * np.pi * hertz * k * at) / k for k in (1, 2, 3, 4)) * np.exp(-6 * at)
        signal[start : start + len(at)] += 0.2 * tone.astype(np.float32)
    return np.stack([signal, signal], axis=1)


def test_another_key_tempo_and_loudness_are_the_same_melody():
    known = melody(1)
    moved = [Note(note.onset * 1.7, note.duration, note.pitch + 5, 40) for note in known]
    assert likeness(fingerprint.of_notes(known), fingerprint.of_notes(moved)) == 1.0


def test_an_excerpt_is_found_and_another_melody_is_not():
    whole = fingerprint.of_notes(melody(1))
    assert is_alike(whole, fingerprint.of_notes(melody(1)[30:80]))
    assert not is_alike(whole, fingerprint.of_notes(melody(2)))


@pytest.mark.parametrize("count", [0, 1, 6])
def test_a_few_notes_have_no_fingerprint(count):
    assert fingerprint.of_notes(melody(1)[:count]) == b""


def test_a_recording_is_found_again_though_it_is_noisier_softer_and_cut():
    signal = sound(1)
    noise = np.random.default_rng(0).normal(0.0, 0.003, signal.shape).astype(np.float32)
    again = (0.3 * signal + noise)[RATE_HZ:]
    assert is_alike(fingerprint.of_sound(signal), fingerprint.of_sound(again))


def test_another_recording_is_another_and_silence_has_none():
    assert not is_alike(fingerprint.of_sound(sound(1)), fingerprint.of_sound(sound(2)))
    assert fingerprint.of_sound(np.zeros((RATE_HZ, 2), np.float32)) == b""


def test_notes_and_sound_are_never_compared():
    assert not is_alike(fingerprint.of_notes(melody(1)), fingerprint.of_sound(sound(1)))
