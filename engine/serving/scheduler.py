"""Who runs next: one job at a time on the device, members in turn, a bounded queue, cancellation at any moment.

Jobs are plain synchronous functions `run(progress) -> result`. They run on the scheduler's single worker thread, so
that the event loop stays free to answer; torch releases the GIL inside its kernels. Members take turns: one member's
ten jobs wait behind one job of each of the others (round-robin over members, first come first served within one).

Jobs that say so (`SharedTurn`) share a turn: the next member's job takes along the first waiting job of each other
member, if that one is of the same kind and shape. So nobody gets two jobs into one turn, and whoever is passed over
waits for one shared turn at most.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
import torch

from engine.errors import Cancelled, EngineError, Internal, OutOfMemory, QueueFull
from engine.progress import Progress

log = structlog.get_logger(__name__)

PROGRESS_INTERVAL_S = 0.1
"""Progress is passed on no more often than this: a tile a millisecond would flood the wire."""


@dataclass(frozen=True, slots=True)
class Position:
    """Waiting; 1 = next."""

    position: int


@dataclass(frozen=True, slots=True)
class Step:
    """Running; `fraction` 0..1 of the whole job."""

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


MOST_TOGETHER = 8
"""Jobs in one turn: enough to fill a GPU, few enough that the first doesn't wait long for the last."""


@dataclass(frozen=True, slots=True)
class SharedTurn:
    """How a job is run together with others of equal `key`.

    `run(items, progresses)` gives a result or an exception for each item, in their order. A `progress` raises
    `Cancelled` for its own job only; the others go on."""

    key: Hashable
    item: Any
    run: Callable[[Sequence[Any], Sequence[Progress]], Sequence[Any]]


