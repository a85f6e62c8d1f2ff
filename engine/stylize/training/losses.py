"""What the network is trained for: the style's statistics, the photo's structure, and calm pictures.

Every style term is divided, sample by sample, by the style's own size (Cheng et al., Style-Aware Normalized Loss,
CVPR 2021): otherwise styles with strong features take all the gradient and quiet ones come out unchanged. Each term is
taken at two scales and through two unlike networks, because a network that only has to please one of them at one
scale soon learns that one's blind spots.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.stylize.perception.loss_networks import DistilledVGG19, VGG16Stem
from engine.stylize.pictures.colour import luma

MOMENT_LAYERS = {"relu1_1": 0.7, "relu2_1": 1.0, "lifted3_1": 1.0, "lifted4_1": 1.0, "lifted5_1": 0.5}
"""Layers whose channel means and standard deviations are matched (Huang & Belongie 2017, eq. 13), and their weights."""
GRAM_LAYERS = ("relu2_1", "relu3_1", "relu4_1")
"""Layers whose Gram matrices are matched (Gatys et al. 2016): which features go together, not only how strong."""
CONTENT_LAYERS = {"relu2_1": 0.3, "lifted3_1": 1.0, "lifted4_1": 1.0}
"""Layers whose instance-normalised features are matched: structure without colour and contrast."""
CONTRAST_LAYERS = ("lifted3_1", "lifted4_1")
STYLE_WANTED = tuple(dict.fromkeys((*MOMENT_LAYERS, *GRAM_LAYERS)))
WANTED = tuple(dict.fromkeys((*STYLE_WANTED, *CONTENT_LAYERS)))


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms; the defaults are those of the last part of the committed run."""

    style: float = 14.0
    gram: float = 4.5
    texture: float = 4.0
    content: float = 1.9
    raw_content: float = 1.0
    colour: float = 4.0
    palette: float = 6.0
    contrast: float = 0.3
    identity: float = 3.0
    consistency: float = 8.0
    variation: float = 0.2
    fringe: float = 1.5


@dataclass(frozen=True)
class Batch:
    """Pictures (B, 3, H, W) in [0, 1]; `identity` (B,) marks those whose style is the content itself."""

    content: Tensor
    style: Tensor
    identity: Tensor
    perturbed: Tensor
    """(B, 3, H, W): the content pictures, all shifted and softened alike, with noise."""
    shift: tuple[int, int]
    """Down and right, px: `perturbed[y, x]` shows `content[y - down, x - right]`."""


class ChannelMeans(torch.autograd.Function):
    """Means of the values and of their squares over the positions of (B, C, H, W), each (B, C) float32.

    Written out because the loss takes some forty of them a step: sums by matrix product, and a backward pass of one
    multiply-add, cost a third of what autograd makes of `mean` and `square`."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(features)
        batch, channels, height, width = features.shape
        with torch.autocast(features.device.type, enabled=False):
            flat = features.permute(0, 2, 3, 1).reshape(batch, height * width, channels).float()
            weights = flat.new_full((batch, 1, height * width), 1 / (height * width))
            return torch.bmm(weights, flat)[:, 0], torch.bmm(weights, flat * flat)[:, 0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (features,) = ctx.saved_tensors
        of_mean, of_square = (g[:, :, None, None] / (features.shape[2] * features.shape[3]) for g in gradients)
        return torch.addcmul(of_mean.to(features.dtype), features, (2 * of_square).to(features.dtype))


def mean_and_variance(features: Tensor) -> tuple[Tensor, Tensor]:
    """Over the positions of (B, C, H, W), each (B, C) float32."""
    mean, square = ChannelMeans.apply(features)
    return mean, (square - mean.square()).clamp(min=0)


def moments(features: Tensor) -> Tensor:
    """Channel means and standard deviations of (B, C, H, W), as (B, 2C) float32."""
    mean, variance = mean_and_variance(features)
    return torch.cat([mean, (variance + 1e-5).sqrt()], dim=1)


def gram(features: Tensor) -> Tensor:
    """Gram matrix (B, C, C) of (B, C, H, W), a mean over positions, float32."""
    flat = features.float().flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def relative_distance(of: Tensor, to: Tensor) -> Tensor:
    """|of - to| / |to| for each sample, (B,): 0 is equal, 1 as far as nothing at all."""
    difference = (of - to).flatten(1).square().sum(1)
    return (difference / (to.flatten(1).square().sum(1) + 1e-6) + 1e-5).sqrt()


def normalised_difference(a: Tensor, b: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Mean squared difference of the instance-normalised features (B, C, H, W), (B,): 0 is equal, 2 unrelated.

    In closed form: with x' = (x - mean) / sqrt(var + e), mean((a' - b')^2) follows from the variances and from the
    covariance, and the normalised maps need not be made."""
    mean_a, variance_a = mean_and_variance(a)
    mean_b, variance_b = mean_and_variance(b)
    product = ChannelMeans.apply(a * b)[0]
    noisy_a, noisy_b = variance_a + epsilon, variance_b + epsilon
    correlation = (product - mean_a * mean_b) * (noisy_a * noisy_b).rsqrt()
    return (variance_a / noisy_a + variance_b / noisy_b - 2 * correlation).mean(1)


