"""Fit the walking bass's tables to the bass notes annotated under the Weimar solos."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from engine.errors import BadChords
from engine.jazz.band.bass import HIGHEST, LOWEST, ROLES, Beat, beats_of
from engine.jazz.theory.chords import QUALITIES
from engine.jazz.theory.score import ChordSpan

CANDIDATES = HIGHEST - LOWEST + 1


@dataclass(frozen=True)
class BassNotes:
    """Annotated beats, one row each, (N,) int64: pitch and the two before it (from LOWEST), role, quality, root and
    next root (pitch classes), and the index of the solo."""

    pitch: Tensor
    before: Tensor
    before_that: Tensor
    role: Tensor
    quality: Tensor
    root: Tensor
    next_root: Tensor
    solo: Tensor


def read_bass_notes(folder: Path, ids: set[str]) -> BassNotes:
    """The beats of the solos `ids` in 4/4 that have a bass pitch, two beats of history and a chord.

    `folder`: the MCSV export's `wjazzd`, with `mcsv_beat/`."""
    rows: list[tuple[int, ...]] = []
    for solo, name in enumerate(sorted(ids)):
        path = folder / "mcsv_beat" / f"{name.removesuffix('.sv')}_beattrack.csv"
        if not path.exists():
            continue
        with path.open(newline="") as file:
            rows.extend(_rows_of(list(csv.DictReader(file)), solo))
    return BassNotes(*torch.tensor(rows, dtype=torch.int64).T.contiguous())


def _rows_of(beats: list[dict[str, str]], solo: int) -> list[tuple[int, ...]]:
    if not beats or not beats[0].get("bass") or beats[0]["signature"].strip("'\"") != "4/4":
        return []
    changes: list[ChordSpan] = []
    symbol = "NC"
    for index, beat in enumerate(beats):
        symbol = beat["chord"] or symbol
        changes.append(ChordSpan(index, 1, symbol))
    try:
        seen = beats_of(tuple(changes), len(beats), 4)
    except BadChords:
        return []
    pitches = unfold_octaves([int(float(beat["bass"])) if beat["bass"] else None for beat in beats])
    if not _walks(pitches, seen):
        return []
    rows: list[tuple[int, ...]] = []
    for t in range(2, len(beats)):
        before_that, before, pitch = pitches[t - 2 : t + 1]
        view, root, next_root = seen[t], seen[t].chord.root, seen[t].following.root
        strong = int(beats[t]["beat"]) in (1, 3)
        if before_that is None or before is None or pitch is None or root is None or next_root is None:
            continue
        role = view.role if view.role in (0, 3) else (1 if strong else 2)
        quality = QUALITIES.index(view.chord.quality)
        rows.append((pitch - LOWEST, before - LOWEST, before_that - LOWEST, role, quality, root, next_root, solo))
    return rows


def unfold_octaves(estimated: list[int | None], octave_cost: float = 3.0) -> list[int | None]:
    """The same pitch classes in the octaves that make the smoothest line within the bass's range.

    The estimator often lands an octave off, which reads as leaps that nobody played. Viterbi: a move costs its width
    in semitones, a note moved off its estimated octave costs `octave_cost`."""
    line: list[int | None] = list(estimated)
    start = 0
    while start < len(estimated):
        if estimated[start] is None:
            start += 1
            continue
        end = start
        while end < len(estimated) and estimated[end] is not None:
            end += 1
        line[start:end] = _smoothest([pitch for pitch in estimated[start:end] if pitch is not None], octave_cost)
        start = end
    return line


