"""Takes large soft stains off a painting: clouds of another colour on a wall, in a sky, around a head.

The coarsest levels of the network see hundreds of pixels around, and where the photo is level they have nothing to hold
on to. So there the painting's colours are made to follow the photo's: window by window, the affine map of the photo's
colours, as the painting presses them together (`tones.py`), that fits its level parts best says what the painting would
be without stains (a guided filter with a photo in colours as its guide: He, Sun & Tang, Guided image filtering,
PAMI 2013, eq. 19, with weights). Only what is wider than a stroke is taken off, and nothing beside edges.

Where the photo is quite flat, it happens more closely: right up to edges, where a glow would be a halo, and down to
what is three cells wide, which on a wall would be stripes of another colour, or brighter and darker for no reason.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.stylize.finishing.tones import in_tones_of
from engine.stylize.pictures.colour import luma

CELL_PX = 8
"""All of it happens in the means of such cells."""
WINDOW_CELLS, STROKE_CELLS = 16, 2
"""Radii: of the windows (264 px wide; in pictures below `ALL_AT_PX` less, in proportion), and of what is spared as a
stroke (up to 40 px)."""
LEVEL_SD = 10 / 255
"""Deviation of the photo's light in a cell, or one beside it, at which 1/e of the correction is left."""
FLAT_CELLS, FLAT_SD = 1, 8 / 255
"""Of the closer order: the radius of what is spared, and the deviation of the photo's light in the cell itself
at which 1/e of the correction is left."""
ALL_AT_PX = 512
"""Short side from which all is taken off; of smaller pictures as much less as they are smaller, since there's less room
for stains."""
LEAST_WEIGHT = 0.05
"""What a cell with edges or texture counts in a window's fit, beside 1.05 of a level one: painted in another way, it
would draw the level ones along."""
VARIANCE_EPSILON = 1e-4
"""Colours of the photo that differ by less than about 2.5 levels of 255 are one and the same."""


def without_stains(painted: Tensor, photo: Tensor) -> Tensor:
    """Painted pictures (B, 3, H, W) of a photo (1 or B, 3, H, W), both in [0, 1], of any size -> the same, settled."""
    height, width = painted.shape[-2:]
    share = min(1.0, min(height, width) / ALL_AT_PX)
    radius = max(1, round(share * WINDOW_CELLS))
    guide, target = cells(photo), cells(painted)
    light = luma(photo)
    deviation = (cells(light.square()) - cells(light).square()).clamp(min=0).sqrt()
    level = torch.exp(-(F.max_pool2d(deviation, 3, 1, 1) / LEVEL_SD).square())
    flat = torch.exp(-(deviation / FLAT_SD).square())
    with torch.no_grad():  # in training the tones are taken as they are: no gradient through what is sorted
        toned = in_tones_of(target, guide)
    excess = fitted(toned, target, level, radius) - target
    change = share * level * weighted(excess, level, STROKE_CELLS)
    change = change + share * flat * weighted(excess - change, flat, FLAT_CELLS)
    correction = F.interpolate(change, scale_factor=CELL_PX, mode="bilinear")[:, :, :height, :width]
    return correction.add_(painted).clamp_(0, 1)


def weighted(values: Tensor, weights: Tensor, radius: int) -> Tensor:
    """Means of (B, C, h, w) over windows of 2 radius + 1 cells, by weights (1 or B, 1, h, w); 0 where those are 0."""
    return windowed(values * weights, radius) / (windowed(weights, radius) + 1e-3)


def cells(picture: Tensor) -> Tensor:
    """(B, C, H, W) -> means of cells, (B, C, ceil(H / CELL_PX), ceil(W / CELL_PX))."""
    return F.avg_pool2d(picture, CELL_PX, ceil_mode=True, count_include_pad=False)


def windowed(values: Tensor, radius: int) -> Tensor:
    """Means of (B, C, h, w) over windows of 2 radius + 1 cells, at the rim over mirrored ones; along rows, then along
    columns.

    As differences of running sums, which take the same time however wide the windows are (Crow, Summed-area tables,
    SIGGRAPH 1984)."""
    for axis in (3, 2):
        reach = min(radius, values.shape[axis] - 1)
        beyond = (reach, reach, 0, 0) if axis == 3 else (0, 0, reach, reach)
        mirrored = F.pad(values.double(), beyond, mode="reflect")
        sums = F.pad(mirrored.cumsum(axis), (1, 0) if axis == 3 else (0, 0, 1, 0))
        wide, count = 2 * reach + 1, values.shape[axis]
        values = ((sums.narrow(axis, wide, count) - sums.narrow(axis, 0, count)) / wide).to(values.dtype)
    return values


def fitted(guide: Tensor, target: Tensor, level: Tensor, radius: int = WINDOW_CELLS) -> Tensor:
    """What an affine map of the guide's channels (1 or B, 3, h, w) that fits best around each cell, in a window of
    that radius, makes of the target (B, 3, h, w). Cells count by how `level` (1 or B, 1, h, w) they are, in 0..1."""
    guide, target = guide.double(), target.double()  # variances are differences of nearly equal numbers
    weights = level.double() + LEAST_WEIGHT
    total = windowed(weights, radius)

    def mean(values: Tensor) -> Tensor:
        return windowed(values * weights, radius) / total

    of_guide, of_target = mean(guide), mean(target)
    pairs = mean(guide[:, :, None].mul(guide[:, None]).flatten(1, 2)).unflatten(1, (3, 3))
    covariance = pairs - of_guide[:, :, None] * of_guide[:, None]
    covariance = (
        covariance + VARIANCE_EPSILON * torch.eye(3, dtype=guide.dtype, device=guide.device)[None, :, :, None, None]
    )
    together = mean(guide[:, :, None].mul(target[:, None]).flatten(1, 2)).unflatten(1, (3, 3))
    together = together - of_guide[:, :, None] * of_target[:, None]  # (B, guide, target, h, w)
    slopes = torch.einsum("bijhw,bjkhw->bikhw", inverse(covariance).expand(len(target), -1, -1, -1, -1), together)
    offset = of_target - (slopes * of_guide[:, :, None]).sum(1)
    around = windowed(total, radius)  # windows count by what they hold, too
    slopes = (windowed(slopes.flatten(1, 2) * total, radius) / around).unflatten(1, (3, 3))
    return ((slopes * guide[:, :, None]).sum(1) + windowed(offset * total, radius) / around).float()


def inverse(matrices: Tensor) -> Tensor:
    """Of symmetric (B, 3, 3, h, w) by cofactors: a hundred times faster than one solver a cell."""
    a, b, c, d, e, f = (matrices[:, i, j] for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)))
    cofactors = [d * f - e * e, c * e - b * f, b * e - c * d, a * f - c * c, b * c - a * e, a * d - b * b]
    determinant = a * cofactors[0] + b * cofactors[1] + c * cofactors[2]
    rows = [torch.stack([cofactors[n] / determinant for n in row], 1) for row in ((0, 1, 2), (1, 3, 4), (2, 4, 5))]
    return torch.stack(rows, 1)
