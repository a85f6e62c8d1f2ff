"""Pictures and animations that members post, read into plain pixels: bounded, upright, in sRGB.

Without torch: it runs in intake, in a process that may do nothing but compute.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pi_heif
import structlog
from PIL import Image, UnidentifiedImageError

from engine.errors import BadPicture, EngineError, PictureTooLarge
from engine.media import demuxer_of
from engine.progress import Progress, silent
from engine.stylize.pictures.colours_of_files import (
    HDR_NOTE,
    Meaning,
    grey_of_any_range,
    meaning_of,
    to_srgb,
    with_profile,
)
from engine.stylize.pictures.gif_structure import gif_structure
from engine.uploads import Reading

log = structlog.get_logger(__name__)

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
"""What is opened; Pillow knows more, but some of those (EPS, for one) hand the file to other programs."""
ANIMATED = {"GIF", "PNG", "WEBP", "AVIF"}
"""Formats in which several frames are a film; in TIFF they are pages, in MPO two views of one photo."""
PHOTOGRAPHIC = {"JPEG", "MPO", "HEIF", "AVIF", "WEBP"}
DEFAULT_FRAME_MS, LONGEST_FRAME_MS = 100, 10_000
MOST_FILM_PIXELS = 250_000_000
"""Of all an animation's frames together, as they come: a few seconds of decoding, for a result that is far smaller."""
LONGEST_ASPECT = 40
FIRST_FRAME_NOTE = "I used only the first frame of the animation."
LONG_FRAMES_NOTE = "Some frames last longer than 10 seconds; I show each of those for 10."
INVISIBLE_NOTE = "Nothing in that picture is visible: it's transparent all over."
CUT_OFF = "That picture is damaged or cut off; please save it again and send the new file."

DAMAGE = (OSError, SyntaxError, ValueError, EOFError, RuntimeError, OverflowError, IndexError, KeyError, TypeError,
          AttributeError, ArithmeticError, struct.error)  # fmt: skip
"""What Pillow and its plugins raise at damaged files."""
STILL_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"heim", b"heis", b"hevc", b"hevx")
"""What HEIC and AVIF pictures call themselves in the box that films begin with, too."""
ORIENTATION_TAG = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What sets an EXIF orientation upright (TIFF 6.0, "Orientation")."""
BITS_TAG, PHOTOMETRIC_TAG = 258, 262
"""Of TIFF 6.0."""

pi_heif.register_heif_opener()


@dataclass(frozen=True)
class Bounds:
    """How large a picture may come, and how large it is read."""

    max_upload_bytes: int
    max_pixels: int
    max_side_px: int
    max_frames: int = 1
    """With 1 an animation gives its first frame."""
    film_side_px: int = 0
    """Longer side of an animation's frames at most; 0: `max_side_px`."""

    @property
    def moving_side_px(self) -> int:
        if self.max_frames == 1 or not self.film_side_px:
            return self.max_side_px
        return min(self.max_side_px, self.film_side_px)


@dataclass
class Frames:
    """Frames as they are read: each (H, W, 3 or 4) uint8, all of one height and width."""

    pixels: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    durations_ms: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    photographic: bool = False
    full_side_px: int = 0

    def note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def reading(self) -> Reading:
        """One array (N, H, W, C): C is 4 where anything is see-through."""
        see_through = any(one.shape[2] == 4 and bool((one[..., 3] < 255).any()) for one in self.pixels)
        height, width = self.pixels[0].shape[:2]
        together = np.empty((len(self.pixels), height, width, 4 if see_through else 3), np.uint8)
        for number, one in enumerate(self.pixels):
            together[number, ..., :3] = one[..., :3]
            if see_through:
                together[number, ..., 3] = one[..., 3] if one.shape[2] == 4 else 255
        if see_through and not together[..., 3].any():
            self.note(INVISIBLE_NOTE)
        facts = {
            "durations_ms": self.durations_ms,
            "notes": self.notes,
            "photographic": self.photographic,
            "full_side_px": self.full_side_px,
        }
        return Reading(facts, (together,))


def check_upload(data: bytes, max_upload_bytes: int) -> None:
    """Raises `BadPicture` for nothing at all, `PictureTooLarge` for too many bytes."""
    if not data:
        raise BadPicture("That file is empty; please attach it again.")
    if len(data) > max_upload_bytes:
        raise PictureTooLarge(
            f"That file is {len(data) / 2**20:.1f} MiB; I can read up to {max_upload_bytes / 2**20:.0f} MiB."
        )


