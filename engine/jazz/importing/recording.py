"""A recording becomes a clip: the phrase found, nothing else touched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.errors import BadAudio
from engine.jazz.rendering.samples import RATE_HZ, Stereo

MIN_DURATION_S = 1.0
FRAME = RATE_HZ // 50
SILENCE_DB = -55.0
"""Relative to the loudest 20 ms: below it nobody plays."""
FLOOR_DB = -120.0
DECLICK_S = 0.04
SILENT_DB = -70.0
HISS_DB, STEADY_DB = -35.0, 3.0
"""Below full scale: what is softer all along and hardly changes its level is noise; music breathes."""
OFFSET = 0.01
"""A middle (median) beyond it is a fault of the recorder's, which would pass for sound."""


def cut_phrase(signal: Stereo, duration_s: float) -> Stereo:
    """At most `duration_s` of the recording: from its first sound to the quietest moment near the end of the window, so
    that a phrase is not broken off.

    Raises `BadAudio` when it is silent or shorter than a second."""
    if len(signal) < MIN_DURATION_S * RATE_HZ:
        raise BadAudio("The recording is shorter than a second.")
    signal = without_offset(signal)
    level = levels_db(signal)
    if float(level.max()) < SILENT_DB:
        raise BadAudio("The recording is silent.")
    loud, soft = np.percentile(level, (95, 5))
    if level.max() < HISS_DB and loud - soft < STEADY_DB:
        raise BadAudio("There's nothing in that recording but a steady hiss.")
    sounding = np.flatnonzero(level > level.max() + SILENCE_DB)
    first, last = int(sounding[0]), int(sounding[-1]) + 1
    window = int(duration_s * RATE_HZ / FRAME)
    if last - first > window:
        begin = first + int(window * 0.75)
        smooth = np.convolve(level[begin : first + window], np.ones(5) / 5, mode="valid")
        last = begin + int(smooth.argmin()) + 3
    cut = signal[max(0, first * FRAME - FRAME) : last * FRAME].copy()
    if len(cut) < MIN_DURATION_S * RATE_HZ:
        raise BadAudio("There's less than a second of sound in the recording.")
    ramp = np.linspace(0, 1, int(DECLICK_S * RATE_HZ), dtype=np.float32)[:, None]
    cut[: len(ramp)] *= ramp
    cut[-len(ramp) :] *= ramp[::-1]
    return cut


def without_offset(signal: Stereo) -> Stereo:
    """The signal with each channel around zero, where a recorder has left it elsewhere."""
    some = signal[:: 1 + len(signal) // 100_000]
    middle = np.median(some, axis=0)
    if float(np.abs(middle).max(initial=0.0)) < OFFSET:
        return signal
    centred: Stereo = signal - middle.astype(np.float32)
    return centred


def levels_db(signal: Stereo) -> NDArray[np.float64]:
    """RMS level of each 20 ms in dB, not below FLOOR_DB."""
    frames = len(signal) // FRAME
    blocks = signal[: frames * FRAME].reshape(frames, -1).astype(np.float64)
    power = (blocks**2).mean(axis=1)
    with np.errstate(divide="ignore"):
        return np.maximum(10 * np.log10(power), FLOOR_DB)