def _smoothest(pitches: list[int], octave_cost: float) -> list[int]:
    def octaves(pitch: int) -> list[int]:
        return [p for p in range(LOWEST, HIGHEST + 1) if p % 12 == pitch % 12]

    costs = {p: octave_cost * (p != pitches[0]) for p in octaves(pitches[0])}
    came_from: list[dict[int, int]] = []
    for pitch in pitches[1:]:
        step: dict[int, float] = {}
        back: dict[int, int] = {}
        for p in octaves(pitch):
            before = min(costs, key=lambda q: costs[q] + abs(p - q))
            back[p] = before
            step[p] = costs[before] + abs(p - before) + octave_cost * (p != pitch)
        costs = step
        came_from.append(back)
    line = [min(costs, key=lambda p: costs[p])]
    for back in reversed(came_from):
        line.append(back[line[-1]])
    return line[::-1]


def _walks(pitches: list[int | None], seen: list[Beat]) -> bool:
    """Whether the line under a solo walks and was heard well: few repeated notes, chords that start on their root."""
    pairs = [(a, b) for a, b in pairwise(pitches) if a is not None and b is not None]
    starts = [
        (pitch, view)
        for pitch, view in zip(pitches, seen, strict=True)
        if pitch is not None and view.role == 0 and view.chord.bass is not None
    ]
    if len(pairs) < 32 or len(starts) < 8:
        return False
    repeated = sum(a == b for a, b in pairs) / len(pairs)
    on_root = sum(pitch % 12 == view.chord.bass for pitch, view in starts) / len(starts)
    return repeated < 0.22 and on_root > 0.4


def fit(notes: BassNotes, steps: int = 200, decay: float = 3e-4) -> tuple[dict[str, Tensor], list[float]]:
    """The tables of `BassTables` as tensors, and the mean negative log-likelihood (nats a note) after every step.

    Each note is explained as (1 - e) * model + e / CANDIDATES, with one e for each solo learned too: where the
    annotation is unreliable its notes count little."""
    place = torch.zeros(len(ROLES), len(QUALITIES), 12)
    tables = {
        "place": place,
        "step": torch.zeros(len(ROLES), 12, 12),
        "interval": torch.zeros(len(ROLES), 25),
        "turn": torch.zeros(25, 25),
        "approach": torch.zeros(len(ROLES), 12),
        "register": torch.zeros(CANDIDATES),
    }
    noise = torch.zeros(int(notes.solo.max()) + 1)
    parameters = [*tables.values(), noise]
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam(parameters, lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    losses = []
    for _ in range(steps):
        loss = negative_log_likelihood(tables, notes, noise)
        penalty = decay * sum(table.square().sum() for table in tables.values()) / 100
        optimiser.zero_grad()
        (loss + penalty).backward()
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
    return {**{name: table.detach() for name, table in tables.items()}, "noise": torch.sigmoid(noise).detach()}, losses


def negative_log_likelihood(tables: dict[str, Tensor], notes: BassNotes, noise: Tensor | None) -> Tensor:
    """Mean over the notes, in nats; `noise` (logits a solo) None: the model alone."""
    candidate = torch.arange(CANDIDATES)[None, :]  # (1, C)
    over = (candidate + LOWEST - notes.root[:, None]) % 12
    over_before = (notes.before + LOWEST - notes.root) % 12
    over_next = (candidate + LOWEST - notes.next_root[:, None]) % 12
    interval = candidate - notes.before[:, None]
    clipped = interval.clamp(-12, 12) + 12
    turned = (notes.before - notes.before_that).clamp(-12, 12) + 12
    role = notes.role[:, None]
    scores = (
        tables["place"][role, notes.quality[:, None], over]
        + tables["step"][role, over_before[:, None], over]
        + tables["interval"][role, clipped]
        + tables["turn"][turned[:, None], clipped]
        + tables["approach"][role, over_next]
        + tables["register"][None, :]
    )
    scores = scores.masked_fill(interval.abs() > 12, -1e9)
    log_p = torch.log_softmax(scores, dim=1).gather(1, notes.pitch[:, None])[:, 0]
    if noise is not None:
        e = torch.sigmoid(noise)[notes.solo]
        log_p = torch.logaddexp(torch.log1p(-e) + log_p, torch.log(e / CANDIDATES))
    return -log_p.mean()
