"""Pictures as the room holds them: frames of tensors, how long each is shown, and what to tell the member."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from engine.errors import BadPicture
from engine.uploads import Reading

MOST_SENTENCES, LONGEST_SENTENCE = 8, 300
Box = tuple[slice, slice]
"""Rows, columns."""


@dataclass(frozen=True)
class Frame:
    """`rgb` (1, 3, H, W) float32 in [0, 1]; `alpha` (1, 1, H, W) likewise, or None where all is opaque."""

    rgb: Tensor
    alpha: Tensor | None
    duration_ms: int = 0

    def repainted(self, part: Tensor, box: Box) -> Frame:
        """With `part` (1, 3, h, w) in that place. What is invisible keeps its colour: where nothing is transparent,
        in a film or beside the photo, it would be seen."""
        rgb = self.rgb.clone()
        rgb[:, :, box[0], box[1]] = part
        return replace(self, rgb=rgb if self.alpha is None else torch.where(self.alpha > 0, rgb, self.rgb))


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

    @cached_property
    def visible_box(self) -> Box:
        """The rows and columns that hold whatever is visible in any frame; all of them where nothing is."""
        whole = tuple(slice(0, side) for side in self.size)
        if any(frame.alpha is None for frame in self.frames):
            return whole[0], whole[1]
        seen = torch.stack([frame.alpha[0, 0] > 0 for frame in self.frames if frame.alpha is not None]).any(0)
        if not bool(seen.any()):
            return whole[0], whole[1]
        across, down = (seen.any(side).nonzero().flatten() for side in (0, 1))
        return slice(int(down[0]), int(down[-1]) + 1), slice(int(across[0]), int(across[-1]) + 1)

    @property
    def visible(self) -> Picture:
        """That part of it."""
        rows, columns = self.visible_box

        def part(values: Tensor) -> Tensor:
            return values[:, :, rows, columns].contiguous()

        frames = [
            replace(frame, rgb=part(frame.rgb), alpha=None if frame.alpha is None else part(frame.alpha))
            for frame in self.frames
        ]
        return replace(self, frames=tuple(frames))


def picture_of(reading: Reading) -> Picture:
    """What a reader of pictures or films found. Raises `BadPicture` for what none of them would say."""
    try:
        (pixels,) = reading.arrays
        durations_ms, notes = reading.facts["durations_ms"], reading.facts["notes"]
        full_side_px, photographic = int(reading.facts["full_side_px"]), bool(reading.facts["photographic"])
    except (KeyError, ValueError, TypeError) as error:
        raise BadPicture("I couldn't read that picture; please save it again and send the new file.") from error
    sound = (
        pixels.dtype == np.uint8
        and pixels.ndim == 4
        and pixels.shape[3] in (3, 4)
        and min(pixels.shape) >= 1
        and len(durations_ms) == len(pixels)
        and all(isinstance(one, int) and 0 <= one < 2**31 for one in durations_ms)
    )
    if not sound:
        raise BadPicture("I couldn't read that picture; please save it again and send the new file.")
    frames = tuple(_frame(one, ms) for one, ms in zip(pixels, durations_ms, strict=True))
    said = tuple(str(note)[:LONGEST_SENTENCE] for note in notes[:MOST_SENTENCES])
    return Picture(frames, said, photographic, full_side_px)


def _frame(pixels: npt.NDArray[np.uint8], duration_ms: int) -> Frame:
    """(H, W, 3 or 4) uint8 as tensors.

    Only invisible pixels have no colour of their own: they get the mean of the others to paint on. However faint a
    pixel is, it keeps its colour, so that strength 0 gives the very pixels back. At an alpha of 1/255 colours are
    mostly rounding; yet a cut-out is painted more like the whole photo with them than with the mean below 4/255."""
    values = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() / 255
    rgb, alpha = values[:, :3].contiguous(), values[:, 3:]
    if not alpha.shape[1] or bool((alpha == 1).all()):
        return Frame(rgb, None, duration_ms)
    weight = alpha.sum()
    mean = (rgb * alpha).sum((2, 3), keepdim=True) / weight if weight > 0 else torch.full((1, 3, 1, 1), 0.5)
    return Frame(torch.where(alpha > 0, rgb, mean), alpha.contiguous(), duration_ms)


def still(rgb: Tensor) -> Picture:
    """One opaque picture (1, 3, H, W)."""
    return Picture((Frame(rgb, None),), full_side_px=max(rgb.shape[-2:]))


def to_image(rgb: Tensor, alpha: Tensor | None = None) -> Image.Image:
    """(1, 3, H, W) in [0, 1], and (1, 1, H, W), to an 8-bit RGB or RGBA image."""
    pixels = rgb if alpha is None else torch.cat([rgb, alpha], dim=1)
    return Image.fromarray((pixels[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy())
