"""Painted pictures to files: PNG, JPEG, GIF and WebP, without metadata and within an upload limit."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from engine.errors import PictureTooLarge
from engine.progress import Progress, silent
from engine.stylize.pictures.picture import Frame, to_image


@dataclass(frozen=True)
class Encoded:
    """A finished file, its type, and whether it had to be made smaller."""

    data: bytes
    media_type: str
    extension: str
    width: int
    height: int
    notes: tuple[str, ...] = ()


ENCODING = ("encoding", 0.95)
"""What `progress` is told before each frame that is written, however often that takes."""
JPEG_QUALITIES = (92, 85, 75, 65)
WEBP_QUALITIES = (85, 70, 50)
GIF_TICK_MS, MOST_GIF_TICKS = 10, 65535
"""The delay of a GIF's frame is a 16-bit number of hundredths of a second (GIF89a, 23)."""
SHRINKS = (1.0, 0.8, 0.64, 0.5, 0.35, 0.25, 0.12)


def encode(frames: Sequence[Frame], photographic: bool, max_bytes: int = 0, progress: Progress = silent) -> Encoded:
    """PNG (JPEG for what came as a photo), WebP for several frames; at most `max_bytes`, and it says so if it had to.

    WebP loops by itself like a GIF, in every client of Discord's. Of painted animations of 24 frames it was a third to
    a fifth as large, and yet closer to the painting (3.6 to 4.4 levels off for 5.5), because a GIF has 256 colours.

    Carries no metadata. Raises `PictureTooLarge` when even the smallest version is over the limit, and whatever
    `progress` raises between frames."""
    height, width = frames[0].rgb.shape[-2:]
    durations_ms = [frame.duration_ms for frame in frames]
    for shrink in SHRINKS:
        size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
        images = [_resized(to_image(frame.rgb, frame.alpha), size) for frame in frames]
        for version in _versions(images, durations_ms, photographic, progress):
            if max_bytes and len(version.data) > max_bytes:
                continue
            smaller = (f"made smaller, {size[0]} × {size[1]} pixels",) if shrink < 1 else ()
            loops = (LOOPS_NOTE,) if len(frames) > 1 and not half_transparent(frames) else ()
            notes = (*loops, *_why((*smaller, *version.changes)))
            return Encoded(version.data, version.media_type, version.extension, *size, notes)
    raise PictureTooLarge(
        f"Even the smallest version of the result is over {max_bytes / 1e6:.1f} MB; please ask for a smaller size."
    )


def _why(changes: tuple[str, ...]) -> tuple[str, ...]:
    """One sentence for all changes, if there are any."""
    sentence = f"{', '.join(changes)}, to fit the upload limit."
    return (sentence[0].upper() + sentence[1:],) if changes else ()


def half_transparent(frames: Iterable[Frame]) -> bool:
    """Whether any pixel is neither opaque nor invisible."""
    return any(frame.alpha is not None and bool(((frame.alpha > 0) & (frame.alpha < 1)).any()) for frame in frames)


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


@dataclass(frozen=True)
class _Version:
    """One encoding, and what it changes against the best one of its size."""

    data: bytes
    media_type: str
    extension: str
    changes: tuple[str, ...] = ()


HARDER = "compressed more than usual"
LOOPS_NOTE = "It's a WebP: it loops like a GIF, but has all the painting's colours."
"""Not said of half transparent ones, which can't have come as a GIF."""


def _versions(
    images: list[Image.Image], durations_ms: list[int], photographic: bool, progress: Progress
) -> Iterator[_Version]:
    """Encodings of one size, best first, made only when asked for."""
    if len(images) > 1:
        for quality in WEBP_QUALITIES:
            changes = (HARDER,) if quality < WEBP_QUALITIES[0] else ()
            yield _Version(webp(images, durations_ms, quality, progress), "image/webp", "webp", changes)
        return
    see_through = images[0].mode == "RGBA"
    if see_through or not photographic:
        yield _Version(png(images[0]), "image/png", "png")
    if see_through:
        return
    for quality in JPEG_QUALITIES:
        progress(*ENCODING)
        instead = () if photographic else ("saved as JPEG instead of PNG",)
        harder = (HARDER,) if quality < JPEG_QUALITIES[0] else ()
        yield _Version(jpeg(images[0], quality), "image/jpeg", "jpg", (*instead, *harder))


