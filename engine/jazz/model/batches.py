"""Batches of excerpts of the solos: where to cut, in which key, and as which tensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.jazz.corpus.solos import FEELS, INSTRUMENTS, STYLES, Solo
from engine.jazz.model.changes import NO_ROOT, UNKNOWN_BAR, Changes, changes_of_solo
from engine.jazz.model.excerpt import Excerpt, Setting
from engine.jazz.model.tokens import ADVANCES, IGNORE, POSITION_BEATS, Events, encode


@dataclass(frozen=True)
class Encoded:
    """A solo (human, or generated) in tokens with its chords and its setting as class numbers."""

    events: Events
    changes: Changes
    tempo_bpm: float
    instrument: int
    style: int
    feel: int
    performer: int
    beats_per_bar: int


@dataclass
class TrainingBatch:
    """Excerpts with what goes with them. `solo` and `first` say where each came from: index of the solo, of its note.
    Rendition targets are long (B, T) over the notes (event 0 excluded), IGNORE in the padding; `onset_ms` and
    `gap_ms` are notated times."""

    excerpt: Excerpt
    setting: Setting
    shift: Tensor
    offset: Tensor
    loudness: Tensor
    length: Tensor
    solo: list[int]
    first: list[int]


def _number(value: str, among: tuple[str, ...]) -> int:
    return among.index(value) + 1 if value in among else 0


def encode_solos(solos: list[Solo], performers: tuple[str, ...]) -> list[Encoded]:
    """All solos in tokens; a performer who isn't in `performers` is unknown."""
    return [
        Encoded(
            encode(solo), changes_of_solo(solo), solo.tempo_bpm, _number(solo.instrument, INSTRUMENTS),
            _number(solo.style, STYLES), _number(solo.feel, FEELS), _number(solo.performer, performers),
            solo.beats_per_bar,
        )
        for solo in solos
    ]  # fmt: skip


def collate(
    items: list[tuple[Encoded, int, int, int, int]], notes: int, tempo_factor: np.ndarray | None = None
) -> TrainingBatch:
    """`items`: (solo, first note, last note exclusive, semitones up, register jitter). Beat 0 of an excerpt is the
    first beat of the bar in which its first note lies. Rows are padded to `notes` + 1 events."""
    count, time = len(items), notes + 1
    long = {
        name: np.zeros((count, time), np.int64)
        for name in Excerpt.__dataclass_fields__
        if name not in ("tones", "onset")
    }
    tones, onset = np.zeros((count, time, 24), np.float32), np.zeros((count, time), np.float32)
    targets = {name: np.full((count, notes), IGNORE, np.int64) for name in ("offset", "loudness", "length")}
    long["timing"][:, 1:] = IGNORE
    for row, (item, first, last, shift, jitter) in enumerate(items):
        events, changes = item.events, item.changes
        start = bar_start(item, int(events.beat[first]))
        size = last - first
        advance = events.advance[first:last].copy()
        advance[0] = events.beat[first] - start
        long["timing"][row, 1 : size + 1] = advance + ADVANCES * events.phrase[first:last]
        long["position"][row, 1 : size + 1] = events.position[first:last]
        long["pitch"][row, 1 : size + 1] = events.pitch[first:last] + shift
        long["register"][row, 1 : size + 1] = events.pitch[first:last] + jitter
        beats = np.append(start, events.beat[first:last])
        fill = {"root": _up(changes.root[beats], shift), "next_root": _up(changes.next_root[beats], shift),
                "quality": changes.quality[beats], "next_quality": changes.next_quality[beats],
                "to_next": changes.beats_to_next[beats], "beat_in_bar": changes.beat_in_bar[beats],
                "section_bar": changes.bar_in_section[beats]}  # fmt: skip
        for name, values in fill.items():
            long[name][row, : size + 1] = values
        tones[row, : size + 1] = changes.tones[beats]
        onset[row, 1 : size + 1] = events.beat[first:last] - start + POSITION_BEATS[events.position[first:last]]
        for name in targets:
            targets[name][row, :size] = getattr(events, name)[first:last]
    factor = tempo_factor if tempo_factor is not None else np.ones(count)
    setting = Setting(
        tempo_bpm=torch.tensor(
            [item.tempo_bpm * f for (item, *_), f in zip(items, factor, strict=True)], dtype=torch.float32
        ),
        **{
            name: torch.tensor([getattr(item, name) for item, *_ in items])
            for name in ("instrument", "style", "feel", "performer", "beats_per_bar")
        },
    )
    return TrainingBatch(
        Excerpt(
            **{name: torch.from_numpy(values) for name, values in long.items()},
            tones=torch.from_numpy(tones),
            onset=torch.from_numpy(onset),
        ),
        setting,
        torch.tensor([shift - jitter for *_, shift, jitter in items]),
        **{name: torch.from_numpy(values) for name, values in targets.items()},
        solo=[0] * count,
        first=[first for _, first, *_ in items],
    )


def _up(root: np.ndarray, shift: int) -> np.ndarray:
    return np.where(root < NO_ROOT, (root + shift) % 12, NO_ROOT)


def bar_start(item: Encoded, beat: int) -> int:
    """The first beat of the bar that `beat` lies in."""
    return max(0, beat - int(item.changes.beat_in_bar[beat]))


def first_of_bar(item: Encoded, note: int) -> int:
    """The first note of the bar in which `note` lies."""
    start = bar_start(item, int(item.events.beat[note]))
    return int(np.searchsorted(item.events.beat, start, side="left"))


def excerpt_end(item: Encoded, first: int, notes: int) -> int:
    """One past the last note of an excerpt: at most `notes` on, and before any rest that tokens can't write."""
    last = min(first + notes, len(item.events))
    for note in range(first + 1, last):
        if item.events.advance[note] >= ADVANCES:
            return note
    return last


def random_batch(
    solos: list[Encoded], size: int, notes: int, generator: np.random.Generator, *, augment: bool = True
) -> TrainingBatch:
    """Excerpts from bars drawn evenly over all notes; `augment`: any of 12 keys, register by up to 2 semitones,
    tempo by up to 6 %, the place in the form withheld for three in ten."""
    lengths = np.array([len(item.events) for item in solos], float)
    picks = generator.choice(len(solos), size, p=lengths / lengths.sum())
    items = []
    for pick in picks:
        item = solos[pick]
        first = first_of_bar(item, int(generator.integers(0, max(1, len(item.events) - notes // 4))))
        shift = int(generator.integers(-6, 6)) if augment else 0
        jitter = int(generator.integers(-2, 3)) if augment else 0
        items.append((item, first, excerpt_end(item, first, notes), shift, jitter))
    factor = np.exp(generator.uniform(-0.06, 0.06, size)) if augment else None
    batch = collate(items, notes, factor)
    batch.solo = [int(pick) for pick in picks]
    if augment:
        batch.excerpt.section_bar[torch.from_numpy(generator.random(size) < 0.3)] = UNKNOWN_BAR
    return batch


def every_excerpt(solos: list[Encoded], notes: int) -> list[TrainingBatch]:
    """The solos cut end to end, for measuring perplexity: batches of 32, in the written key."""
    items, places = [], []
    for number, item in enumerate(solos):
        first = 0
        while first < len(item.events):
            last = excerpt_end(item, first, notes)
            if last - first >= 8:
                items.append((item, first, last, 0, 0))
                places.append(number)
            first = last
    batches = []
    for i in range(0, len(items), 32):
        batch = collate(items[i : i + 32], notes)
        batch.solo = places[i : i + 32]
        batches.append(batch)
    return batches