def sliced_palette_distance(of: Tensor, to: Tensor, generator: torch.Generator, slices: int = 8) -> Tensor:
    """Sliced 1-Wasserstein distance between the colours of two pictures (B, 3, H, W), averaged over 4x4 px, (B,).

    Rabin et al. 2011: along each random direction the distance of two sorted lists is exact."""
    directions = F.normalize(torch.randn(slices, 3, generator=generator), dim=1).to(of.device)
    projected = [(directions @ F.avg_pool2d(picture, 4).flatten(2).float()).sort(dim=2).values for picture in (of, to)]
    return (projected[0] - projected[1]).abs().mean(dim=(1, 2))


@dataclass
class StyleQueue:
    """Moments of the latest styles, of training pictures only: the negatives of the contrastive term."""

    length: int = 48
    rows: deque[Tensor] = field(default_factory=deque)

    def push(self, moments_of_styles: Tensor) -> None:
        self.rows.extend(moments_of_styles.detach().unbind(0))
        while len(self.rows) > self.length:
            self.rows.popleft()

    def others(self) -> Tensor | None:
        return torch.stack(list(self.rows)) if self.rows else None


def contrastive(of: Tensor, styles: Tensor, queue: Tensor | None, temperature: float = 0.1) -> Tensor:
    """InfoNCE (van den Oord et al. 2018): output i must be nearest to style i among this batch's and earlier styles.

    `of`, `styles` (B, D) moments; `queue` (N, D). Anchors are outputs, everything they are compared with is a style."""
    candidates = styles if queue is None else torch.cat([styles, queue])
    distance = torch.cdist(of, candidates) / candidates.norm(dim=1).clamp(min=1e-3)
    return F.cross_entropy(-distance / temperature, torch.arange(len(of), device=of.device))


