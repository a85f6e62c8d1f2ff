"""The arbitrary-style network: one picture's content, any other picture's style, one pass.

    photo  ──> content encoder ──> features at 1/2, 1/4, 1/8, 1/16, 1/32 ──> AdaIN ──> styled decoder ──> picture
    style  ──> style encoder ──> code (96 numbers)  ──> scales and shifts of every AdaIN and styled convolution ─┘

The decoder works from coarse to fine. `paint_coarse` decides the large forms and the palette at 1/32 .. 1/8 of the
size, for next to nothing a pixel, so the whole picture is at hand there however large it is; `paint_fine` draws.

The content's instance statistics are taken in the encoder only, never in the decoder: whoever knows them may paint
the picture in tiles, or the frames of a film one by one, and gets exactly what the whole picture would have given.

A style is encoded at the size at which it is looked at: the statistics of a painting of 1024 px say that its strokes
are four times as wide as those of the same painting at 256 px, and so a code says how large strokes are.

Sources: AdaIN, Huang & Belongie, ICCV 2017; a code that conditions every layer, Ghiasi et al., BMVC 2017; styled
convolutions by scaling the input channels, Karras et al., CVPR 2020 (StyleGAN2); two depths of modulation in a small
network, Wang et al., AAAI 2023 (MicroAST); space-to-depth instead of a wide first convolution, Shi et al., CVPR 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STATISTICS_EPSILON = 1e-4
"""Added to a variance before the root: features live in about 0..3, so flat areas stay flat instead of NaN."""


Padding = Literal["reflect", "replicate"]

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
    sixteenth: int = 96
    sixteenth_blocks: int = 3
    thirty_second: int = 96
    thirty_second_blocks: int = 2
    style: tuple[int, int, int] = (32, 64, 96)
    code: int = 96
    full: int = 8


class Statistics(NamedTuple):
    """Per-channel mean and standard deviation of a feature map, each (B, C, 1, 1), float32."""

    mean: Tensor
    sd: Tensor


class Features(NamedTuple):
    """Content features, (B, C, H/2, W/2) .. (B, C, H/8, W/8), and (B, C, ceil(H/16), ..), (B, C, ceil(H/32), ..)."""

    half: Tensor
    quarter: Tensor
    eighth: Tensor
    sixteenth: Tensor
    thirty_second: Tensor


ContentStatistics = tuple[Statistics, Statistics, Statistics, Statistics, Statistics]
"""Of the content features at 1/2, 1/4, 1/8, 1/16 and 1/32."""


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
    offset = shift[:, :, None, None] - content.mean * gain
    return torch.addcmul(offset.to(features.dtype), features, gain.to(features.dtype))


class Convolution(nn.Conv2d):
    """A convolution padded by reflection (zeros would draw a frame around every picture)."""

    def __init__(
        self, inputs: int, outputs: int, size: int = 3, stride: int = 1, groups: int = 1, padding: Padding = "reflect"
    ) -> None:
        super().__init__(inputs, outputs, size, stride, size // 2, groups=groups, padding_mode=padding)
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, gain: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H/stride, W/stride). With `gain` (inputs,) and `shift` (outputs,): what it
        would give for `x * gain`, plus `shift`. Both go into the weights, which costs nothing a pixel."""
        weight = self.weight if gain is None else self.weight * gain[:, None, None]
        return self._conv_forward(x, weight, self.bias if shift is None or self.bias is None else self.bias + shift)


def leaky(x: Tensor) -> Tensor:
    """Leaky ReLU in place: what it's given comes fresh from a sum or a convolution, and nobody needs it any more. At
    1/2 of a large picture each new map costs as much as a third of a convolution, for the memory alone."""
    return F.leaky_relu_(x, LEAK)


