"""Files as members post them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
from PIL import Image


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def photo(width: int = 96, height: int = 64, kind: str = "PNG", seed: int = 0) -> bytes:
    """Soft coloured patches, others for every seed."""
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    return encoded(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), kind)


def flat(size: tuple[int, int], colour: str) -> Image.Image:
    return Image.new("RGB", size, colour)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def film(times_ms: Sequence[float], kind: str = "mp4", fps: int = 15) -> bytes:
    """64 x 48 px that get brighter by 2 levels a frame, each shown at its own time; `fps` is only what is declared."""
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream("libx264" if kind == "mp4" else "libvpx", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 90_000)
        for number, time_ms in enumerate(times_ms):
            grey = np.full((48, 64, 3), 10 + 2 * number, dtype=np.uint8)
            picture = av.VideoFrame.from_ndarray(grey, "rgb24").reformat(format="yuv420p")
            picture.pts, picture.time_base = round(90 * time_ms), Fraction(1, 90_000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return out.getvalue()


def as_a_browser_records(times_ms: Sequence[float]) -> bytes:
    """VP8 in WebM without the optional DefaultDuration, as MediaRecorder writes it: that element is voided."""
    data = film(times_ms, "webm")
    start = data.index(b"\x23\xe3\x83")
    end = start + 4 + (data[start + 3] & 0x7F)
    return data[:start] + bytes([0xEC, 0x80 | (end - start - 2)]) + bytes(end - start - 2) + data[end:]


def shown_at(data: bytes) -> tuple[list[float], float]:
    """When an MP4's frames are shown, and how long it is, s."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        return [float(picture.time or 0) for picture in container.decode(stream)], float(
            stream.duration * stream.time_base
        )
