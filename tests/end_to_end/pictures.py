"""Pictures to paint over, drawn here so that no file has to be shipped."""

from __future__ import annotations

import io
import math

from PIL import Image, ImageDraw


def landscape(width: int, height: int, kind: str = "JPEG") -> bytes:
    """A sun over three rows of hills."""
    picture = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(picture)
    for y in range(height):
        light = y / height
        draw.line([(0, y), (width, y)], fill=(int(90 + 150 * light), int(140 + 60 * light), int(220 - 70 * light)))
    draw.ellipse([width * 0.62, height * 0.12, width * 0.62 + height * 0.28, height * 0.4], fill=(255, 221, 130))
    for row, colour in enumerate(((92, 122, 112), (64, 96, 74), (38, 62, 44))):
        base, swing = height * (0.52 + 0.15 * row), height * (0.09 - 0.015 * row)
        line = [(x, base + swing * math.sin(x / width * (5 + 2 * row) + row * 2)) for x in range(width + 1)]
        draw.polygon([*line, (width, height), (0, height)], fill=colour)
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=92)
    return buffer.getvalue()
