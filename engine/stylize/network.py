"""The arbitrary-style network: one picture's content, any other picture's style, one pass.

    photo  ──> content encoder ──> features at 1/2, 1/4, 1/8 ──> AdaIN ──> styled decoder ──> picture
    style  ──> style encoder ──> code (96 numbers)  ──> scales and shifts of every AdaIN and styled convolution ─┘

The content's instance statistics are taken in the encoder only, never in the decoder: whoever knows them may paint
the picture in tiles, or the frames of a film one by one, and gets exactly what the whole picture would have given.

Sources: AdaIN, Huang & Belongie, ICCV 2017; a code that conditions every layer, Ghiasi et al., BMVC 2017; styled
convolutions by scaling the input channels, Karras et al., CVPR 2020 (StyleGAN2); two depths of modulation in a small
network, Wang et al., AAAI 2023 (MicroAST); space-to-depth instead of a wide first convolution, Shi et al., CVPR 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STATISTICS_EPSILON = 1e-4
"""Added to a variance before the root: features live in about 0..3, so flat areas stay flat instead of NaN."""


LEAK = 0.1
"""Slope of both encoders and of the decoder's coarse levels below zero, where a plain ReLU cost twice what it saves.
On the decoder's trunk all its units died early in training, and both coarse levels with them, while the figures went
on improving. In the encoder a quarter of the channels at 1/8 were never on, and those that seldom were came out of
AdaIN, which divides by their deviation, as blots thirty deviations high."""


@dataclass(frozen=True)
class Shape:
    """Widths of the network; the defaults are those of the committed weights."""

    half: int = 32
    quarter: int = 64
    eighth: int = 64
    eighth_blocks: int = 3
    style: tuple[int, int, int] = (32, 64, 96)
    code: int = 96
    full: int = 8


class Statistics(NamedTuple):
    """Per-channel mean and standard deviation of a feature map, each (B, C, 1, 1), float32."""

    mean: Tensor
    sd: Tensor


class Features(NamedTuple):
    """Content features, (B, C, H/2, W/2), (B, C, H/4, W/4), (B, C, H/8, W/8)."""

    half: Tensor
    quarter: Tensor
    eighth: Tensor


ContentStatistics = tuple[Statistics, Statistics, Statistics]
"""Of the content features at 1/2, 1/4 and 1/8."""


def instance_statistics(features: Tensor) -> Statistics:
    """Mean and biased standard deviation over the positions of (B, C, H, W), in float32."""
    features = features.float()
    return statistics_of_moments(
        features.mean(dim=(2, 3), keepdim=True), features.square().mean(dim=(2, 3), keepdim=True)
    )


def statistics_of_moments(mean: Tensor, mean_square: Tensor) -> Statistics:
    """Statistics from the means of the values and of their squares; tiles add those up, so one formula serves both."""
    variance = (mean_square - mean.square()).clamp(min=0)
    return Statistics(mean, (variance + STATISTICS_EPSILON).sqrt())


def adaptive_instance_norm(features: Tensor, content: Statistics, scale: Tensor, shift: Tensor) -> Tensor:
    """AdaIN (Huang & Belongie 2017, eq. 8): (B, C, H, W) with its own statistics taken off and the style's put on.

    `scale` and `shift` are (B, C). Folded into one multiplication and one addition a value."""
    gain = scale[:, :, None, None] / content.sd
    return features * gain.to(features.dtype) + (shift[:, :, None, None] - content.mean * gain).to(features.dtype)


class Convolution(nn.Conv2d):
    """A convolution padded by reflection (zeros would draw a frame around every picture)."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, size, stride, size // 2, groups=groups, padding_mode="reflect")
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        if self.bias is not None:
            nn.init.zeros_(self.bias)


def soften(x: Tensor) -> Tensor:
    """Binomial 3x3 blur of (B, C, H, W), as two 2x2 means, before a stride: what is finer than the coarser grid would
    come back as blots whose place depends on where the grid lies (Zhang, "Making convolutional networks
    shift-invariant again", ICML 2019)."""
    return F.avg_pool2d(F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), 2, stride=1), 2, stride=1)


