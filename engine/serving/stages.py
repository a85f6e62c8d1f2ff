"""The three stages of a job: its files are read, it has its turn on the device, and what came of that becomes files."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.progress import Progress
from engine.uploads import Reading, Upload


@dataclass(frozen=True, slots=True)
class SharedTurn:
    """How works of equal `key` (None: alone) are done together.

    `run(works, progresses)` gives an outcome or an exception for each, in their order. A `progress` raises `Cancelled`
    for its own job only; the others go on."""

    key: Callable[[Any], Hashable | None]
    run: Callable[[Sequence[Any], Sequence[Progress]], Sequence[Any]]


def nothing_to_read(readings: Sequence[Reading]) -> None:
    """`Stages.prepare` of a job without files."""


@dataclass(frozen=True, slots=True)
class Stages:
    """`uploads` are read in intake; `prepare` makes a work of the readings, on any thread; `turn` computes on the
    device's own thread; `finish` turns its outcome into the result, on one of a few threads beside the next job's turn.
    """

    turn: Callable[[Any, Progress], Any]
    uploads: tuple[Upload, ...] = ()
    prepare: Callable[[Sequence[Reading]], Any] = nothing_to_read
    finish: Callable[[Any, Progress], Any] | None = None
    shared: SharedTurn | None = None
    size: float = 1.0
    """How much work it is against others of its kind, for estimates: bars of a clip, say."""
