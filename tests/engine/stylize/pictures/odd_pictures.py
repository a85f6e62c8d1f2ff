"""Pictures as they are found in the wild, each made here so that it has the property that its name says."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

from tests.engine.stylize.pictures.uploads import encoded

RED, BLUE = (225, 25, 25), (25, 25, 225)


def halves(width: int = 64, height: int = 48) -> Image.Image:
    """Left red, right blue."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """Chunks put behind the IHDR of a PNG."""
    return png[:33] + b"".join(chunks) + png[33:]


def raw_png(pixels: np.ndarray, colour: int, *chunks: bytes) -> bytes:
    """16-bit PNG of (H, W) or (H, W, 3) values; `colour` 0 or 2."""
    height, width = pixels.shape[:2]
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    body = b"".join(chunks) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + body


def exif_with_orientation(kind: int, count: int, value: bytes, order: bytes = b"II") -> bytes:
    """An EXIF block of one entry, the orientation, of any TIFF type."""
    less = "<" if order == b"II" else ">"
    entry = struct.pack(f"{less}HHHI", 1, 0x0112, kind, count) + value.ljust(4, b"\0")
    return b"Exif\0\0" + order + struct.pack(f"{less}HI", 42, 8) + entry + bytes(4)


def swapping_profile() -> bytes:
    """An RGB profile whose red is green and whose green is red: whoever ignores it shows the wrong one."""

    def s15(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    red, green, blue = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"swap\0" + bytes(79),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + b"".join(map(s15, (0.9642, 1.0, 0.8249))),
    }
    for name, values in ((b"rXYZ", green), (b"gXYZ", red), (b"bXYZ", blue)):
        tags[name] = b"XYZ \0\0\0\0" + b"".join(map(s15, values))
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        tags[name] = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256))
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", at, len(data))
        body += data
        at += len(data)
    head = struct.pack(">I4sI4s4s4s", at, b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += b"".join(map(s15, (0.9642, 1.0, 0.8249))) + bytes(48)
    return head[:128] + struct.pack(">I", len(tags)) + table + body


def lab_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def tiff(strip: bytes, width: int, height: int, *tags: tuple[int, int, int]) -> bytes:
    """One strip, little endian; `tags`: (tag, type 3 or 4, value)."""
    entries = sorted([*tags, (256, 4, width), (257, 4, height), (278, 4, height), (279, 4, len(strip)), (273, 4, 0)])
    at = 8 + 2 + 12 * len(entries) + 4
    out = b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries))
    for tag, kind, value in entries:
        value = at if tag == 273 else value
        out += struct.pack("<HHI", tag, kind, 1) + struct.pack(
            "<I" if kind == 4 else "<HH", *((value,) if kind == 4 else (value, 0))
        )
    return out + bytes(4) + strip


def grey_tiff(values: np.ndarray, bits: int = 0, white_is_zero: bool = False) -> bytes:
    """Grey values (H, W): floats, int32, or 16 bits of which `bits` are said to be used."""
    if values.dtype.kind == "f" or values.dtype == np.int32:
        return encoded(Image.fromarray(values), "TIFF")
    height, width = values.shape
    if bits == 12:
        packed = bytearray()
        for first, second in values.astype(int).reshape(-1, 2):
            packed += bytes([first >> 4, (first & 15) << 4 | second >> 8, second & 255])
        data = bytes(packed)
    else:
        data = values.astype("<u2").tobytes()
    kind = 0 if white_is_zero else 1
    return tiff(data, width, height, (258, 3, bits or 16), (259, 3, 1), (262, 3, kind), (277, 3, 1))


def ramp(most: float, least: float = 0.0, width: int = 64) -> np.ndarray:
    """(16, width) from least to most."""
    return np.tile(np.linspace(least, most, width), (16, 1))


def bmp_with_alpha(alpha: int) -> bytes:
    """32 bits a pixel; every alpha is `alpha`."""
    pixels = np.dstack([np.asarray(halves())[::-1, :, ::-1], np.full((48, 64), alpha, np.uint8)]).tobytes()
    head = struct.pack("<IiiHHIIiiII", 108, 64, 48, 1, 32, 3, len(pixels), 2835, 2835, 0, 0)
    head += struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(pixels), 0, 0, 14 + len(head)) + head + pixels


def flat_gif(screen: tuple[int, int], *frames: tuple[int, int, int, int]) -> bytes:
    """Frames (left, top, width, height) of one colour each, whatever the screen's size."""
    palette = bytes([255, 255, 255, 225, 25, 25, 25, 25, 225, 25, 200, 25])
    out = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x81, 0, 0) + palette
    for number, (left, top, width, height) in enumerate(frames):
        out += b"\x21\xf9\x04\x04\x0a\0\0\0" + b"\x2c" + struct.pack("<HHHHB", left, top, width, height, 0)
        out += b"\x02" + _lzw(1 + number % 3, width * height) + b"\0"
    return out + b"\x3b"


def _lzw(colour: int, count: int) -> bytes:
    """`count` equal pixels in LZW of minimum code size 2: runs that grow by one, until the table is full."""
    clear, end = 4, 5
    bits = filled = 0
    data = bytearray()

    def put(code: int, width: int) -> None:
        nonlocal bits, filled
        bits |= code << filled
        filled += width
        while filled >= 8:
            data.append(bits & 255)
            bits >>= 8
            filled -= 8

    while count > 0:
        put(clear, 3)
        put(colour, 3)
        count -= 1
        width, code, run = 3, 6, 2  # the next code stands for a run of `run` pixels
        while count >= run and code < 4094:
            put(code, width)
            count -= run
            code, run = code + 1, run + 1
            if code == 1 << width and width < 12:
                width += 1
        if code >= 4094:
            put(clear, width)
            continue
        if count > 0:
            put(colour, width)
            count -= 1
            code += 1
            if code == 1 << width and width < 12:
                width += 1
        if count > 0:
            put(clear, width)
            continue
        put(end, width)
    if filled:
        data.append(bits & 255)
    return b"".join(bytes([len(data[at : at + 255])]) + data[at : at + 255] for at in range(0, len(data), 255))


def moving(count: int = 6, side: int = 40) -> list[Image.Image]:
    frames = []
    for number in range(count):
        image = Image.new("RGB", (side, side), (30 * number, 220 - 30 * number, 90))
        image.paste((250, 250, 250), (4 * number, 10, 4 * number + 10, 25))
        frames.append(image)
    return frames


def animated(kind: str, frames: list[Image.Image], **options: object) -> bytes:
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], **options)
    return out.getvalue()


def long_delays(apng: bytes) -> bytes:
    """Every frame of the APNG lasts 65535 seconds."""
    data, at = bytearray(apng), 0
    while (at := data.find(b"fcTL", at)) >= 0:
        struct.pack_into(">HH", data, at + 24, 65535, 1)
        struct.pack_into(">I", data, at + 30, zlib.crc32(bytes(data[at : at + 30])))
        at += 4
    return bytes(data)
