"""A style as codes at several sizes: a painting seen from near and from afar has strokes of different widths."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from engine.contract import engine_pb2 as pb
from engine.errors import BadOption

CodeAt = Callable[[float], Tensor]
"""A style as its code (B, code) for a picture with a short side of so many px."""

CODE_SIZES_PX = (256, 384, 512, 768, 1024)
"""Short sides at which a style is encoded: those of the crops that the network was trained on."""
MOST_ENLARGED = 1.75
"""A style picture is enlarged by so much at most, as in training; from there on its codes stay the same."""
BRUSHES: dict[int, float] = {pb.BRUSH_MEDIUM: 1.0, pb.BRUSH_FINE: 0.5, pb.BRUSH_BOLD: 2.0}
"""Size at which the style is encoded, relative to the result's."""
BRUSH_NAMES = {"fine": pb.BRUSH_FINE, "medium": pb.BRUSH_MEDIUM, "bold": pb.BRUSH_BOLD}


def brush_factor(brush: int) -> float:
    """How much larger than in the painting beside the result strokes are to be. Raises `BadOption`."""
    if brush not in pb.Brush.values():
        raise BadOption("Please choose a fine, medium or bold brush.")
    return BRUSHES[brush]


def encoded_side_px(wanted_px: float, own_px: int) -> float:
    """Short side at which a style picture with a short side of `own_px` is encoded, for a result of `wanted_px`."""
    most = max(CODE_SIZES_PX[0], MOST_ENLARGED * own_px)
    return min(max(wanted_px, CODE_SIZES_PX[0]), most, CODE_SIZES_PX[-1])


def code_at(codes: Tensor, side_px: float) -> Tensor:
    """The code (1, code) for a result with that short side, px: between two of the `CODE_SIZES_PX` of codes
    (len(CODE_SIZES_PX), code), linear in the logarithm of the size; beyond them the nearest."""
    side_px = min(max(side_px, CODE_SIZES_PX[0]), CODE_SIZES_PX[-1])
    above = next(number for number, size in enumerate(CODE_SIZES_PX) if size >= side_px)
    below = max(0, above - 1)
    if above == below:
        return codes[:1]
    low, high = CODE_SIZES_PX[below], CODE_SIZES_PX[above]
    share = math.log(side_px / low) / math.log(high / low)
    return torch.lerp(codes[below], codes[above], share)[None]


def same_at_all_sizes(code: Tensor) -> CodeAt:
    """One code, (B, code), whatever the size."""
    return lambda _: code


def between(first: CodeAt, second: CodeAt, share: float) -> CodeAt:
    """The style that lies `share` of the way from the first to the second."""
    return lambda side_px: torch.lerp(first(side_px), second(side_px), share)


def remembered(style: CodeAt) -> CodeAt:
    """The same, with each size's code computed once."""
    return cache(style)
