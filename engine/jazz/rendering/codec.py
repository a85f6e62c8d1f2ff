"""OGG/Opus out, anything that PyAV decodes in."""

from __future__ import annotations

import io
import struct

import av
import numpy as np
import structlog

from engine.errors import BadAudio
from engine.jazz.rendering.loudness import RATE_HZ, Stereo

log = structlog.get_logger()

BIT_RATE = 128_000
MIN_BIT_RATE = 32_000
SERIAL = 0x574F4F44
"""The Ogg stream's serial number, fixed: muxers draw it at random, and the same clip must be the same bytes."""


def encode_opus(signal: Stereo, bit_rate: int = BIT_RATE, *, constant: bool = False) -> bytes:
    """(N, 2) samples at 48 kHz -> OGG/Opus with no metadata beyond the stream's own; the same input, the same bytes.

    `constant`: every packet has the same size, so a file's size says how long it lasts and nothing else."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(
            "libopus", rate=RATE_HZ, options={"vbr": "off" if constant else "on", "application": "audio"}
        )
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        stream.bit_rate = bit_rate
        stream.codec_context.layout = "stereo"
        stream.codec_context.format = "flt"
        step = RATE_HZ
        for start in range(0, len(signal), step):
            block = np.ascontiguousarray(signal[start : start + step].reshape(1, -1), dtype=np.float32)
            frame = av.AudioFrame.from_ndarray(block, format="flt", layout="stereo")
            frame.sample_rate = RATE_HZ
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return with_serial(buffer.getvalue(), SERIAL)


def encode_within(signal: Stereo, max_bytes: int, *, constant: bool = False) -> bytes:
    """As good as `encode_opus`, at a lower bit rate where `max_bytes` (0: no limit) asks for it."""
    bit_rate = BIT_RATE
    if max_bytes:
        affordable = int(max_bytes * 8 / (len(signal) / RATE_HZ + 0.1) * 0.9)
        bit_rate = max(MIN_BIT_RATE, min(BIT_RATE, affordable))
    audio = encode_opus(signal, bit_rate, constant=constant)
    while max_bytes and len(audio) > max_bytes and bit_rate > MIN_BIT_RATE:
        bit_rate = max(MIN_BIT_RATE, int(bit_rate * 0.8))
        audio = encode_opus(signal, bit_rate, constant=constant)
    if max_bytes and len(audio) > max_bytes:
        raise BadAudio(f"Even at the lowest quality the clip is {len(audio) // 1024} kB, over the limit of "
                       f"{max_bytes // 1024} kB; ask for fewer bars.")  # fmt: skip
    return audio


def with_serial(ogg: bytes, serial: int) -> bytes:
    """The same single-stream Ogg file with another serial number; page checksums are computed anew (RFC 3533)."""
    out = bytearray(ogg)
    at = 0
    while at < len(out):
        if out[at : at + 4] != b"OggS":
            raise ValueError("not an Ogg page")
        segments = out[at + 26]
        size = 27 + segments + sum(out[at + 27 : at + 27 + segments])
        struct.pack_into("<I", out, at + 14, serial)
        struct.pack_into("<I", out, at + 22, 0)
        struct.pack_into("<I", out, at + 22, _ogg_crc(bytes(out[at : at + size])))
        at += size
    return bytes(out)


def _make_crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
        table.append(value)
    return tuple(table)


_CRC_TABLE = _make_crc_table()


def _ogg_crc(page: bytes) -> int:
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC_TABLE[value >> 24 ^ byte]
    return value


def decode(data: bytes, max_duration_s: float) -> Stereo:
    """Any audio (or a video's sound track) -> (N, 2) samples at 48 kHz.

    Raises `BadAudio` for what is not audio, has no sound track, is empty, or is longer than `max_duration_s`."""
    if not data:
        raise BadAudio("The file is empty.")
    try:
        return _decode(data, max_duration_s)
    except (av.error.FFmpegError, ValueError, EOFError, IndexError) as error:
        log.info("audio upload could not be decoded: %s", error)
        raise BadAudio("That file is neither audio nor MIDI that I can read.") from error


def _decode(data: bytes, max_duration_s: float) -> Stereo:
    with av.open(io.BytesIO(data), "r") as container:
        if not container.streams.audio:
            raise BadAudio("That file has no sound track." if container.streams.video else "That file has no audio.")
        stream = container.streams.audio[0]
        declared_s = float(container.duration / av.time_base) if container.duration else 0.0
        if declared_s > max_duration_s + 1:
            raise BadAudio(_too_long(declared_s, max_duration_s))
        resampler = av.AudioResampler(format="flt", layout="stereo", rate=RATE_HZ)
        blocks: list[Stereo] = []
        samples = 0
        for frame in container.decode(stream):
            for resampled in resampler.resample(frame):
                blocks.append(_samples(resampled))
                samples += len(blocks[-1])
            if samples > (max_duration_s + 1) * RATE_HZ:
                raise BadAudio(_too_long(samples / RATE_HZ, max_duration_s))
        blocks.extend(_samples(resampled) for resampled in resampler.resample(None))
    if not blocks:
        raise BadAudio("That file holds no sound.")
    signal: Stereo = np.nan_to_num(np.concatenate(blocks).astype(np.float32), posinf=1.0, neginf=-1.0)
    return signal


def _samples(frame: av.AudioFrame) -> Stereo:
    return np.asarray(frame.to_ndarray(), dtype=np.float32).reshape(-1, 2)


def _too_long(duration_s: float, max_duration_s: float) -> str:
    length = f"{duration_s / 3600:.1f} hours" if duration_s >= 3600 else f"{duration_s / 60:.0f} minutes"
    return f"The recording is {length} long; {max_duration_s / 60:.0f} minutes are the most that I take."
