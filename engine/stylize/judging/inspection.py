"""What a style network does with its parts, and whether it holds still: figures that need more than one painting."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.stylize.network import StyleNetwork

RIM_PX = 24
"""Not looked at: reflected borders move with the view."""
PAN_PX = 1
QUIET_SD = 0.02
"""Deviation below which a content channel says next to nothing: twice what AdaIN adds against division by zero."""


def inspect(network: StyleNetwork, photos: Tensor, styles: Tensor, batch: int = 4) -> dict[str, float]:
    """`level_use`, `quiet` (`quiet_channels`) and `pan` (`pan_difference`), means over photos and styles (N, 3, H, W)
    taken pair by pair, N > 1."""
    found = [
        {
            **level_use(network, content, style),
            "quiet": quiet_channels(network, content),
            "pan": pan_difference(network, content, style),
        }
        for content, style in zip(photos.split(batch), styles.split(batch), strict=True)
        if len(content) > 1
    ]
    return {name: sum(one[name] for one in found) / len(found) for name in found[0]}


@torch.no_grad()
def level_use(network: StyleNetwork, photos: Tensor, styles: Tensor) -> dict[str, float]:
    """How much of a painting comes from the coarser levels: mean difference, in levels of 255, when the features at
    1/4 (`from_quarter`), 1/8 (`from_eighth`) .. 1/32 (`from_thirty_second`) are those of the next photo of the batch
    (B, 3, H, W), B > 1.

    0 says that a level is dead: loss and figures can look well without it."""
    code, features = network.encode_style(styles), network.encode_content(photos)
    statistics = network.statistics(features)
    painted = network.paint(features, statistics, code)
    found = {}
    for number, name in enumerate(features._fields[1:], 1):
        swapped = features._replace(**{name: features[number].roll(1, 0)})
        levels = [
            type(own)(*(value.roll(1, 0) for value in own)) if level == number else own
            for level, own in enumerate(statistics)
        ]
        other = network.paint(swapped, (levels[0], levels[1], levels[2], levels[3], levels[4]), code)
        found[f"from_{name}"] = float((other.float() - painted.float()).abs().mean()) * 255
    return found


@torch.no_grad()
def quiet_channels(network: StyleNetwork, photos: Tensor) -> float:
    """Share of the content channels of all levels that hardly vary over a photo, mean over photos (B, 3, H, W).

    Units that died are among them, and those that are on at a few places only, which AdaIN lifts to many deviations."""
    levels = network.statistics(network.encode_content(photos))
    return float(torch.cat([level.sd for level in levels], dim=1).lt(QUIET_SD).float().mean())


@torch.no_grad()
def pan_difference(network: StyleNetwork, photos: Tensor, styles: Tensor) -> float:
    """How much a painting changes when the camera moves by one pixel down and right: mean difference of what both views
    show, over the painting's standard deviation. Photos (B, 3, H, W), sides multiples of 8."""
    height, width = photos.shape[-2] - 8, photos.shape[-1] - 8
    code = network.encode_style(styles)
    first, second = (
        network.paint(features, network.statistics(features), code).float()
        for features in (
            network.encode_content(photos[..., shift : shift + height, shift : shift + width]) for shift in (0, PAN_PX)
        )
    )
    inner = slice(RIM_PX, -RIM_PX)
    first = first[..., PAN_PX:, PAN_PX:][..., inner, inner]
    second = second[..., :-PAN_PX, :-PAN_PX][..., inner, inner]
    return float((first - second).abs().mean() / first.std())
