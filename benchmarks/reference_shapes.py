"""The shapes of two published networks, with random weights: what `bench` times this room's network against.

Shapes only, written from the layer tables: MicroAST (Wang et al., AAAI 2023; 471,987 parameters) and the transformer
network of Johnson et al., ECCV 2016 (1,679,235 parameters, one network a style).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from engine.stylize.network import instance_statistics


def reflected(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, padding_mode="reflect")


def separable(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """A 3x3 grouped convolution between widths, then 1x1, each with ReLU."""
    groups = min(inputs, outputs)
    return nn.Sequential(
        reflected(inputs, outputs, 3, stride, groups), nn.ReLU(), nn.Conv2d(outputs, outputs, 1), nn.ReLU()
    )


class ModulatedResidual(nn.Module):
    """Two 3x3 convolutions of 64 channels; in the decoder their outputs are scaled by the style."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = reflected(64, 64, 3), reflected(64, 64, 3)

    def forward(self, x: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        y = self.first(x)
        if scale is None or shift is None:
            return x + self.second(F.relu(y))
        y = F.relu(scale * y + shift * x)
        return x + scale * self.second(y) + shift * y


class MicroASTEncoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(reflected(3, 16, 9), nn.ReLU(), separable(16, 32, 2), separable(32, 64, 2))
        self.first, self.second = ModulatedResidual(), ModulatedResidual()

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        shallow = self.first(self.stem(picture))
        return shallow, self.second(shallow)


class MicroASTShape(nn.Module):
    """Content encoder, style encoder, modulator and decoder; `style` caches what depends on the style alone."""

    def __init__(self) -> None:
        super().__init__()
        self.content_encoder, self.style_encoder = MicroASTEncoder(), MicroASTEncoder()
        self.modulator = nn.ModuleList(reflected(64, 64, 3, groups=64) for _ in range(4))
        self.first, self.second = ModulatedResidual(), ModulatedResidual()
        self.grow = separable(64, 32, 1)
        self.grow_again = separable(32, 16, 1)
        self.rgb = reflected(16, 3, 9)

    def style(self, picture: Tensor) -> tuple[tuple[Tensor, Tensor], list[Tensor]]:
        shallow, deep = self.style_encoder(picture)
        seen = (shallow, shallow, deep, deep)
        signals = [layer(x).mean((2, 3), keepdim=True) for layer, x in zip(self.modulator, seen, strict=True)]
        return (shallow, deep), signals

    def forward(self, photo: Tensor, style: tuple[tuple[Tensor, Tensor], list[Tensor]]) -> Tensor:
        (shallow, deep), signals = style
        x = self.first(_adain(self.content_encoder(photo)[1], deep), signals[2], signals[3])
        x = self.second(_adain(x, shallow), signals[0], signals[1])
        x = self.grow(F.interpolate(x, scale_factor=2, mode="bilinear"))
        x = self.grow_again(F.interpolate(x, scale_factor=2, mode="bilinear"))
        return self.rgb(x)


def _adain(content: Tensor, style: Tensor) -> Tensor:
    own, wanted = instance_statistics(content), instance_statistics(style)
    gain = wanted.sd / own.sd
    return content * gain + (wanted.mean - own.mean * gain)


class JohnsonResidual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = reflected(128, 128, 3), reflected(128, 128, 3)
        self.norm_first, self.norm_second = (nn.InstanceNorm2d(128, affine=True) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm_first(self.first(x)))
        return x + self.norm_second(self.second(y))


class JohnsonShape(nn.Module):
    """Down to 1/4 with 128 channels, five residual blocks, up again by nearest neighbour and convolution."""

    def __init__(self) -> None:
        super().__init__()

        def block(inputs: int, outputs: int, size: int, stride: int = 1) -> list[nn.Module]:
            return [reflected(inputs, outputs, size, stride), nn.InstanceNorm2d(outputs, affine=True), nn.ReLU()]

        self.layers = nn.Sequential(
            *block(3, 32, 9), *block(32, 64, 3, 2), *block(64, 128, 3, 2),
            *(JohnsonResidual() for _ in range(5)),
            nn.Upsample(scale_factor=2), *block(128, 64, 3),
            nn.Upsample(scale_factor=2), *block(64, 32, 3),
            reflected(32, 3, 9),
        )  # fmt: skip

    def forward(self, photo: Tensor) -> Tensor:
        out: Tensor = self.layers(photo)
        return out
