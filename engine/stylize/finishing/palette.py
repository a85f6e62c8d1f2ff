"""Gives a painting the large areas' colours of its style: as many of each, as far apart, as they go together there.

The network matches a style's colours feature by feature, and what takes stains off makes large areas more alike than
the style's are. So the means of large cells, a cloud of colours, are moved by the one linear map that makes a Gaussian
cloud of their mean and covariance into one of the style's with the least change (Pitié & Kokaram, The linear
Monge-Kantorovitch linear colour mapping for example-based colour transfer, CVMP 2007, eq. 12). What is finer than a
cell moves along with it, and isn't changed in itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

CELL_PX = 32
"""In pictures with a short side up to `FULL_PX`; larger ones have cells that are larger in proportion."""
FULL_PX = 1024
PALETTE_NUMBERS = 9
"""Of a style: the mean of its cells' colours, 3, and their covariance, the 6 of its upper half."""
LEAST_GAIN, MOST_GAIN = 0.8, 1.25
"""Colours are drawn together or spread by so much at most: what is spread more shows as glowing patches."""
SHOULDER = 0.85
"""From here on the lightest areas are drawn together when some would get lighter than white, and the darkest alike, up
to 1 - SHOULDER: cut off instead, what is in them would be gone."""
SMALLEST_VARIANCE = 1e-8
_UPPER = torch.triu_indices(3, 3)


def palette_of(picture: Tensor) -> Tensor:
    """(B, 3, H, W) in [0, 1] -> (B, PALETTE_NUMBERS) float32, on the CPU."""
    mean, covariance = _cloud(_cells(picture.float(), CELL_PX), picture.shape[-2:], CELL_PX)
    return torch.cat([mean[:, :, 0], covariance[:, _UPPER[0], _UPPER[1]]], dim=1).float()


def in_palette(painted: Tensor, palette: Tensor) -> Tensor:
    """Paintings (B, 3, H, W) in [0, 1] and palettes (B or 1, PALETTE_NUMBERS) on the CPU -> the paintings in those.

    What is done with the few cells happens on the CPU: for matrices of 3 x 3 a GPU takes longer than the way there."""
    height, width = painted.shape[-2:]
    cell_px = max(CELL_PX, round(CELL_PX * min(height, width) / FULL_PX))
    cells = _cells(painted, cell_px)
    mean, covariance = _cloud(cells, (height, width), cell_px)
    wanted = palette.double()
    wanted_covariance = wanted.new_empty(len(wanted), 3, 3)
    wanted_covariance[:, _UPPER[0], _UPPER[1]] = wanted_covariance[:, _UPPER[1], _UPPER[0]] = wanted[:, 3:]
    flat = cells.flatten(2).double()
    moved = _within_range(linear_map(covariance, wanted_covariance) @ (flat - mean) + wanted[:, :3, None])
    change = (moved - flat).float().view_as(cells).to(painted.device)
    change = F.interpolate(change, scale_factor=cell_px, mode="bicubic")
    return (painted + change[:, :, :height, :width]).clamp_(0, 1)


def linear_map(of: Tensor, to: Tensor) -> Tensor:
    """The symmetric map (B, 3, 3) between Gaussians of those covariances (B or 1, 3, 3) that moves colours least; along
    its own axes it spreads them by `LEAST_GAIN` to `MOST_GAIN`."""
    root, inverse = _power(of, 0.5), _power(of, -0.5)
    whole = inverse @ _power(root @ to @ root, 0.5, SMALLEST_VARIANCE**2) @ inverse
    gains, axes = torch.linalg.eigh((whole + whole.mT) / 2)
    return axes @ torch.diag_embed(gains.clamp(LEAST_GAIN, MOST_GAIN)) @ axes.mT


def _within_range(colours: Tensor) -> Tensor:
    """(B, 3, n), a picture at a time, in [0, 1] and in the order they had."""
    for _ in range(2):  # from above, then, turned over, from below
        top = colours.amax((1, 2), keepdim=True)
        drawn = SHOULDER + (colours - SHOULDER) * (1 - SHOULDER) / (top - SHOULDER)
        colours = 1 - torch.where((colours > SHOULDER) & (top > 1), drawn, colours)
    return colours


def _power(matrices: Tensor, exponent: float, smallest: float = SMALLEST_VARIANCE) -> Tensor:
    """Of symmetric matrices (B, 3, 3) whose eigenvalues are at least `smallest`, but for rounding."""
    values, axes = torch.linalg.eigh(matrices)
    return axes @ torch.diag_embed(values.clamp(min=smallest) ** exponent) @ axes.mT


def _cells(picture: Tensor, cell_px: int) -> Tensor:
    """Means of cells of (B, 3, H, W), on the CPU."""
    return F.avg_pool2d(picture, cell_px, ceil_mode=True, count_include_pad=False).cpu()


def _cloud(cells: Tensor, size: Sequence[int], cell_px: int) -> tuple[Tensor, Tensor]:
    """Mean (B, 3, 1) and covariance (B, 3, 3) of the colours of the cells (B, 3, h, w) of a picture of `size` (H, W),
    float64. What is left of a cell at the rim counts as much as it has pixels."""
    flat = cells.flatten(2).double()
    down, across = (
        torch.tensor([min(cell_px, side - start) for start in range(0, side, cell_px)], dtype=torch.double)
        for side in size
    )
    weights = torch.outer(down, across).flatten() / (down.sum() * across.sum())
    mean = (flat * weights).sum(2, keepdim=True)
    flat = flat - mean
    return mean, (flat * weights) @ flat.mT