class DepthwiseBlock(nn.Module):
    """5x5 depthwise, 1x1 pointwise: a wide view for few operations. Residual where the shape stays."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.spatial = Convolution(inputs, inputs, 5, stride, groups=inputs)
        self.pointwise = Convolution(inputs, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H/stride, W/stride); `scale` (B, inputs), `shift` (B, outputs)."""
        y = self.spatial(x)
        if scale is not None:
            y = y * (1 + scale[:, :, None, None]).to(y.dtype)
        y = self.pointwise(F.leaky_relu(y, LEAK))
        if shift is not None:
            y = y + shift[:, :, None, None].to(y.dtype)
        return x + y if self.residual else F.leaky_relu(y, LEAK)


class StyledConvolution(nn.Module):
    """A 3x3 convolution whose input channels are weighed, and output channels shifted, by the style's code."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = Convolution(inputs, outputs)

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """(B, inputs, H, W), (B, inputs), (B, outputs) -> (B, outputs, H, W), before the activation."""
        y = self.convolution(x * (1 + scale[:, :, None, None]).to(x.dtype))
        return y + shift[:, :, None, None].to(y.dtype)


class ContentEncoder(nn.Module):
    """What is in the photo, at three scales; plain convolutions, no normalisation."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.to_half = Convolution(12, shape.half)
        self.to_quarter = Convolution(shape.half, shape.quarter, stride=2)
        self.to_eighth = DepthwiseBlock(shape.quarter, shape.eighth, stride=2)
        self.eighth_context = DepthwiseBlock(shape.eighth, shape.eighth)

    def forward(self, photo: Tensor) -> Features:
        """(B, 3, H, W) in [0, 1], H and W multiples of 8 -> `Features`."""
        half = F.leaky_relu(self.to_half(F.pixel_unshuffle(photo - 0.5, 2)), LEAK)
        quarter = F.leaky_relu(self.to_quarter(soften(half)), LEAK)
        eighth = F.leaky_relu(self.eighth_context(self.to_eighth(soften(quarter))), LEAK)
        return Features(half, quarter, eighth)


class StyleEncoder(nn.Module):
    """A picture's style as a code: what is where is thrown away, the statistics at three scales stay."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        narrow, middle, wide = shape.style
        self.to_half = Convolution(12, narrow)
        self.to_quarter = Convolution(narrow, middle, stride=2)
        self.to_eighth = DepthwiseBlock(middle, wide, stride=2)
        self.eighth_context = DepthwiseBlock(wide, wide)
        statistics = 2 * (narrow + middle + wide)
        self.norm = nn.LayerNorm(statistics)
        self.code = nn.Linear(statistics, shape.code)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1], sides multiples of 8 -> code (B, shape.code), float32."""
        half = F.leaky_relu(self.to_half(F.pixel_unshuffle(picture - 0.5, 2)), LEAK)
        quarter = F.leaky_relu(self.to_quarter(half), LEAK)
        eighth = F.leaky_relu(self.eighth_context(self.to_eighth(quarter)), LEAK)
        seen = [instance_statistics(features) for features in (half, quarter, eighth)]
        with torch.autocast(picture.device.type, enabled=False):
            flat = torch.cat([torch.cat([s.mean, s.sd], dim=1).flatten(1) for s in seen], dim=1)
            return F.silu(self.code(self.norm(flat)))


