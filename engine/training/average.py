"""An average of a network's weights over its training, which is what gets measured and kept."""

from __future__ import annotations

import torch
from torch import nn


class Average:
    """Exponential moving average of a network's weights; while it is young it forgets faster, so that the weights of
    the very first steps don't linger.

    `weights`: the averaged state dictionary. Entries that are not floating-point (counters) are copied."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights after step number `step`, counted from 0."""
        decay = min(self.decay, (step + 1) / (step + 10))
        current = network.state_dict()
        floating = [name for name, value in current.items() if value.is_floating_point()]
        torch._foreach_lerp_([self.weights[name] for name in floating], [current[name] for name in floating], 1 - decay)
        for name in current.keys() - set(floating):
            self.weights[name].copy_(current[name])
