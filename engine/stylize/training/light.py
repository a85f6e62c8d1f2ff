"""What an eye resents in large painted pictures, as terms of the loss: light out of order, halos, restless flat areas.

`engine.stylize.judging.flaws` counts the same flaws for the reports, in another way. A term takes light
(B, 1, H, W) in [0, 1], H = W, and returns one number.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LEVEL = 1 / 255

ORDER_WINDOWS = ((4, 7), (16, 5), (16, 11))
"""Cells of so many px, and windows of so many cells: 28, 80 and 176 px."""
ORDER_SHARES = (0.25, 0.35, 0.4)


def order_lost(painted: Tensor, photo: Tensor) -> Tensor:
    """1 - the local correlation of the two pictures' light, where the photo has any gradient: 0 kept, 1 lost, 2 turned
    round. A painting may have any contrast, but what is lighter in the photo should be lighter in it, sky by sky."""
    total = painted.new_zeros(())
    for (cell, wide), share in zip(ORDER_WINDOWS, ORDER_SHARES, strict=True):
        p, q = F.avg_pool2d(photo, cell), F.avg_pool2d(painted, cell)
        side = min(wide, p.shape[-1])

        def mean(x: Tensor, side: int = side) -> Tensor:
            return F.avg_pool2d(x, side, max(1, side // 3))

        mean_p, mean_q = mean(p), mean(q)
        variance_p = (mean(p * p) - mean_p.square()).clamp(min=0)
        variance_q = (mean(q * q) - mean_q.square()).clamp(min=0)
        covariance = mean(p * q) - mean_p * mean_q
        correlation = covariance * ((variance_p + LEVEL**2) * (variance_q + (2 * LEVEL) ** 2)).rsqrt()
        weight = variance_p / (variance_p + (3 * LEVEL) ** 2)
        total = total + share * (weight * (1 - correlation)).sum() / (weight.sum() + 1)
    return total


CELL_PX = 4
SEGMENT, NEAR, FAR = 8, 2, 3
"""In cells: a level stretch of the photo, its near end and its far end: 32, 8 and 12 px."""
LEVEL_RANGE = 8 * LEVEL


def unevenness(painted: Tensor, photo: Tensor) -> Tensor:
    """Where the photo is level for 32 px, above all beside an edge: how much the painting's light differs between the
    two ends, over the painting's own contrast. A halo is that."""
    p, q = F.avg_pool2d(photo, CELL_PX), F.avg_pool2d(painted, CELL_PX)
    # towards all four sides: along columns in the picture and in its transpose, each also upside down
    p, q = (torch.cat([x, x.flip(2), x.transpose(2, 3), x.transpose(2, 3).flip(2)]) for x in (p, q))
    span = p.shape[2] - SEGMENT + 1
    reach = (F.max_pool2d(p, (SEGMENT, 3), 1, (0, 1)) + F.max_pool2d(-p, (SEGMENT, 3), 1, (0, 1))) / LEVEL_RANGE
    level = torch.exp(-reach.square())
    before = F.pad(p, (0, 0, 4, 0), mode="replicate")  # cell i - 4 at i: what lies on this side of the stretch
    edge = (F.max_pool2d(before, (5, 1), 1) + F.max_pool2d(-before, (5, 1), 1))[:, :, :span].clamp(max=40 * LEVEL)
    weight = level * (0.25 + edge / (40 * LEVEL))
    along = F.avg_pool2d(F.pad(q, (1, 1, 0, 0), mode="replicate"), (1, 3), 1)
    near = F.avg_pool2d(along[:, :, : span + NEAR - 1], (NEAR, 1), 1)
    far = F.avg_pool2d(along[:, :, SEGMENT - FAR :], (FAR, 1), 1)
    contrast = painted.flatten(1).std(1).repeat(4)[:, None, None, None].detach() + 10 * LEVEL
    return (weight * (near - far).abs() / contrast).sum() / (weight.sum() + 1)


BLOCK_PX = 64
FLAT_SD, FLAT_BAND_SD = 6 * LEVEL, 1.2 * LEVEL
CALM_PART, CALM_ENOUGH, SMALLEST_CALM = 0.2, 0.35, 0.75 * LEVEL


def gaussian(sd_px: float, device: torch.device) -> Tensor:
    """(2R + 1,) weights."""
    reach = int(3 * sd_px + 1)
    position = torch.arange(-reach, reach + 1, device=device, dtype=torch.float32)
    weights = torch.exp(-position.square() / (2 * sd_px**2))
    return weights / weights.sum()


def blurred(light: Tensor, sd_px: float) -> Tensor:
    kernel = gaussian(sd_px, light.device)
    reach = len(kernel) // 2
    light = F.conv2d(F.pad(light, (0, 0, reach, reach), mode="reflect"), kernel[None, None, :, None])
    return F.conv2d(F.pad(light, (reach, reach, 0, 0), mode="reflect"), kernel[None, None, None, :])


def block_deviation(light: Tensor) -> Tensor:
    """Standard deviation in blocks of 64 px, half overlapping."""
    mean, square = (F.avg_pool2d(x, BLOCK_PX, BLOCK_PX // 2) for x in (light, light * light))
    return ((square - mean.square()).clamp(min=0) + 1e-8).sqrt()


def middle_band(light: Tensor) -> Tensor:
    """Light between the periods of 4 and 24 px."""
    return blurred(light, 0.75) - blurred(light, 4.5)


def restlessness(painted: Tensor, style: Tensor, photo: Tensor) -> Tensor:
    """Where the photo is flat: by how much the painting is more restless than a third of the style's calm."""
    with torch.no_grad():
        flat = (block_deviation(photo) < FLAT_SD) & (block_deviation(middle_band(photo)) < FLAT_BAND_SD)
        blocks = block_deviation(middle_band(style)).flatten(1).sort(1).values
        calm = blocks[:, int(CALM_PART * (blocks.shape[1] - 1))].clamp(min=SMALLEST_CALM)[:, None, None, None]
    excess = F.relu(block_deviation(middle_band(painted)) / calm - CALM_ENOUGH)
    return (torch.log1p(excess) * flat).sum() / (flat.sum() + 1)