def read_picture(data: bytes, options: Mapping[str, Any], progress: Progress = silent) -> Reading:
    """Reader of still pictures and animations; `options` are the fields of `Bounds`.

    Size is checked before anything is decoded. Raises `BadPicture`, `PictureTooLarge`, and whatever `progress` raises
    between the frames of an animation."""
    bounds = Bounds(**options)
    check_upload(data, bounds.max_upload_bytes)
    if data[:1].isspace() and data.lstrip(b"\r\n\t ")[:3] == b"\xff\xd8\xff":
        data = data.lstrip(b"\r\n\t ")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata, mostly; sizes are checked here
            return _frames(data, bounds, progress).reading()
    except EngineError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge(
            f"That picture has more than {bounds.max_pixels / 1e6:.0f} million pixels; please send a smaller one."
        ) from error
    except UnidentifiedImageError as error:
        raise BadPicture(_what_it_is_instead(data)) from error
    except DAMAGE as error:
        log.info("a picture could not be decoded", exc_info=True)
        raise BadPicture(_what_it_is_instead(data) if "support" in str(error).lower() else CUT_OFF) from error
    except MemoryError as error:
        raise PictureTooLarge("That picture needs more memory than I have; please send a smaller one.") from error


def _frames(data: bytes, bounds: Bounds, progress: Progress) -> Frames:
    with Image.open(io.BytesIO(data), formats=FORMATS) as file:
        _check_size(file.size, bounds.max_pixels)
        moving = file.format == "GIF" or (file.format in ANIMATED and getattr(file, "n_frames", 1) > 1)
        return _animation(file, data, bounds, progress) if moving else _still(file, data, bounds)


def _what_it_is_instead(data: bytes) -> str:
    """A sentence about a file that Pillow doesn't open."""
    start = data[:512].lstrip().lower()
    known = {
        b"\xff\xd8\xff": "JPEG",
        b"BM": "BMP",
        b"II*\0": "TIFF",
        b"MM\0*": "TIFF",
        b"II+\0": "TIFF",
        b"MM\0+": "TIFF",
    }
    if start.startswith((b"<!doctype html", b"<html")):
        return "That's a web page, not a picture; please save the picture itself and send that."
    if b"<svg" in start:
        return "That's an SVG drawing, which I can't read; please save it as a PNG."
    if start.startswith(b"%pdf"):
        return "That's a PDF, not a picture; please send the page as a PNG."
    for mark, name in known.items():
        if data.startswith(mark) and len(data) > 64:
            return f"I can't read this kind of {name}, or it's damaged; please save it as a PNG and send that."
    if is_heif(data):
        return "I can't read this kind of HEIC or AVIF, or it's damaged; please save it as a JPEG and send that."
    if demuxer_of(data):
        return "That's a film or a recording that I can't read here; please send an MP4, WebM or MOV."
    return (
        "That's not a picture I can read; please send a PNG, JPEG, WebP, GIF, HEIC, AVIF, BMP or TIFF, "
        "or a film as MP4, WebM or MOV."
    )


def is_heif(data: bytes) -> bool:
    """Whether a file calls itself a HEIC or AVIF picture."""
    return data[4:8] == b"ftyp" and data[8:12] in STILL_BRANDS


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureTooLarge(
            f"That picture has {width} × {height} pixels; I can read up to {max_pixels / 1e6:.0f} million."
        )
    if min(width, height) < 1:
        raise BadPicture("That picture has no pixels; please send another one.")
    if max(width, height) > LONGEST_ASPECT * min(width, height) and max(width, height) > 64:
        raise BadPicture(
            f"That picture is {width} × {height} pixels, too narrow to paint; please crop it to a broader shape."
        )


def orientation_of(file: Image.Image) -> int:
    """EXIF orientation 1..8; 1 where the metadata says nothing, or nonsense, which is no reason to refuse."""
    try:
        value = file.getexif().get(ORIENTATION_TAG, 1)
    except DAMAGE:
        return 1
    if isinstance(value, tuple) and value:
        value = value[0]
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _still(file: Image.Image, data: bytes, bounds: Bounds) -> Frames:
    frames = Frames(photographic=file.format in PHOTOGRAPHIC, full_side_px=max(file.size))
    turn = TURNS.get(orientation_of(file))
    meaning = _meaning(file, data, frames)
    if file.format in ("JPEG", "MPO"):
        file.draft("RGB", (bounds.max_side_px, bounds.max_side_px))  # JPEG can be decoded at 1/2, 1/4, 1/8 directly
    picture = _understood(file, data, frames)
    if turn is not None:
        picture = picture.transpose(turn)
    frames.pixels.append(_fitted_pixels(picture, fitted(picture.size, bounds.max_side_px), meaning))
    frames.durations_ms.append(0)
    return frames