@dataclass(eq=False)
class Job:
    """One request on its way through the engine."""

    job_id: str
    member_key: str
    kind: str
    run: Callable[[Progress], Any]
    batch: SharedTurn | None = None
    events: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)
    cancelled: threading.Event = field(default_factory=threading.Event)
    submitted_at: float = field(default_factory=time.monotonic)
    started: bool = False
    fraction: float = 0.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the queue as `/queue` shows it; position 0 is running."""

    job: Job
    position: int
    waited_s: float


class Scheduler:
    """Owns the device. Open it with `async with`; every method belongs to the event loop's thread."""

    def __init__(self, queue_length: int) -> None:
        self._queue_length = queue_length
        self._waiting: OrderedDict[str, deque[Job]] = OrderedDict()  # member key -> jobs; first member is next
        self._running: list[Job] = []
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="device")
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Scheduler:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._serve(), name="scheduler")
        return self

    async def __aexit__(self, *_: object) -> None:
        for job in [*self._order(), *self._running]:
            self._cancel(job)
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def call(self, function: Callable[[], Any]) -> Any:
        """Run a short function on the device's thread, before whatever waits in the queue: warming, a style's code."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, function)

    def submit(
        self, job_id: str, member_key: str, kind: str, run: Callable[[Progress], Any], batch: SharedTurn | None = None
    ) -> Job:
        """Put a job into the queue; with `batch` it may share its turn. Raises QueueFull when the queue is full."""
        waiting = sum(len(jobs) for jobs in self._waiting.values())
        if waiting >= self._queue_length:
            raise QueueFull(f"The queue is full: {waiting} jobs are waiting. Please try again in a minute.")
        job = Job(job_id, member_key, kind, run, batch)
        self._waiting.setdefault(member_key, deque()).append(job)
        self._announce_positions()
        self._wake.set()
        return job

    async def events(self, job: Job) -> AsyncGenerator[Event, None]:
        """The job's events up to and including `Done` or `Failed`. Leaving early cancels the job."""
        try:
            while True:
                event = await job.events.get()
                yield event
                if isinstance(event, Done | Failed):
                    return
        finally:
            self._cancel(job)

    def entries(self) -> list[Entry]:
        """What runs, then what waits, in the order in which it will run."""
        now = time.monotonic()
        placed = [*((job, 0) for job in self._running), *((job, i) for i, job in enumerate(self._order(), 1))]
        return [Entry(job, position, now - job.submitted_at) for job, position in placed]

    def cancel(self, job_id: str, member_key: str) -> bool:
        """Cancel a member's own job, waiting or running; False when there is none of that name."""
        for entry in self.entries():
            if entry.job.job_id == job_id and entry.job.member_key == member_key:
                self._cancel(entry.job)
                return True
        return False

    # ------------------------------------------------------------ inside

    def _order(self) -> list[Job]:
        """Waiting jobs in the order in which they will run: members in turn."""
        rounds = itertools.zip_longest(*self._waiting.values())
        return [job for turn in rounds for job in turn if job is not None]

    def _announce_positions(self) -> None:
        for position, job in enumerate(self._order(), 1):
            job.events.put_nowait(Position(position))

    def _cancel(self, job: Job) -> None:
        job.cancelled.set()
        jobs = self._waiting.get(job.member_key)
        if jobs and job in jobs:
            jobs.remove(job)
            if not jobs:
                del self._waiting[job.member_key]
            job.events.put_nowait(Failed(Cancelled("The job was cancelled.")))
            self._announce_positions()

    def _next_turn(self) -> list[Job]:
        """Take the first waiting job out of the queue, and with it those of other members that share its turn."""
        turn: list[Job] = []
        for member_key, jobs in list(self._waiting.items()):
            if not turn or (len(turn) < MOST_TOGETHER and _go_together(turn[0], jobs[0])):
                turn.append(jobs.popleft())
                del self._waiting[member_key]
                if jobs:
                    self._waiting[member_key] = jobs  # behind all other members
        return turn

    async def _serve(self) -> None:
        while True:
            turn = self._next_turn()
            if not turn:
                self._wake.clear()
                await self._wake.wait()
                continue
            self._running = turn
            for job in turn:
                job.started = True
            self._announce_positions()
            try:
                began = time.monotonic()
                outcomes = await self.call(partial(self._compute, turn))
                seconds = round(time.monotonic() - began, 3)
                for job, outcome in zip(turn, outcomes, strict=True):
                    job.events.put_nowait(_last_event(job, outcome, seconds))
            finally:
                self._running = []

    def _compute(self, turn: Sequence[Job]) -> Sequence[Any]:
        """On the worker thread: each job's result, or what it raised."""
        progresses = [self._progress(job) for job in turn]
        try:
            if len(turn) > 1 and turn[0].batch:
                items = [job.batch.item for job in turn if job.batch]
                return turn[0].batch.run(items, progresses)
            progresses[0]("starting", 0.0)
            return [turn[0].run(progresses[0])]
        except Exception as error:  # noqa: BLE001 -- whatever a job raises ends that job only
            return [error] * len(turn)

    def _progress(self, job: Job) -> Progress:
        """The job's `progress` callback, called on the worker thread."""
        loop = self._loop
        assert loop is not None
        last_sent = float("-inf")

        def progress(stage: str, fraction: float) -> None:
            nonlocal last_sent
            if job.cancelled.is_set():
                raise Cancelled("The job was cancelled.")
            job.fraction = fraction
            now = time.monotonic()
            if now - last_sent >= PROGRESS_INTERVAL_S:
                last_sent = now
                loop.call_soon_threadsafe(job.events.put_nowait, Step(stage, fraction))

        return progress


def _go_together(first: Job, other: Job) -> bool:
    return first.batch is not None and other.batch is not None and first.batch.key == other.batch.key


def _last_event(job: Job, outcome: Any, seconds: float) -> Done | Failed:
    """The last event of a job that gave a result or raised an exception."""
    about = {"kind": job.kind, "job_id": job.job_id}
    match outcome:
        case EngineError():
            log.info("job ended", code=outcome.code, reason=str(outcome), **about)
            return Failed(outcome)
        case torch.OutOfMemoryError() | MemoryError():
            log.error("out of memory", exc_info=outcome, **about)
            return Failed(OutOfMemory("I don't have enough memory for that; please try a smaller one."))
        case Exception():
            log.error("job failed", exc_info=outcome, **about)
            return Failed(Internal("Something went wrong in the engine. The details are in its log."))
    log.info("job done", seconds=seconds, **about)
    return Done(outcome)
