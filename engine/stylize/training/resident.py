"""Training pictures that lie decoded in memory, a GPU's own where there is one, and batches that are cut there.

A step costs the processor some forty small kernel launches and no decoding, so a GPU never waits for pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.stylize.corpus import Shard
from engine.stylize.training.losses import Batch, camera_grid
from engine.stylize.training.modes import Mode

IDENTITY_SHARE = 0.08
"""Part of the samples that are a painting in its own style, to be given back unchanged."""
PAINTED_CONTENT_SHARE = 0.1
"""Part of the contents that are paintings: members restyle those too."""
ENLARGED_SHARE = 0.12
"""Part of the style pictures that may be enlarged as much as it takes: members send small pictures."""
MOST_ENLARGED_PHOTO, MOST_ENLARGED_PAINTING = 1.35, 1.75
SMALLEST_PART = 0.5
"""Of a picture's short side, in a crop."""
LARGEST_SHIFT_PX, MOST_ZOOMED, LARGEST_ZOOM_PX = 8, 0.06, 10
MARGIN_PX = 20
"""Around a crop, for the camera to move into."""
NOISE_SD = 0.02
"""Noise between two frames of one scene at most, in units of full scale."""
MOST_SOFTENED = 0.2
"""Largest part that a pixel of the second frame takes from each neighbour: another lens, or another way of scaling."""


@dataclass(frozen=True)
class Picture:
    name: str
    rgb: Tensor
    """(3, H, W) uint8 on the device."""

    @property
    def short_side(self) -> int:
        return min(self.rgb.shape[1:])


def resident(shard: Shard, device: torch.device) -> list[Picture]:
    """The shard's pictures: in a GPU's memory, or on a processor where they lie, in the page cache."""
    found = []
    for entry, rgb in zip(shard.entries, shard, strict=True):
        picture = torch.from_numpy(rgb).to(device).permute(2, 0, 1)
        found.append(Picture(entry.name, picture.contiguous() if device.type == "cuda" else picture))
    return found