def soften(x: Tensor) -> Tensor:
    """Binomial 3x3 blur of (B, C, H, W), as two 2x2 means, before a stride: what is finer than the coarser grid would
    come back as blots whose place depends on where the grid lies (Zhang, "Making convolutional networks
    shift-invariant again", ICML 2019)."""
    return F.avg_pool2d(F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), 2, stride=1), 2, stride=1)


def halved(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, ceil(H/2), ceil(W/2)), blurred with (1 3 3 1)/8 along both sides first: the coarse grid's
    points lie in the middle of what they stand for, where `doubled` expects them."""
    blurred = F.avg_pool2d(F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 2, stride=1), 2, stride=1)
    return F.avg_pool2d(blurred, 2, ceil_mode=True)


def doubled(x: Tensor, like: Tensor) -> Tensor:
    """(B, C, H, W) at twice the size, cut to the height and width of `like`."""
    return F.interpolate(x, scale_factor=2, mode="bilinear")[:, :, : like.shape[2], : like.shape[3]]


class DepthwiseBlock(nn.Module):
    """5x5 depthwise, 1x1 pointwise: a wide view for few operations. Residual where the shape stays.

    Coarse maps may be smaller than what a reflection needs, so there the rim is repeated (`padding` "replicate")."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, padding: Padding = "reflect") -> None:
        super().__init__()
        self.spatial = Convolution(inputs, inputs, 5, stride, groups=inputs, padding=padding)
        self.pointwise = Convolution(inputs, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H/stride, W/stride); `scale` (B, inputs), `shift` (B, outputs)."""
        y = self.spatial(x)
        if scale is not None:
            y = y * (1 + scale[:, :, None, None]).to(y.dtype)
        y = self.pointwise(leaky(y))
        if shift is not None:
            y = y + shift[:, :, None, None].to(y.dtype)
        return x + y if self.residual else leaky(y)


class StyledConvolution(nn.Module):
    """A 3x3 convolution whose input channels are weighed, and output channels shifted, by the style's code."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = Convolution(inputs, outputs)

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """(B, inputs, H, W), (B or 1, inputs), (B or 1, outputs) -> (B, outputs, H, W), before the activation."""
        if len(scale) == 1:  # one style for all
            return self.convolution(x, 1 + scale[0], shift[0])
        y = self.convolution(x * (1 + scale[:, :, None, None]).to(x.dtype))
        return y + shift[:, :, None, None].to(y.dtype)


class ContentEncoder(nn.Module):
    """What is in the photo, at five scales; plain convolutions, no normalisation."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.to_half = Convolution(12, shape.half)
        self.to_quarter = Convolution(shape.half, shape.quarter, stride=2)
        self.to_eighth = DepthwiseBlock(shape.quarter, shape.eighth, stride=2)
        self.eighth_context = DepthwiseBlock(shape.eighth, shape.eighth)
        self.to_sixteenth = DepthwiseBlock(shape.eighth, shape.sixteenth, padding="replicate")
        self.sixteenth_context = DepthwiseBlock(shape.sixteenth, shape.sixteenth, padding="replicate")
        self.to_thirty_second = DepthwiseBlock(shape.sixteenth, shape.thirty_second, padding="replicate")
        self.thirty_second_context = DepthwiseBlock(shape.thirty_second, shape.thirty_second, padding="replicate")

    def finest(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) in [0, 1], H and W multiples of 8 -> features at 1/2 and 1/4."""
        half = leaky(self.to_half(F.pixel_unshuffle(photo - 0.5, 2)))
        return half, leaky(self.to_quarter(soften(half)))

    def middle(self, quarter: Tensor) -> Tensor:
        """Features at 1/4 -> those at 1/8."""
        return leaky(self.eighth_context(self.to_eighth(soften(quarter))))

    def coarse(self, eighth: Tensor) -> tuple[Tensor, Tensor]:
        """Features at 1/8 -> those at 1/16 and 1/32."""
        sixteenth = leaky(self.sixteenth_context(self.to_sixteenth(halved(eighth))))
        thirty_second = leaky(self.thirty_second_context(self.to_thirty_second(halved(sixteenth))))
        return sixteenth, thirty_second

    def forward(self, photo: Tensor) -> Features:
        """(B, 3, H, W) in [0, 1], H and W multiples of 8 -> `Features`."""
        half, quarter = self.finest(photo)
        eighth = self.middle(quarter)
        return Features(half, quarter, eighth, *self.coarse(eighth))


