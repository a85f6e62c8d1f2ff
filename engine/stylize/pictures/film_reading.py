"""Short films (MP4, MOV, WebM, AVI, MPEG) read into plain frames. Without torch, as `reading.py`."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import structlog
from av.error import EOFError as EndOfFile
from av.error import FFmpegError

from engine.errors import BadPicture, PictureTooLarge
from engine.media import VIDEO_DECODERS, Refused, demuxer_of, is_cover, open_media
from engine.progress import Progress, silent
from engine.stylize.pictures.colours_of_files import BT2020, HDR_NOTE, HLG, PQ, Meaning, to_srgb
from engine.stylize.pictures.reading import (
    FIRST_FRAME_NOTE,
    LONG_FRAMES_NOTE,
    LONGEST_ASPECT,
    LONGEST_FRAME_MS,
    Bounds,
    Frames,
    check_upload,
    is_heif,
    read_picture,
)
from engine.uploads import Reading

log = structlog.get_logger(__name__)

FASTEST_FPS = 15
"""Frames a second that are kept: enough for motion, half the work of the usual 30."""
EARLY_S = 0.005
"""How much too early a frame may come and still be kept: cameras are never quite in time, and WebM counts in ms. What
it gains has to be made up for, so that no second has more than `FASTEST_FPS` and those of a steady film stay steady."""
MOST_DECODED_PIXELS = 1_500_000_000
"""Of all frames that are decoded, kept or not: eight seconds in Full HD at 60 frames a second, or two in 4K."""
MOST_DAMAGED = 50
"""Packets that may be broken before the rest of a film is given up."""
SQUAREST, WIDEST_PIXEL = 1 / 4, 4.0
"""Shapes of a pixel that are believed."""
FILMS = frozenset({"mov", "matroska", "avi", "mpegts"})
SONG = "That's a song, not a film; please send a picture or a film."
UNREADABLE = "That film is damaged, or of a kind I can't read; please send an MP4, WebM or MOV."
OTHER_KIND = "I can't read that kind of film; please send an MP4, WebM or MOV."
DAMAGED_NOTE = "The film is damaged, so I used what I could read of it."


def is_film(data: bytes) -> bool:
    """Whether the file begins like a film of one of the kinds that are read, and not like a HEIC or AVIF picture."""
    return demuxer_of(data) in FILMS and not is_heif(data)


def read_picture_or_film(data: bytes, options: Mapping[str, Any], progress: Progress = silent) -> Reading:
    """A film by its first bytes, whatever it calls itself; else a picture. Raises `BadPicture`, `PictureTooLarge`."""
    return (read_film if is_film(data) else read_picture)(data, options, progress)


@dataclass(frozen=True)
class Shape:
    """Sides of the frames that are kept, px, before the film is turned upright; `coded`: of those that come."""

    width: int
    height: int
    coded: tuple[int, int]


def read_film(data: bytes, options: Mapping[str, Any], progress: Progress = silent) -> Reading:
    """Reader of films; `options` are the fields of `Bounds`. Frames come at no more than `FASTEST_FPS`, at most
    `max_frames` of them, upright, with square pixels, sides even and at most `film_side_px`. Each is shown until the
    next one is, so that the film plays at its own speed whatever its pace.

    Raises `BadPicture`, `PictureTooLarge`, and whatever `progress` raises."""
    bounds = Bounds(**options)
    check_upload(data, bounds.max_upload_bytes)
    try:
        with open_media(data, demuxer_of(data), bounds.max_pixels) as container:
            return _read(container, bounds, progress)
    except (FFmpegError, Refused, ValueError, OverflowError, IndexError, ArithmeticError) as error:
        log.info("a film could not be decoded", exc_info=True)
        raise BadPicture(UNREADABLE) from error
    except MemoryError as error:
        raise PictureTooLarge("That film needs more memory than I have; please send a smaller one.") from error


def _read(container: av.container.InputContainer, bounds: Bounds, progress: Progress) -> Reading:
    moving = [stream for stream in container.streams.video if not is_cover(stream)]
    if not moving:
        raise BadPicture(SONG if container.streams.audio else UNREADABLE)
    readable = [one for one in moving if one.codec_context is not None and one.codec_context.name in VIDEO_DECODERS]
    if not readable:
        raise BadPicture(OTHER_KIND)
    stream = max(readable, key=lambda one: (one.width or 0) * (one.height or 0))
    if not stream.width or not stream.height:
        raise BadPicture(OTHER_KIND)
    _check_size(stream.width, stream.height, bounds.max_pixels)
    wide = float(stream.codec_context.sample_aspect_ratio or stream.sample_aspect_ratio or 1)
    wide = wide if SQUAREST <= wide <= WIDEST_PIXEL else 1.0
    across, down = stream.width * max(1.0, wide), stream.height * max(1.0, 1 / wide)
    scale = min(1.0, bounds.moving_side_px // 2 * 2 / max(across, down))
    width, height = (max(2, round(side * scale / 2) * 2) for side in (across, down))
    shape = Shape(width, height, (stream.width, stream.height))
    kept, times = Frames(photographic=True, full_side_px=round(max(across, down))), Times()
    see_through = stream.metadata.get("alpha_mode") == "1" and stream.codec_context.name in ("vp8", "vp9")
    usual_gap_s = float(1 / (stream.average_rate or FASTEST_FPS))
    usual_gap_s = usual_gap_s if 0.001 <= usual_gap_s <= 1 else 1 / FASTEST_FPS
    spent = 0
    for shown_s, picture in _timed(_pictures(container, stream, see_through, kept), usual_gap_s):
        progress("decoding", 0.05 * len(kept.pixels) / bounds.max_frames)
        _check_size(picture.width, picture.height, bounds.max_pixels)
        spent += picture.width * picture.height
        times.comes(shown_s, float((picture.duration or 0) * (picture.time_base or 0)))
        if shown_s < times.wanted_s - EARLY_S:
            continue
        if len(kept.pixels) == bounds.max_frames or spent > MOST_DECODED_PIXELS:
            times.cut = True
            break
        times.keep(shown_s)
        kept.pixels.append(_upright(_pixels(picture, shape, see_through, kept), picture.rotation))
    if not kept.pixels:
        raise BadPicture(UNREADABLE)
    kept.durations_ms = times.durations_ms(usual_gap_s)
    if any(one > LONGEST_FRAME_MS for one in kept.durations_ms):
        kept.durations_ms = [min(LONGEST_FRAME_MS, one) for one in kept.durations_ms]
        kept.note(LONG_FRAMES_NOTE)
    if bounds.max_frames == 1:
        kept.notes = [FIRST_FRAME_NOTE, *(note for note in kept.notes if note == HDR_NOTE)]
    else:
        if times.cut:
            kept.notes.insert(0, f"I used only the first {sum(kept.durations_ms) / 1000:.1f} seconds.")
        if container.streams.audio:
            kept.note("I left out the sound.")
    if see_through:
        kept.photographic = False  # an MP4 has no transparency
    return kept.reading()


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise PictureTooLarge(
            f"That film has {width} × {height} pixels; I can read up to {max_pixels / 1e6:.0f} million per frame."
        )
    if max(width, height) > LONGEST_ASPECT * min(width, height) and min(width, height) < 2:
        raise BadPicture(f"That film is {width} × {height} pixels, too narrow to paint; please crop it.")


class Times:
    """When frames come, and how long the kept ones are shown."""

    def __init__(self) -> None:
        self.wanted_s = self.before_s = self.end_s = 0.0
        self.cut = False
        self._gaps_s: list[float] = []
        self._kept_s: list[float] = []

    def comes(self, shown_s: float, lasts_s: float) -> None:
        if shown_s > self.before_s:
            self._gaps_s.append(shown_s - self.before_s)
        self.before_s, self.end_s = shown_s, shown_s + lasts_s

    def keep(self, shown_s: float) -> None:
        self.wanted_s = max(self.wanted_s, shown_s) + 1 / FASTEST_FPS
        self._kept_s.append(shown_s)

    def durations_ms(self, usual_gap_s: float) -> list[int]:
        """Of the kept frames. How long the last one is shown is written in few films, and wrong in some of them."""
        usual_s = statistics.median(self._gaps_s) if self._gaps_s else usual_gap_s
        end_s = self.before_s if self.cut else max(self.end_s, self.before_s + usual_s)
        marks_ms = [round(1000 * shown_s) for shown_s in self._kept_s] + [round(1000 * end_s)]
        return [max(1, end - start) for start, end in pairwise(marks_ms)]


def _pictures(
    container: av.container.InputContainer, stream: Any, see_through: bool, kept: Frames
) -> Iterator[av.VideoFrame]:
    """Decoded frames; broken packets are left out, as players do, and a film that ends too early has what came before.

    FFmpeg's own VP8 and VP9 decoders drop transparency, libvpx keeps it."""
    decoder = stream.codec_context
    if see_through:
        decoder = av.CodecContext.create({"vp8": "libvpx", "vp9": "libvpx-vp9"}[decoder.name], "r")
        decoder.extradata = stream.codec_context.extradata
        decoder.thread_count = 1
    damaged, came = 0, 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except EndOfFile:
            break
        except FFmpegError:
            if not came:
                raise
            kept.note(DAMAGED_NOTE)
            break
        try:
            pictures = decoder.decode(packet)
        except EndOfFile:
            break
        except FFmpegError:
            damaged += 1
            if damaged > MOST_DAMAGED:
                if not came:
                    raise
                break
            continue
        for picture in pictures:
            if picture.is_corrupt:
                damaged += 1
            came += 1
            yield picture
    if damaged and came:
        kept.note(DAMAGED_NOTE)
    if not came:
        with suppress(FFmpegError):
            yield from decoder.decode(None)


