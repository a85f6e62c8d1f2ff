"""A picture as a broad brush would leave it: without its finest detail, and with its edges.

The generalised Kuwahara filter (Papari, Petkov & Campisi, Artistic edge and corner enhancing smoothing, IEEE
Transactions on Image Processing 16(10), 2007, pages 2449 to 2462): the square under the brush is cut into
sectors around each pixel, which becomes the mean of those that are nearly even. At an edge they're the ones on the
pixel's own side of it. Dots and lines of a quarter of the brush's width go, lines of half its width stay.
"""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.progress import Progress, silent
from engine.stylize.drafts import at_side

SECTORS = 8
SHARPNESS = 8.0
"""The paper's q: a sector counts with its deviation to the power of -q."""
EVEN = 1e-5
"""Added to a sector's variance, of values in [0, 1]: less than a level of 255, as flat as any."""
STRIP_PX = 128 * 1024
"""Pixels at a time, in whole rows: 17 MB under all sectors, and a sixth of a second on one core."""
FEWEST_ROWS = 16
"""Of very wide pictures: a strip also sees two radii of its neighbours' rows."""
BOLD_PART = 1 / 128
"""Radius of a bold brush, relative to the short side of the picture: 8 px of 1024."""
LARGEST_SIDE_PX = 1024
"""Larger pictures are looked at with this short side: the work grows with the square of the radius, too."""
SMALLEST_RADIUS_PX = 2
ALL_FINE, MOSTLY_COARSE = 0.5, 0.8
"""Parts of a picture's deviation that a bold brush leaves: up to the first, what it paints over stays as it is, from
the second on it works in full. Of a drawing in thin lines, or a page of text, it would leave an empty sheet."""


def in_bold_strokes(photo: Tensor, device: torch.device, progress: Progress = silent) -> Tensor:
    """What a bold brush leaves of a photo (1, 3, H, W) in [0, 1], on the CPU; the photo itself below 192 px, where that
    would be less than its pixels, and where hardly more than the paper would be left. Raises what `progress` raises."""
    own_px = min(photo.shape[-2:])
    side_px = min(own_px, LARGEST_SIDE_PX)
    radius_px = round(side_px * BOLD_PART)
    if radius_px < SMALLEST_RADIUS_PX:
        return photo
    left = kuwahara(at_side(photo, side_px).to(device), radius_px, progress).cpu()
    if side_px != own_px:
        left = F.interpolate(left, size=photo.shape[-2:], mode="bicubic").clamp_(0, 1)
    kept = float(left.std(correction=0) / photo.std(correction=0).clamp(min=1e-6))
    share = (kept - ALL_FINE) / (MOSTLY_COARSE - ALL_FINE)
    return torch.lerp(photo, left, min(1.0, max(0.0, share)))


def kuwahara(picture: Tensor, radius_px: int, progress: Progress = silent) -> Tensor:
    """(B, 3, H, W) in [0, 1], on any device, as a brush of that radius leaves it; both sides are longer than it.

    Raises whatever `progress` raises, between strips of rows."""
    height, width = picture.shape[-2:]
    rows = max(FEWEST_ROWS, STRIP_PX // width)
    whole = F.pad(picture, (radius_px,) * 4, mode="reflect")
    strips = []
    for top in range(0, height, rows):
        progress("painting", 0.0)
        bottom = min(top + rows, height) + 2 * radius_px
        strips.append(_strip(whole[:, :, top:bottom], radius_px))
    return torch.cat(strips, 2).clamp_(0, 1)


def _strip(padded: Tensor, radius_px: int) -> Tensor:
    """(B, 3, h + 2 r, w + 2 r) -> (B, 3, h, w).

    A variance is a small difference of two large sums, and a GPU's convolutions of float32 are in TF32, which would
    move faint edges by a pixel: so there in float64."""
    padded, kept = padded.double() if padded.is_cuda else padded, padded.dtype
    seen = torch.cat([padded, padded.square().sum(1, keepdim=True)], 1)
    weights = _sectors(radius_px).to(padded)
    # (B * 4, 1, ...): each channel under each sector
    found = F.conv2d(seen.flatten(0, 1)[:, None], weights).unflatten(0, seen.shape[:2])
    means, mean_square = found[:, :3], found[:, 3]
    variance = (mean_square - means.square().sum(1)).clamp_(min=0)
    share = (variance + EVEN) ** (-SHARPNESS / 2)
    return (means * (share / share.sum(1, keepdim=True))[:, None]).sum(2).to(kept)


@cache
def _sectors(radius_px: int) -> Tensor:
    """Weights (SECTORS, 1, 2 r + 1, 2 r + 1) of the sectors, each of sum 1: Gaussian from the middle on, and
    blurred into each other so that neighbouring shares make 1 everywhere."""
    across = torch.arange(-radius_px, radius_px + 1, dtype=torch.float32)
    y, x = torch.meshgrid(across, across, indexing="ij")
    near = torch.exp(-(x.square() + y.square()) / (2 * (radius_px / 2) ** 2))
    width = 2 * math.pi / SECTORS
    middles = torch.arange(SECTORS).view(-1, 1, 1) * width
    angles = torch.remainder(torch.atan2(y, x) - middles + math.pi, 2 * math.pi) - math.pi
    shares = (1 - angles.abs() / width).clamp(min=0)
    shares[:, radius_px, radius_px] = 1 / SECTORS
    weights = near * shares
    return (weights / weights.sum((1, 2), keepdim=True))[:, None]
