"""One small file of each kind through its reader before the child closes itself in: libraries load some parts late."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import av
import numpy as np
from PIL import Image, ImageCms

from engine.errors import CallerError
from engine.progress import silent
from engine.serving.intake.readers import READERS
from engine.uploads import PICTURE

BOUNDS: dict[str, Any] = {
    "max_upload_bytes": 1 << 20, "max_pixels": 1 << 20, "max_side_px": 32, "max_frames": 2, "film_side_px": 32
}  # fmt: skip
STILLS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
SIDE_PX = 48


def warm_up() -> None:
    """Read a picture of every format, an animation and a film; broken ones too, for the paths that only they take."""
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


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


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
