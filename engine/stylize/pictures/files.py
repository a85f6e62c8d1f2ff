"""Files that members post, to tensors and back: safely, upright, without metadata."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

import numpy as np
import pi_heif
import torch
import torch.nn.functional as F
from PIL import Image, ImageCms, ImageOps, ImageSequence, UnidentifiedImageError
from torch import Tensor

from engine.errors import BadPicture, PictureTooLarge
from engine.progress import Progress, silent

log = logging.getLogger(__name__)

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
"""What is opened; Pillow knows more, but some of those (EPS, for one) hand the file to other programs."""
ANIMATED = {"GIF", "PNG", "WEBP", "AVIF"}
"""Formats in which several frames are a film; in TIFF they are pages, in MPO two views of one photo."""
DEFAULT_FRAME_MS = 100
MOST_FILM_PIXELS = 250_000_000
"""Of all an animation's frames together, as they come: a few seconds of decoding, for a result that is far smaller."""
LONGEST_ASPECT = 40
FIRST_FRAME_NOTE = "Only the first frame of the animation was used."

DAMAGE = (OSError, SyntaxError, ValueError, EOFError, RuntimeError, OverflowError)
"""What Pillow and its plugins raise at damaged files."""
ORIENTATION_TAG, SMALLEST_TURNED = 0x0112, 5
"""EXIF orientations 5 to 8 lie on their side (TIFF 6.0, "Orientation")."""

pi_heif.register_heif_opener()


@dataclass(frozen=True)
class Frame:
    """`rgb` (1, 3, H, W) float32 in [0, 1]; `alpha` (1, 1, H, W) likewise, or None where all is opaque."""

    rgb: Tensor
    alpha: Tensor | None
    duration_ms: int = 0


@dataclass(frozen=True)
class Picture:
    """One or more frames of one size, and sentences for the member about how they were read."""

    frames: tuple[Frame, ...]
    notes: tuple[str, ...] = field(default=())
    photographic: bool = False
    """Came as JPEG, HEIF or the like: the result may be lossy too."""
    full_side_px: int = 0
    """Longer side as it came, of which reading may have made less."""

    @property
    def size(self) -> tuple[int, int]:
        """Height, width in px."""
        return self.frames[0].rgb.shape[-2], self.frames[0].rgb.shape[-1]


def check_upload(data: bytes, max_upload_bytes: int) -> None:
    """Raises `BadPicture` for nothing at all, `PictureTooLarge` for too many bytes."""
    if not data:
        raise BadPicture("That file is empty.")
    if len(data) > max_upload_bytes:
        raise PictureTooLarge(
            f"That file has {len(data) / 2**20:.1f} MiB; at most {max_upload_bytes / 2**20:.0f} MiB can be read."
        )


def decode(
    data: bytes,
    max_upload_bytes: int,
    max_pixels: int,
    max_side_px: int,
    max_frames: int = 1,
    progress: Progress = silent,
    film_side_px: int | None = None,
) -> Picture:
    """Read a picture, its longer side at most `max_side_px` (an animation's also at most `film_side_px`).

    At most `max_frames` frames are read; with 1 an animation gives its first.

    Width and height are checked in the header, before anything is decoded. Raises `BadPicture`, `PictureTooLarge`, and
    whatever `progress` raises between the frames of an animation."""
    check_upload(data, max_upload_bytes)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as file:
            _check_header(file, max_pixels)
            full_side_px = max(file.size)
            if not (file.format in ANIMATED and getattr(file, "n_frames", 1) > 1):
                return replace(_still(file, max_side_px), full_side_px=full_side_px)
            film_side_px = max_side_px if film_side_px is None else min(max_side_px, film_side_px)
            film = _film(file, max_side_px if max_frames == 1 else film_side_px, max_frames, progress)
            return replace(film, full_side_px=full_side_px)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge(f"That picture has more than {max_pixels / 1e6:.0f} million pixels.") from error
    except UnidentifiedImageError as error:
        raise BadPicture(
            "That file is not a picture that can be read here; PNG, JPEG, WebP, GIF, HEIC, AVIF, BMP and TIFF can."
        ) from error
    except DAMAGE as error:
        log.info("a picture could not be decoded", exc_info=True)
        raise BadPicture("That picture is damaged or cut off and cannot be read.") from error


