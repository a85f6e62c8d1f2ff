"""The skeleton of a GIF: its screen, and where and how large each frame is, before any pixel is decoded (GIF89a)."""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class GifStructure:
    """`screen` (width, height) px; `extents`: for each frame that begins, how far it reaches from the corner."""

    screen: tuple[int, int]
    extents: tuple[tuple[int, int], ...]


def gif_structure(data: bytes) -> GifStructure | None:
    """None for what isn't a GIF. A file that ends in the middle has the frames that begin before."""
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 13:
        return None
    screen = struct.unpack_from("<HH", data, 6)
    at = 13 + _colours(data[10])
    extents: list[tuple[int, int]] = []
    while at < len(data):
        if data[at] == 0x21:  # an extension: label, then sub-blocks
            at = _after_blocks(data, at + 2)
        elif data[at] == 0x2C and at + 10 <= len(data):
            left, top, width, height = struct.unpack_from("<HHHH", data, at + 1)
            extents.append((left + width, top + height))
            at = _after_blocks(data, at + 10 + _colours(data[at + 9]) + 1)
        elif data[at] == 0x3B:
            break
        else:
            at += 1
    return GifStructure((screen[0], screen[1]), tuple(extents))


def _colours(packed: int) -> int:
    """Bytes of the colour table that a packed field announces."""
    return 3 << (packed & 7) + 1 if packed & 0x80 else 0


def _after_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1
