"""A painted picture with the photo's own colours: the painting gives the light, the photo the hues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601."""


def luma(rgb: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B, 1, H, W)."""
    red, green, blue = rgb.split(1, dim=1)  # no tensor of the weights: a recorded training step can't copy one in
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


class Light(NamedTuple):
    """Mean and standard deviation of the luma of pictures, each (B, 1, 1, 1), or (1, 1, 1, 1) of several together."""

    mean: Tensor
    sd: Tensor


def light(rgb: Tensor) -> Light:
    """Of each picture of (B, 3, H, W) by itself."""
    own = luma(rgb)
    return Light(own.mean((2, 3), keepdim=True), own.std((2, 3), correction=0, keepdim=True))


def light_together(lights: Sequence[Light]) -> Light:
    """Of pictures (1, 3, H, W) of one size as if they were one."""
    means, sds = (torch.cat([getattr(each, name) for each in lights]).double() for name in ("mean", "sd"))
    mean = means.mean(0, keepdim=True)
    sd = (sds.square() + (means - mean).square()).mean(0, keepdim=True).sqrt()
    return Light(mean.float(), sd.float())


def keep_colours(
    painted: Tensor, photo: Tensor, painted_light: Light | None = None, photo_light: Light | None = None
) -> Tensor:
    """Both (B, 3, H, W) in [0, 1] of one size -> the painted luma with the photo's chroma.

    Luminance-only transfer (Gatys et al., Preserving Color in Neural Artistic Style Transfer, 2016, section 4): the
    painted luma first gets the photo's mean and standard deviation; the frames of a film take those of the whole film,
    or what stands still would change its brightness when something bright comes in. Where luma and chroma don't fit
    into RGB together, chroma is reduced as far as needed: hues stay, nothing is clipped."""
    own = luma(photo)
    before, wanted = painted_light or light(painted), photo_light or light(photo)
    matched = (luma(painted) - before.mean) * (wanted.sd / before.sd.clamp(min=1e-3)).clamp(max=2.0)
    shade = (matched + wanted.mean).clamp(0, 1)
    chroma = photo - own
    room = torch.where(chroma > 0, 1 - shade, shade) / chroma.abs().clamp(min=1e-6)
    return (shade + chroma * room.amin(1, keepdim=True).clamp(max=1)).clamp(0, 1)
