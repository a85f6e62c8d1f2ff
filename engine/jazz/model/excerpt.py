"""What the networks read: excerpts of solos as tensors, and what holds for a whole solo."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.jazz.model.tokens import ADVANCES

INTERVAL_LIMIT = 24
INTERVALS = 2 * INTERVAL_LIMIT + 2  # and "no note before"
NO_INTERVAL = INTERVALS - 1
TIMINGS = 2 * ADVANCES


@dataclass
class Setting:
    """What holds for a whole solo. Long tensors (B,); class 0 is "unknown" everywhere. `tempo_bpm` float (B,)."""

    tempo_bpm: Tensor
    instrument: Tensor
    style: Tensor
    feel: Tensor
    performer: Tensor
    beats_per_bar: Tensor

    def select(self, rows: Tensor) -> Setting:
        return Setting(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    def without_player(self) -> Setting:
        """The same with player and style unknown: what the critic is told."""
        unknown = torch.zeros_like(self.performer)
        return Setting(self.tempo_bpm, self.instrument, unknown, self.feel, unknown, self.beats_per_bar)


@dataclass
class Excerpt:
    """A batch of excerpts. Event 0 of each is the start (no note), so arrays over T = notes + 1 events.

    Long (B, T): `timing` = advance + ADVANCES * phrase begins, `position`, `pitch` (transposed), `register` (the
    pitch before transposing), and of the beat the event starts in: `root`, `quality`, `next_root`, `next_quality`,
    `to_next`, `beat_in_bar`, `section_bar`. Float: `tones` (B, T, 24), `onset` (B, T) beats from the start.
    Padding has `timing` IGNORE. Padded events hold zeros elsewhere."""

    timing: Tensor
    position: Tensor
    pitch: Tensor
    register: Tensor
    root: Tensor
    quality: Tensor
    next_root: Tensor
    next_quality: Tensor
    to_next: Tensor
    beat_in_bar: Tensor
    section_bar: Tensor
    tones: Tensor
    onset: Tensor

    def select(self, rows: Tensor) -> Excerpt:
        return Excerpt(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    def slice(self, first: int, last: int) -> Excerpt:
        return Excerpt(**{name: getattr(self, name)[:, first:last] for name in self.__dataclass_fields__})
