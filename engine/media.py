"""Films and sound through FFmpeg, which alone would guess among 300 formats, some of which name other files and hosts.

The demuxer is chosen by our own look at the first bytes. Lists say which demuxers and decoders may be used at all, and
a demuxer that wants to open anything else (a playlist's next file, a URL) is refused.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import av
from av.stream import Disposition

DEMUXERS = (
    "mov",
    "matroska",
    "avi",
    "mpegts",
    "wav",
    "aiff",
    "flac",
    "ogg",
    "mp3",
    "aac",
    "caf",
    "amr",
    "asf",
    "au",
    "w64",
)
VIDEO_DECODERS = frozenset((
    "h264", "hevc", "vp8", "vp9", "libvpx", "libvpx-vp9", "av1", "libdav1d", "mpeg4", "mpeg1video", "mpeg2video",
    "h263", "theora", "mjpeg", "prores", "msmpeg4v2", "msmpeg4", "wmv1", "wmv2", "wmv3", "vc1",
))  # fmt: skip
AUDIO_DECODERS = frozenset((
    "aac", "aac_latm", "mp3", "mp3float", "mp2", "mp2float", "mp1", "mp1float", "opus", "libopus", "vorbis",
    "flac", "alac", "ac3", "eac3", "amrnb", "amrwb", "gsm", "pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be",
    "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be",
    "pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt", "wmav1", "wmav2", "wmapro",
    "wmalossless",
))  # fmt: skip
MPEG_SCAN_BYTES = 64 * 1024
"""How far into a file the first frame of an MP3 may lie: lyrics and tags of unknown kinds stand before it."""
TS_PACKET = 188

av.logging.set_level(None)


class Refused(OSError):
    """A demuxer asked for another file."""


def demuxer_of(data: bytes) -> str:
    """The demuxer for a file by its first bytes, or "" where they are none of ours."""
    head = data[:12]
    if head[:4] == b"\x1a\x45\xdf\xa3":
        # WebM and Matroska say which they are; anything else behind this mark is no film or sound.
        return "matroska" if any(name in data[:4096] for name in (b"matroska", b"webm")) else ""
    if head[4:8] in (b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip", b"pnot"):
        return "mov"
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[:4] == b"riff":
        return "w64"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    for mark, name in ((b"fLaC", "flac"), (b"OggS", "ogg"), (b"caff", "caf"), (b"#!AMR", "amr"), (b".snd", "au")):
        if data.startswith(mark):
            return name
    if head[:4] == b"\x30\x26\xb2\x75":
        return "asf"
    if data[:1] == b"G" and data[TS_PACKET : TS_PACKET + 1] == b"G" == data[2 * TS_PACKET : 2 * TS_PACKET + 1]:
        return "mpegts"
    return _mpeg_audio(data)


def _mpeg_audio(data: bytes) -> str:
    """ "mp3", "aac" or "flac" behind an ID3 tag, or the first two for a file in which frames follow each other."""
    start = 0
    while data[start : start + 3] == b"ID3" and len(data) >= start + 10:
        size = 0
        for byte in data[start + 6 : start + 10]:
            size = size << 7 | byte & 127
        start += 10 + size
    if start and data[start : start + 4] == b"fLaC":
        return "flac"
    end = min(len(data) - 4, start + MPEG_SCAN_BYTES)
    at = data.find(b"\xff", start)
    while 0 <= at < end:
        second = data[at + 1]
        if second & 0xF6 == 0xF0:  # ADTS: twelve ones, layer 0
            length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | (data[at + 5] >> 5 if at + 5 < len(data) else 0)
            follower = data[at + length : at + length + 2]
            if length > 7 and len(follower) == 2 and follower[0] == 0xFF and follower[1] & 0xF6 == 0xF0:
                return "aac"
        elif second & 0xE0 == 0xE0 and second & 0x06 and second & 0x18 != 0x08:
            length = _mp3_frame_bytes(data[at : at + 4])
            follower = data[at + length : at + length + 2]
            if length and len(follower) == 2 and follower[0] == 0xFF and follower[1] & 0xFE == second & 0xFE:
                return "mp3"
        at = data.find(b"\xff", at + 1)
    return ""


_KBITS = {
    (True, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 1): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By (MPEG-1?, the header's two bits for the layer)."""


def _mp3_frame_bytes(header: bytes) -> int:
    """Length of an MPEG audio frame by its header (ISO 11172-3, 2.4.2.3); 0 where it is none."""
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    rate_index, kbit_index, padding = header[2] >> 2 & 3, header[2] >> 4, header[2] >> 1 & 1
    if version == 1 or layer == 0 or rate_index == 3 or kbit_index in (0, 15):
        return 0
    rate = (44100, 48000, 32000)[rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    bits = 1000 * _KBITS[version == 3, layer][kbit_index]
    if layer == 3:
        return (12 * bits // rate + padding) * 4
    return (72 if layer == 1 and version != 3 else 144) * bits // rate + padding


def _refuse(url: str, flags: int, options: Mapping[str, Any]) -> Any:
    raise Refused(f"this file wants to open {url[:200]!r}")


def open_media(data: bytes, demuxer: str, max_pixels: int = 0) -> av.container.InputContainer:
    """Open a film or a recording with the demuxer that `demuxer_of` named. Pictures of more than `max_pixels` aren't
    decoded (0: no limit).

    Raises `FFmpegError`, `Refused`, `ValueError`."""
    if demuxer not in DEMUXERS:
        raise ValueError("not a film or a recording that is read here")
    bounds = {
        "format_whitelist": ",".join((*DEMUXERS, "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2")),
        "codec_whitelist": ",".join(sorted(VIDEO_DECODERS | AUDIO_DECODERS)),
        "protocol_whitelist": "none",
        "enable_drefs": "0",
        "max_streams": "32",
    }
    if demuxer != "mov":
        del bounds["enable_drefs"]
    if max_pixels:
        bounds["max_pixels"] = str(max_pixels)
    container = av.open(io.BytesIO(data), "r", format=demuxer, options=bounds, io_open=_refuse)
    for stream in container.streams:
        context = stream.codec_context
        if context is not None:
            context.thread_count = 1
            if max_pixels and stream.type == "video":
                context.options = {"max_pixels": str(max_pixels)}
    return container


def is_cover(stream: Any) -> bool:
    """Whether a video stream is the picture on a record's sleeve."""
    return bool(stream.disposition & Disposition.attached_pic)
