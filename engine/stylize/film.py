"""Short films (MP4, WebM, MOV): read into frames, written as MP4 that phones and Discord play inline."""

from __future__ import annotations

import io
import logging
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from av.error import FFmpegError
from torch import Tensor

from engine.errors import BadPicture, PictureTooLarge
from engine.progress import Progress, silent
from engine.stylize.pictures import FILM_SIDE_PX, Encoded, Frame, Picture, to_image

log = logging.getLogger(__name__)

FASTEST_FPS = 15
"""Frames a second that are kept: enough for motion, half the work of the usual 30."""
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
    """Frames of a film at no more than `FASTEST_FPS`, at most `max_frames` of them, upright, sides even.

    Raises `BadPicture`, `PictureTooLarge`, and whatever `progress` raises."""
    try:
        with av.open(io.BytesIO(data), "r") as container:
            if not container.streams.video:
                raise BadPicture("That film has no pictures in it.")
            stream = container.streams.video[0]
            if stream.width * stream.height > max_pixels:
                raise PictureTooLarge(f"That film has {stream.width} × {stream.height} pixels, too many to read.")
            fps = float(stream.average_rate or FASTEST_FPS)
            every = max(1, round(fps / FASTEST_FPS))
            scale = min(1.0, min(max_side_px, FILM_SIDE_PX) / max(stream.width, stream.height))
            width, height = (max(2, round(side * scale / 2) * 2) for side in (stream.width, stream.height))
            frames: list[Frame] = []
            cut = False
            for number, picture in enumerate(container.decode(stream)):
                if number % every:
                    continue
                if len(frames) == max_frames:
                    cut = True
                    break
                progress("decoding", 0.05 * len(frames) / max_frames)
                pixels = picture.to_ndarray(format="rgb24", width=width, height=height)
                # Phones film lying on their side and say so in the track's display matrix, as cameras do in EXIF.
                pixels = np.rot90(pixels, round(picture.rotation / 90))
                rgb = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() / 255
                frames.append(Frame(rgb, None, round(1000 * every / fps)))
            sound = bool(container.streams.audio)
    except (FFmpegError, ValueError, OverflowError) as error:
        log.info("a film could not be decoded", exc_info=True)
        raise BadPicture("That film is damaged or in a format that cannot be read.") from error
    if not frames:
        raise BadPicture("That film has no pictures in it.")
    notes = [f"Only the first {len(frames) * every / fps:.0f} seconds were used."] if cut else []
    notes += ["The sound was left out."] if sound else []
    return Picture(tuple(frames), tuple(notes), photographic=True)


def encode_film(frames: list[Tensor], frame_ms: int, max_bytes: int = 0) -> Encoded:
    """Frames (1, 3, H, W) as an H.264 MP4 of at most `max_bytes`; an odd last row or column is cut off, because the
    colours of 4:2:0 video come in pairs. Raises `PictureTooLarge`."""
    height, width = (max(2, side // 2 * 2) for side in frames[0].shape[-2:])
    for quality in QUALITIES:
        data = _h264(frames, height, width, frame_ms, quality)
        if not max_bytes or len(data) <= max_bytes:
            notes = () if quality == QUALITIES[0] else ("Compressed more than usual, to fit the upload limit.",)
            return Encoded(data, "video/mp4", "mp4", width, height, notes)
    raise PictureTooLarge(f"The film cannot be made to fit into {max_bytes} bytes.")


def _h264(frames: list[Tensor], height: int, width: int, frame_ms: int, quality: int) -> bytes:
    """MP4 with its index in front, so that it plays while it loads; ffmpeg needs a real file to move it there."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=Fraction(1000, max(1, frame_ms)))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.options = {"crf": str(quality), "preset": "veryfast", "threads": "1"}
            for rgb in frames:
                picture = av.VideoFrame.from_image(to_image(rgb[:, :, :height, :width]))
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
        return path.read_bytes()
