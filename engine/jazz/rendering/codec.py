"""OGG/Opus out; in comes any sound that `engine.media` lets FFmpeg read."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import av
import numpy as np

from engine.errors import BadAudio
from engine.jazz.rendering.samples import RATE_HZ, Stereo
from engine.media import Refused, demuxer_of, is_cover, open_media
from engine.progress import Progress, silent

BIT_RATE = 128_000
MIN_BIT_RATE = 32_000
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 384_000
MAX_CHANNELS = 8
GUESSING = ("mp3", "aac", "amr", "mpegts", "mpeg")
"""Demuxers that guess a file's length by its first frames: nobody is refused because of it."""
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
        raise BadAudio(f"Even at the lowest quality, the clip has {len(audio) // 1024} kB and your limit is "
                       f"{max_bytes // 1024} kB. Ask for fewer bars.")  # fmt: skip
    return audio


def with_serial(ogg: bytes, serial: int) -> bytes:
    """The same single-stream Ogg file with another serial number; page checksums are recomputed (RFC 3533)."""
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


def decode(data: bytes, max_duration_s: float, progress: Progress = silent) -> Stereo:
    """Any audio (or a film's sound track) -> (N, 2) samples at 48 kHz. What is damaged in the middle is left out, as
    players do; a change of rate or of channels is followed. Reports 0..1 of `max_duration_s`.

    Raises `BadAudio` for what is not audio, has no sound track, is empty, or is longer than `max_duration_s`."""
    if not data:
        raise BadAudio("That file is empty.")
    demuxer = demuxer_of(data)
    if not demuxer:
        raise BadAudio("That file is neither audio nor MIDI that I can read.")
    signal = _Growing(int((max_duration_s + 1) * RATE_HZ))
    try:
        for part in ogg_chains(data) if demuxer == "ogg" else (data,):
            with open_media(part, demuxer) as container:
                _decode(container, demuxer, signal, max_duration_s, progress)
    except (av.error.FFmpegError, Refused, ValueError, EOFError, IndexError) as error:
        if data.startswith(b"RIFX"):
            raise BadAudio("I can't read that kind of WAV (RIFX). Export it as an ordinary WAV or FLAC.") from error
        raise BadAudio("That file is neither audio nor MIDI that I can read.") from error
    if not signal.count:
        raise BadAudio("There's no sound in that file.")
    return np.nan_to_num(signal.samples[: signal.count], copy=False, posinf=1.0, neginf=-1.0)


def _decode(
    container: av.container.InputContainer, demuxer: str, signal: _Growing, max_duration_s: float, progress: Progress
) -> None:
    if not container.streams.audio:
        films = [stream for stream in container.streams.video if not is_cover(stream)]
        raise BadAudio("That film has no sound track." if films else "There's no sound in that file.")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise ValueError("sound in a codec that isn't read here")
    check_format(stream.codec_context.sample_rate, stream.codec_context.channels)
    declared_s = float(container.duration / av.time_base) if container.duration else 0.0
    if demuxer in GUESSING:
        declared_s = 0.0
    if declared_s > max_duration_s + 1:
        raise BadAudio(_too_long(declared_s, max_duration_s))
    resampler, source = None, None
    for frame in _frames(container, stream):
        check_format(frame.sample_rate, len(frame.layout.channels))
        if source != (frame.sample_rate, frame.layout.name, frame.format.name):
            if resampler is not None:
                signal.add(resampler.resample(None))
            source = (frame.sample_rate, frame.layout.name, frame.format.name)
            resampler = av.AudioResampler(format="flt", layout="stereo", rate=RATE_HZ)
        frame.pts = None  # joined files start counting again, and the resampler would wait for the time to come
        assert resampler is not None
        signal.add(resampler.resample(frame))
        if signal.full:
            raise BadAudio(_too_long(declared_s, max_duration_s))
        progress("reading the sound", signal.count / signal.limit)
    if resampler is not None:
        signal.add(resampler.resample(None))


MAX_CHAINS = 64


def ogg_chains(data: bytes) -> list[bytes]:
    """The recordings that follow each other in one Ogg file, as web radios write them (RFC 3533, chaining)."""
    starts, at, begun = [0], 0, True
    while data[at : at + 4] == b"OggS" and at + 27 <= len(data):
        segments = data[at + 26]
        first = bool(data[at + 5] & 2)  # the first page of a stream
        if first and not begun and len(starts) < MAX_CHAINS:
            starts.append(at)
        begun = first
        at += 27 + segments + sum(data[at + 27 : at + 27 + segments])
    return [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def check_format(rate_hz: int, channels: int) -> None:
    """Raises `BadAudio` for rates and numbers of channels that no recording has, or that can't be mixed to stereo."""
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise BadAudio(f"That recording has {rate_hz} samples a second; I read {MIN_RATE_HZ} to {MAX_RATE_HZ}.")
    if not 1 <= channels <= MAX_CHANNELS:
        raise BadAudio(f"That recording has {channels} channels; I read {MAX_CHANNELS} at most. Export it in stereo.")


def _frames(container: av.container.InputContainer, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
    """The frames of a stream; packets that can't be decoded are left out. Raises an `FFmpegError` if none can."""
    whole, fault = 0, None
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
            frames = packet.decode()
        except StopIteration:
            break
        except (av.error.EOFError, av.error.ExitError):
            break
        except av.error.FFmpegError as error:
            fault = error
            continue
        for frame in frames:
            whole += 1
            yield frame
    if fault is not None and not whole:
        raise fault


class _Growing:
    """Samples (N, 2) of an unknown number, at most `limit` of them, in one piece of memory."""

    def __init__(self, limit: int) -> None:
        self.samples = np.empty((min(limit, RATE_HZ), 2), dtype=np.float32)
        self.limit, self.count = limit, 0

    @property
    def full(self) -> bool:
        return self.count >= self.limit

    def add(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            block = np.asarray(frame.to_ndarray(), dtype=np.float32).reshape(-1, 2)[: self.limit - self.count]
            if self.count + len(block) > len(self.samples):
                size = min(self.limit, max(self.count + len(block), len(self.samples) * 3 // 2))
                self.samples.resize((size, 2), refcheck=False)
            self.samples[self.count : self.count + len(block)] = block
            self.count += len(block)


def _too_long(duration_s: float, max_duration_s: float) -> str:
    """The sentence for a recording of that length; 0: nobody knows it."""
    length = f"{duration_s / 3600:.1f} hours" if duration_s >= 3600 else f"{duration_s / 60:.0f} minutes"
    if duration_s <= max_duration_s + 1:
        return f"That recording is longer than {max_duration_s / 60:.0f} minutes, which is the most that I take."
    return f"That recording is {length} long; I take {max_duration_s / 60:.0f} minutes at most."
