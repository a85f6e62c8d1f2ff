"""Short films (MP4, WebM, MOV) read into frames."""

from __future__ import annotations

import io
import statistics
from collections.abc import Iterable, Iterator
from itertools import pairwise

import av
import numpy as np
import structlog
import torch
from av.error import FFmpegError
from torch import Tensor

from engine.errors import BadPicture, PictureTooLarge
from engine.progress import Progress, silent
from engine.stylize.pictures.picture import Frame, Picture

log = structlog.get_logger(__name__)

FASTEST_FPS = 15
"""Frames a second that are kept: enough for motion, half the work of the usual 30."""
EARLY_S = 0.005
"""How much too early a frame may come and still be kept: cameras are never quite in time, and WebM counts in ms. What
it gains has to be made up for, so that no second has more than `FASTEST_FPS` and those of a steady film stay steady."""
STILL_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"heim", b"heis", b"hevc", b"hevx")


def is_film(data: bytes) -> bool:
    """Whether the file begins like WebM/Matroska or like an MP4/MOV that is no HEIC or AVIF picture."""
    if data[:4] == b"\x1a\x45\xdf\xa3":
        return True
    return data[4:8] == b"ftyp" and data[8:12] not in STILL_BRANDS


def decode_film(
    data: bytes, max_pixels: int, max_side_px: int, max_frames: int, progress: Progress = silent
) -> Picture:
    """Frames of a film at no more than `FASTEST_FPS`, at most `max_frames` of them, upright, sides even and at most
    `max_side_px`. Each is shown until the next one is, so that the film plays at its own speed whatever its pace.

    Raises `BadPicture`, `PictureTooLarge`, and whatever `progress` raises."""
    kept: list[tuple[float, Tensor]] = []
    gaps_s: list[float] = []
    wanted_s = before_s = end_s = 0.0
    cut = False
    try:
        with av.open(io.BytesIO(data), "r") as container:
            if not container.streams.video:
                raise BadPicture("There are no pictures in that film; please send another one.")
            stream = container.streams.video[0]
            if stream.codec_context is None or not stream.width * stream.height:
                raise BadPicture("I can't read that kind of film; please send an MP4, WebM or MOV.")
            if stream.width * stream.height > max_pixels:
                raise PictureTooLarge(
                    f"That film has {stream.width} × {stream.height} pixels, too many; please send a smaller film."
                )
            usual_gap_s = float(1 / (stream.average_rate or FASTEST_FPS))
            scale = min(1.0, max_side_px // 2 * 2 / max(stream.width, stream.height))
            width, height = (max(2, round(side * scale / 2) * 2) for side in (stream.width, stream.height))
            for shown_s, picture in _timed(container.decode(stream), usual_gap_s):
                progress("decoding", 0.05 * len(kept) / max_frames)
                if shown_s > before_s:
                    gaps_s.append(shown_s - before_s)
                before_s, end_s = shown_s, shown_s + float((picture.duration or 0) * (picture.time_base or 0))
                if shown_s < wanted_s - EARLY_S:
                    continue
                if len(kept) == max_frames:
                    cut = True
                    break
                wanted_s = max(wanted_s, shown_s) + 1 / FASTEST_FPS
                pixels = picture.to_ndarray(format="rgb24", width=width, height=height)
                # Phones film lying on their side and say so in the track's display matrix, as cameras do in EXIF.
                pixels = np.rot90(pixels, round(picture.rotation / 90))
                rgb = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() / 255
                kept.append((shown_s, rgb))
            sound = bool(container.streams.audio)
    except (FFmpegError, ValueError, OverflowError) as error:
        log.info("a film could not be decoded", exc_info=True)
        raise BadPicture("That film is damaged, or of a kind I can't read; please send an MP4, WebM or MOV.") from error
    if not kept:
        raise BadPicture("There are no pictures in that film; please send another one.")
    # How long the last frame is shown is written in few films, and wrong in some of them.
    end_s = before_s if cut else max(end_s, before_s + (statistics.median(gaps_s) if gaps_s else usual_gap_s))
    marks_ms = [round(1000 * shown_s) for shown_s, _ in kept] + [round(1000 * end_s)]
    frames = [
        Frame(rgb, None, max(1, end - start)) for (_, rgb), (start, end) in zip(kept, pairwise(marks_ms), strict=True)
    ]
    notes = [f"I used only the first {end_s:.1f} seconds."] if cut else []
    notes += ["I left out the sound."] if sound else []
    return Picture(tuple(frames), tuple(notes), photographic=True, full_side_px=max(stream.width, stream.height))


def _timed(pictures: Iterable[av.VideoFrame], usual_gap_s: float) -> Iterator[tuple[float, av.VideoFrame]]:
    """Decoded pictures, each with when it is shown, s since the first.

    One whose time is missing, or lies before the last one's as in recordings that were put together, comes
    `usual_gap_s` after that."""
    shown_s, before = 0.0, None
    for number, picture in enumerate(pictures):
        time = picture.time
        if time is not None and before is not None and time >= before:
            shown_s += time - before
        elif number:
            shown_s += usual_gap_s
        before = time
        yield shown_s, picture
