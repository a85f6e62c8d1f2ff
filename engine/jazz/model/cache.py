"""What the transformers remember while they play: keys and values of past events."""

from __future__ import annotations

from torch import Tensor


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