class Drawer:
    """Draws batches; the same ones for the same seed, step, process and pictures, noise and filters among them."""

    def __init__(
        self,
        photos: Sequence[Picture],
        paintings: Sequence[Picture],
        modes: Sequence[Mode],
        seed: int,
        device: torch.device,
        rank: int = 0,
    ) -> None:
        self.photos, self.paintings, self.modes, self.seed, self.device = photos, paintings, modes, seed, device
        self.rank = rank
        self.shares = np.array([mode.share for mode in modes]) / sum(mode.share for mode in modes)
        self.large_enough = {
            (kind, size): self._large_enough(pictures, size, most)
            for kind, pictures, most in (
                ("photo", photos, MOST_ENLARGED_PHOTO),
                ("painting", paintings, MOST_ENLARGED_PAINTING),
            )
            for size in {side for mode in modes for side in (mode.size_px, mode.style_px)}
        }

    @staticmethod
    def _large_enough(pictures: Sequence[Picture], size: int, most: float) -> list[Picture]:
        enough = [one for one in pictures if one.short_side * most >= size or size <= 256]
        return enough or sorted(pictures, key=lambda one: -one.short_side)[:8]

    def mode(self, step: int) -> int:
        """Which mode a step has."""
        return int(np.random.default_rng([self.seed, step, 1]).choice(len(self.modes), p=self.shares))

    def batch(self, step: int, mode: Mode) -> Batch:
        """The batch of a step: photos as (B, 3, size, size), style pictures, and what the loss needs."""
        generator = np.random.default_rng([self.seed, step, 2, self.rank])
        torch.manual_seed(int(generator.integers(2**63)))
        bigger = mode.size_px + 2 * MARGIN_PX
        contents, styles, identity = [], [], []
        for _ in range(mode.count):
            kind = generator.random() if mode.size_px == mode.style_px else 1 - 0.8 * generator.random()
            if kind < IDENTITY_SHARE:
                content = self._crop(self._drawn("painting", mode.size_px, generator), bigger, generator)
                style = content[:, :, MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
            else:
                painted = kind < IDENTITY_SHARE + PAINTED_CONTENT_SHARE
                content = self._crop(
                    self._drawn("painting" if painted else "photo", mode.size_px, generator), bigger, generator
                )
                chosen = (
                    self.paintings[int(generator.integers(len(self.paintings)))]
                    if mode.style_px <= 512 and generator.random() < ENLARGED_SHARE
                    else self._drawn("painting", mode.style_px, generator)
                )
                style = self._crop(chosen, mode.style_px, generator)
            contents.append(content)
            styles.append(style)
            identity.append(float(kind < IDENTITY_SHARE))
        motion, exact = self._motion(mode, generator)
        drawn = [np.array(identity), motion, exact, generator.random(2), generator.standard_normal((8, 3))]
        flags, motions, exacts, corners, directions = self._on_device(drawn)
        wide = torch.cat(contents)
        content = wide[:, :, MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
        moved = F.grid_sample(
            wide, camera_grid(motions, mode.size_px, bigger), mode="bicubic", padding_mode="border", align_corners=False
        )
        perturbed = softened(moved, MOST_SOFTENED * generator.random() ** 2)
        perturbed = (perturbed + NOISE_SD * generator.random() * torch.randn_like(perturbed)).clamp_(0, 1)
        return Batch(
            content.contiguous(memory_format=torch.channels_last),
            torch.cat(styles).contiguous(memory_format=torch.channels_last),
            flags,
            perturbed.contiguous(memory_format=torch.channels_last),
            motions,
            exacts,
            corners,
            directions,
            random_filters(self.device),
        )

    def _on_device(self, arrays: Sequence[np.ndarray]) -> list[Tensor]:
        """Float32 tensors of them, in one transfer that nobody waits for."""
        together = torch.from_numpy(np.concatenate([array.ravel() for array in arrays]).astype(np.float32))
        if self.device.type == "cuda":
            together = together.pin_memory().to(self.device, non_blocking=True)
        parts = together.split([array.size for array in arrays])
        return [part.view(array.shape) for part, array in zip(parts, arrays, strict=True)]

    def _drawn(self, kind: str, size_px: int, generator: np.random.Generator) -> Picture:
        among = self.large_enough[kind, size_px]
        return among[int(generator.integers(len(among)))]

    def _motion(self, mode: Mode, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Half of the cameras move by whole pixels, a quarter by parts of pixels, a quarter zooms as well."""
        kind = generator.random(mode.count)
        shift = generator.uniform(-LARGEST_SHIFT_PX, LARGEST_SHIFT_PX, (mode.count, 2))
        shift[kind < 0.5] = shift[kind < 0.5].round()
        zoom = 1 + generator.uniform(-1, 1, mode.count) * min(MOST_ZOOMED, LARGEST_ZOOM_PX * 2 / mode.size_px)
        zoom[kind < 0.75] = 1
        return np.column_stack([zoom, shift]), (kind < 0.5).astype(np.float32)

    @staticmethod
    def _crop(picture: Picture, size_px: int, generator: np.random.Generator) -> Tensor:
        """(1, 3, size, size) float: a random square of half of the short side to all of it, mirrored half the time.

        No smaller than `size_px` where the picture has that many."""
        short = picture.short_side
        least = min(1.0, max(SMALLEST_PART, size_px / (1.2 * short)))
        side = int(short * least ** generator.random())
        height, width = picture.rgb.shape[1:]
        top, left = int(generator.integers(height - side + 1)), int(generator.integers(width - side + 1))
        square = picture.rgb[None, :, top : top + side, left : left + side].float().div_(255)
        if generator.random() < 0.5:
            square = square.flip(3)
        return F.interpolate(square, (size_px, size_px), mode="bicubic", antialias=True).clamp_(0, 1)


def random_filters(device: torch.device) -> tuple[Tensor, Tensor]:
    """(32, 3, 5, 5) and (48, 32, 3, 3), of norm 2; most of the first are blind to the mean colour."""
    first, second = torch.randn(32, 3, 5, 5, device=device), torch.randn(48, 32, 3, 3, device=device)
    blind = (torch.arange(32, device=device) % 3 > 0)[:, None, None, None]
    first = first - first.mean((2, 3), keepdim=True) * blind
    first, second = (f / f.flatten(1).norm(dim=1)[:, None, None, None] * 2 for f in (first, second))
    return first, second


def softened(pictures: Tensor, part: float) -> Tensor:
    """(B, 3, H, W) with `part` of each of the four neighbours mixed in, along rows, then along columns."""
    for axis in (2, 3):
        neighbours = torch.roll(pictures, 1, axis) + torch.roll(pictures, -1, axis)
        pictures = (1 - 2 * part) * pictures + part * neighbours
    return pictures
