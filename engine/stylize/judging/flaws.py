"""The three flaws that one sees first in a large painted picture, counted. Light is luma in 0..255.

- `halo`: beside strong straight edges of the photo, on a side where the photo itself is level, how far the painting's
  mean light 3..10 px from the edge is from that 20..32 px from it, over the painting's own step across the edge.
- `streak`: where the photo is flat, how restless the painting is: deviation of its light between the periods of 4 and
  24 px, over the 20th percentile of the same figure in the style picture's own blocks (1: as calm as its calm parts).
- `gradient`: how well the order of light and dark in the photo's smooth regions (skies, walls) is kept: |Spearman| of
  the light of 16 px blocks.

Each needs something to look at (a straight edge, a flat block, a smooth region): without it the figure is NaN.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage, stats
from torch import Tensor

from engine.stylize.pictures.colour import luma

Light = npt.NDArray[np.float64]
FLAWS = ("halo", "streak", "gradient")

NEAR_PX, FAR_PX = range(3, 11), range(20, 33)
EDGE_LENGTH_PX = 17
"""Along an edge this much is averaged: strokes and grain are no halo."""
STRONG_STEP, LEVEL_STEP, LEVEL_SD = 40.0, 3.0, 4.0
"""An edge of the photo is strong from this step on; a side is level when its near and far light differ by less than
the second and all of its light varies by less than the third."""
SMALLEST_STEP = 10.0
"""A painted step counts as at least this: where an edge has vanished, its halo isn't endless."""
FEWEST_EDGES, MOST_EDGES = 12, 600

BLOCK_PX, FLAT_SD, FLAT_BAND_SD = 64, 6.0, 1.2
CALM_PERCENTILE, SMALLEST_CALM = 20, 0.75

CELL_PX, SMOOTH_SD, SMALLEST_REGION, SMALLEST_RANGE = 16, 3.0, 12, 8.0
"""Cells of a smooth region vary by less than `SMOOTH_SD`; a region has so many cells, and so wide a range of light."""


def light(picture: Tensor) -> Light:
    """(3, H, W) in [0, 1] -> (H, W) in 0..255."""
    return (luma(picture[None].float())[0, 0] * 255).cpu().numpy().astype(np.float64)


def flaws(painted: Tensor, style: Tensor, photo: Tensor) -> dict[str, float]:
    """All three figures of one picture (3, H, W), its style picture (any size) and its photo (3, H, W)."""
    return flaws_of_light(light(painted), light(style), light(photo))


def flaws_of_light(of: Light, to: Light, source: Light) -> dict[str, float]:
    """The same of the light of painting, style picture and photo."""
    return {"halo": halo(of, source), "streak": streak(of, to, source), "gradient": gradient_kept(of, source)}


def straight_edges(photo: Light) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Points (N, 2) on strong straight edges, row and column, and the unit normals (N, 2) from dark to light."""
    gradient = np.stack([ndimage.gaussian_filter(photo, 1.5, order=order) for order in ((1, 0), (0, 1))])
    size = np.hypot(*gradient)
    tensor = [
        ndimage.gaussian_filter(gradient[a] * gradient[b], 4.0) for a, b in ((0, 0), (1, 1), (0, 1))
    ]  # the structure tensor: where its greater eigenvalue is nearly all, the edge around is straight
    spread = np.hypot(tensor[0] - tensor[1], 2 * tensor[2])
    coherent = spread / (tensor[0] + tensor[1] + 1e-6) > 0.93
    normal = gradient / (size + 1e-6)
    rows, columns = np.indices(photo.shape)
    sides = [
        ndimage.map_coordinates(size, [rows + s * normal[0], columns + s * normal[1]], order=1, mode="nearest")
        for s in (-1, 1)
    ]
    margin = max(FAR_PX) + EDGE_LENGTH_PX // 2
    crest = (size > 5) & (size >= sides[0]) & (size > sides[1]) & coherent
    crest[:margin], crest[-margin:], crest[:, :margin], crest[:, -margin:] = False, False, False, False
    points = np.argwhere(crest)
    points = points[:: max(1, len(points) // (4 * MOST_EDGES))]
    return points.astype(np.float64), normal[:, points[:, 0], points[:, 1]].T


def profiles(
    picture: Light, points: npt.NDArray[np.float64], normals: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Light along the normals, (N, 2 sides, distance 0..32), mean over the edge's length, and its deviation there."""
    distance = np.arange(max(FAR_PX) + 1)
    along = np.arange(EDGE_LENGTH_PX) - EDGE_LENGTH_PX // 2
    tangents = normals[:, ::-1] * (1, -1)
    signed = np.stack([-distance, distance])  # the dark side, the light side
    place = (
        points[:, None, None, None, :]
        + normals[:, None, None, None, :] * signed[None, :, :, None, None]
        + tangents[:, None, None, None, :] * along[None, None, None, :, None]
    )
    values = ndimage.map_coordinates(picture, [place[..., 0], place[..., 1]], order=1, mode="nearest")
    return values.mean(3), values[:, :, min(NEAR_PX) :].std((2, 3))


