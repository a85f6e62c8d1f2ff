"""Playing: events drawn one by one from the soloist, many takes in one batch, then their rendition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from engine.jazz.generator import Excerpt, Setting, SoloistNet
from engine.jazz.layers import Cache
from engine.jazz.rendition import Played, RenditionNet
from engine.jazz.tokens import (
    ADVANCES,
    IGNORE,
    LENGTHS,
    LOUDNESSES,
    OFFSET_LIMIT,
    OFFSET_STEP_MS,
    OFFSETS,
    PITCHES,
    POSITION_BEATS,
    POSITIONS,
    Changes,
    Events,
)

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
    """Events of B takes as they are played, one entry an event (each (B,)). `count` (B,): notes within the form."""

    timing: list[Tensor] = field(default_factory=list)
    beat: list[Tensor] = field(default_factory=list)
    position: list[Tensor] = field(default_factory=list)
    pitch: list[Tensor] = field(default_factory=list)
    count: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))

    def window(self, start: Tensor, size: int) -> Takes:
        """At most `size` events of each take from its event number `start` (B,) on."""
        size = min(size, len(self.pitch))
        index = (start[:, None] + torch.arange(size, device=start.device)).clamp_max(len(self.pitch) - 1)

        def cut(values: list[Tensor]) -> list[Tensor]:
            return list(torch.stack(values, dim=1).gather(1, index).unbind(1))

        count = (self.count - start).clamp(0, size)
        return Takes(cut(self.timing), cut(self.beat), cut(self.position), cut(self.pitch), count)

    def trim(self, events: int) -> None:
        """Forget what was drawn after event number `events`."""
        for name in ("timing", "beat", "position", "pitch"):
            setattr(self, name, getattr(self, name)[:events])


def draw(logits: Tensor, heat: float, generator: torch.Generator) -> Tensor:
    """One class a row of (B, classes)."""
    return torch.multinomial(torch.softmax(logits.float() / heat, dim=-1), 1, generator=generator)[:, 0]


class Improviser:
    """Plays B takes at once. Each row has its own chords, setting and end, so that rows may be different clips."""

    def __init__(
        self,
        network: SoloistNet,
        changes: Sequence[Changes],
        setting: Setting,
        end_beats: Tensor,
        generator: torch.Generator,
        heat: Heat | None = None,
        pitch_range: Tensor | None = None,
        shift: Tensor | None = None,
    ) -> None:
        """`end_beats` (B,): no note starts there or later. `pitch_range` (B, 2): lowest and highest pitch allowed.
        `shift` (B,): semitones that chords and primer are transposed up (training only)."""
        self.network, self.heat, self.generator = network, heat or Heat(), generator
        self.device = end_beats.device
        self.table = ChangesTable.of(changes, self.device)
        self.end = end_beats
        self.setting = network.setting(setting)
        self.rows = torch.arange(len(end_beats), device=self.device)
        self.cache = Cache(network.shape.blocks)
        self.takes = Takes(count=torch.zeros_like(end_beats, dtype=torch.long))
        self.done = torch.zeros_like(end_beats, dtype=torch.bool)
        self.shift = shift if shift is not None else torch.zeros_like(end_beats, dtype=torch.long)
        self.position_beats = torch.from_numpy(POSITION_BEATS).float().to(self.device)
        every = torch.arange(PITCHES, device=self.device)
        low_high = pitch_range if pitch_range is not None else torch.tensor([[21, 108]], device=self.device)
        self.forbidden = (every < low_high[:, :1]) | (every > low_high[:, 1:])
        zeros = torch.zeros_like(self.rows)
        start = self._excerpt(zeros, zeros, zeros, zeros)
        self.state = network(start, self.setting, self.cache, 0)[:, -1]
        self.beat, self.position, self.pitch = zeros, zeros - 1, zeros - 1

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

    def step(self) -> None:
        """Draw the next event of every take."""
        network, heat = self.network, self.heat
        timing_logits = network.timing_logits(self.state)
        full = self.position >= len(POSITIONS) - 1
        timing_logits[:, 0] = torch.where(full, -torch.inf, timing_logits[:, 0])
        timing_logits[:, ADVANCES] = torch.where(full, -torch.inf, timing_logits[:, ADVANCES])
        timing = draw(timing_logits, heat.timing, self.generator)
        advance = timing % ADVANCES
        beat = self.beat + advance
        chords = self.table.at(self.rows, beat)
        logits, told = network.position_logits(self.state, timing, chords["beat_in_bar"][:, 0])
        places = torch.arange(len(POSITIONS), device=self.device)
        late = (advance == 0)[:, None] & (places <= self.position[:, None])
        position = draw(logits.masked_fill(late, -torch.inf), heat.position, self.generator)
        column = self._excerpt(timing, beat, position, torch.ones_like(beat))
        last = self.pitch[:, None]
        pitch_logits = network.pitch_logits(told[:, None], position[:, None], column, last, self.shift)[:, 0]
        pitch = draw(pitch_logits.masked_fill(self.forbidden, -torch.inf), heat.pitch, self.generator)
        self._commit(timing, beat, position, pitch)

    def _commit(self, timing: Tensor, beat: Tensor, position: Tensor, pitch: Tensor) -> None:
        self.done = self.done | (beat >= self.end)
        beat = torch.where(self.done, torch.minimum(beat, self.end.long()), beat)
        self.takes.timing.append(timing)
        self.takes.beat.append(beat)
        self.takes.position.append(position)
        self.takes.pitch.append(pitch)
        self.takes.count += (~self.done).long()
        column = self._excerpt(timing, beat, position, pitch)
        started = len(self.takes.pitch)
        self.state = self.network(column, self.setting, self.cache, started, before=self.pitch)[:, -1]
        self.beat, self.position, self.pitch = beat, position, pitch

    @torch.no_grad()
    def play(self, progress: Callable[[float], None] | None = None) -> Takes:
        """Draw until every take has reached its end."""
        limit = int(self.end.max().item()) * MAX_NOTES_PER_BEAT
        while not bool(self.done.all()) and len(self.takes.pitch) < limit:
            self.step()
            if progress is not None and len(self.takes.pitch) % 8 == 0:
                progress(float((self.beat / self.end).clamp(max=1.0).min()))
        return self.takes


def excerpt_of_takes(takes: Takes, table: ChangesTable) -> Excerpt:
    """Takes as an `Excerpt` (B, T + 1); what lies after a take's end is padding. Its beats count from the bar of the
    first event, or from beat 0 where that starts in the first bars."""
    beat, timing, position, pitch = (
        torch.stack(values, dim=1) for values in (takes.beat, takes.timing, takes.position, takes.pitch)
    )
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


@torch.no_grad()
def render(
    network: RenditionNet, excerpt: Excerpt, setting: Setting, generator: torch.Generator, heat: Heat | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Play the notes of an excerpt (B, T + 1 events): offset, loudness and length classes, each long (B, T)."""
    heat = heat or Heat()
    score, before_ms = network.read(excerpt, setting)
    batch, time = score.shape[:2]
    onset = excerpt.onset[:, 1:]
    cache = Cache(network.shape.blocks)

    def blank(unknown: int) -> Tensor:
        return torch.full((batch,), unknown, dtype=torch.long, device=score.device)

    offsets, loudnesses, lengths = [], [], []
    offset, loudness, length = blank(OFFSETS), blank(LOUDNESSES), blank(LENGTHS)
    for note in range(time):
        # the length known at note t is that of note t - 2 (the one of t - 1 is drawn in this step)
        played = Played(offset[:, None], loudness[:, None], length[:, None])
        state = network(score[:, note : note + 1], played, onset[:, note : note + 1], cache, note)[:, 0]
        before = blank(OFFSET_LIMIT) if note == 0 else offset
        offset = draw(network.offset_logits(state), heat.offset, generator)
        gap = before_ms[:, note] + (offset - before) * OFFSET_STEP_MS
        length_logits, told = network.length_logits(state, offset, gap)
        held = draw(length_logits, heat.length, generator)
        if note == 0:
            held = blank(LENGTHS)
        else:
            lengths.append(held)
        loudness = draw(network.loudness_logits(told, held), heat.loudness, generator)
        length = held
        offsets.append(offset)
        loudnesses.append(loudness)
    lengths.append(_last_length(lengths, batch))
    return torch.stack(offsets, 1), torch.stack(loudnesses, 1), torch.stack(lengths, 1)


def _last_length(lengths: list[Tensor], batch: int) -> Tensor:
    """The last note has no note after it: it is held like one of the take's longer notes."""
    if not lengths:
        return torch.full((batch,), LENGTHS - 2, dtype=torch.long)
    heard = torch.stack(lengths[-24:], dim=1)
    return torch.where(heard == LENGTHS - 1, 0, heard).max(dim=1).values


def events_of_take(
    takes: Takes, row: int, rendered: int, offset: Tensor, loudness: Tensor, length: Tensor, first: int = 0
) -> Events:
    """Take `row` as `Events` from event `first` on; its rendition is row `rendered` of `render`'s answers (B, T)."""
    count = int(takes.count[row])

    def column(values: list[Tensor]) -> np.ndarray:
        return torch.stack(values[first:count], dim=0)[:, row].cpu().numpy() if count > first else np.zeros(0, int)

    timing = column(takes.timing)
    return Events(
        column(takes.beat), timing // ADVANCES, timing % ADVANCES, column(takes.position), column(takes.pitch),
        *(values[rendered, first:count].cpu().numpy() for values in (offset, loudness, length)),
    )  # fmt: skip