def header_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) of a still picture when upright, from its header; None for films and what cannot be read."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as file:
            if file.format in ANIMATED and getattr(file, "n_frames", 1) > 1:
                return None
            width, height = file.size
            turned = file.getexif().get(ORIENTATION_TAG, 1) >= SMALLEST_TURNED
            return (height, width) if turned else (width, height)
    except (*DAMAGE, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None


def _check_header(file: Image.Image, max_pixels: int) -> None:
    width, height = file.size
    if width * height > max_pixels:
        raise PictureTooLarge(
            f"That picture has {width} × {height} pixels; at most {max_pixels / 1e6:.0f} million can be read."
        )
    if min(width, height) < 1:
        raise BadPicture("That picture has no pixels.")
    if max(width, height) > LONGEST_ASPECT * min(width, height) and max(width, height) > 64:
        raise BadPicture(f"That picture is {width} × {height} pixels, too narrow to paint.")


def _still(file: Image.Image, max_side_px: int) -> Picture:
    photographic = file.format in ("JPEG", "MPO", "HEIF", "AVIF", "WEBP")
    if file.format in ("JPEG", "MPO"):
        file.draft("RGB", (max_side_px, max_side_px))  # JPEG can be decoded at 1/2, 1/4, 1/8 directly
    picture = ImageOps.exif_transpose(file)
    return Picture((_frame(picture, fitted(picture.size, max_side_px)),), photographic=photographic)


def _film(file: Image.Image, max_side_px: int, max_frames: int, progress: Progress) -> Picture:
    count = int(getattr(file, "n_frames", 1))
    if max_frames == 1:
        file.seek(0)
        return Picture((_frame(file, fitted(file.size, max_side_px)),), (FIRST_FRAME_NOTE,))
    size = fitted(file.size, max_side_px)
    kept = min(count, max_frames, max(1, MOST_FILM_PIXELS // (file.width * file.height)))
    notes = () if kept == count else (f"Only the first {kept} of {count} frames were used.",)
    frames = []
    for number, image in enumerate(ImageSequence.Iterator(file)):
        if number == kept:
            break
        progress("decoding", 0.05 * number / kept)
        image.load()  # WebP and AVIF tell how long a frame is shown only then
        frames.append(_frame(image, size, int(image.info.get("duration") or DEFAULT_FRAME_MS)))
    return Picture(tuple(frames), notes)


def fitted(size: tuple[int, int], max_side_px: int) -> tuple[int, int]:
    """(width, height) scaled down so that the longer side is at most `max_side_px`."""
    scale = min(1.0, max_side_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _frame(picture: Image.Image, size: tuple[int, int], duration_ms: int = 0) -> Frame:
    """One decoded frame as tensors.

    Only invisible pixels have no colour of their own: they get the mean of the others to paint on. However faint a
    pixel is, it keeps its colour, so that strength 0 gives the very pixels back. At an alpha of 1/255 colours are
    mostly rounding; yet a cut-out is painted more like the whole photo with them than with the mean below 4/255."""
    upright = _eight_bits(picture)
    see_through = upright.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in upright.info
    converted = _standard_rgb(upright, "RGBA" if see_through else "RGB")
    if converted.size != size:
        converted = converted.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    pixels = torch.from_numpy(np.array(converted)).permute(2, 0, 1)[None].float() / 255
    if not see_through or bool((pixels[:, 3] == 1).all()):
        return Frame(pixels[:, :3].contiguous(), None, duration_ms)
    rgb, alpha = pixels[:, :3], pixels[:, 3:]
    weight = alpha.sum()
    mean = (rgb * alpha).sum((2, 3), keepdim=True) / weight if weight > 0 else torch.full((1, 3, 1, 1), 0.5)
    return Frame(torch.where(alpha > 0, rgb, mean), alpha.contiguous(), duration_ms)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """16- and 32-bit grey scaled to 8 bits; Pillow's own conversion would clip it at 255."""
    sixteen = picture.mode.startswith("I;16")
    if not sixteen and picture.mode not in ("I", "F"):
        return picture
    values = np.nan_to_num(np.asarray(picture).astype(np.float64))
    # Files of 32 bits don't say how bright white is: some hold 8-bit values, others 16-bit ones.
    top = 65535.0 if sixteen or values.max(initial=0) > 255 else 255.0
    return Image.fromarray((values / top * 255).clip(0, 255).round().astype(np.uint8), "L")


def _standard_rgb(picture: Image.Image, mode: str) -> Image.Image:
    """RGB or RGBA in sRGB; an embedded profile (phones write Display P3) is applied where it can be read."""
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            converted = ImageCms.profileToProfile(
                picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            log.info("an embedded colour profile could not be used", exc_info=True)
        else:
            return converted.convert(mode) if converted is not None else picture.convert(mode)
    return picture.convert(mode)


def to_image(rgb: Tensor, alpha: Tensor | None = None) -> Image.Image:
    """(1, 3, H, W) in [0, 1], and (1, 1, H, W), to an 8-bit RGB or RGBA image."""
    pixels = rgb if alpha is None else torch.cat([rgb, alpha], dim=1)
    return Image.fromarray((pixels[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy())


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


def encode(frames: list[Frame], photographic: bool, max_bytes: int = 0, progress: Progress = silent) -> Encoded:
    """PNG (JPEG for what came as a photo), GIF for several frames (WebP where they are partly transparent, for which
    GIF has no words); at most `max_bytes`, and it says so if it had to.

    Carries no metadata. Raises `PictureTooLarge` when even the smallest version is over the limit, and whatever
    `progress` raises between frames."""
    height, width = frames[0].rgb.shape[-2:]
    durations_ms = [frame.duration_ms for frame in frames]
    for shrink in SHRINKS:
        size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
        images = [_resized(to_image(frame.rgb, frame.alpha), size) for frame in frames]
        for version in _versions(images, durations_ms, photographic, half_transparent(frames), progress):
            if max_bytes and len(version.data) > max_bytes:
                continue
            smaller = (f"made smaller, {size[0]} × {size[1]} pixels",) if shrink < 1 else ()
            notes = _why((*smaller, *version.changes))
            return Encoded(version.data, version.media_type, version.extension, *size, notes)
    raise PictureTooLarge(f"The result cannot be made to fit into {max_bytes} bytes.")


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


def _versions(
    images: list[Image.Image], durations_ms: list[int], photographic: bool, soft: bool, progress: Progress
) -> Iterator[_Version]:
    """Encodings of one size, best first, made only when asked for; `soft`: partly transparent somewhere."""
    if len(images) > 1 and soft:
        for quality in WEBP_QUALITIES:
            changes = (HARDER,) if quality < WEBP_QUALITIES[0] else ()
            yield _Version(webp(images, durations_ms, quality, progress), "image/webp", "webp", changes)
        return
    if len(images) > 1:
        yield _Version(gif(images, durations_ms, progress), "image/gif", "gif")
        return
    see_through = images[0].mode == "RGBA"
    if see_through or not photographic:
        out = io.BytesIO()
        images[0].save(out, "PNG", optimize=False, compress_level=6)
        yield _Version(out.getvalue(), "image/png", "png")
    if see_through:
        return
    for quality in JPEG_QUALITIES:
        progress(*ENCODING)
        instead = () if photographic else ("saved as JPEG instead of PNG",)
        harder = (HARDER,) if quality < JPEG_QUALITIES[0] else ()
        yield _Version(jpeg(images[0], quality), "image/jpeg", "jpg", (*instead, *harder))


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
