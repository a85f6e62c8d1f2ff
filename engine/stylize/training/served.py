"""Training on pictures as members get them: painted over a draft, with more of what that lacks, without stains, in the
style's palette.

What comes before and after the network isn't learned, so no gradient passes through a draft, and through the finishing
steps it passes as if they changed nothing (a straight-through estimator: Bengio, Léonard & Courville, 2013): the loss
sees the finished picture, and blames the network for the rest. One draft is made, the last; pictures of up to 1462 px
have no other. Watched pictures are painted in one pass all the same: what members get is what `evaluate` paints.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.stylize.drafts import at_side, feedback, guided, sides_px
from engine.stylize.finishing.palette import in_palette, palette_of
from engine.stylize.finishing.stains import without_stains
from engine.stylize.network import StyleNetwork
from engine.stylize.painter import ALIGNMENT_PX
from engine.stylize.style_codes import encoded_side_px


@torch.no_grad()
def over_drafts(
    network: StyleNetwork, photos: Tensor, style: Tensor, of: Tensor
) -> tuple[Tensor, Tensor] | tuple[Tensor, None]:
    """What the network is given to paint over instead of photos (N, 3, S, S): those on their way to a draft of them in
    the styles (B, 3, T, T) that `of` (N,) names; and what is added to their codes, (N, code), or None
    where there's no smaller draft."""
    own_px = photos.shape[-1]
    draft_px = _aligned(sides_px(own_px)[-2])
    if draft_px >= own_px:  # too small for a draft of another size
        return photos, None
    small = at_side(photos, draft_px)
    style = at_side(style, _aligned(encoded_side_px(draft_px, style.shape[-1])))
    painted, codes = network(small, style, of)
    draft = without_stains(painted.float(), small)
    content = guided(photos, draft, small).contiguous(memory_format=torch.channels_last)
    return content, feedback(codes.index_select(0, of), network.encode_style(draft), own_px)


def finished(painted: Tensor, photos: Tensor, style: Tensor) -> Tensor:
    """Paintings (B, 3, S, S) of photos (B, 3, S, S) in styles (B, 3, T, T) as they are handed out; the gradient is that
    of `painted`."""
    with torch.no_grad():
        settled = without_stains(painted.detach().float(), photos)
        done = in_palette(settled.cpu(), palette_of(style)).to(painted.device)
    return painted + (done - painted).detach()


def _aligned(side_px: float) -> int:
    return max(ALIGNMENT_PX, round(side_px / ALIGNMENT_PX) * ALIGNMENT_PX)
