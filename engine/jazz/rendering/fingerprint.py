"""What the same music is found by when it comes a second time: in another key, at another tempo, as another file.

A fingerprint is a byte that says of what (notes, sound) and a set of 32-bit numbers, little-endian. Two of a kind are
alike by the share of the smaller set that is in the larger one. Nothing can be played from either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.jazz.rendering.samples import RATE_HZ, Stereo
from engine.jazz.theory.score import Note

NOTES, SOUND = b"N", b"S"
GRAM = 6
"""Intervals in a row: seven notes."""
MOST_NUMBERS = 6000

WINDOW, HOP = 4096, 1024
LOWEST_HZ, HIGHEST_HZ = 200.0, 5000.0
NEAR_BINS, NEAR_FRAMES = 12, 6
"""A peak is the loudest spot for so far around it."""
PEAKS_A_SECOND = 25
FAN_OUT = 6
FIRST_FRAME, LAST_FRAME = 4, 60
"""Between the two peaks of a pair."""


def of_notes(notes: Sequence[Note]) -> bytes:
    """Of a melody: the runs of `GRAM` intervals in it. Key, tempo, rhythm and loudness don't matter; of notes that
    begin together the highest counts. b"" for fewer than seven notes."""
    line: dict[float, int] = {}
    for note in sorted(notes, key=lambda note: (note.onset, note.pitch)):
        line[round(note.onset, 3)] = note.pitch
    steps = np.diff(np.array(list(line.values()), int)).clip(-64, 63).astype(np.int8)
    grams = [steps[at : at + GRAM].tobytes() for at in range(len(steps) - GRAM + 1)]
    return _packed(NOTES, (hashlib.blake2b(gram, digest_size=4).digest() for gram in grams))


def of_sound(signal: Stereo) -> bytes:
    """Of a recording (N, 2): pairs of spectral peaks, each with the time between them (Wang, An Industrial-Strength
    Audio Search Algorithm, ISMIR 2003). Level, codec, equalising and what was cut off don't matter much; key and tempo
    do. b"" for silence."""
    times, bins = _peaks(signal)
    numbers = []
    for at in range(len(times)):
        later = slice(at + 1, at + 200)
        gap = times[later] - times[at]
        partners = np.flatnonzero((gap >= FIRST_FRAME) & (gap <= LAST_FRAME))[:FAN_OUT]
        for partner in partners:
            number = int(bins[at]) << 20 | int(bins[later][partner]) << 8 | int(gap[partner])
            numbers.append(number.to_bytes(4, "little"))
    return _packed(SOUND, numbers)


def _peaks(signal: Stereo) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Frames and frequency bins of the spectrum's peaks, in the order of time."""
    mono = signal.mean(axis=1)
    frames = 1 + (len(mono) - WINDOW) // HOP
    if frames < 1 or not np.any(mono):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    frequency = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
    inside = np.flatnonzero((frequency >= LOWEST_HZ) & (frequency <= HIGHEST_HZ))
    window = np.hanning(WINDOW).astype(np.float32)
    power = np.empty((frames, len(inside)), np.float32)
    for frame in range(frames):
        piece = mono[frame * HOP : frame * HOP + WINDOW] * window
        power[frame] = np.abs(np.fft.rfft(piece))[inside]
    level = np.log(power + 1e-6 * power.max())
    level -= level.mean(axis=0)  # what a room or an equaliser does to all of it
    top = level.copy()
    for axis, reach in ((0, NEAR_FRAMES), (1, NEAR_BINS)):
        top = _running_maximum(top, reach, axis)
    times, bins = np.nonzero(level >= top)
    wanted = max(1, round(PEAKS_A_SECOND * len(mono) / RATE_HZ))
    loudest = np.sort(np.argsort(-level[times, bins], kind="stable")[:wanted])
    return times[loudest], bins[loudest]


def _running_maximum(values: NDArray[np.float32], reach: int, axis: int) -> NDArray[np.float32]:
    padding = [(reach, reach) if n == axis else (0, 0) for n in range(values.ndim)]
    padded = np.pad(values, padding, constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=axis)
    highest: NDArray[np.float32] = windows.max(axis=-1)
    return highest


def _packed(kind: bytes, numbers: Iterable[bytes]) -> bytes:
    found = sorted(set(numbers))[:MOST_NUMBERS]
    return kind + b"".join(found) if found else b""
