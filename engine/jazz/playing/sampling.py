"""Improvising: events drawn one by one from the soloist, many takes in one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.jazz.model.cache import Cache
from engine.jazz.model.changes import Changes
from engine.jazz.model.excerpt import TIMINGS, Excerpt, Setting
from engine.jazz.model.soloist_net import SoloistNet
from engine.jazz.model.tokens import ADVANCES, IGNORE, PITCHES, POSITION_BEATS, POSITIONS, Events

MAX_NOTES_PER_BEAT = 10


@dataclass(frozen=True)
class Heat:
    """Temperatures of the streams: below 1 safer, above 1 wilder. The tails are never cut off."""

    timing: float = 1.0
    position: float = 1.0
    pitch: float = 1.0
    offset: float = 1.0
    length: float = 1.0
    loudness: float = 1.0


@dataclass
class ChangesTable:
    """The `Changes` of every take as tensors (B, beats, ...), the last beat repeated where one is shorter."""

    root: Tensor
    quality: Tensor
    next_root: Tensor
    next_quality: Tensor
    to_next: Tensor
    beat_in_bar: Tensor
    section_bar: Tensor
    tones: Tensor

    @classmethod
    def of(cls, changes: Sequence[Changes], device: torch.device) -> ChangesTable:
        longest = max(len(item) for item in changes)
        sources = {"root": "root", "quality": "quality", "next_root": "next_root", "next_quality": "next_quality",
                   "to_next": "beats_to_next", "beat_in_bar": "beat_in_bar", "section_bar": "bar_in_section",
                   "tones": "tones"}  # fmt: skip

        def table(name: str) -> Tensor:
            rows = [getattr(item, name) for item in changes]
            padded = [np.concatenate([row, np.repeat(row[-1:], longest - len(row), axis=0)]) for row in rows]
            return torch.from_numpy(np.stack(padded)).to(device)

        return cls(**{name: table(source) for name, source in sources.items()})

    def at(self, rows: Tensor, beat: Tensor) -> dict[str, Tensor]:
        """The chord fields of an `Excerpt` (B, 1, ...) for one beat of each take."""
        beat = beat.clamp(0, self.root.shape[1] - 1)
        return {name: getattr(self, name)[rows, beat][:, None] for name in self.__dataclass_fields__}


@dataclass
class Takes:
    """Events of B takes, long (B, N); of row i the first `count[i]` are played, the rest is filling."""

    timing: Tensor
    beat: Tensor
    position: Tensor
    pitch: Tensor
    count: Tensor

    @classmethod
    def none(cls, rows: int, device: torch.device) -> Takes:
        empty = torch.zeros(rows, 0, dtype=torch.long, device=device)
        return cls(empty, empty, empty, empty, torch.zeros(rows, dtype=torch.long, device=device))

    def keep(self, rows: Tensor) -> Takes:
        """The takes `rows`, in that order."""
        return Takes(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    def followed_by(self, events: Sequence[Sequence[Tensor]], played: Sequence[Tensor]) -> Takes:
        """With `events` behind: one entry a step, each (timing, beat, position, pitch), each (B,); row i takes part in
        a step where `played` (B,) is True."""
        if not events:
            return self
        steps = torch.stack(list(played), dim=1)
        inside = torch.arange(self.pitch.shape[1], device=steps.device)[None] < self.count[:, None]
        real = torch.cat([inside, steps], dim=1)
        count = real.sum(1)
        order = torch.argsort((~real).to(torch.uint8), dim=1, stable=True)[:, : int(count.max())]
        columns = (self.timing, self.beat, self.position, self.pitch)
        joined = [torch.cat([old, torch.stack(new, dim=1)], dim=1)
                  for old, new in zip(columns, zip(*events, strict=True), strict=True)]  # fmt: skip
        timing, beat, position, pitch = (column.gather(1, order) for column in joined)
        return Takes(timing, beat, position, pitch, count)


def draw(logits: Tensor, heat: float, generator: torch.Generator) -> Tensor:
    """One class a row of (B, classes), where the distribution function passes a uniform number (`torch.multinomial`
    takes several times as long for so few classes)."""
    below = torch.softmax(logits.double() / heat, dim=-1).cumsum(-1)
    luck = torch.rand(len(below), 1, generator=generator, device=below.device, dtype=below.dtype) * below[:, -1:]
    return torch.searchsorted(below, luck, right=True)[:, 0].clamp_max(below.shape[1] - 1)


class Improviser:
    """Plays B takes at once. Each row has its own chords, setting and end, so that rows may be different clips.

    A row that has come to its end waits until the others have too; then all may play on, or those that `keep` names."""

    def __init__(
        self,
        network: SoloistNet,
        changes: Sequence[Changes],
        setting: Setting,
        generator: torch.Generator,
        heat: Heat | None = None,
        pitch_range: Tensor | None = None,
        shift: Tensor | None = None,
    ) -> None:
        """`pitch_range` (B, 2): lowest and highest pitch allowed. `shift` (B,): semitones that chords and primer are
        transposed up (training only)."""
        self.network, self.heat, self.generator = network, heat or Heat(), generator
        self.device = setting.tempo_bpm.device
        self.table = ChangesTable.of(changes, self.device)
        self.asked = setting
        self.setting = network.setting(setting)
        self.rows = torch.arange(len(changes), device=self.device)
        self.cache = Cache(network.shape.blocks)
        zeros = torch.zeros_like(self.rows)
        self.shift = shift if shift is not None else zeros
        self.position_beats = torch.from_numpy(POSITION_BEATS).float().to(self.device)
        every = torch.arange(PITCHES, device=self.device)
        low_high = pitch_range if pitch_range is not None else torch.tensor([[21, 108]], device=self.device)
        self.forbidden = ((every < low_high[:, :1]) | (every > low_high[:, 1:])).expand(len(changes), -1)
        self.count, self.floor = zeros, zeros
        self._past = Takes.none(len(changes), self.device)
        self._events: list[tuple[Tensor, ...]] = []
        self._played: list[Tensor] = []
        self._numbers = zeros[:, None]  # of the cached events; -1 where a waiting row has nothing
        self.state = network(self._excerpt(zeros, zeros, zeros, zeros), self.setting, self.cache, 0)[:, -1]
        self.beat, self.position, self.pitch = zeros, zeros - 1, zeros - 1

    @property
    def takes(self) -> Takes:
        """What has been played so far."""
        self._past = self._past.followed_by(self._events, self._played)
        self._events, self._played = [], []
        return self._past

    def _excerpt(self, timing: Tensor, beat: Tensor, position: Tensor, pitch: Tensor) -> Excerpt:
        onset = beat + self.position_beats[position.clamp_min(0)]
        register = torch.where(pitch > 0, (pitch - self.shift).clamp(0, PITCHES - 1), pitch)
        column = {"timing": timing, "position": position, "pitch": pitch, "register": register}
        return Excerpt(
            **{name: values[:, None] for name, values in column.items()},
            **self.table.at(self.rows, beat),
            onset=torch.where(pitch > 0, onset, 0.0)[:, None],
        )

    def prime(self, primers: Sequence[Events]) -> None:
        """Hear a phrase first: one of equal length for each take, its beats counted from beat 0."""
        for i in range(len(primers[0])):
            self._commit(
                self._column([int(min(p.advance[i], ADVANCES - 1) + ADVANCES * p.phrase[i]) for p in primers]),
                *(self._column([int(getattr(p, name)[i]) for p in primers]) for name in ("beat", "position", "pitch")),
            )

    def _column(self, values: list[int]) -> Tensor:
        return torch.tensor(values, device=self.device)

    def step(self, end: Tensor | None = None) -> Tensor:
        """Draw the next event of every take; one that would start at beat `end` (B,) or later is not played, and its
        take waits: whatever it plays next starts there or later. Returns which takes have played, (B,)."""
        network, heat = self.network, self.heat
        timing_logits = network.timing_logits(self.state)
        advances = torch.arange(TIMINGS, device=self.device) % ADVANCES
        early = self.beat[:, None] + advances < self.floor[:, None]
        full = (self.position >= len(POSITIONS) - 1)[:, None] & (advances == 0)
        timing_logits = timing_logits.masked_fill((early | full) & (advances < ADVANCES - 1), -torch.inf)
        timing = draw(timing_logits, heat.timing, self.generator)
        advance = timing % ADVANCES
        beat = self.beat + advance
        real = torch.ones_like(beat, dtype=torch.bool) if end is None else beat < end
        if end is not None:
            self.floor = torch.where(real, self.floor, torch.maximum(self.floor, end))
        chords = self.table.at(self.rows, beat)
        logits, told = network.position_logits(self.state, timing, chords["beat_in_bar"][:, 0])
        places = torch.arange(len(POSITIONS), device=self.device)
        late = (advance == 0)[:, None] & (places <= self.position[:, None])
        position = draw(logits.masked_fill(late, -torch.inf), heat.position, self.generator)
        column = self._excerpt(timing, beat, position, torch.ones_like(beat))
        last = self.pitch[:, None]
        pitch_logits = network.pitch_logits(told[:, None], position[:, None], column, last, self.shift)[:, 0]
        pitch = draw(pitch_logits.masked_fill(self.forbidden, -torch.inf), heat.pitch, self.generator)
        if bool(real.any()):
            self._commit(timing, beat, position, pitch, real)
        return real

    def _commit(
        self, timing: Tensor, beat: Tensor, position: Tensor, pitch: Tensor, real: Tensor | None = None
    ) -> None:
        """Play these events, but only in the takes where `real` (B,)."""
        real = torch.ones_like(beat, dtype=torch.bool) if real is None else real
        self._events.append((timing, beat, position, pitch))
        self._played.append(real)
        number = self.count + 1
        self._numbers = torch.cat([self._numbers, torch.where(real, number, -1)[:, None]], dim=1)
        seen = (self._numbers >= 0) & (self._numbers > number[:, None] - self.network.shape.context - 1)
        column = self._excerpt(timing, beat, position, pitch)
        mask = seen[:, None, None]
        state = self.network(column, self.setting, self.cache, number, before=self.pitch, mask=mask)[:, -1]
        self.state = torch.where(real[:, None], state, self.state)
        self.count = torch.where(real, number, self.count)
        self.beat = torch.where(real, beat, self.beat)
        self.position = torch.where(real, position, self.position)
        self.pitch = torch.where(real, pitch, self.pitch)

    @torch.no_grad()
    def play(self, end: Tensor, progress: Callable[[float], None] | None = None) -> None:
        """Draw until no take plays anything more before beat `end` (B,)."""
        limit = len(self._events) + int((end - self.beat).max().item() + 1) * MAX_NOTES_PER_BEAT
        waiting = self.floor >= end
        while not bool(waiting.all()) and len(self._events) < limit:
            waiting = waiting | ~self.step(torch.where(waiting, 0, end))
            if progress is not None and len(self._events) % 8 == 0:
                progress(float((self.beat / end).clamp(0.0, 1.0).min()))

    def keep(self, rows: Tensor) -> None:
        """Go on with copies of the takes `rows` (B,), each of which must play over the same chords as the one that it
        replaces."""
        self._past = self.takes.keep(rows)
        numbers = self._numbers[rows]
        wanted = (numbers >= 0) & (numbers >= self.count[rows][:, None] - self.network.shape.context)
        slots = torch.argsort((~wanted).to(torch.uint8), dim=1, stable=True)[:, : int(wanted.sum(1).max())]
        self.cache.keep(rows, slots)
        self._numbers = torch.where(wanted, numbers, -1).gather(1, slots)
        self.asked = self.asked.select(rows)
        for name in ("setting", "state", "beat", "position", "pitch", "count", "floor"):
            setattr(self, name, getattr(self, name)[rows])


def excerpt_of_takes(takes: Takes, table: ChangesTable) -> Excerpt:
    """Takes as an `Excerpt` (B, T + 1); what lies after a take's end is padding. Its beats count from the bar of the
    first event, or from beat 0 where that starts in the first bars."""
    columns = (takes.beat, takes.timing, takes.position, takes.pitch)
    if not takes.pitch.shape[1]:  # nobody has played: one event of padding
        columns = tuple(F.pad(column, (0, 1)) for column in columns)  # type: ignore[assignment]
    beat, timing, position, pitch = columns
    count, time = beat.shape
    inside = torch.arange(time, device=beat.device)[None] < takes.count[:, None]
    start = beat[:, :1] - table.beat_in_bar.gather(1, beat[:, :1].clamp_max(table.root.shape[1] - 1))
    start = torch.where(beat[:, :1] == timing[:, :1] % ADVANCES, 0, start)  # the line's own beginning
    beats = torch.cat([start, beat], dim=1).clamp(0, table.root.shape[1] - 1)
    rows = torch.arange(count, device=beat.device)[:, None]
    places = torch.from_numpy(POSITION_BEATS).float().to(beat.device)

    def led(values: Tensor, padding: int) -> Tensor:
        return torch.cat([torch.zeros_like(values[:, :1]), values.masked_fill(~inside, padding)], dim=1)

    timing = timing.clone()
    timing[:, 0] = (beat[:, 0] - start[:, 0]).clamp_max(ADVANCES - 1) + timing[:, 0] // ADVANCES * ADVANCES
    onset = torch.cat([torch.zeros(count, 1, device=beat.device), (beat - start) + places[position]], dim=1)
    return Excerpt(
        timing=led(timing, IGNORE),
        position=led(position, 0),
        pitch=led(pitch, 0),
        register=led(pitch, 0),
        onset=onset * torch.cat([torch.ones_like(start, dtype=torch.bool), inside], dim=1),
        **{name: getattr(table, name)[rows, beats] for name in table.__dataclass_fields__},
    )
