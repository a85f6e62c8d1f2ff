"""One small file of each kind through its reader before the child closes itself in: libraries load some parts late."""

from __future__ import annotations

import codecs
import contextlib
import io
from encodings.aliases import aliases
from typing import Any

import av
import numpy as np
import pypdfium2
from PIL import Image, ImageCms

from engine.errors import CallerError
from engine.progress import silent
from engine.serving.intake.readers import READERS
from engine.uploads import CALCULATION, MIDI, NOTES, PICTURE, SOUND

BOUNDS: dict[str, Any] = {
    "max_upload_bytes": 1 << 20, "max_pixels": 1 << 20, "max_side_px": 32, "max_frames": 2, "film_side_px": 32
}  # fmt: skip
ENCODINGS = sorted({*aliases.values(), "utf_8_sig"})
"""What texts may be written in. Python loads each of them from a file when it is first needed."""
STILLS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
SIDE_PX = 48
SOUND_FORMATS = (("wav", "pcm_s16le", 8000), ("flac", "flac", 44100))
TUNE = b"".join((
    b"MThd", bytes((0, 0, 0, 6, 0, 0, 0, 1, 1, 0xE0)), b"MTrk", bytes((0, 0, 0, 20)),
    bytes((0, 0x90, 60, 80, 96, 0x90, 62, 80, 96, 0x80, 60, 0, 0, 0x80, 62, 0)), bytes((0, 0xFF, 0x2F, 0)),
))  # fmt: skip
"""A MIDI file of two notes."""


def warm_up() -> None:
    """Read a picture of every format, an animation and a film; broken ones too, for the paths that only they take."""
    for name in ENCODINGS:
        with contextlib.suppress(LookupError):  # some are Windows' own
            codecs.lookup(name)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = Image.new("RGB", (SIDE_PX, SIDE_PX), (200, 80, 20))
    files = [_saved(picture, kind, icc_profile=profile) for kind in STILLS if kind not in ("GIF", "BMP")]
    files += [_saved(picture, kind) for kind in ("GIF", "BMP")]
    files.append(_saved(picture.convert("RGBA"), "PNG"))
    files.append(
        _saved(
            picture,
            "GIF",
            save_all=True,
            append_images=[picture.rotate(90), picture.transpose(Image.Transpose.ROTATE_180)],
        )
    )
    files.append(_saved(Image.fromarray(np.zeros((SIDE_PX, SIDE_PX), np.float32)), "TIFF"))
    files.append(_film())
    for data in [
        *files,
        *(data[: len(data) // 2] for data in files),
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
    ]:
        with contextlib.suppress(CallerError):
            READERS[PICTURE](data, BOUNDS, silent)
    for kind in SOUND_FORMATS:
        recording = _sound(*kind)
        for data in (recording, recording[: len(recording) // 2]):
            with contextlib.suppress(CallerError):
                READERS[SOUND](data, {"max_duration_s": 5.0, "phrase_s": 2.0}, silent)
    for data in (TUNE, TUNE[: len(TUNE) // 2]):
        with contextlib.suppress(CallerError):
            READERS[MIDI](data, {"max_duration_s": 5.0}, silent)
    for question in (b"what is torch.arange(6.).view(2, 3).softmax(1)?", b"kernel 5 on 28 pixels", b"torch.load(1)"):
        READERS[CALCULATION](question, {}, silent)
    for ending, data in ((".md", b"# A\nb"), (".py", b"def a(): pass"), (".ipynb", b'{"cells": []}'), (".pdf", _pdf())):
        with contextlib.suppress(CallerError):
            READERS[NOTES](data, {"ending": ending}, silent)


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def _pdf() -> bytes:
    out = io.BytesIO()
    with pypdfium2.PdfDocument.new() as document:
        document.new_page(SIDE_PX, SIDE_PX).close()
        document.save(out)
    return out.getvalue()


def _sound(container: str, codec: str, rate_hz: int) -> bytes:
    """A second and a half of a note."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate_hz, layout="mono")
        assert isinstance(stream, av.AudioStream)
        wave = (np.sin(np.arange(3 * rate_hz // 2) / 10) * 8000).astype(np.int16)[None]
        for frame in av.AudioResampler(stream.codec_context.format, "mono", rate_hz).resample(_frame(wave, rate_hz)):
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return out.getvalue()


def _frame(wave: Any, rate_hz: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
    frame.sample_rate = rate_hz
    return frame


def _film() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=15, options={"threads": "1"})
        stream.width = stream.height = SIDE_PX
        stream.pix_fmt = "yuv420p"
        for level in (20, 120, 220):
            frame = av.VideoFrame.from_ndarray(np.full((SIDE_PX, SIDE_PX, 3), level, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()
