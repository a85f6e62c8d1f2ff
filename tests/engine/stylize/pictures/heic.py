"""A HEIC file as a phone writes it, made here: one HEVC frame of PyAV's encoder in ISO/IEC 23008-12's boxes.

The project ships no HEIC encoder (Pillow has none, and pi-heif only decodes); PyAV's wheels bring x265 for films.
"""

from __future__ import annotations

import re
import struct
from fractions import Fraction

import av
from PIL import Image

VPS, SPS, PPS = 32, 33, 34
"""NAL unit types (ITU-T H.265, table 7-1)."""


def heic(image: Image.Image, quarter_turns: int = 0) -> bytes:
    """`image` (RGB, even sides of at least 64 px) as a HEIC still, shown after `quarter_turns` anticlockwise."""
    units = [unit for unit in re.split(rb"\x00{2,3}\x01", _hevc_frame(image)) if unit]
    heads = {kind: next(unit for unit in units if unit[0] >> 1 & 63 == kind) for kind in (VPS, SPS, PPS)}
    slices = b"".join(struct.pack(">I", len(unit)) + unit for unit in units if unit[0] >> 1 & 63 < VPS)
    properties = box(
        b"ipco",
        box(b"hvcC", _decoder_configuration(heads)),
        full_box(b"ispe", struct.pack(">II", image.width, image.height)),
        box(b"irot", bytes([quarter_turns])),
    )
    # One item of three properties; each is named by its place above, the decoder's and the rotation as essential.
    association = full_box(b"ipma", struct.pack(">IHB", 1, 1, 3) + bytes([0x81, 0x02, 0x83]))
    brands = box(b"ftyp", b"heic", bytes(4), b"mif1", b"heic")

    def meta(offset: int) -> bytes:
        location = struct.pack(">BBHHHHII", 0x44, 0, 1, 1, 0, 1, offset, len(slices))
        return full_box(
            b"meta",
            full_box(b"hdlr", bytes(4) + b"pict" + bytes(13)),
            full_box(b"pitm", struct.pack(">H", 1)),
            full_box(b"iinf", struct.pack(">H", 1), full_box(b"infe", struct.pack(">HH", 1, 0), b"hvc1\0", version=2)),
            full_box(b"iloc", location),
            box(b"iprp", properties, association),
        )

    return brands + meta(len(brands) + len(meta(0)) + 8) + box(b"mdat", slices)


def _hevc_frame(image: Image.Image) -> bytes:
    """One intra frame, Annex B, 4:2:0."""
    encoder = av.CodecContext.create("libx265", "w")
    encoder.width, encoder.height, encoder.pix_fmt = image.width, image.height, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"x265-params": "keyint=1:crf=12:log-level=none:info=0:pools=none", "preset": "ultrafast"}
    packets = [*encoder.encode(av.VideoFrame.from_image(image)), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


def _decoder_configuration(heads: dict[int, bytes]) -> bytes:
    """HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1). Its profile bytes are those of the SPS."""
    profile = heads[SPS].replace(b"\0\0\3", b"\0\0")[3:15]
    record = b"\x01" + profile + struct.pack(">HBBBBHBB", 0xF000, 0xFC, 0xFD, 0xF8, 0xF8, 0, 0x0F, len(heads))
    for kind, unit in heads.items():
        record += struct.pack(">BHH", 0x80 | kind, 1, len(unit)) + unit
    return record


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full_box(kind: bytes, *content: bytes, version: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24), *content)