class PerceptualLoss(nn.Module):
    """All terms of the loss. Call it with what the network painted for `batch.content` and for `batch.perturbed`."""

    def __init__(self, distilled: DistilledVGG19, stem: VGG16Stem, weights: LossWeights, seed: int) -> None:
        super().__init__()
        self.distilled, self.stem, self.weights = distilled, stem, weights
        self.queue = StyleQueue()
        self.generator = torch.Generator().manual_seed(seed)

    def forward(self, batch: Batch, painted: Tensor, painted_perturbed: Tensor) -> dict[str, Tensor]:
        """Twice (B, 3, H, W) -> the weighted terms by name, each a scalar; their sum is the loss."""
        w = self.weights
        terms = self._style_and_content(batch, painted)
        terms["texture"] = w.texture * self._texture(batch, painted)
        terms["colour"] = w.colour * (moments(painted) - moments(batch.style)).abs().mean()
        terms["palette"] = w.palette * sliced_palette_distance(painted, batch.style, self.generator).mean()
        same = (painted - batch.content).abs().mean(dim=(1, 2, 3))
        terms["identity"] = w.identity * (same * batch.identity).sum() / len(same)
        terms["consistency"] = w.consistency * shifted_difference(painted, painted_perturbed, batch.shift)
        terms["variation"] = w.variation * total_variation(painted)
        terms["fringe"] = w.fringe * fringe_distance(painted, batch.style).mean()
        return terms

    def _style_and_content(self, batch: Batch, painted: Tensor) -> dict[str, Tensor]:
        w = self.weights
        changed = 1 - batch.identity
        style, grams = painted.new_zeros(len(painted)), painted.new_zeros(len(painted))
        content, raw = style.clone(), style.clone()
        for scale in (1, 2):
            pictures = [F.avg_pool2d(p, scale) if scale > 1 else p for p in (painted, batch.style, batch.content)]
            of = self.distilled(pictures[0], WANTED)
            with torch.no_grad():
                to = self.distilled(pictures[1], STYLE_WANTED)
            share = 0.6 if scale == 1 else 0.4
            total = sum(MOMENT_LAYERS.values())
            for name, weight in MOMENT_LAYERS.items():
                style = style + share * weight / total * relative_distance(moments(of[name]), moments(to[name]))
            for name in GRAM_LAYERS:
                grams = grams + share / len(GRAM_LAYERS) * relative_distance(gram(of[name]), gram(to[name]))
            if scale == 1:
                with torch.no_grad():
                    same = self.distilled(pictures[2], tuple(CONTENT_LAYERS))
                total = sum(CONTENT_LAYERS.values())
                for name, weight in CONTENT_LAYERS.items():
                    content = content + weight / total * normalised_difference(of[name], same[name])
                raw = relative_distance(of["lifted4_1"].float(), same["lifted4_1"].float())
                vectors = [torch.cat([moments(f[name]) for name in CONTRAST_LAYERS], dim=1) for f in (of, to)]
                contrast = contrastive(vectors[0], vectors[1], self.queue.others())
                self.queue.push(vectors[1])
        return {
            "style": w.style * style.mean(),
            "gram": w.gram * grams.mean(),
            "content": w.content * content.mean(),
            "raw_content": w.raw_content * (raw * changed).mean(),
            "contrast": w.contrast * contrast,
        }

    def _texture(self, batch: Batch, painted: Tensor) -> Tensor:
        """Moments through the VGG-16 stem on random quarters of the pictures, squared so that crops stay unbiased."""
        size = painted.shape[-1] // 2

        def crop(pictures: Tensor) -> Tensor:
            top, left = torch.randint(pictures.shape[-1] - size + 1, (2,), generator=self.generator).tolist()
            return pictures[:, :, top : top + size, left : left + size]

        of = self.stem(crop(painted))
        with torch.no_grad():
            to = self.stem(crop(batch.style))
        distances = [relative_distance(moments(of[name]), moments(to[name])).square() for name in of]
        return torch.stack(distances).mean()


def shifted_difference(painted: Tensor, perturbed: Tensor, shift: tuple[int, int], margin: int = 8) -> Tensor:
    """Mean absolute difference of (B, 3, H, W) and the same pictures painted after a shift (down, right), px."""
    down, right = shift
    height, width = painted.shape[-2:]
    rows = slice(margin, height - margin - abs(down))
    columns = slice(margin, width - margin - abs(right))
    original = torch.roll(painted, (down, right), (2, 3))
    keep_rows = slice(rows.start + abs(down), rows.stop)
    keep_columns = slice(columns.start + abs(right), columns.stop)
    return (original - perturbed)[:, :, keep_rows, keep_columns].abs().mean()


def total_variation(pictures: Tensor) -> Tensor:
    """Mean absolute difference of neighbouring pixels."""
    return (pictures.diff(dim=2).abs().mean() + pictures.diff(dim=3).abs().mean()) / 2


def colour_edges(pictures: Tensor) -> Tensor:
    """Mean and root mean square of the gradient of the chroma (RGB minus luma) of (B, 3, H, W), (B, 2)."""
    chroma = pictures - luma(pictures)
    square = (chroma.diff(dim=2)[..., :-1].square() + chroma.diff(dim=3)[:, :, :-1].square()).sum(1)
    return torch.stack([(square + 1e-8).sqrt().mean((1, 2)), (square.mean((1, 2)) + 1e-8).sqrt()], dim=1)


def fringe_distance(painted: Tensor, style: Tensor) -> Tensor:
    """How much stronger or weaker the colours change from pixel to pixel than in the style, at two scales, (B,).

    The loss networks hardly see thin seams of red and blue along an edge of light and dark: without this term a
    network comes to paint them, with half as much again of such change as the paintings have."""
    distance = painted.new_zeros(len(painted))
    for scale in (1, 2):
        of, to = (colour_edges(F.avg_pool2d(p, scale) if scale > 1 else p) for p in (painted, style))
        distance = distance + ((of - to).abs() / (to + 0.004)).mean(1) / 2
    return distance
