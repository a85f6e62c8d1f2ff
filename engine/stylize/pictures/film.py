"""Short films (MP4, WebM, MOV): read into frames, written as MP4 that phones and Discord play inline."""

from __future__ import annotations

import io
import logging
import statistics
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

import av
import numpy as np
import torch
from av.error import FFmpegError
from torch import Tensor

from engine.errors import BadPicture, PictureTooLarge
from engine.progress import Progress, silent
from engine.stylize.pictures.files import DEFAULT_FRAME_MS, ENCODING, Encoded, Frame, Picture, to_image

log = logging.getLogger(__name__)

FASTEST_FPS = 15
"""Frames a second that are kept: enough for motion, half the work of the usual 30."""
EARLY_S = 0.005
"""How much too early a frame may come and still be kept: cameras are never quite in time, and WebM counts in ms. What
it gains has to be made up for, so that no second has more than `FASTEST_FPS` and those of a steady film stay steady."""
QUALITIES = (20, 26, 32, 38)
"""x264 rate factors, best first."""
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
                raise BadPicture("That film has no pictures in it.")
            stream = container.streams.video[0]
            if stream.codec_context is None or not stream.width * stream.height:
                raise BadPicture("That film is in a format that cannot be read.")
            if stream.width * stream.height > max_pixels:
                raise PictureTooLarge(f"That film has {stream.width} × {stream.height} pixels, too many to read.")
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
        raise BadPicture("That film is damaged or in a format that cannot be read.") from error
    if not kept:
        raise BadPicture("That film has no pictures in it.")
    # How long the last frame is shown is written in few films, and wrong in some of them.
    end_s = before_s if cut else max(end_s, before_s + (statistics.median(gaps_s) if gaps_s else usual_gap_s))
    marks_ms = [round(1000 * shown_s) for shown_s, _ in kept] + [round(1000 * end_s)]
    frames = [
        Frame(rgb, None, max(1, end - start)) for (_, rgb), (start, end) in zip(kept, pairwise(marks_ms), strict=True)
    ]
    notes = [f"Only the first {end_s:.1f} seconds were used."] if cut else []
    notes += ["The sound was left out."] if sound else []
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


def encode_film(frames: Sequence[Frame], max_bytes: int = 0, progress: Progress = silent) -> Encoded:
    """Frames as an H.264 MP4 of at most `max_bytes`, each shown for its own time; an odd last row or column is cut
    off, because the colours of 4:2:0 video come in pairs.

    Raises `PictureTooLarge`, and whatever `progress` raises between frames."""
    height, width = (max(2, side // 2 * 2) for side in frames[0].rgb.shape[-2:])
    for quality in QUALITIES:
        data = _h264(frames, height, width, quality, progress)
        if not max_bytes or len(data) <= max_bytes:
            notes = () if quality == QUALITIES[0] else ("Compressed more than usual, to fit the upload limit.",)
            return Encoded(data, "video/mp4", "mp4", width, height, notes)
    raise PictureTooLarge(f"The film cannot be made to fit into {max_bytes} bytes.")


def _h264(frames: Sequence[Frame], height: int, width: int, quality: int, progress: Progress) -> bytes:
    """MP4 with its index in front, so that it plays while it loads; ffmpeg needs a real file to move it there."""
    starts_ms = [0, *accumulate(frame.duration_ms or DEFAULT_FRAME_MS for frame in frames)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=Fraction(1000 * len(frames), starts_ms[-1]))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            # Without B-frames packets come in the order in which they are shown, so that the last one ends the film.
            stream.options = {"crf": str(quality), "preset": "veryfast", "threads": "1", "bf": "0"}
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
            packets: list[av.Packet] = []
            for frame, start_ms in zip(frames, starts_ms[:-1], strict=True):
                progress(*ENCODING)
                picture = av.VideoFrame.from_image(to_image(frame.rgb[:, :, :height, :width]))
                picture.pts, picture.time_base = start_ms, Fraction(1, 1000)
                packets += stream.encode(picture)
            packets += stream.encode()
            packets[-1].duration = starts_ms[-1] - starts_ms[-2]  # of which x264 knows nothing
            container.mux(packets)
        return path.read_bytes()
