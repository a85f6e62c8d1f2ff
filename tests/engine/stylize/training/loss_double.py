"""Stands in for the loss networks, whose weights aren't part of the project."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SmallFeatures(nn.Module):
    """The layer names of the frozen loss networks, with few random filters."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.filters = nn.Parameter(torch.randn(6, 3, 3, 3, generator=generator), requires_grad=False)

    def forward(self, picture: Tensor, wanted: tuple[str, ...] = ("stem1_1", "stem2_1")) -> dict[str, Tensor]:
        x = torch.relu(nn.functional.conv2d(picture, self.filters, padding=1))
        return {name: nn.functional.avg_pool2d(x, 2 ** (int(name[-3]) - 1)) for name in wanted}
