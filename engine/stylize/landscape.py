"""A landscape drawn by code: what the contact sheet is painted on when nobody sends a picture.

It has what styles differ in: flat sky, soft clouds, hard ridges, a mirror, fine grass, straight edges, strong colours.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from torch import Tensor

WIDTH, HEIGHT = 720, 480
HORIZON = 0.58
"""Height of the shore, as a part of the picture's."""
SEED = 1831
"""Of clouds, grass and flowers: the landscape is the same on every machine."""

Pixels = NDArray[np.float64]


def landscape() -> Tensor:
    """The picture, (1, 3, 480, 720) in [0, 1]."""
    random = np.random.default_rng(SEED)
    shore = round(HEIGHT * HORIZON)
    picture = Image.fromarray(_sky(random).round().astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((500, 62, 562, 124), fill=(255, 236, 170))
    for base, swing, roughness, colour in (
        (0.42, 0.17, 3.1, (112, 128, 168)),
        (0.50, 0.09, 4.7, (84, 116, 124)),
        (0.57, 0.05, 7.3, (58, 98, 74)),
    ):
        draw.polygon(_ridge(base, swing, roughness), fill=colour)
    _house(draw, 150, shore)
    picture.paste(_mirror(picture, shore), (0, shore))
    _meadow(ImageDraw.Draw(picture), random)
    pixels = np.asarray(picture, dtype=np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()


def _sky(random: np.random.Generator) -> Pixels:
    """Blue above, warm at the horizon, with clouds: (HEIGHT, WIDTH, 3) in 0..255."""
    down = np.linspace(0, 1, HEIGHT)[:, None, None]
    sky = np.array([70.0, 128.0, 208.0]) * (1 - down) + np.array([255.0, 214.0, 168.0]) * down
    clouds = np.zeros((HEIGHT, WIDTH))
    for octave in range(1, 5):
        grid = random.random((2 * 2**octave, 2**octave))
        layer = Image.fromarray(grid.astype(np.float32), "F").resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        clouds += np.asarray(layer) / 2**octave
    cover = np.clip((clouds - clouds.mean()) * 4, 0, 1)[..., None] * (1 - down) * 0.9
    result: Pixels = np.clip(sky * (1 - cover) + np.array([252.0, 248.0, 244.0]) * cover, 0, 255)
    return result


def _ridge(base: float, swing: float, roughness: float) -> list[tuple[float, float]]:
    """A range of hills as a polygon: a few sines, each half as high and about twice as dense as the last."""

    def height(x: float) -> float:
        sines = sum(math.sin(x * roughness * 1.9**k + 1.7 * k * roughness) / 2**k for k in range(5))
        return HEIGHT * (base - swing * 0.5 * (1 + sines / 1.9))

    line = [(x, height(x / WIDTH)) for x in range(0, WIDTH + 4, 4)]
    return [*line, (WIDTH, HEIGHT * HORIZON), (0, HEIGHT * HORIZON)]


def _house(draw: ImageDraw.ImageDraw, left: int, ground: int) -> None:
    """Straight lines and a red roof."""
    draw.rectangle((left, ground - 46, left + 78, ground), fill=(240, 226, 198))
    draw.polygon([(left - 8, ground - 46), (left + 39, ground - 82), (left + 86, ground - 46)], fill=(178, 58, 44))
    for x in (left + 10, left + 52):
        draw.rectangle((x, ground - 34, x + 15, ground - 16), fill=(66, 74, 92))
    draw.rectangle((left + 32, ground - 28, left + 45, ground), fill=(104, 66, 44))


def _mirror(picture: Image.Image, shore: int) -> Image.Image:
    """The lake: what stands above the shore upside down, darker, in ripples that widen towards the viewer."""
    depth = HEIGHT - shore
    above = np.asarray(picture.crop((0, shore - depth, WIDTH, shore)), dtype=np.float64)[::-1]
    rows = np.arange(depth)
    shifts = np.round(np.sin(rows / (2 + rows / 22)) * (1 + rows / 18)).astype(int)
    rippled = np.stack([np.roll(above[row], shifts[row], axis=0) for row in rows])
    water = rippled * 0.72 + np.array([18.0, 40.0, 62.0])
    return Image.fromarray(np.clip(water, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8))


def _meadow(draw: ImageDraw.ImageDraw, random: np.random.Generator) -> None:
    """The near bank: grass, blade by blade, and flowers."""
    bank = [(x, HEIGHT * 0.84 + 16 * math.sin(x / 130) - x * 0.03) for x in range(0, WIDTH + 8, 8)]
    draw.polygon([*bank, (WIDTH, HEIGHT), (0, HEIGHT)], fill=(70, 104, 44))
    for _ in range(2600):
        x = random.uniform(0, WIDTH)
        top = HEIGHT * 0.84 + 16 * math.sin(x / 130) - x * 0.03
        y = random.uniform(top + 2, HEIGHT + 12)
        light = random.uniform(0.7, 1.35)
        colour = (int(84 * light), int(124 * light), int(46 * light))
        draw.line((x, y, x + random.uniform(-4, 4), y - random.uniform(6, 16)), fill=colour, width=1)
    for _ in range(110):
        x = random.uniform(0, WIDTH)
        y = random.uniform(HEIGHT * 0.87, HEIGHT)
        colour = ((222, 60, 52), (250, 206, 64), (246, 240, 250))[int(random.integers(3))]
        radius = random.uniform(2, 4.5) * (y / HEIGHT)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
