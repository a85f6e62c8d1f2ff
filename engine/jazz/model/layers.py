"""The transformer block that the soloist's networks share."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Cache:
    """Keys and values of past events, one buffer a block (B, heads, capacity, head width), which grows by doubling."""

    def __init__(self, blocks: int, capacity: int = 128) -> None:
        self.capacity = capacity
        self.keys: list[Tensor | None] = [None] * blocks
        self.values: list[Tensor | None] = [None] * blocks
        self.lengths = [0] * blocks

    def extend(self, block: int, key: Tensor, value: Tensor, window: int) -> tuple[Tensor, Tensor]:
        """Add the newest events (B, heads, T, D); returns the last `window` ones with them (T at least)."""
        length, added = self.lengths[block], key.shape[2]
        keys, values = self.keys[block], self.values[block]
        needed = length + added
        if keys is None or values is None or needed > keys.shape[2]:
            capacity = max(self.capacity, 2 * needed)
            grown = [key.new_empty(*key.shape[:2], capacity, key.shape[3]) for _ in range(2)]
            if keys is not None and values is not None:
                grown[0][:, :, :length], grown[1][:, :, :length] = keys[:, :, :length], values[:, :, :length]
            keys, values = self.keys[block], self.values[block] = grown[0], grown[1]
        keys[:, :, length:needed], values[:, :, length:needed] = key, value
        self.lengths[block] = needed
        first = max(0, needed - max(window, added))
        return keys[:, :, first:needed], values[:, :, first:needed]

    def keep(self, rows: Tensor, slots: Tensor | None = None) -> None:
        """Go on with copies of the batch rows `rows` (B,), of each only with its events `slots` (B, S), in order."""
        for block, (keys, values) in enumerate(zip(self.keys, self.values, strict=True)):
            if keys is None or values is None:
                continue
            length = self.lengths[block]
            kept = [past[rows, :, :length] for past in (keys, values)]
            if slots is not None:
                index = slots[:, None, :, None].expand(-1, keys.shape[1], -1, keys.shape[3])
                kept = [past.gather(2, index) for past in kept]
            self.keys[block], self.values[block] = kept
            self.lengths[block] = kept[0].shape[2]


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


class Block(nn.Module):
    """Pre-norm attention and feed-forward (B, T, C) -> (B, T, C), causal or not."""

    def __init__(self, width: int, heads: int, dropout: float, causal: bool = True) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        turn: tuple[Tensor, Tensor],
        cache: Cache | None = None,
        number: int = 0,
        window: int = 0,
        mask: Tensor | None = None,
    ) -> Tensor:
        """With a `cache`, x holds only the new events; they see what is cached, at most `window` events back. `mask`
        (B, 1, 1, T) is True where a key may be looked at (for the blocks that are not causal)."""
        batch, time, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, time, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        (q, k), v = rotate(qkv[:2], turn), qkv[2]
        if cache is not None:
            k, v = cache.extend(number, k, v, window or 1 << 30)
        alone = time == 1 and cache is not None
        if cache is not None and 1 < time < k.shape[2]:
            raise ValueError("a cache is filled at once, then one event at a time")
        mixed = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=self.causal and not alone and mask is None
        )
        x = x + self.dropout(self.out(mixed.transpose(1, 2).reshape(batch, time, width)))
        return x + self.dropout(self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh")))


def init_weights(module: nn.Module) -> None:
    """Normal weights of 0.02 (Radford et al., GPT-2), zero biases."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
