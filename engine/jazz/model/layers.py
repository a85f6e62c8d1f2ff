"""What the networks share beside the transformer block: how chords, settings and time are read."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from engine.jazz.corpus.solos import FEELS, INSTRUMENTS, STYLES
from engine.jazz.model.changes import BEATS_IN_BAR, NEXT_LIMIT, NO_ROOT, ROOTS
from engine.jazz.model.excerpt import Excerpt, Setting
from engine.jazz.theory.chords import QUALITIES

TEMPOS = 24


class ChordReader(nn.Module):
    """Embeds the chord over an event and the next one: (B, T) of an `Excerpt` -> (B, T, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.root = nn.Embedding(ROOTS, width)
        self.quality = nn.Embedding(len(QUALITIES), width)
        self.next_step = nn.Embedding(ROOTS, width)
        self.next_quality = nn.Embedding(len(QUALITIES), width)
        self.to_next = nn.Embedding(NEXT_LIMIT + 1, width)
        self.tones = nn.Linear(24, width, bias=False)

    def forward(self, x: Excerpt) -> Tensor:
        step = torch.where(
            (x.root < NO_ROOT) & (x.next_root < NO_ROOT), (x.next_root - x.root) % 12, torch.full_like(x.root, NO_ROOT)
        )
        return (
            self.root(x.root) + self.quality(x.quality) + self.next_step(step) + self.next_quality(x.next_quality)
            + self.to_next(x.to_next) + self.tones(x.tones)
        )  # fmt: skip


class SettingReader(nn.Module):
    """Embeds a `Setting`: -> (B, width). In training each entry is now and then withheld."""

    def __init__(self, width: int, performers: int, withheld: float = 0.15) -> None:
        super().__init__()
        self.tables = nn.ModuleDict({
            "instrument": nn.Embedding(len(INSTRUMENTS) + 1, width),
            "style": nn.Embedding(len(STYLES) + 1, width),
            "feel": nn.Embedding(len(FEELS) + 1, width),
            "performer": nn.Embedding(performers + 1, width),
        })  # fmt: skip
        self.metre = nn.Embedding(BEATS_IN_BAR + 1, width)
        self.tempo = nn.Linear(TEMPOS, width)
        self.withheld = withheld
        self.register_buffer("tempo_centres", torch.linspace(math.log(40.0), math.log(360.0), TEMPOS), persistent=False)

    tempo_centres: Tensor

    def forward(self, setting: Setting) -> Tensor:
        distance = (setting.tempo_bpm.log()[:, None] - self.tempo_centres) / (math.log(9.0) / (TEMPOS - 1))
        total = self.tempo(torch.exp(-0.5 * distance**2)) + self.metre(setting.beats_per_bar)
        for name, table in self.tables.items():
            known = getattr(setting, name)
            if self.training:
                known = known * (torch.rand(known.shape, device=known.device) >= self.withheld)
            total = total + table(known)
        return total


class TwoClocks(nn.Module):
    """Rotary positions (Su et al., RoFormer, 2021) on two clocks: half of the heads count events, half count beats, so
    that a head can look "three notes ago" or "four bars ago"."""

    frequencies: Tensor

    def __init__(self, heads: int, head_width: int) -> None:
        super().__init__()
        half = head_width // 2
        by_event = 1.0 / 1000.0 ** (torch.arange(half) / half)
        by_beat = 2 * math.pi / torch.logspace(0, math.log2(256.0), half, base=2.0)
        clocks = [by_event if head < heads // 2 else by_beat for head in range(heads)]
        self.register_buffer("frequencies", torch.stack(clocks), persistent=False)
        self.heads = heads

    def forward(self, index: Tensor, beats: Tensor) -> tuple[Tensor, Tensor]:
        """`index`, `beats` (B, T) -> cosines and sines, each (B, heads, T, head width / 2)."""
        clock = torch.where(
            (torch.arange(self.heads, device=index.device) < self.heads // 2)[None, :, None],
            index.float()[:, None, :],
            beats.float()[:, None, :],
        )
        angles = clock[..., None] * self.frequencies[None, :, None, :]
        return angles.cos(), angles.sin()


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Turn the pairs of the last dimension of x (..., B, heads, T, D) by the angles of `turn`."""
    a, b = x.chunk(2, dim=-1)
    cos, sin = turn[0].to(x.dtype), turn[1].to(x.dtype)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


def init_weights(module: nn.Module) -> None:
    """Normal weights of 0.02 (Radford et al., GPT-2), zero biases."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
