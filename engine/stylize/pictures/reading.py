"""Pictures and animations that members post, read into frames: safely, upright and in standard colours."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pi_heif
import structlog
import torch
from PIL import Image, ImageCms, ImageOps, ImageSequence, UnidentifiedImageError

from engine.errors import BadPicture, PictureTooLarge
from engine.progress import Progress, silent
from engine.stylize.pictures.picture import DEFAULT_FRAME_MS, Frame, Picture

log = structlog.get_logger(__name__)

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
"""What is opened; Pillow knows more, but some of those (EPS, for one) hand the file to other programs."""
ANIMATED = {"GIF", "PNG", "WEBP", "AVIF"}
"""Formats in which several frames are a film; in TIFF they are pages, in MPO two views of one photo."""
MOST_FILM_PIXELS = 250_000_000
"""Of all an animation's frames together, as they come: a few seconds of decoding, for a result that is far smaller."""
LONGEST_ASPECT = 40
FIRST_FRAME_NOTE = "I used only the first frame of the animation."

DAMAGE = (OSError, SyntaxError, ValueError, EOFError, RuntimeError, OverflowError)
"""What Pillow and its plugins raise at damaged files."""
ORIENTATION_TAG, SMALLEST_TURNED = 0x0112, 5
"""EXIF orientations 5 to 8 lie on their side (TIFF 6.0, "Orientation")."""

pi_heif.register_heif_opener()


def check_upload(data: bytes, max_upload_bytes: int) -> None:
    """Raises `BadPicture` for nothing at all, `PictureTooLarge` for too many bytes."""
    if not data:
        raise BadPicture("That file is empty; please attach it again.")
    if len(data) > max_upload_bytes:
        raise PictureTooLarge(
            f"That file has {len(data) / 2**20:.1f} MiB; I can read up to {max_upload_bytes / 2**20:.0f} MiB."
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
        raise PictureTooLarge(
            f"That picture has more than {max_pixels / 1e6:.0f} million pixels; please send a smaller one."
        ) from error
    except UnidentifiedImageError as error:
        raise BadPicture(
            "That's not a picture I can read; please send a PNG, JPEG, WebP, GIF, HEIC, AVIF, BMP or TIFF."
        ) from error
    except DAMAGE as error:
        log.info("a picture could not be decoded", exc_info=True)
        raise BadPicture("That picture is damaged or cut off; please save it again and send the new file.") from error


def header_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) of a still picture when upright, from its header; None for films and what can't be read."""
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
            f"That picture has {width} × {height} pixels; I can read up to {max_pixels / 1e6:.0f} million."
        )
    if min(width, height) < 1:
        raise BadPicture("That picture has no pixels.")
    if max(width, height) > LONGEST_ASPECT * min(width, height) and max(width, height) > 64:
        raise BadPicture(
            f"That picture is {width} × {height} pixels, too narrow to paint; please crop it to a broader shape."
        )


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
    notes = () if kept == count else (f"I used only the first {kept} of {count} frames.",)
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