def _timed(pictures: Iterator[av.VideoFrame], usual_gap_s: float) -> Iterator[tuple[float, av.VideoFrame]]:
    """Decoded pictures, each with when it is shown, s since the first.

    One whose time is missing, or not later than the last one's as in recordings that were put together, comes
    `usual_gap_s` after that."""
    shown_s, before = 0.0, None
    for number, picture in enumerate(pictures):
        time = picture.time
        if time is not None and before is not None and time > before:
            shown_s += time - before
        elif number:
            shown_s += usual_gap_s
        before = time
        yield shown_s, picture


def _pixels(picture: av.VideoFrame, shape: Shape, see_through: bool, kept: Frames) -> npt.NDArray[np.uint8]:
    """(H, W, 3 or 4) of `shape`. One whose size has changed gets black beside it, as in players."""
    kind = "rgba" if see_through else "rgb24"
    width, height = shape.width, shape.height
    if (picture.width, picture.height) != shape.coded:
        scale = min(width / picture.width, height / picture.height)
        width, height = (max(2, round(side * scale / 2) * 2) for side in (picture.width, picture.height))
        width, height = min(width, shape.width), min(height, shape.height)
    pixels = np.asarray(picture.to_ndarray(format=kind, width=width, height=height), dtype=np.uint8)
    meaning = Meaning(
        int(picture.color_trc) if picture.color_trc in (PQ, HLG) else 0, picture.color_primaries == BT2020
    )
    if not meaning.plain:
        pixels[..., :3] = to_srgb(pixels[..., :3], meaning)
        if meaning.hdr:
            kept.note(HDR_NOTE)
    if (width, height) == (shape.width, shape.height):
        return pixels
    framed = np.zeros((shape.height, shape.width, pixels.shape[2]), np.uint8)
    top, left = (shape.height - height) // 2, (shape.width - width) // 2
    framed[top : top + height, left : left + width] = pixels
    return framed


def _upright(pixels: npt.NDArray[np.uint8], rotation: float) -> npt.NDArray[np.uint8]:
    """Phones film lying on their side and say so in the track's display matrix, as cameras do in EXIF."""
    return np.ascontiguousarray(np.rot90(pixels, round(rotation / 90)))
