"""Training on stills as members get them: painted over a draft, with more of the style where that lacks it.

Both are what `engine.stylize.drafts` makes of the network as it is in this step, and aren't learned: no gradient passes
through a draft. Through the step against stains it does, so nobody is asked for more or less of what will come off.
The palette is left out: it turns and scales colours a little, by what the whole picture has, and the loss asks for the
style's colours anyway. One draft is made, the last; pictures of up to 1462 px have no other.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.stylize.drafts import at_side, feedback, guided, sides_px
from engine.stylize.finishing.stains import without_stains
from engine.stylize.network import StyleNetwork
from engine.stylize.painter import ALIGNMENT_PX
from engine.stylize.style_codes import encoded_side_px


@torch.no_grad()
def over_drafts(
    network: StyleNetwork, photos: Tensor, style: Tensor
) -> tuple[Tensor, Tensor, None, Tensor] | tuple[Tensor, Tensor]:
    """Photos (B, 3, S, S) and styles (B, 3, T, T) -> what a network is called with to paint over drafts: photos on
    their way to those, the styles, and what is added to their codes (B, code); the photos and styles themselves where
    there's no smaller draft."""
    own_px = photos.shape[-1]
    draft_px = _aligned(sides_px(own_px)[-2])
    if draft_px >= own_px:
        return photos, style
    small = at_side(photos, draft_px)
    painted, codes = network(small, at_side(style, _aligned(encoded_side_px(draft_px, style.shape[-1]))))
    draft = without_stains(painted.float(), small)
    content = guided(photos, draft, small).contiguous(memory_format=torch.channels_last)
    return content, style, None, feedback(codes, network.encode_style(draft), own_px)


def _aligned(side_px: float) -> int:
    return max(ALIGNMENT_PX, round(side_px / ALIGNMENT_PX) * ALIGNMENT_PX)
