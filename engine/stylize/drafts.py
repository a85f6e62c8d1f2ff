"""From coarse to fine: a picture is painted small first, and that draft guides the painting at the next size.

One pass over a large picture paints its details and leaves its large forms a photo's. A draft at half the size has
strokes twice as wide and decides larger forms; mixed into the photo, it is painted over at full size, and so on, from
some 256 px up (coarse to fine as in LapStyle: Lin et al., Drafting and Revision, CVPR 2021, section 3, with one network
for all sizes). All drafts together have a third of the picture's pixels.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

DRAFT_SHARE, DRAFT_SHARE_OF_SMALL = 0.15, 0.3
"""Part of the way from photo to draft, in what is painted over: of pictures from twice `SMALLEST_DRAFT_PX` on, and of
smaller ones, of which one pass keeps more. With more, faces get a relief of strokes, and skies lose their order of
light."""
SMALLEST_DRAFT_PX = 256
"""Drafts are made of drafts down to this short side: the smallest that the network was trained on."""
OF_SMALL_PX = 192
"""Pictures too small for that have one draft, of half their size but no smaller than this, or else of their own."""


def sides_px(side_px: int) -> list[int]:
    """The short sides of a picture's drafts, from the smallest on, and at last its own, `side_px`."""
    if side_px < 2 * SMALLEST_DRAFT_PX:
        return [max(side_px // 2, min(side_px, OF_SMALL_PX)), side_px]
    sides = [side_px]
    while sides[-1] >= 2 * SMALLEST_DRAFT_PX:
        sides.append(sides[-1] // 2)
    return sides[::-1]


def at_side(picture: Tensor, side_px: int) -> Tensor:
    """(B, 3, H, W) in [0, 1] with another short side; the picture itself where it has that."""
    short = min(picture.shape[-2:])
    if short == side_px:
        return picture
    size = [max(1, round(side * side_px / short)) for side in picture.shape[-2:]]
    return _resized(picture, size).clamp_(0, 1)


def guided(photo: Tensor, draft: Tensor, of: Tensor) -> Tensor:
    """The photo (1 or B, 3, H, W), part of the way to a draft of it (B, 3, h, w) at another size; `of` is the photo at
    the draft's, (1 or B, 3, h, w)."""
    change = _resized(draft - of, list(photo.shape[-2:]))
    share = DRAFT_SHARE if min(photo.shape[-2:]) >= 2 * SMALLEST_DRAFT_PX else DRAFT_SHARE_OF_SMALL
    return change.mul_(share).add_(photo).clamp_(0, 1)


def _resized(pictures: Tensor, size: list[int]) -> Tensor:
    antialias = size[0] < pictures.shape[-2]
    return F.interpolate(pictures, size=size, mode="bicubic", antialias=antialias)
