"""Loudness and peaks: measure, and bring a clip to the club's one level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.jazz.rendering.samples import RATE_HZ, Stereo

TARGET_LUFS = -16.0
CEILING_DBTP = -1.0
LIMIT_DBTP = -1.6
"""What the limiter holds: the codec adds up to half a decibel of overshoot."""

MAX_EXTRA_GAIN_DB = 9.0
"""How much further than its loudness asks a clip is driven into the limiter before it may stay softer."""


def integrated_lufs(signal: Stereo) -> float:
    """Integrated loudness (ITU-R BS.1770-4) of (N, 2) samples at 48 kHz; -inf for silence or less than 0.4 s."""
    if len(signal) < int(0.4 * RATE_HZ) + 1 or not np.any(signal):
        return float("-inf")
    import pyloudnorm  # with SciPy, two seconds of the engine's start: its clips are finished in a process apart

    return float(pyloudnorm.Meter(RATE_HZ).integrated_loudness(signal.astype(np.float64)))


def true_peak_dbtp(signal: Stereo) -> float:
    """True peak, four times oversampled (BS.1770-4, annex 2), in dB relative to full scale."""
    peak = float(np.max(oversampled_peaks(signal), initial=0.0))
    return 20 * float(np.log10(peak)) if peak > 0 else float("-inf")


def oversampled_peaks(signal: Stereo) -> NDArray[np.float64]:
    """(N,): for each sample the largest magnitude of both channels within its four-times oversampled surroundings."""
    phases = _phases()
    peaks = np.abs(signal).max(axis=1).astype(np.float64)
    half = phases.shape[1] // 2
    for channel in signal.T.astype(np.float64):
        padded = np.pad(channel, (half - 1, half))
        for phase in phases[1:]:
            between = np.abs(np.convolve(padded, phase[::-1], mode="valid")[: len(channel)])
            np.maximum(peaks, between, out=peaks)
    return peaks


def _phases(taps: int = 12) -> NDArray[np.float64]:
    """(4, taps): windowed-sinc interpolators at 0, 1/4, 1/2 and 3/4 of a sample."""
    at = np.arange(taps) - (taps // 2 - 1)
    rows = []
    for phase in range(4):
        x = at - phase / 4
        window = 0.5 + 0.5 * np.cos(np.pi * x / (taps / 2))
        kernel = np.sinc(x) * np.where(np.abs(x) <= taps / 2, window, 0)
        rows.append(kernel / kernel.sum())
    return np.array(rows)


def limited(
    signal: Stereo, ceiling_dbtp: float = LIMIT_DBTP, attack_s: float = 0.004, release_s: float = 0.06
) -> Stereo:
    """Look-ahead limiter: the gain falls before a peak arrives and recovers after it, so nothing clips."""
    ceiling = 10 ** (ceiling_dbtp / 20)
    peaks = oversampled_peaks(signal)
    wanted = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    if wanted.min() >= 1.0:
        return signal
    ahead = int(attack_s * RATE_HZ)
    hold = _running_minimum(wanted, ahead)
    gain = _released(hold, release_s)
    kernel = np.hanning(2 * ahead + 3)[1:-1]
    smooth = np.convolve(np.pad(gain, ahead, mode="edge"), kernel / kernel.sum(), mode="valid")
    gain = np.minimum(smooth, wanted)  # where smoothing let a peak through
    result: Stereo = (signal * gain[:, None]).astype(np.float32)
    return result


def _running_minimum(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Minimum over `reach` samples on both sides, by doubling (van Herk would do; this is short)."""
    padded = np.pad(values, reach, mode="edge")
    width = 2 * reach + 1
    result = padded
    covered = 1
    while covered < width:
        shift = min(covered, width - covered)
        result = np.minimum(result[:-shift], result[shift:])
        covered += shift
    return result


def _released(gain: NDArray[np.float64], release_s: float) -> NDArray[np.float64]:
    """Let the gain rise no faster than exponentially with `release_s`, in steps of 1 ms."""
    step = RATE_HZ // 1000
    blocks = np.pad(gain, (0, -len(gain) % step), mode="edge").reshape(-1, step).min(axis=1)
    rise = 1 - np.exp(-1 / (release_s * 1000))
    level = 1.0
    out = np.empty_like(blocks)
    for index, value in enumerate(blocks.tolist()):
        level = value if value < level else level + (value - level) * rise
        out[index] = level
    centres = np.arange(len(out)) * step + step / 2
    return np.minimum(np.interp(np.arange(len(gain)), centres, out), gain)


def levelled(
    signal: Stereo, target_lufs: float = TARGET_LUFS, ceiling_dbtp: float = LIMIT_DBTP, tolerance_lu: float = 0.1
) -> Stereo:
    """The signal at the target loudness with its peaks under the ceiling. Silence comes back as it is."""
    measured = integrated_lufs(signal)
    if not np.isfinite(measured):
        return signal
    gain_db = target_lufs - measured
    result = signal
    for _ in range(8):  # limiting lowers the loudness a little: approach it
        result = limited((signal * 10 ** (gain_db / 20)).astype(np.float32), ceiling_dbtp)
        missing = target_lufs - integrated_lufs(result)
        if abs(missing) < tolerance_lu or gain_db > target_lufs - measured + MAX_EXTRA_GAIN_DB:
            break
        gain_db += missing
    return result
