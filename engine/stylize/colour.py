"""A painted picture with the photo's own colours: the painting gives the light, the photo the hues."""

from __future__ import annotations

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601."""


def luma(rgb: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B, 1, H, W)."""
    return (rgb * rgb.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def keep_colours(painted: Tensor, photo: Tensor) -> Tensor:
    """Both (B, 3, H, W) in [0, 1] of one size -> the painted luma with the photo's chroma.

    Luminance-only transfer (Gatys et al., Preserving Color in Neural Artistic Style Transfer, 2016, section 4): the
    painted luma first gets the photo's mean and standard deviation. Where luma and chroma don't fit into RGB together,
    chroma is reduced as far as needed: hues stay, nothing is clipped."""
    light, own = luma(painted), luma(photo)
    sd, own_sd = light.std((2, 3), correction=0, keepdim=True), own.std((2, 3), correction=0, keepdim=True)
    matched = (light - light.mean((2, 3), keepdim=True)) * (own_sd / sd.clamp(min=1e-3)).clamp(max=2.0)
    light = (matched + own.mean((2, 3), keepdim=True)).clamp(0, 1)
    chroma = photo - own
    room = torch.where(chroma > 0, 1 - light, light) / chroma.abs().clamp(min=1e-6)
    return (light + chroma * room.amin(1, keepdim=True).clamp(max=1)).clamp(0, 1)
