"""The soloist on one page: a causal transformer over notes that says when the next note comes and what it is.

Each event is factored: (phrase begins, beats on) -> place in the beat -> pitch. The pitch comes last, when its onset
is known and with it the chord that it will sound over. Shapes: B excerpts, T events, C = `width` channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.jazz.model.cache import Cache
from engine.jazz.model.changes import BEATS_IN_BAR, NO_ROOT, ROOTS, SECTION_BARS
from engine.jazz.model.excerpt import INTERVAL_LIMIT, INTERVALS, NO_INTERVAL, TIMINGS, Excerpt
from engine.jazz.model.layers import ChordReader, SettingReader, TwoClocks, init_weights, rotate
from engine.jazz.model.tokens import PITCHES, POSITIONS


@dataclass(frozen=True)
class SoloistShape:
    """Hyper-parameters. `corruption`: share of past events whose pitch or place is hidden in training; `context`: how
    many events back a block looks."""

    width: int = 240
    blocks: int = 4
    heads: int = 4
    dropout: float = 0.2
    corruption: float = 0.1
    context: int = 128
    performers: int = 0


class SoloistNet(nn.Module):
    """`forward(excerpt, setting)` -> states (B, T, C), from which the heads read the event that follows each of them.

    `ask_*` are the heads; `tell_*` embed the answers that a head already knows; the four tables `by_*` add up to the
    logit of a pitch: the pitch itself, its register on the instrument, the interval, and the degree over the root."""

    def __init__(self, shape: SoloistShape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.timing = nn.Embedding(TIMINGS, width)
        self.position = nn.Embedding(len(POSITIONS), width)
        self.pitch = nn.Embedding(PITCHES, width)
        self.register = nn.Embedding(PITCHES, width)
        self.interval = nn.Embedding(INTERVALS, width)
        self.degree = nn.Embedding(ROOTS + 1, width)
        self.beat_in_bar = nn.Embedding(BEATS_IN_BAR, width)
        self.section_bar = nn.Embedding(SECTION_BARS, width)
        self.start = nn.Parameter(torch.zeros(width))
        self.chords = ChordReader(width)
        self.setting = SettingReader(width, shape.performers)
        self.drop = nn.Dropout(shape.dropout)
        self.clocks = TwoClocks(shape.heads, width // shape.heads)
        self.body = nn.ModuleList(Block(width, shape.heads, shape.dropout) for _ in range(shape.blocks))
        self.norm = nn.LayerNorm(width)

        self.ask_timing = Head(width, TIMINGS, shape.dropout)
        self.tell_timing = nn.Embedding(TIMINGS, width)
        self.tell_beat = nn.Embedding(BEATS_IN_BAR, width)
        self.ask_position = Head(width, len(POSITIONS), shape.dropout)
        self.tell_position = nn.Embedding(len(POSITIONS), width)
        self.tell_chord = ChordReader(width)
        self.tell_last_degree = nn.Embedding(ROOTS, width)
        self.ask_pitch = Head(width, width, shape.dropout)
        self.by_pitch = nn.Embedding(PITCHES, width)
        self.by_register = nn.Embedding(PITCHES, width)
        self.by_interval = nn.Embedding(2 * PITCHES - 1, width)
        self.by_degree = nn.Embedding(ROOTS, width)
        self.bias_interval = nn.Parameter(torch.zeros(2 * PITCHES - 1))
        self.apply(init_weights)

    def embed(self, x: Excerpt, setting: Tensor, before: Tensor | None = None) -> Tensor:
        """Events -> (B, T, C). `before` (B,) is the pitch of the note before the first event of `x`, -1 if none."""
        started = x.pitch > 0
        first = before[:, None] if before is not None else torch.full_like(x.pitch[:, :1], -1)
        last = torch.cat([first, torch.where(started, x.pitch, -1)[:, :-1]], dim=1)
        step = (x.pitch - last).clamp(-INTERVAL_LIMIT, INTERVAL_LIMIT) + INTERVAL_LIMIT
        interval = torch.where(started & (last > 0), step, NO_INTERVAL)
        degree = torch.where(x.root < NO_ROOT, (x.pitch - x.root) % 12, x.root)
        what = self.pitch(x.pitch) + self.register(x.register) + self.interval(interval) + self.degree(degree)
        when = self.timing(x.timing.clamp_min(0)) + self.position(x.position)
        if self.training and self.shape.corruption:
            what = what * (torch.rand_like(what[..., :1]) >= self.shape.corruption)
            when = when * (torch.rand_like(when[..., :1]) >= self.shape.corruption)
        note = torch.where(started[..., None], what + when, self.start)
        place = self.section_bar(x.section_bar) + self.beat_in_bar(x.beat_in_bar)
        return self.drop(note + place + self.chords(x) + setting[:, None, :])

    def forward(
        self, x: Excerpt, setting: Tensor, cache: Cache | None = None, start: int | Tensor = 0,
        before: Tensor | None = None, mask: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """`setting` (B, C) comes from `self.setting`. With a `cache`, `x` holds the events from number `start` (or, row
        by row, (B,)) on, and `mask` (B, 1, 1, slots) says which cached events count (default: the last `context`)."""
        first = start[:, None] if isinstance(start, Tensor) else start
        number = (first + torch.arange(x.pitch.shape[1], device=x.pitch.device)).expand_as(x.pitch)
        turn = self.clocks(number, x.onset)
        state = self.embed(x, setting, before)
        window = self.shape.context + 1 if mask is None else 0
        for layer, block in enumerate(self.body):
            state = block(state, turn, cache, layer, window, mask)
        return self.norm(state)

    def timing_logits(self, state: Tensor) -> Tensor:
        """-> (..., TIMINGS): how many beats on, and whether a phrase begins."""
        return self.ask_timing(state)

    def position_logits(self, state: Tensor, timing: Tensor, beat_in_bar: Tensor) -> tuple[Tensor, Tensor]:
        """-> (..., POSITIONS), and the state that knows the beat."""
        told = state + self.tell_timing(timing) + self.tell_beat(beat_in_bar)
        return self.ask_position(told), told

    def pitch_logits(self, told: Tensor, position: Tensor, following: Excerpt, last: Tensor, shift: Tensor) -> Tensor:
        """-> (..., PITCHES) for events whose chord is in `following`. `last` (B, T) is the pitch before, -1 if none;
        `shift` (B,) semitones that the excerpt is transposed up, register excepted."""
        root, known = following.root, following.root < NO_ROOT
        last_degree = torch.where(known & (last >= 0), (last - root) % 12, NO_ROOT)
        query = self.ask_pitch(
            told + self.tell_position(position) + self.tell_chord(following) + self.tell_last_degree(last_degree)
        )
        every = torch.arange(PITCHES, device=query.device)
        register = query @ self.by_register.weight.T
        interval = query @ self.by_interval.weight.T + self.bias_interval
        degree = query @ self.by_degree.weight.T
        logits = query @ self.by_pitch.weight.T
        logits = logits + register.gather(-1, (every - shift[:, None, None]).clamp(0, PITCHES - 1).expand_as(register))
        from_last = interval.gather(-1, (every - last[..., None] + PITCHES - 1).clamp(0, 2 * PITCHES - 2))
        logits = logits + from_last * (last >= 0)[..., None]
        return logits + degree.gather(-1, torch.where(known[..., None], (every - root[..., None]) % 12, NO_ROOT))


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
        self, x: Tensor, turn: tuple[Tensor, Tensor], cache: Cache | None = None, layer: int = 0, window: int = 0,
        mask: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """With a `cache`, x holds only the new events; they see what is cached, at most `window` events back. `mask`
        (B, 1, 1, T) is True where a key may be looked at (for the blocks that are not causal)."""
        batch, time, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, time, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        (q, k), v = rotate(qkv[:2], turn), qkv[2]
        if cache is not None:
            k, v = cache.extend(layer, k, v, window or 1 << 30)
            if 1 < time < k.shape[2]:
                raise ValueError("a cache is filled at once, then one event at a time")
        causal = self.causal and mask is None and not (time == 1 and cache is not None)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        x = x + self.dropout(self.out(mixed.transpose(1, 2).reshape(batch, time, width)))
        return x + self.dropout(self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh")))


class Head(nn.Module):
    """One hidden layer from a state to logits."""

    def __init__(self, width: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, width)
        self.drop = nn.Dropout(dropout)
        self.answer = nn.Linear(width, classes)

    def forward(self, state: Tensor) -> Tensor:
        return self.answer(self.drop(F.gelu(self.hidden(state), approximate="tanh")))
