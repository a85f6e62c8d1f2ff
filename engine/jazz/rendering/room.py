"""The small club that every clip sounds in: its impulse response, and the convolution with it by torch's FFT."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from engine.jazz.rendering.samples import RATE_HZ, Stereo

CPU = torch.device("cpu")
"""Where the room is added: the device belongs to the next job's networks by then."""


def in_room(send: Stereo) -> Stereo:
    """What the room answers, (N, 2) like `send`."""
    return convolve(send, room_impulse(), CPU)


@lru_cache(maxsize=1)
def room_impulse(decay_s: float = 0.55, seed: int = 7) -> NDArray[np.float32]:
    """(M, 2): a small club. Eight early reflections within 40 ms, then noise that decays by 60 dB in `decay_s`, highs
    faster than lows (two bands), left and right independent."""
    rng = np.random.default_rng(seed)
    length = int(RATE_HZ * decay_s * 1.2)
    time_s = np.arange(length) / RATE_HZ
    noise = rng.standard_normal((length, 2))
    spectrum = np.fft.rfft(noise, axis=0)
    frequency = np.fft.rfftfreq(length, 1 / RATE_HZ)[:, None]
    low_band = 1 / (1 + (frequency / 1800) ** 2)
    rumble = (frequency / 150) ** 2 / (1 + (frequency / 150) ** 2)
    low = np.fft.irfft(spectrum * low_band * rumble, n=length, axis=0)
    high = np.fft.irfft(spectrum * (1 - low_band), n=length, axis=0)
    tail = low * 10 ** (-3 * time_s / decay_s)[:, None] + 0.7 * high * 10 ** (-3 * time_s / (0.55 * decay_s))[:, None]
    tail[: int(0.018 * RATE_HZ)] = 0
    tail /= np.sqrt((tail**2).sum(axis=0, keepdims=True))
    impulse = 0.8 * tail
    for index in range(8):
        at = int((0.006 + 0.0042 * index + 0.002 * rng.random()) * RATE_HZ)
        impulse[at, index % 2] += 0.42 * 0.82**index
    return impulse.astype(np.float32)


def convolve(signal: Stereo, impulse: NDArray[np.float32], device: torch.device) -> Stereo:
    """Each channel with its channel of the impulse by FFT on `device`; the result is cut to the signal's length."""
    size = 1 << (len(signal) + len(impulse) - 2).bit_length()
    with torch.inference_mode():
        spectrum = torch.fft.rfft(torch.from_numpy(signal.T.copy()).to(device), n=size)
        response = torch.fft.rfft(torch.from_numpy(impulse.T.copy()).to(device), n=size)
        wet = torch.fft.irfft(spectrum * response, n=size)[:, : len(signal)]
    result: Stereo = wet.T.contiguous().cpu().numpy()
    return result