class StyleEncoder(nn.Module):
    """A picture's style as a code: what is where is thrown away, the statistics at five scales stay."""

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
        self.to_sixteenth = DepthwiseBlock(wide, wide, padding="replicate")
        self.to_thirty_second = DepthwiseBlock(wide, wide, padding="replicate")
        self.coarse_norm = nn.LayerNorm(4 * wide)
        self.coarse_code = nn.Linear(4 * wide, shape.code)
        nn.init.normal_(self.coarse_code.weight, std=0.01)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1], sides multiples of 8 -> code (B, shape.code), float32."""
        half = leaky(self.to_half(F.pixel_unshuffle(picture - 0.5, 2)))
        quarter = leaky(self.to_quarter(half))
        eighth = leaky(self.eighth_context(self.to_eighth(quarter)))
        sixteenth = leaky(self.to_sixteenth(halved(eighth)))
        thirty_second = leaky(self.to_thirty_second(halved(sixteenth)))
        with torch.autocast(picture.device.type, enabled=False):
            fine, coarse = (
                torch.cat([part for level in levels for part in instance_statistics(level)], dim=1).flatten(1)
                for levels in ((half, quarter, eighth), (sixteenth, thirty_second))
            )
            return F.silu(self.code(self.norm(fine)) + self.coarse_code(self.coarse_norm(coarse)))


def coarse_blocks(count: int, width: int) -> nn.ModuleList:
    """Residual blocks of the levels that see a whole picture at once; a stack of them begins near the identity."""
    blocks = [DepthwiseBlock(width, width, padding="replicate") for _ in range(count)]
    for block in blocks:
        nn.init.normal_(block.pointwise.weight, std=0.02)
    return nn.ModuleList(blocks)


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
        self.sixteenth_blocks = coarse_blocks(shape.sixteenth_blocks, shape.sixteenth)
        self.thirty_second_blocks = coarse_blocks(shape.thirty_second_blocks, shape.thirty_second)
        self.thirty_second_up = Convolution(shape.thirty_second, shape.sixteenth, 1)
        self.sixteenth_up = Convolution(shape.sixteenth, shape.eighth, 1)
        nn.init.normal_(self.sixteenth_up.weight, std=0.003)
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
        c, t = shape.sixteenth, shape.thirty_second
        self.coarse_sizes = [c, c, t, t] + [t] * (2 * shape.thirty_second_blocks) + [c] * (2 * shape.sixteenth_blocks)
        self.modulate_coarse = nn.Linear(shape.code, sum(self.coarse_sizes))
        nn.init.normal_(self.modulate_coarse.weight, std=0.5 * shape.code**-0.5)
        nn.init.zeros_(self.modulate_coarse.bias)
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
        half, quarter, eighth, sixteenth, thirty_second = (instance_statistics(level) for level in features)
        return half, quarter, eighth, sixteenth, thirty_second

    def modulations(self, code: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Code (B, code) -> scales and shifts of the finer and of the coarser layers, (B, channels) each."""
        with torch.autocast(code.device.type, enabled=False):
            fine = self.modulate(code.float()).split(self.modulation_sizes, dim=1)
            coarse = self.modulate_coarse(code.float()).split(self.coarse_sizes, dim=1)
        return list(fine), list(coarse)

    def paint(self, features: Features, content: ContentStatistics, code: Tensor) -> Tensor:
        """Features, their instance statistics, code (B, code) -> picture (B, 3, H, W) in [0, 1]."""
        eighth = self.paint_coarse(features.eighth, features.sixteenth, features.thirty_second, content, code)
        return self.paint_fine(features.half, features.quarter, eighth, content, code)

    def paint_coarse(
        self, eighth: Tensor, sixteenth: Tensor, thirty_second: Tensor, content: ContentStatistics, code: Tensor
    ) -> Tensor:
        """Features at 1/8, 1/16 and 1/32, the statistics of all levels, code (B, code) -> styled features at 1/8."""
        fine, coarse = self.modulations(code)
        blocks, given = iter(fine[6 : 6 + 2 * self.shape.eighth_blocks]), iter(coarse)
        y = adaptive_instance_norm(eighth, content[2], 1 + fine[4], fine[5])
        z = adaptive_instance_norm(sixteenth, content[3], 1 + next(given), next(given))
        x = adaptive_instance_norm(thirty_second, content[4], 1 + next(given), next(given))
        for block in self.thirty_second_blocks:
            x = block(x, next(given), next(given))
        z = z + doubled(self.thirty_second_up(x), z)
        for block in self.sixteenth_blocks:
            z = block(z, next(given), next(given))
        y = y + doubled(self.sixteenth_up(z), y)
        for block in self.eighth_blocks:
            y = block(y, next(blocks), next(blocks))
        return y

    def paint_fine(
        self, half: Tensor, quarter: Tensor, eighth: Tensor, content: ContentStatistics, code: Tensor
    ) -> Tensor:
        """Features at 1/2 and 1/4 and what `paint_coarse` gave at 1/8 -> picture (B, 3, H, W) in [0, 1]."""
        fine, _ = self.modulations(code)
        given = iter(fine[6 + 2 * self.shape.eighth_blocks :])
        half = adaptive_instance_norm(half, content[0], 1 + fine[0], fine[1])
        quarter = adaptive_instance_norm(quarter, content[1], 1 + fine[2], fine[3])
        quarter = quarter + F.interpolate(eighth, scale_factor=2, mode="bilinear")
        quarter = quarter + self.quarter_merge(quarter, next(given), next(given))
        y = leaky(self.quarter_first(quarter, next(given), next(given)))
        quarter = quarter + self.quarter_second(y, next(given), next(given))
        drawn = F.interpolate(self.narrow(quarter), scale_factor=2, mode="bilinear")
        half = drawn.add_(half.to(drawn.dtype))
        y = F.relu_(self.half_first(half, next(given), next(given)))
        half = self.half_second(y, next(given), next(given)).add_(half)
        full = F.pixel_shuffle(F.relu_(self.unfold(F.relu_(half), next(given), next(given))), 2)
        # A 2x2 mean after the shuffle: whatever differs between odd and even pixels, and would be a mesh over every
        # flat area, is gone (Sugawara et al. 2019, "Checkerboard artifacts free CNNs"). The row before the first is the
        # second: the first again would leave the mesh there, and drafts would make a frame of it.
        full = F.avg_pool2d(F.pad(full, (1, 0, 1, 0), mode="reflect"), 2, stride=1)
        full = F.relu_(self.full(full))
        with torch.autocast(code.device.type, enabled=False):  # 8 bits of mantissa would show as bands in a sky
            return torch.sigmoid(self.rgb(full.float()))

    def forward(
        self, photo: Tensor, style: Tensor, of: Tensor | None = None, more: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Photos (N, 3, H, W) and style pictures (B, 3, h, w) -> pictures (N, 3, H, W) and codes (B, code).

        `of` (N,) names each photo's style; without it photo i is painted in style i. `more` (N, code) is added to the
        codes that the photos are painted with."""
        code = self.encode_style(style)
        features = self.encode_content(photo)
        used = code if of is None else code.index_select(0, of)
        return self.paint(features, self.statistics(features), used if more is None else used + more), code
