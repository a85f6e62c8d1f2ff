"""Pictures as the room holds them: frames of tensors, how long each is shown, and what to tell the member."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from PIL import Image
from torch import Tensor

DEFAULT_FRAME_MS = 100


@dataclass(frozen=True)
class Frame:
    """`rgb` (1, 3, H, W) float32 in [0, 1]; `alpha` (1, 1, H, W) likewise, or None where all is opaque."""

    rgb: Tensor
    alpha: Tensor | None
    duration_ms: int = 0


@dataclass(frozen=True)
class Picture:
    """One or more frames of one size, and sentences for the member about how they were read."""

    frames: tuple[Frame, ...]
    notes: tuple[str, ...] = field(default=())
    photographic: bool = False
    """Came as JPEG, HEIF or the like: the result may be lossy too."""
    full_side_px: int = 0
    """Longer side as it came, of which reading may have made less."""

    @property
    def size(self) -> tuple[int, int]:
        """Height, width in px."""
        return self.frames[0].rgb.shape[-2], self.frames[0].rgb.shape[-1]


def to_image(rgb: Tensor, alpha: Tensor | None = None) -> Image.Image:
    """(1, 3, H, W) in [0, 1], and (1, 1, H, W), to an 8-bit RGB or RGBA image."""
    pixels = rgb if alpha is None else torch.cat([rgb, alpha], dim=1)
    return Image.fromarray((pixels[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy())
