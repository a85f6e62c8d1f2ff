"""How the solo is played: micro-timing, dynamics and note lengths for notes that are already chosen.

A player knows where the line is going, so the notes are read in both directions (convolutions over the score), while
the rendition itself is written note by note: offset of this note -> how long the note before was held (its gap is
now known) -> loudness of this note.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.jazz.model.cache import Cache
from engine.jazz.model.changes import BEATS_IN_BAR, ROOTS
from engine.jazz.model.excerpt import INTERVAL_LIMIT, INTERVALS, NO_INTERVAL, Excerpt, Setting
from engine.jazz.model.layers import ChordReader, SettingReader, TwoClocks, init_weights
from engine.jazz.model.soloist_net import Block, Head
from engine.jazz.model.tokens import (
    ADVANCES,
    IGNORE,
    LENGTHS,
    LOUDNESSES,
    OFFSETS,
    PITCHES,
    POSITIONS,
)

GAP_CENTRES = 20


@dataclass(frozen=True)
class RenditionShape:
    """Hyper-parameters of the network."""

    width: int = 160
    blocks: int = 3
    heads: int = 4
    kernel: int = 5
    dropout: float = 0.2
    corruption: float = 0.1
    context: int = 128
    performers: int = 0


@dataclass
class Played:
    """What has been played so far, long (B, T): at note t the offset and loudness of note t - 1 and the length of
    note t - 2 (the last class of each table where there is none or it is not known)."""

    offset: Tensor
    loudness: Tensor
    length: Tensor

    @classmethod
    def before(cls, offset: Tensor, loudness: Tensor, length: Tensor) -> Played:
        """From the rendition of notes 0..T-1 (B, T) what was known before each of them."""

        def later(values: Tensor, by: int, unknown: int) -> Tensor:
            known = torch.where(values == IGNORE, unknown, values)
            return F.pad(known, (by, 0), value=unknown)[:, : values.shape[1]]

        return cls(later(offset, 1, OFFSETS), later(loudness, 1, LOUDNESSES), later(length, 2, LENGTHS))


class GapReader(nn.Module):
    """Soft classes of a time span on a logarithmic scale of 20 ms .. 10 s: (...) ms -> (..., width)."""

    centres: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer(
            "centres", torch.linspace(math.log(20.0), math.log(10_000.0), GAP_CENTRES), persistent=False
        )
        self.weight = nn.Linear(GAP_CENTRES, width)

    def forward(self, span_ms: Tensor) -> Tensor:
        step = math.log(500.0) / (GAP_CENTRES - 1)
        distance = (span_ms.clamp(10.0, 20_000.0).log()[..., None] - self.centres) / step
        return self.weight(torch.exp(-0.5 * distance**2))


class RenditionNet(nn.Module):
    """Reads an `Excerpt` (with its start event) and writes the rendition of its T notes."""

    def __init__(self, shape: RenditionShape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.position = nn.Embedding(len(POSITIONS), width)
        self.beat_in_bar = nn.Embedding(BEATS_IN_BAR, width)
        self.phrase = nn.Embedding(2, width)
        self.register = nn.Embedding(PITCHES, width)
        self.interval = nn.Embedding(INTERVALS, width)
        self.next_interval = nn.Embedding(INTERVALS, width)
        self.degree = nn.Embedding(ROOTS + 1, width)
        self.chords = ChordReader(width)
        self.gap_before, self.gap_after, self.played_gap = GapReader(width), GapReader(width), GapReader(width)
        self.setting = SettingReader(width, shape.performers)
        self.around = nn.ModuleList(nn.Conv1d(width, width, shape.kernel, padding=shape.kernel // 2) for _ in range(2))
        self.around_norm = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.last_offset = nn.Embedding(OFFSETS + 1, width)
        self.last_loudness = nn.Embedding(LOUDNESSES + 1, width)
        self.last_length = nn.Embedding(LENGTHS + 1, width)
        self.drop = nn.Dropout(shape.dropout)
        self.clocks = TwoClocks(shape.heads, width // shape.heads)
        self.body = nn.ModuleList(Block(width, shape.heads, shape.dropout) for _ in range(shape.blocks))
        self.norm = nn.LayerNorm(width)
        self.ask_offset = Head(width, OFFSETS, shape.dropout)
        self.tell_offset = nn.Embedding(OFFSETS, width)
        self.ask_length = Head(width, LENGTHS, shape.dropout)
        self.tell_length = nn.Embedding(LENGTHS + 1, width)
        self.ask_loudness = Head(width, LOUDNESSES, shape.dropout)
        self.apply(init_weights)

    def read(self, x: Excerpt, setting: Setting) -> tuple[Tensor, Tensor]:
        """The score of an excerpt of T + 1 events -> (B, T, C) and the notated gaps before the notes, ms (B, T)."""
        notes = x.slice(1, x.pitch.shape[1])
        padded = notes.timing == IGNORE
        beat_ms = 60_000.0 / setting.tempo_bpm[:, None]
        after_ms = (F.pad(notes.onset[:, 1:], (0, 1)) - notes.onset) * beat_ms
        ends = padded | F.pad(padded[:, 1:], (0, 1), value=True)
        after_ms = torch.where(ends, 20_000.0, after_ms)
        before_ms = F.pad((notes.onset[:, 1:] - notes.onset[:, :-1]) * beat_ms, (1, 0), value=20_000.0)
        step = (notes.pitch[:, 1:] - notes.pitch[:, :-1]).clamp(-INTERVAL_LIMIT, INTERVAL_LIMIT) + INTERVAL_LIMIT
        came = F.pad(step, (1, 0), value=NO_INTERVAL)
        goes = torch.where(ends, NO_INTERVAL, F.pad(step, (0, 1), value=NO_INTERVAL))
        degree = torch.where(notes.root < ROOTS - 1, (notes.pitch - notes.root) % 12, notes.root)
        score = (
            self.position(notes.position) + self.beat_in_bar(notes.beat_in_bar)
            + self.phrase((notes.timing >= ADVANCES).long()) + self.register(notes.register) + self.interval(came)
            + self.next_interval(goes) + self.degree(degree) + self.gap_before(before_ms) + self.gap_after(after_ms)
            + 0.3 * self.chords(notes)
        )  # fmt: skip
        score = self.drop(score) + self.setting(setting)[:, None, :]
        score = score.masked_fill(padded[..., None], 0.0)
        for conv, norm in zip(self.around, self.around_norm, strict=True):
            heard = conv(norm(score).transpose(1, 2)).transpose(1, 2)
            score = score + self.drop(F.gelu(heard, approximate="tanh")).masked_fill(padded[..., None], 0.0)
        return score, before_ms

    def forward(
        self, score: Tensor, played: Played, onset: Tensor, cache: Cache | None = None, start: int = 0
    ) -> Tensor:
        """States (B, T, C). With a `cache`, all arguments hold the notes from number `start` on."""
        what = self.last_offset(played.offset) + self.last_loudness(played.loudness) + self.last_length(played.length)
        if self.training and self.shape.corruption:
            what = what * (torch.rand_like(what[..., :1]) >= self.shape.corruption)
        index = torch.arange(start, start + score.shape[1], device=score.device)[None].expand(score.shape[:2])
        turn = self.clocks(index, onset)
        state = score + self.drop(what)
        for number, block in enumerate(self.body):
            state = block(state, turn, cache, number, self.shape.context)
        return self.norm(state)

    def offset_logits(self, state: Tensor) -> Tensor:
        return self.ask_offset(state)

    def length_logits(self, state: Tensor, offset: Tensor, played_gap_ms: Tensor) -> tuple[Tensor, Tensor]:
        """Of the note before, which this one follows after `played_gap_ms` -> logits, and the state that knows."""
        told = state + self.tell_offset(offset) + self.played_gap(played_gap_ms)
        return self.ask_length(told), told

    def loudness_logits(self, told: Tensor, length: Tensor) -> Tensor:
        """`length` of the note before, `LENGTHS` if there is none."""
        return self.ask_loudness(told + self.tell_length(length))
