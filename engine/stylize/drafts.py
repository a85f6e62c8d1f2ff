"""From coarse to fine: a picture is painted small first, and that draft guides the painting at the next size.

One pass over a large picture paints its details and leaves its large forms a photo's. A draft at a third of the size
has strokes as much wider and decides larger forms; mixed into the photo, it is painted over at full size (coarse to
fine as in LapStyle: Lin et al., Drafting and Revision, CVPR 2021, section 3, with one network for all sizes). Drafts of
512 px and more have drafts in turn; all together they have a seventh of the picture's pixels at most (of pictures
below 512 px, a quarter to all).

A draft shows as well what a style doesn't get on this photo. Its own style, as the network sees it, differs from the
one that was meant, and by a part of that difference the picture is asked for more: feedback, as in any control loop.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

SMALLEST_DRAFT_PX = 192
"""Drafts have at least this short side. Training had pictures of 256 px and more, and smaller drafts weren't tried."""
DRAFT_PART = 0.35
"""Size of a draft, relative to what it is made for."""
LARGE_PX = 512
"""The smallest short side with such a draft. Smaller pictures have one of half their size, but no smaller than
`SMALLEST_DRAFT_PX`, or else of their own."""
DRAFT_SHARE, DRAFT_SHARE_OF_SMALL = 0.2, 0.3
"""Part of the way from photo to draft, in what is painted over, from `LARGE_PX` on and below, where one pass keeps more
of the photo. With more, faces get a relief of strokes, and skies lose their order of light."""
MOST_OF_CONTRAST = 0.5
"""What a draft brings has at most this part of the photo's own deviation at its size: the network sees contrasts
relative to each other, and of an even picture it would paint nothing but what its draft has at the rim."""
STROKES_PX = 8
SOFT, HARD = 32 / 255, 48 / 255
"""Deviations of what is finer than `STROKES_PX` in a draft: it brings its whole share up to the first, and nothing
from the second on. Pen and ink have 54 to 68 of 255, other styles 7 to 40. What is so hard would be taken for things,
and painted over as black worms."""
FEEDBACK, FEEDBACK_OF_SMALL = 0.3, 0.2
"""Part of what a draft's style lacks that is added to the style it is painted over with, from `LARGE_PX` on and below,
where a draft has half the size and more, and more of it is painted over."""
MOST_OF_CODE = 0.5
"""What is asked for more has, before it is taken in part, at most this part of the code's length. Photos have .12 to
.45; of even pictures and noise a style can't be read."""


def sides_px(side_px: int) -> list[int]:
    """The short sides of a picture's drafts, from the smallest on, and at last its own, `side_px`."""
    if side_px < LARGE_PX:
        return [max(side_px // 2, min(side_px, SMALLEST_DRAFT_PX)), side_px]
    sides = [side_px]
    while sides[-1] >= LARGE_PX:
        sides.append(max(SMALLEST_DRAFT_PX, int(sides[-1] * DRAFT_PART)))
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
    change = (draft - of) * (DRAFT_SHARE if min(photo.shape[-2:]) >= LARGE_PX else DRAFT_SHARE_OF_SMALL)
    change = change * ((HARD - _strokes(draft)) / (HARD - SOFT)).clamp(0, 1)
    part = MOST_OF_CONTRAST * _deviation(of) / _deviation(change).clamp(min=1e-6)
    return _resized(change * part.clamp(max=1), list(photo.shape[-2:])).add_(photo).clamp_(0, 1)


def feedback(meant: Tensor, seen: Tensor, side_px: int) -> Tensor:
    """What is added to the code of a picture with a short side of `side_px`, (B, code), after a draft whose code was
    `meant` (1 or B, code) and that is `seen` as (B, code)."""
    lacks = meant - seen
    most = MOST_OF_CODE * meant.norm(dim=1, keepdim=True)
    part = (most / lacks.norm(dim=1, keepdim=True).clamp(min=1e-6)).clamp(max=1)
    return lacks * part * (FEEDBACK if side_px >= LARGE_PX else FEEDBACK_OF_SMALL)


def _deviation(pictures: Tensor) -> Tensor:
    """Root of the mean variance of the channels of (B, 3, H, W), (B, 1, 1, 1)."""
    return pictures.var((2, 3), correction=0, keepdim=True).mean(1, keepdim=True).sqrt()


def _strokes(pictures: Tensor) -> Tensor:
    """Deviation of what is finer than `STROKES_PX` in (B, 3, H, W), (B, 1, 1, 1)."""
    height, width = pictures.shape[-2:]
    coarse = _resized(pictures, [max(1, height // STROKES_PX), max(1, width // STROKES_PX)])
    return _deviation(pictures - _resized(coarse, [height, width]))


def _resized(pictures: Tensor, size: list[int]) -> Tensor:
    antialias = size[0] < pictures.shape[-2]
    return F.interpolate(pictures, size=size, mode="bicubic", antialias=antialias)