class StyleNetwork(nn.Module):
    """Encoders, the map from a code to all modulations, and the styled decoder."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or Shape()
        self.content_encoder = ContentEncoder(shape)
        self.style_encoder = StyleEncoder(shape)
        blocks = [DepthwiseBlock(shape.eighth, shape.eighth) for _ in range(shape.eighth_blocks)]
        for block in blocks:  # a stack of residual blocks begins near the identity
            nn.init.normal_(block.pointwise.weight, std=0.02)
        self.eighth_blocks = nn.ModuleList(blocks)
        self.quarter_merge = StyledConvolution(shape.quarter, shape.quarter)
        self.quarter_first = StyledConvolution(shape.quarter, shape.quarter)
        self.quarter_second = StyledConvolution(shape.quarter, shape.quarter)
        for coarse in (self.quarter_merge, self.quarter_second):
            nn.init.normal_(coarse.convolution.weight, std=0.01)
        self.narrow = Convolution(shape.quarter, shape.half, 1)
        self.half_first = StyledConvolution(shape.half, shape.half)
        self.half_second = StyledConvolution(shape.half, shape.half)
        self.unfold = StyledConvolution(shape.half, 4 * shape.full)
        self.full = Convolution(shape.full, shape.full)
        self.rgb = Convolution(shape.full, 3)

        h, q, e = shape.half, shape.quarter, shape.eighth
        self.modulation_sizes = (
            [h, h, q, q, e, e]  # scale and shift of the three AdaINs
            + [e] * (2 * shape.eighth_blocks)
            + [q] * 6  # three styled convolutions at 1/4
            + [h] * 4  # two at 1/2
            + [h, 4 * shape.full]
        )
        self.modulate = nn.Linear(shape.code, sum(self.modulation_sizes))
        nn.init.normal_(self.modulate.weight, std=0.5 * shape.code**-0.5)
        nn.init.zeros_(self.modulate.bias)
        # Neighbouring pixels begin with the same weights: no checkerboard from the pixel shuffle
        # (Aitken et al. 2017, "Checkerboard artifact free sub-pixel convolution").
        with torch.no_grad():
            weight = self.unfold.convolution.weight
            weight.copy_(weight[::4].repeat_interleave(4, dim=0))
            self.rgb.weight.mul_(0.3)

    def encode_style(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1], sides multiples of 8, at least 16 -> code (B, code), float32."""
        return self.style_encoder(picture)

    def encode_content(self, photo: Tensor) -> Features:
        """(B, 3, H, W) in [0, 1], sides multiples of 8, at least 24 -> `Features`."""
        return self.content_encoder(photo)

    @staticmethod
    def statistics(features: Features) -> ContentStatistics:
        """Instance statistics of every level."""
        return (
            instance_statistics(features.half),
            instance_statistics(features.quarter),
            instance_statistics(features.eighth),
        )

    def paint(self, features: Features, content: ContentStatistics, code: Tensor) -> Tensor:
        """Features (1/2, 1/4, 1/8), their instance statistics, code (B, code) -> picture (B, 3, H, W) in [0, 1]."""
        with torch.autocast(code.device.type, enabled=False):
            modulations = iter(self.modulate(code.float()).split(self.modulation_sizes, dim=1))

        def normalised(level: int) -> Tensor:
            scale, shift = next(modulations), next(modulations)
            return adaptive_instance_norm(features[level], content[level], 1 + scale, shift)

        half, quarter, eighth = normalised(0), normalised(1), normalised(2)
        for block in self.eighth_blocks:
            eighth = block(eighth, next(modulations), next(modulations))
        quarter = quarter + F.interpolate(eighth, scale_factor=2, mode="bilinear")
        quarter = quarter + self.quarter_merge(quarter, next(modulations), next(modulations))
        y = F.leaky_relu(self.quarter_first(quarter, next(modulations), next(modulations)), LEAK)
        quarter = quarter + self.quarter_second(y, next(modulations), next(modulations))
        half = half + F.interpolate(self.narrow(quarter), scale_factor=2, mode="bilinear")
        y = F.relu(self.half_first(half, next(modulations), next(modulations)))
        half = half + self.half_second(y, next(modulations), next(modulations))
        full = F.pixel_shuffle(F.relu(self.unfold(F.relu(half), next(modulations), next(modulations))), 2)
        # A 2x2 mean after the shuffle: whatever differs between odd and even pixels, and would be a mesh over every
        # flat area, is gone (Sugawara et al. 2019, "Checkerboard artifacts free CNNs").
        full = F.avg_pool2d(F.pad(full, (1, 0, 1, 0), mode="replicate"), 2, stride=1)
        full = F.relu(self.full(full))
        with torch.autocast(code.device.type, enabled=False):  # 8 bits of mantissa would show as bands in a sky
            return torch.sigmoid(self.rgb(full.float()))

    def forward(self, photo: Tensor, style: Tensor, of: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Photos (N, 3, H, W) and style pictures (B, 3, h, w) -> pictures (N, 3, H, W) and codes (B, code).

        `of` (N,) names each photo's style; without it photo i is painted in style i."""
        code = self.encode_style(style)
        features = self.encode_content(photo)
        return self.paint(features, self.statistics(features), code if of is None else code[of]), code
