"""The soloist: a causal transformer over notes that asks, event by event, when the next note comes and what it is.

Each event is factored: (phrase begins, beats on) -> place in the beat -> pitch. The pitch is asked for once its onset
is known, so the chord under it is known too; its logits are sums over four tables (absolute pitch in the
transposed key, interval from the last note, degree over the chord's root, register of the instrument).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.jazz.corpus.solos import FEELS, INSTRUMENTS, STYLES
from engine.jazz.model.layers import Block, Cache, TwoClocks, init_weights
from engine.jazz.model.tokens import (
    ADVANCES,
    BEATS_IN_BAR,
    IGNORE,
    NEXT_LIMIT,
    NO_ROOT,
    PITCHES,
    POSITIONS,
    ROOTS,
    SECTION_BARS,
)
from engine.jazz.theory.harmony import QUALITIES

INTERVAL_LIMIT = 24
INTERVALS = 2 * INTERVAL_LIMIT + 2  # and "no note before"
NO_INTERVAL = INTERVALS - 1
TIMINGS = 2 * ADVANCES
TEMPOS = 24


@dataclass(frozen=True)
class SoloistShape:
    """Hyper-parameters of the network."""

    width: int = 240
    blocks: int = 4
    heads: int = 4
    dropout: float = 0.2
    corruption: float = 0.1  # share of past events whose pitch or place is hidden in training
    context: int = 128  # events
    performers: int = 0


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


class SoloistNet(nn.Module):
    """`forward(excerpt, setting)` -> the states (B, T, C) from which `heads` ask for the following event."""

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

        self.ask_timing = Question(width, TIMINGS, shape.dropout)
        self.tell_timing = nn.Embedding(TIMINGS, width)
        self.tell_beat = nn.Embedding(BEATS_IN_BAR, width)
        self.ask_position = Question(width, len(POSITIONS), shape.dropout)
        self.tell_position = nn.Embedding(len(POSITIONS), width)
        self.tell_chord = ChordReader(width)
        self.tell_last_degree = nn.Embedding(ROOTS, width)
        self.ask_pitch = Question(width, width, shape.dropout)
        self.by_pitch = nn.Embedding(PITCHES, width)
        self.by_register = nn.Embedding(PITCHES, width)
        self.by_interval = nn.Embedding(2 * PITCHES - 1, width)
        self.by_degree = nn.Embedding(ROOTS, width)
        self.bias_interval = nn.Parameter(torch.zeros(2 * PITCHES - 1))
        self.apply(init_weights)

    @property
    def parameters_count(self) -> int:
        return sum(weight.numel() for weight in self.parameters())

    def embed(self, x: Excerpt, setting: Tensor, before: Tensor | None = None) -> Tensor:
        """Events -> (B, T, C). `before` (B,) is the pitch of the note before the first event of `x`, -1 if none."""
        started = x.pitch > 0
        first = before[:, None] if before is not None else torch.full_like(x.pitch[:, :1], -1)
        last = torch.cat([first, torch.where(started, x.pitch, -1)[:, :-1]], dim=1)
        interval = torch.where(
            started & (last > 0),
            (x.pitch - last).clamp(-INTERVAL_LIMIT, INTERVAL_LIMIT) + INTERVAL_LIMIT,
            torch.full_like(x.pitch, NO_INTERVAL),
        )
        degree = torch.where(x.root < NO_ROOT, (x.pitch - x.root) % 12, x.root)
        what = self.pitch(x.pitch) + self.register(x.register) + self.interval(interval) + self.degree(degree)
        when = self.timing(x.timing.clamp_min(0)) + self.position(x.position)
        if self.training and self.shape.corruption:
            what = what * (torch.rand_like(what[..., :1]) >= self.shape.corruption)
            when = when * (torch.rand_like(when[..., :1]) >= self.shape.corruption)
        section = self.section_bar(x.section_bar) + self.beat_in_bar(x.beat_in_bar)
        note = torch.where(started[..., None], what + when, self.start)
        return self.drop(note + section + self.chords(x) + setting[:, None, :])

    def forward(
        self,
        x: Excerpt,
        setting: Tensor,
        cache: Cache | None = None,
        start: int | Tensor = 0,
        before: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """`setting` (B, C) comes from `self.setting`. With a `cache`, `x` holds the events from number `start` (or, row
        by row, (B,)) on; `mask` (B, 1, 1, slots) then says which cached events may be looked at (default: the last
        `context`)."""
        first = start[:, None] if isinstance(start, Tensor) else start
        index = (first + torch.arange(x.pitch.shape[1], device=x.pitch.device)).expand_as(x.pitch)
        turn = self.clocks(index, x.onset)
        state = self.embed(x, setting, before)
        window = self.shape.context + 1 if mask is None else 0
        for number, block in enumerate(self.body):
            state = block(state, turn, cache, number, window, mask)
        return self.norm(state)

    # --- the three questions; `state` is (..., C) ----------------------------------------------------------------

    def timing_logits(self, state: Tensor) -> Tensor:
        """-> (..., TIMINGS): phrase begins and beats on."""
        return self.ask_timing(state)

    def position_logits(self, state: Tensor, timing: Tensor, beat_in_bar: Tensor) -> tuple[Tensor, Tensor]:
        """-> (..., POSITIONS) and the state that knows the beat."""
        told = state + self.tell_timing(timing) + self.tell_beat(beat_in_bar)
        return self.ask_position(told), told

    def pitch_logits(self, told: Tensor, position: Tensor, following: Excerpt, last: Tensor, shift: Tensor) -> Tensor:
        """-> (..., PITCHES) for events whose chord is in `following`. `last` (B, T) is the pitch before, -1 if none;
        `shift` (B,) semitones that the excerpt is transposed up, register excepted."""
        last_degree = torch.where(
            (following.root < NO_ROOT) & (last >= 0), (last - following.root) % 12, torch.full_like(last, NO_ROOT)
        )
        query = self.ask_pitch(
            told + self.tell_position(position) + self.tell_chord(following) + self.tell_last_degree(last_degree)
        )
        every = torch.arange(PITCHES, device=query.device)
        logits = query @ self.by_pitch.weight.T
        register = query @ self.by_register.weight.T
        logits = logits + register.gather(-1, (every - shift[:, None, None]).clamp(0, PITCHES - 1).expand_as(register))
        intervals = query @ self.by_interval.weight.T + self.bias_interval
        from_last = intervals.gather(-1, (every - last[..., None] + PITCHES - 1).clamp(0, 2 * PITCHES - 2))
        logits = logits + from_last * (last >= 0)[..., None]
        degrees = query @ self.by_degree.weight.T
        degree = torch.where(following.root[..., None] < NO_ROOT, (every - following.root[..., None]) % 12, NO_ROOT)
        return logits + degrees.gather(-1, degree)

    def losses(
        self, x: Excerpt, setting: Setting, shift: Tensor, smoothing: float = 0.0, weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Mean cross-entropies in nats a note: `timing`, `position`, `pitch`. `x` has T + 1 events; `weight` (B, T)
        multiplies each note's."""
        state = self(x.slice(0, -1), self.setting(setting))
        following = x.slice(1, x.pitch.shape[1])
        wanted = following.timing
        timing = self.timing_logits(state)
        position, told = self.position_logits(state, wanted.clamp_min(0), following.beat_in_bar)
        last = torch.where(x.pitch[:, :-1] > 0, x.pitch[:, :-1], -1)
        pitch = self.pitch_logits(told, following.position, following, last, shift)
        padded = wanted == IGNORE

        def entropy(logits: Tensor, target: Tensor) -> Tensor:
            target = target.masked_fill(padded, IGNORE)
            found = F.cross_entropy(
                logits.flatten(0, 1).float(), target.flatten(), ignore_index=IGNORE, label_smoothing=smoothing,
                reduction="mean" if weight is None else "none",
            )  # fmt: skip
            return found if weight is None else (found * weight.flatten()).sum() / (~padded).sum()

        return {
            "timing": entropy(timing, wanted),
            "position": entropy(position, following.position),
            "pitch": entropy(pitch, following.pitch),
        }


class Question(nn.Module):
    """One hidden layer on top of a state."""

    def __init__(self, width: int, answers: int, dropout: float) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, width)
        self.drop = nn.Dropout(dropout)
        self.answer = nn.Linear(width, answers)

    def forward(self, state: Tensor) -> Tensor:
        return self.answer(self.drop(F.gelu(self.hidden(state), approximate="tanh")))