def halo(painted: Light, photo: Light) -> float:
    """Both (H, W). Mean over points of strong straight edges with a level side; NaN below `FEWEST_EDGES`."""
    if min(photo.shape) < 4 * max(FAR_PX):
        return math.nan
    points, normals = straight_edges(photo)
    if not len(points):
        return math.nan
    source, varies = profiles(photo, points, normals)
    near, far = source[:, :, NEAR_PX].mean(2), source[:, :, FAR_PX].mean(2)
    level = (np.abs(near - far) < LEVEL_STEP) & (varies < LEVEL_SD)
    level &= (near[:, 1] - near[:, 0] > STRONG_STEP)[:, None]
    if level.any(1).sum() < FEWEST_EDGES:
        return math.nan
    own, _ = profiles(painted, points, normals)
    own_near, own_far = own[:, :, NEAR_PX].mean(2), own[:, :, FAR_PX].mean(2)
    step = np.maximum(np.abs(own_near[:, 1] - own_near[:, 0]), SMALLEST_STEP)
    return float(np.minimum(np.abs(own_near - own_far) / step[:, None], 2.0)[level].mean())


def middle_band(picture: Light) -> Light:
    """Light between the periods of 4 and 24 px: the difference of two Gaussians that let half of those pass."""
    return ndimage.gaussian_filter(picture, 0.75, mode="reflect") - ndimage.gaussian_filter(
        picture, 4.5, mode="reflect"
    )


def block_deviations(picture: Light, stride_px: int = BLOCK_PX // 2) -> Light:
    """Standard deviation over blocks of 64 px, half overlapping, flat array."""
    windows = np.lib.stride_tricks.sliding_window_view(picture, (BLOCK_PX, BLOCK_PX))[::stride_px, ::stride_px]
    return windows.std((2, 3)).ravel()


def streak(painted: Light, style: Light, photo: Light) -> float:
    """Light (H, W) of painting and photo, (h, w) of the style. NaN without a flat block."""
    flat = (block_deviations(photo) < FLAT_SD) & (block_deviations(middle_band(photo)) < FLAT_BAND_SD)
    if not flat.any():
        return math.nan
    calm = np.percentile(block_deviations(middle_band(style)), CALM_PERCENTILE)
    return float(block_deviations(middle_band(painted))[flat].mean() / max(calm, SMALLEST_CALM))


def gradient_kept(painted: Light, photo: Light) -> float:
    """Mean over the photo's smooth regions, by their size; NaN without one."""
    height, width = (side // CELL_PX for side in photo.shape)

    def cells(picture: Light) -> npt.NDArray[np.float64]:
        cut = picture[: height * CELL_PX, : width * CELL_PX]
        return cut.reshape(height, CELL_PX, width, CELL_PX).transpose(0, 2, 1, 3).reshape(height, width, -1)

    source, own = cells(photo), cells(painted)
    smooth = cells(ndimage.gaussian_filter(photo, 1.0)).std(2) < SMOOTH_SD
    regions, count = ndimage.label(smooth)
    found, sizes = [], []
    for number in range(1, count + 1):
        inside = regions == number
        before, after = source.mean(2)[inside], own.mean(2)[inside]
        if inside.sum() < SMALLEST_REGION or np.ptp(before) < SMALLEST_RANGE:
            continue
        found.append(abs(stats.spearmanr(before, after).statistic) if np.ptp(after) > 0 else 0.0)
        sizes.append(int(inside.sum()))
    return float(np.average(found, weights=sizes)) if found else math.nan
