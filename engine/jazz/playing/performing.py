"""Performing: micro-timing, dynamics and lengths drawn note by note for a line that is finished."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from engine.jazz.model.cache import Cache
from engine.jazz.model.excerpt import Excerpt, Setting
from engine.jazz.model.rendition_net import Played, RenditionNet
from engine.jazz.model.tokens import (
    ADVANCES,
    IGNORE,
    LEGATO,
    LENGTHS,
    LOUDNESSES,
    OFFSET_LIMIT,
    OFFSET_STEP_MS,
    OFFSETS,
    Events,
)
from engine.jazz.playing.sampling import Heat, Takes, draw

NOTES_A_REPORT = 8


class Interpreter:
    """Plays the notes of an excerpt (B, T + 1 events), row by row its own way, note after note."""

    @torch.no_grad()
    def __init__(
        self,
        network: RenditionNet,
        excerpt: Excerpt,
        setting: Setting,
        generator: torch.Generator,
        heat: Heat | None = None,
    ) -> None:
        self.network, self.generator, self.heat = network, generator, heat or Heat()
        self.score, self.before_ms = network.read(excerpt, setting)
        self.onset = excerpt.onset[:, 1:]
        self.cache = Cache(network.shape.blocks)
        self.note = 0
        """Notes played so far."""
        empty = torch.zeros(len(self.score), 0, dtype=torch.long, device=self.score.device)
        self.offset, self.loudness, self.length = empty, empty, empty
        """Classes so far, long (B, notes); a note's length is known once the next one is played."""

    @torch.no_grad()
    def play(self, until: int, progress: Callable[[int], object] | None = None) -> None:
        """Play on up to note number `until`, exclusive; `progress` hears now and then how many notes are played."""
        network, heat = self.network, self.heat
        offsets, loudnesses, lengths = [], [], []

        def last(known: Tensor, by: int, unknown: int) -> Tensor:
            rows = len(self.score)
            none = torch.full((rows,), unknown, dtype=torch.long, device=self.score.device)
            return known[:, -by] if known.shape[1] >= by else none

        offset, loudness = last(self.offset, 1, OFFSETS), last(self.loudness, 1, LOUDNESSES)
        length = last(self.length, 1, LENGTHS)
        for note in range(self.note, until):
            if progress is not None and note % NOTES_A_REPORT == 0:
                progress(note)
            # the length known at note t is that of note t - 2 (the one of t - 1 is drawn in this step)
            played = Played(offset[:, None], loudness[:, None], length[:, None])
            here = slice(note, note + 1)
            state = network(self.score[:, here], played, self.onset[:, here], self.cache, note)[:, 0]
            before = torch.full_like(offset, OFFSET_LIMIT) if note == 0 else offset
            offset = draw(network.offset_logits(state), heat.offset, self.generator)
            gap = self.before_ms[:, note] + (offset - before) * OFFSET_STEP_MS
            length_logits, told = network.length_logits(state, offset, gap)
            held = draw(length_logits, heat.length, self.generator)
            if note == 0:
                held = torch.full_like(offset, LENGTHS)
            else:
                lengths.append(held)
            loudness = draw(network.loudness_logits(told, held), heat.loudness, self.generator)
            length = held
            offsets.append(offset)
            loudnesses.append(loudness)
        for name, new in (("offset", offsets), ("loudness", loudnesses), ("length", lengths)):
            setattr(self, name, torch.cat([getattr(self, name), *(value[:, None] for value in new)], dim=1))
        self.note = max(until, self.note)

    def keep(self, rows: Tensor) -> None:
        """Go on with copies of the renditions `rows` (B,), each of the same notes as the one that it replaces."""
        self.cache.keep(rows)
        for name in ("offset", "loudness", "length"):
            setattr(self, name, getattr(self, name)[rows])

    def rendition(self) -> tuple[Tensor, Tensor, Tensor]:
        """Offset, loudness and length classes of the notes played, each long (B, notes)."""
        return self.offset, self.loudness, torch.cat([self.length, _last_length(self.length)[:, None]], dim=1)


def _last_length(lengths: Tensor) -> Tensor:
    """The last note has no note after it: it is held like one of the take's longer notes (B,)."""
    if not lengths.shape[1]:
        return torch.full_like(lengths.sum(1), LEGATO - 1)
    heard = lengths[:, -24:]
    return torch.where(heard >= LEGATO, 0, heard).max(dim=1).values


def events_of_take(
    takes: Takes,
    row: int,
    rendered: int,
    rendition: tuple[Tensor, Tensor, Tensor] | None,
    first: int = 0,
    last: int | None = None,
) -> Events:
    """Take `row` as `Events` from event `first` to `last`, exclusive; its rendition is row `rendered` of the
    `rendition` (B, T); without one the notes stand as in the score."""
    count = int(takes.count[row]) if last is None else last

    def column(values: Tensor) -> np.ndarray:
        return values[row, first:count].cpu().numpy()

    timing, pitch = column(takes.timing), column(takes.pitch)
    if rendition is None:
        played = [np.full(len(pitch), plain) for plain in (OFFSET_LIMIT, IGNORE, LEGATO)]
    else:
        played = [values[rendered, first:count].cpu().numpy() for values in rendition]
    return Events(column(takes.beat), timing // ADVANCES, timing % ADVANCES, column(takes.position), pitch, *played)
