"""Figures that did not train the network: what `train` watches and `evaluate` reports.

Style, each relative to the style picture's own size (0 equal, lower is better):
- `style_deep`: channel moments at layers of the loss network that the loss never looked at (relu1_2 .. relu4_4);
- `style_random`: channel moments of a random, never trained network (Ustyuzhaninov et al., ICLR 2017, find random
  filters to describe texture well);
- `style_patches`: sliced Wasserstein distance between 5x5 px patches at three scales, without any network;
- `colour`: L1 of the RGB means and standard deviations;
- `fringes`: by how much the colours change more from pixel to pixel than in the style (-.5: half as much, 1: twice).

Content: `content_deep`, relative distance of relu4_4; `content_shape`, the same with both instance-normalised
(0 equal, 1.41 unrelated); `ssim`, structural similarity in grey (Wang et al. 2004), higher is better.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.stylize.perception.loss_networks import DistilledVGG19
from engine.stylize.pictures.colour import luma
from engine.stylize.training.losses import colour_edges, moments, normalised_difference, relative_distance

DEEP_LAYERS = ("relu1_2", "relu2_2", "relu3_4", "relu4_4")
FIGURES = ("style_deep", "style_random", "style_patches", "colour", "fringes", "content_deep", "content_shape", "ssim")


class RandomFeatures(nn.Module):
    """Three scales of fixed Gaussian filters, the same for the same seed."""

    def __init__(self, seed: int = 2015) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.layers = nn.ModuleList()
        channels = 3
        for width, size in ((48, 7), (64, 5), (96, 5)):
            layer = nn.Conv2d(channels, width, size, padding=size // 2, padding_mode="reflect", bias=False)
            filters = torch.randn(layer.weight.shape, generator=generator)
            filters -= filters.mean(dim=(2, 3), keepdim=True) * (torch.rand(width, 1, 1, 1, generator=generator) < 0.7)
            with torch.no_grad():
                layer.weight.copy_(filters / filters.flatten(1).norm(dim=1)[:, None, None, None] * 2)
            self.layers.append(layer)
            channels = width
        self.requires_grad_(False).eval()

    def forward(self, picture: Tensor) -> list[Tensor]:
        """(B, 3, H, W) in [0, 1] -> features at 1, 1/2, 1/4."""
        found, x = [], picture - 0.5
        for layer in self.layers:
            x = F.relu(layer(x))
            found.append(x)
            x = F.avg_pool2d(x, 2)
        return found


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Structural similarity of grey pictures (B, 1, H, W) in [0, 1], 11x11 Gaussian window of 1.5 px, (B,)."""
    position = torch.arange(11, dtype=a.dtype, device=a.device) - 5
    gaussian = torch.exp(-position.square() / (2 * 1.5**2))
    window = torch.outer(gaussian, gaussian)
    window = (window / window.sum())[None, None]
    mean_a, mean_b = F.conv2d(a, window), F.conv2d(b, window)
    var_a = F.conv2d(a * a, window) - mean_a.square()
    var_b = F.conv2d(b * b, window) - mean_b.square()
    covariance = F.conv2d(a * b, window) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    likeness = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return (likeness / ((mean_a.square() + mean_b.square() + c1) * (var_a + var_b + c2))).mean(dim=(1, 2, 3))


def sliced_patch_distance(of: Tensor, to: Tensor, slices: int = 48, size: int = 5) -> Tensor:
    """Sliced 1-Wasserstein distance of the patches of two pictures (B, 3, H, W) at scales 1, 1/2, 1/4, (B,).

    Relative to the distance between the style's own patches and its mean patch."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(slices, 3, size, size, generator=generator).to(of.device)
    directions -= (
        directions.mean(dim=(2, 3), keepdim=True) * (torch.arange(slices, device=of.device) % 2)[:, None, None, None]
    )
    directions = directions / directions.flatten(1).norm(dim=1)[:, None, None, None]
    total = of.new_zeros(len(of))
    for scale in (1, 2, 4):
        a, b = (
            F.conv2d(F.avg_pool2d(p, scale), directions, stride=2 if scale == 1 else 1).flatten(2).sort(dim=2).values
            for p in (of, to)
        )
        spread = (b - b.mean(dim=2, keepdim=True)).abs().mean(dim=(1, 2))
        total = total + (a - b).abs().mean(dim=(1, 2)) / (spread + 1e-3)
    return total / 3


class Judge(nn.Module):
    """Called with painted, style and content pictures of one size, (B, 3, H, W): each figure as a list of B floats."""

    def __init__(self, distilled: DistilledVGG19) -> None:
        super().__init__()
        self.distilled, self.random = distilled, RandomFeatures()

    @torch.no_grad()
    def forward(self, painted: Tensor, style: Tensor, content: Tensor) -> dict[str, Tensor]:
        deep = [self.distilled(pictures, DEEP_LAYERS) for pictures in (painted, style, content)]
        random = [self.random(pictures) for pictures in (painted, style)]
        style_deep = torch.stack([relative_distance(moments(deep[0][n]), moments(deep[1][n])) for n in DEEP_LAYERS])
        style_random = torch.stack(
            [relative_distance(moments(a), moments(b)) for a, b in zip(random[0], random[1], strict=True)]
        )
        last = DEEP_LAYERS[-1]
        shape = normalised_difference(deep[0][last], deep[2][last]).clamp(min=0).sqrt()
        return {
            "style_deep": style_deep.mean(0),
            "style_random": style_random.mean(0),
            "style_patches": sliced_patch_distance(painted, style),
            "colour": (moments(painted) - moments(style)).abs().mean(1),
            "fringes": (colour_edges(painted) / colour_edges(style).clamp_min(1e-3)).mean(1) - 1,
            "content_deep": relative_distance(deep[0][last], deep[2][last]),
            "content_shape": shape,
            "ssim": ssim(luma(painted), luma(content)),
        }


def mean_figures(found: Sequence[dict[str, Tensor]]) -> dict[str, float]:
    """Means over several calls of `Judge`."""
    return {name: float(torch.cat([figures[name] for figures in found]).mean()) for name in FIGURES}
