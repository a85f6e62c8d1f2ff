"""Painted frames as an MP4 that phones and Discord play inline."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import av

from engine.errors import PictureTooLarge
from engine.progress import Progress, silent
from engine.stylize.pictures.picture import Frame, to_image
from engine.stylize.pictures.reading import DEFAULT_FRAME_MS
from engine.stylize.pictures.writing import ENCODING, Encoded

QUALITIES = (20, 26, 32, 38)
"""x264 rate factors, best first."""


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
    raise PictureTooLarge(
        f"Even the smallest version of the film is over {max_bytes / 1e6:.1f} MB; please send a shorter one."
    )


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
