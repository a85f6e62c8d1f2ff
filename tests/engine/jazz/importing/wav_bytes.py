"""Recordings byte by byte, and through FFmpeg's encoders."""

from __future__ import annotations

import io
import struct

import av
import numpy as np


def tone(seconds: float, rate_hz: int = 44_100, hz: float = 330.0, channels: int = 1) -> np.ndarray:
    """(N, channels) of a note that is struck twice a second."""
    at = np.arange(int(seconds * rate_hz)) / rate_hz
    wave = 0.4 * np.sin(2 * np.pi * hz * at) * np.exp(-3.0 * (at % 0.5))
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def wav(samples: np.ndarray, rate_hz: int, *, channels: int | None = None, magic: bytes = b"RIFF") -> bytes:
    """16-bit WAV. `channels` and `rate_hz` are written as given, whether they are true or not."""
    order = ">" if magic == b"RIFX" else "<"
    data = (np.clip(samples, -1, 1) * 32767).astype(f"{order}i2").tobytes()
    count = samples.shape[1] if channels is None else channels
    form = struct.pack(f"{order}HHIIHH", 1, count, rate_hz, (rate_hz * 2 * count) & 0xFFFFFFFF, 2 * count, 16)
    sizes = [struct.pack(f"{order}I", size) for size in (36 + len(data), 16, len(data))]
    return magic + sizes[0] + b"WAVEfmt " + sizes[1] + form + b"data" + sizes[2] + data


def encoded(samples: np.ndarray, rate_hz: int, codec: str, container: str) -> bytes:
    out = io.BytesIO()
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate_hz, layout=layout)
        resampler = av.AudioResampler(
            stream.codec_context.format, layout, rate_hz, frame_size=stream.frame_size or None
        )
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.reshape(1, -1)), format="flt", layout=layout)
        frame.sample_rate = rate_hz
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return out.getvalue()