def png(image: Image.Image, level: int = 6) -> bytes:
    """PNG at a `level` of zlib's, 1..9: 1 takes a quarter of 6's time, and more room."""
    out = io.BytesIO()
    image.save(out, "PNG", optimize=False, compress_level=level)
    return out.getvalue()


def jpeg(image: Image.Image, quality: int = JPEG_QUALITIES[0]) -> bytes:
    """Baseline JPEG of an RGB image; full colour resolution at high quality, because brush strokes are colour."""
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality, subsampling=0 if quality > 85 else 2)
    return out.getvalue()


def _told(images: Iterable[Image.Image], progress: Progress) -> Iterator[Image.Image]:
    for image in images:
        progress(*ENCODING)
        yield image


def webp(
    images: list[Image.Image],
    durations_ms: list[int],
    quality: int = WEBP_QUALITIES[0],
    progress: Progress = silent,
) -> bytes:
    """An endless WebP, or a still one of a single image, with as many degrees of transparency as the images have."""
    out = io.BytesIO()
    several = {"save_all": True, "append_images": _told(images[1:], progress), "duration": durations_ms, "loop": 0}
    images[0].save(out, "WEBP", quality=quality, alpha_quality=100, method=3, **(several if len(images) > 1 else {}))
    return out.getvalue()


def gif(images: list[Image.Image], durations_ms: list[int], progress: Progress = silent) -> bytes:
    """An endless GIF with ONE palette for all frames and no dithering: both would flicker.

    Times are rounded to the 1/100 s of GIF so that the whole keeps its length, not frame by frame."""
    marks = [round(mark / GIF_TICK_MS) for mark in accumulate(durations_ms, initial=0)]
    durations_ms = [GIF_TICK_MS * min(MOST_GIF_TICKS, max(1, end - start)) for start, end in pairwise(marks)]
    step = max(1, len(images) // 8)
    strip = [
        _resized(image.convert("RGB"), (max(1, image.width // 2), max(1, image.height // 2)))
        for image in images[::step]
    ]
    together = Image.new("RGB", (strip[0].width, sum(image.height for image in strip)))
    for number, image in enumerate(strip):
        together.paste(image, (0, number * image.height))
    palette = together.quantize(255, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    frames = []
    for image in _told(images, progress):
        frame = image.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
        if image.mode == "RGBA":
            frame.paste(255, mask=image.getchannel("A").point(lambda value: 255 if value < 128 else 0))
        frames.append(frame)
    see_through = {"transparency": 255, "disposal": 2} if any(image.mode == "RGBA" for image in images) else {}
    out = io.BytesIO()
    frames[0].save(
        out,
        "GIF",
        save_all=True,
        append_images=_told(frames[1:], progress),
        duration=durations_ms,
        loop=0,
        optimize=False,
        **see_through,
    )
    return out.getvalue()


def before_after(before: Tensor, after: Tensor, side_px: int = 512) -> bytes:
    """One JPEG with both pictures (1, 3, H, W) beside each other (above each other if they are wide)."""
    scale = min(1.0, side_px / max(after.shape[-2:]))
    size = [max(1, round(side * scale)) for side in after.shape[-2:]]
    pair = [F.interpolate(p, size=size, mode="bicubic", antialias=True).clamp(0, 1) for p in (before, after)]
    wide = size[1] > 1.6 * size[0]
    gap = torch.ones(1, 3, 8, size[1]) if wide else torch.ones(1, 3, size[0], 8)
    return jpeg(to_image(torch.cat([pair[0], gap, pair[1]], dim=2 if wide else 3)), 88)
