"""Painted frames as an MP4 that phones and Discord play inline."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import av
from PIL import Image

from engine.errors import PictureTooLarge
from engine.progress import Progress, silent
from engine.stylize.pictures.picture import Frame, to_image
from engine.stylize.pictures.reading import DEFAULT_FRAME_MS
from engine.stylize.pictures.writing import ENCODING, Encoded


@dataclass(frozen=True)
class Way:
    """x264's rate factor, and the share of the sides and of the length that is kept."""

    quality: int
    sides: float = 1.0
    length: float = 1.0


WAYS = (
    *(Way(quality) for quality in (20, 26, 31)),
    *(Way(31, sides) for sides in (0.7, 0.5)),
    *(Way(31, 0.5, length) for length in (0.7, 0.5, 0.35, 0.25, 0.15, 0.1)),
    *(Way(36, 0.35, length) for length in (0.1, 0.05)),
)
"""Best first: at a lower bit rate, then smaller, then shorter; but always a film."""
HOPELESS = 1.4
"""What is expected to be so many times too large isn't tried."""


def encode_film(frames: Sequence[Frame], max_bytes: int = 0, progress: Progress = silent) -> Encoded:
    """Frames as an H.264 MP4 of at most `max_bytes`, each shown for its own time; an odd last row or column is cut
    off, because the colours of 4:2:0 video come in pairs. A note says in one sentence what had to be done to fit.

    Raises `PictureTooLarge`, and whatever `progress` raises between frames."""
    height, width = (max(2, side // 2 * 2) for side in frames[0].rgb.shape[-2:])
    tried: tuple[Way, int] | None = None
    for way in WAYS:
        if tried and _expected(way, *tried) > HOPELESS * max_bytes and way is not WAYS[-1]:
            continue
        size = [max(2, round(side * way.sides / 2) * 2) for side in (height, width)]
        kept = frames if way.length == 1 else frames[: max(2, round(way.length * len(frames)))]
        data = _h264(kept, (height, width), (size[0], size[1]), way.quality, progress)
        if not max_bytes or len(data) <= max_bytes:
            shown_ms = sum(frame.duration_ms or DEFAULT_FRAME_MS for frame in kept) if way.length < 1 else 0
            return Encoded(data, "video/mp4", "mp4", size[1], size[0], _what_was_done(way, size[1], size[0], shown_ms))
        tried = way, len(data)
    raise PictureTooLarge(
        f"Even the smallest version of the film is over {max_bytes / 1e6:.1f} MB; please send a shorter one."
    )


def _expected(way: Way, tried: Way, size: int) -> float:
    """Bytes, from those of another way: 6 more of the rate factor halve them (x264's rule), and larger frames take
    less a pixel."""
    pixels = (way.sides / tried.sides) ** 1.6
    return size * 2 ** ((tried.quality - way.quality) / 6) * pixels * way.length / tried.length


def _what_was_done(way: Way, width: int, height: int, shown_ms: int) -> tuple[str, ...]:
    """One sentence, if anything was."""
    done = [
        *(["compressed the film more than usual"] if way.quality > WAYS[0].quality else []),
        *([f"made it {width} × {height} pixels"] if way.sides < 1 else []),
        *([f"kept only its first {shown_ms / 1000:.1f} seconds"] if way.length < 1 else []),
    ]
    if not done:
        return ()
    said = done[0] if len(done) == 1 else f"{', '.join(done[:-1])} and {done[-1]}"
    return (f"To fit the upload limit, I {said}.",)


def _h264(
    frames: Sequence[Frame], cut: tuple[int, int], size: tuple[int, int], quality: int, progress: Progress
) -> bytes:
    """MP4 with its index in front, so that it plays while it loads; ffmpeg needs a real file to move it there.

    `cut`: height and width of the part of the frames that is taken; `size`: at which they are written."""
    (bottom, right), (height, width) = cut, size
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
                image = to_image(frame.rgb[:, :, :bottom, :right])
                if cut != size:
                    image = image.resize((width, height), Image.Resampling.LANCZOS)
                picture = av.VideoFrame.from_image(image)
                picture.pts, picture.time_base = start_ms, Fraction(1, 1000)
                packets += stream.encode(picture)
            packets += stream.encode()
            packets[-1].duration = starts_ms[-1] - starts_ms[-2]  # of which x264 knows nothing
            container.mux(packets)
        return path.read_bytes()
