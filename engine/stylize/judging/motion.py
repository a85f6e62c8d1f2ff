"""How calm a film is while its camera moves: the warping error of two frames of a still scene.

The second frame is the first one, seen from where the camera has moved to; the first painting, seen from there, should
be the second one. The error is the mean difference over the first painting's standard deviation (the measure of Lai et
al., "Learning blind video temporal consistency", ECCV 2018, with a motion that's known instead of estimated).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.stylize.network import ContentStatistics
from engine.stylize.painter import Painter
from engine.stylize.training.losses import camera_grid

ROOM_PX = 16
"""Around a frame, for the camera to move into."""
RIM_PX = 24
"""Not looked at: reflected borders move with the view."""

MOTIONS: Mapping[str, tuple[tuple[float, float, float], ...]] = {
    "pan, 1 px right": ((1.0, 1.0, 0.0),),
    "pan, 1 px right and down": ((1.0, 1.0, 1.0),),
    "pan, 2.5 px right": ((1.0, 2.5, 0.0),),
    "zoom by 2 %": ((1 / 1.02, 0.0, 0.0),),
    "hand-held": ((1.003, 1.3, -0.7), (0.998, -0.6, 2.2), (1.0, 0.4, 0.9), (1.004, -1.8, -1.1)),
}
"""Zoom, and right and down in px, as `camera_grid` takes them; of several the mean is told."""

PaintFrame = Callable[[Tensor, ContentStatistics], Tensor]
"""A frame (1, 3, H, W) and the statistics that all frames share -> the painted frame."""


def moved(wide: Tensor, motion: tuple[float, float, float]) -> Tensor:
    """What the camera sees of (1, 3, S + 2 ROOM_PX, ..) after it moved, (1, 3, S, S); whole pixels exactly."""
    zoom, right, down = motion
    size = wide.shape[-1] - 2 * ROOM_PX
    if zoom == 1 and right == int(right) and down == int(down):
        top, left = ROOM_PX + int(down), ROOM_PX + int(right)
        return wide[:, :, top : top + size, left : left + size]
    grid = camera_grid(torch.tensor([motion]), size, wide.shape[-1])
    return F.grid_sample(wide, grid, mode="bicubic", align_corners=False).clamp(0, 1)


def difference(first: Tensor, second: Tensor, motion: tuple[float, float, float]) -> float:
    """Warping error of two frames (1, 3, S, S), between which the camera moved."""
    size = first.shape[-1]
    grid = camera_grid(torch.tensor([motion]), size, size)
    warped = F.grid_sample(first, grid, mode="bicubic", padding_mode="border", align_corners=False)
    seen = (grid.abs().amax(3) < 1 - 2 * RIM_PX / size)[0]
    return float((warped - second).abs()[0, :, seen].mean() / first.std())


@torch.inference_mode()
def warping_errors(paint: PaintFrame, painter: Painter, wide: Tensor) -> dict[str, float]:
    """By motion, for one scene (1, 3, S + 2 ROOM_PX, S + 2 ROOM_PX), S a multiple of 8."""
    still = moved(wide, (1.0, 0.0, 0.0))
    statistics = painter.content_statistics([still])
    first = paint(still, statistics)
    return {
        name: sum(difference(first, paint(moved(wide, one), statistics), one) for one in motions) / len(motions)
        for name, motions in MOTIONS.items()
    }


def film_errors(painter: Painter, photos: Tensor, styles: Tensor) -> dict[str, dict[str, float]]:
    """Means over photos (N, 3, S + 2 ROOM_PX, ..) and styles (N, 3, S, S), pair by pair: of the frames as films have
    them (`film`), as one painting each would be (`pictures`, without drafts and palette), and of the photos themselves
    (`photos`)."""
    found: dict[str, list[dict[str, float]]] = {"film": [], "pictures": [], "photos": []}
    for wide, style in zip(photos.split(1), styles.split(1), strict=True):
        code = painter.encode_style(style, wide.shape[-1] - 2 * ROOM_PX)

        def film(frame: Tensor, statistics: ContentStatistics, code: Tensor = code) -> Tensor:
            return painter.paint_frame(frame, code, 1.0, statistics)

        def picture(frame: Tensor, statistics: ContentStatistics, code: Tensor = code) -> Tensor:
            return painter.paint(frame, code, statistics)

        for name, paint in (("film", film), ("pictures", picture), ("photos", lambda frame, _: frame)):
            found[name].append(warping_errors(paint, painter, wide))
    return {name: {motion: sum(e[motion] for e in errors) / len(errors) for motion in MOTIONS}
            for name, errors in found.items()}  # fmt: skip


def motion_table(errors: dict[str, dict[str, float]]) -> str:
    """A Markdown table, one line a motion."""
    head = ["| warping error | frames of a film | painted once | the photo itself |", "|---|---|---|---|"]
    rows = (" | ".join([motion, *(f"{of[motion]:.3f}" for of in errors.values())]) for motion in MOTIONS)
    return "\n".join([*head, *(f"| {row} |" for row in rows)])
