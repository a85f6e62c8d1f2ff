"""A job on its way through the engine: where it is, what its caller hears, and how it learns that nobody wants it."""

from __future__ import annotations

import asyncio
import enum
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from engine.errors import Cancelled, EngineError
from engine.progress import Progress
from engine.serving.stages import Stages

PROGRESS_INTERVAL_S = 0.1
"""Progress is passed on no more often than this: a tile a millisecond would flood the wire."""


@dataclass(frozen=True, slots=True)
class Position:
    """Waiting; 1 = next. `eta_s`: until the result; 0 while nobody knows."""

    position: int
    eta_s: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Step:
    """At work; `fraction` 0..1 of the whole job."""

    stage: str
    fraction: float


@dataclass(frozen=True, slots=True)
class Done:
    """The last event of a job that succeeded."""

    result: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The last event of a job that did not."""

    error: EngineError


Event = Position | Step | Done | Failed


class Stage(enum.Enum):
    """Where a job is. The values are what the contract calls it."""

    WAITING = "waiting"
    READING = "reading"
    READY = "ready"
    RUNNING = "running"
    FINISHING = "finishing"
    OVER = "over"


@dataclass(eq=False)
class Job:
    """One request on its way through the engine."""

    job_id: str
    member_key: str
    kind: str
    stages: Stages
    request_id: str = ""
    events: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)
    cancelled: threading.Event = field(default_factory=threading.Event)
    submitted_at: float = field(default_factory=time.monotonic)
    stage: Stage = Stage.WAITING
    fraction: float = 0.0
    work: Any = None
    """What reading gave; what the turn gave, later."""
    last_sign_at: float = 0.0
    """When it last showed that it goes on, on the monotonic clock; written by the thread it runs on."""
    began_at: float = 0.0
    spent: dict[str, float] = field(default_factory=dict)
    """Seconds in each stage that it has left; being ready counts as waiting."""
    turn_s: float = 0.0
    other_s: float = 0.0

    @property
    def size(self) -> float:
        return self.stages.size

    def enter(self, stage: Stage) -> None:
        now = time.monotonic()
        left = Stage.WAITING if self.stage is Stage.READY else self.stage
        since = self.began_at or self.submitted_at
        self.spent[left.value] = self.spent.get(left.value, 0.0) + now - since
        self.stage = stage
        self.began_at = self.last_sign_at = now

    def end(self, event: Done | Failed) -> bool:
        """Its last event; False if it had one. What it worked on is let go."""
        if self.stage is Stage.OVER:
            return False
        self.enter(Stage.OVER)
        self.work = None
        self.events.put_nowait(event)
        return True

    def about(self) -> dict[str, str]:
        """What the log says of it."""
        named = {"job_id": self.job_id, "kind": self.kind}
        return named | ({"request_id": self.request_id} if self.request_id else {})

    def progress(self, loop: asyncio.AbstractEventLoop) -> Progress:
        """The job's `progress` callback, for another thread."""
        last_sent = float("-inf")

        def progress(stage: str, fraction: float) -> None:
            nonlocal last_sent
            if self.cancelled.is_set():
                raise Cancelled("The job was cancelled.")
            now = time.monotonic()
            self.last_sign_at, self.fraction = now, fraction
            if now - last_sent >= PROGRESS_INTERVAL_S:
                last_sent = now
                loop.call_soon_threadsafe(self.events.put_nowait, Step(stage, fraction))

        return progress
