"""What a trial's two files could give away without anybody listening to the solo: their coarse, outward features."""

from __future__ import annotations

import struct
from collections import Counter

import numpy as np

from engine.contract import engine_pb2 as pb
from engine.jazz.rendering.codec import decode
from engine.jazz.rendering.loudness import TARGET_LUFS, integrated_lufs
from engine.jazz.rendering.samples import RATE_HZ, Stereo

LONGEST_S = 3600.0
FRAME = RATE_HZ // 50
HIGH_HZ = 16_000.0
SILENT_DB = -50.0
"""Relative to the loudest 20 ms."""
BAND_SPANS = 8
FLOOR = 1e-12


def features_of(clip: pb.Clip, band: Stereo, whole: Stereo) -> dict[str, float]:
    """The features of one side: of its file, of its sound, and of the band alone.

    `band`, `whole`: the mix without and with the soloist, (N, 2), before its final level; the band is measured at the
    level that the whole gets."""
    heard = decode(clip.audio, LONGEST_S)
    return {
        **of_file(clip.audio),
        "duration": len(heard) / RATE_HZ,
        "bit rate": 8 * len(clip.audio) / (len(heard) / RATE_HZ),
        "loudness": clip.loudness_lufs,
        **of_sound(heard),
        **of_band(band, TARGET_LUFS - integrated_lufs(whole)),
    }


def of_file(audio: bytes) -> dict[str, float]:
    """Size, and what the headers of an Ogg file say (RFC 3533): pages, flags, packets, how they differ, the bytes
    before the music, and the stream's serial number."""
    pages, flags, packets, at, before = 0, 0, Counter[int](), 0, 0
    serial = struct.unpack_from("<I", audio, 14)[0] if len(audio) > 18 else 0
    while at + 27 <= len(audio):
        (position,) = struct.unpack_from("<q", audio, at + 6)
        segments = audio[at + 26]
        lacing = audio[at + 27 : at + 27 + segments]
        packets.update(lacing)
        flags += audio[at + 5]
        pages += 1
        at += 27 + segments + sum(lacing)
        if position <= 0:
            before = at
    return {
        "size": float(len(audio)),
        "pages": float(pages),
        "page flags": float(flags),
        "packets": float(sum(packets.values())),
        "packet sizes": float(len(packets)),
        "bytes before the music": float(before),
        "serial number": float(serial),
    }


def of_sound(heard: Stereo) -> dict[str, float]:
    """Silence at both ends (s), and the spectrum above 16 kHz (dB below the whole; its mean and its loudest tenth)."""
    frames = len(heard) // FRAME
    blocks = heard[: frames * FRAME].mean(axis=1).reshape(frames, FRAME).astype(np.float64)
    power = (blocks**2).mean(axis=1)
    sounding = np.flatnonzero(power > power.max() * 10 ** (SILENT_DB / 10))
    spectrum = np.abs(np.fft.rfft(blocks * np.hanning(FRAME), axis=1)) ** 2
    high = spectrum[:, np.fft.rfftfreq(FRAME, 1 / RATE_HZ) >= HIGH_HZ].sum(axis=1)
    total = spectrum.sum()
    return {
        "silence before": sounding[0] * FRAME / RATE_HZ,
        "silence after": (frames - 1 - sounding[-1]) * FRAME / RATE_HZ,
        "above 16 kHz": _db(high.sum() / max(total, FLOOR)),
        "above 16 kHz, loudest": _db(np.quantile(high, 0.9) * frames / max(total, FLOOR)),
    }


def of_band(band: Stereo, gain_db: float) -> dict[str, float]:
    """The loudness curve of the band alone: the level (dB) of each eighth of the clip, at the level of the clip."""
    spans = np.array_split(band.astype(np.float64), BAND_SPANS)
    return {f"band {n}": _db((span**2).mean()) + gain_db for n, span in enumerate(spans, start=1)}


def _db(power: float) -> float:
    return float(10 * np.log10(max(power, FLOOR)))