def _animation(file: Image.Image, data: bytes, bounds: Bounds, progress: Progress) -> Frames:
    """All frames that are whole, up to `max_frames` and a budget of pixels, clipped to the GIF's own screen."""
    frames = Frames(full_side_px=max(file.size), photographic=file.format in PHOTOGRAPHIC)
    structure = gif_structure(data) if file.format == "GIF" else None
    screen, hidden = file.size, 0
    if structure is not None:
        count = max(1, len(structure.extents))
        if min(structure.screen) > 0:
            screen = structure.screen
            _check_size(screen, bounds.max_pixels)
        frames.full_side_px = max(screen)
    else:
        hidden = 1 if file.info.get("default_image") else 0  # an APNG's picture for programs that know no APNG
        count = max(1, int(getattr(file, "n_frames", 1)) - hidden)
    size = fitted(screen, bounds.moving_side_px if count > 1 else bounds.max_side_px)
    wanted = min(count, bounds.max_frames)
    meaning = _meaning(file, data, frames)
    spent, width, height = 0, *file.size
    why = ""
    for number in range(wanted):
        if structure is not None and number < len(structure.extents):
            width, height = max(width, structure.extents[number][0]), max(height, structure.extents[number][1])
        spent += width * height
        if number and (spent > MOST_FILM_PIXELS or width * height > bounds.max_pixels):
            alone = width * height > bounds.max_pixels
            why = ": the next one is too large" if alone else ": all of them together are too large"
            break
        if not number and width * height > bounds.max_pixels:
            raise PictureTooLarge(
                f"The first frame has {width} × {height} pixels; I can read "
                f"up to {bounds.max_pixels / 1e6:.0f} million."
            )
        try:
            file.seek(hidden + number)
            file.load()  # WebP and AVIF say only then how long a frame is shown
            picture = _understood(file, data, frames)
            if picture.size != screen:
                picture = _on_screen(picture, screen)
            pixels = _fitted_pixels(picture, size, meaning)
        except DAMAGE:
            if not number:
                raise
            log.info("an animation is damaged", frame=number, exc_info=True)
            count = number
            frames.note(f"The file is cut off, so I used the {number} frames before that." if number > 1 else
                        "The file is cut off after its first frame, so I used that.")  # fmt: skip
            break
        shown_ms = int(file.info.get("duration") or DEFAULT_FRAME_MS)
        if shown_ms > LONGEST_FRAME_MS:
            frames.note(LONG_FRAMES_NOTE)
        frames.pixels.append(pixels)
        frames.durations_ms.append(min(LONGEST_FRAME_MS, max(1, shown_ms)))
        progress("decoding", 0.05 * (number + 1) / wanted)
    kept = len(frames.pixels)
    if kept < count:
        frames.notes.insert(0, FIRST_FRAME_NOTE if bounds.max_frames == 1 else _cut_note(kept, count, why))
    if count > 1:
        frames.photographic = False
    return frames


def _cut_note(kept: int, count: int, why: str) -> str:
    return f"I used only the first {f'{kept} ' if kept > 1 else ''}of {count} frames{why}."


def _on_screen(picture: Image.Image, screen: tuple[int, int]) -> Image.Image:
    """The part of a GIF's canvas that its screen shows, as browsers do."""
    shown = picture.crop((0, 0, *screen))
    shown.info = dict(picture.info)
    return shown


def fitted(size: tuple[int, int], max_side_px: int) -> tuple[int, int]:
    """(width, height) scaled down so that the longer side is at most `max_side_px`."""
    scale = min(1.0, max_side_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _meaning(file: Image.Image, data: bytes, frames: Frames) -> Meaning:
    if file.info.get("icc_profile"):
        return Meaning()
    meaning = meaning_of(data)
    if meaning.hdr:
        frames.note(HDR_NOTE)
    return meaning


def _understood(file: Image.Image, data: bytes, frames: Frames) -> Image.Image:
    """The current frame as RGB or RGBA in sRGB, 8 bits."""
    picture = file
    if file.mode.startswith("I;16") or file.mode in ("I", "F"):
        tags = getattr(file, "tag_v2", {})
        bits = tags.get(BITS_TAG, (16,))
        picture, notes = grey_of_any_range(
            file, int(bits[0] if isinstance(bits, tuple) else bits), tags.get(PHOTOMETRIC_TAG) == 0
        )
        for note in notes:
            frames.note(note)
    key = picture.info.get("transparency")
    if file.format == "PNG" and isinstance(key, tuple) and data[24:25] == b"\x10":
        picture = picture.copy()
        picture.info["transparency"] = tuple(value >> 8 for value in key)  # Pillow keeps 8 of the 16 bits of a colour
    profile = file.info.get("icc_profile")
    if not (picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info):
        return with_profile(picture.convert("RGB") if picture.mode in ("P", "1", "YCbCr", "HSV") else picture, profile)
    see_through = picture.convert("RGBA")
    alpha = see_through.getchannel("A")
    if file.format == "BMP" and not alpha.getextrema()[1]:
        return with_profile(see_through.convert("RGB"), profile)  # nobody wrote that fourth byte
    grey = picture.mode in ("LA", "La")
    opaque = see_through.getchannel("R") if grey else Image.merge("RGB", see_through.split()[:3])
    coloured = with_profile(opaque, profile)
    coloured.putalpha(alpha)
    return coloured


def _fitted_pixels(picture: Image.Image, size: tuple[int, int], meaning: Meaning) -> npt.NDArray[np.uint8]:
    """(H, W, 3 or 4), H and W of `size` (width, height)."""
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    pixels = np.array(picture)
    if not meaning.plain:
        pixels[..., :3] = to_srgb(pixels[..., :3], meaning)
    return pixels
