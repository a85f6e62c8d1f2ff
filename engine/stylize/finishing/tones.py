"""A photo whose tones are pressed together where its painting presses them together.

A painting seldom follows its photo along a straight line: a style of black and white drives what is dark into black and
what is light into white. The curve it follows is found without knowing which pixel became which: the value below which
a tenth of the photo lies becomes the one below which a tenth of the painting lies, and so on (histogram specification:
Gonzalez & Woods, Digital Image Processing, 4th edition, section 3.3). Only its shallow parts are taken over. In steep
ones grain of the photo that nobody sees would become a reason for patches in the painting.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

GROUPS = 32
"""The sorted values are taken in so many groups of equal size; between their means the curve is straight."""
SMALLEST_RANGE = 1e-3
"""Of a picture's groups, in [0, 1]: an even picture has no curve."""


def in_tones_of(painted: Tensor, photo: Tensor) -> Tensor:
    """A photo (1 or B, C, h, w) and paintings (B, C, h, w) of it -> the photo once for each, (B, C, h, w) float64, each
    channel along a curve that rises by the painting's slope over its mean slope, and by 1 at most."""
    values = photo.expand(len(painted), -1, -1, -1).flatten(2).double()
    levels, tones = _quantiles(values), _quantiles(painted.flatten(2).double())
    of_photo, of_painting = ((one[..., -2:-1] - one[..., 1:2]).clamp(min=SMALLEST_RANGE) for one in (levels, tones))
    steps = torch.minimum(levels.diff(dim=-1), tones.diff(dim=-1) * of_photo / of_painting)
    curve = torch.cat([levels[..., :1], levels[..., :1] + steps.cumsum(-1)], dim=-1)
    above = torch.searchsorted(levels, values.contiguous()).clamp(1, levels.shape[-1] - 1)
    low, high, start, end = (one.gather(-1, at) for one in (levels, curve) for at in (above - 1, above))
    share = ((values - low) / (high - low).clamp(min=1e-6)).clamp(0, 1)
    return (start + share * (end - start)).view_as(painted)


def _quantiles(values: Tensor) -> Tensor:
    """(B, C, n) -> (B, C, GROUPS + 2) rising: the least, the mean of each group, the greatest."""
    values = values.sort(dim=-1).values
    return torch.cat([values[..., :1], F.adaptive_avg_pool1d(values, GROUPS), values[..., -1:]], dim=-1)
