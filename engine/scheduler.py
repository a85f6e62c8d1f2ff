"""Who runs next: one job at a time on the device, members in turn, a bounded queue, cancellation at any moment.

Jobs are plain synchronous functions `run(progress) -> result`. They run on the scheduler's single worker thread, so
that the event loop stays free to answer; torch releases the GIL inside its kernels. Members take turns: one member's
ten jobs wait behind one job of each of the others (round-robin over members, first come first served within one).
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import structlog
import torch

from engine.errors import Cancelled, EngineError, Internal, OutOfMemory, QueueFull
from engine.progress import Progress

log = structlog.get_logger(__name__)

PROGRESS_INTERVAL_S = 0.1
"""Progress is passed on at most so often: a tile a millisecond must not flood the wire."""


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


@dataclass(eq=False)
class Job:
    """One request on its way through the engine."""

    job_id: str
    member_key: str
    kind: str
    run: Callable[[Progress], Any]
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
        self._running: Job | None = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="device")
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Scheduler:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._serve(), name="scheduler")
        return self

    async def __aexit__(self, *_: object) -> None:
        for job in [*self._order(), *([self._running] if self._running else [])]:
            self._cancel(job)
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def call(self, function: Callable[[], Any]) -> Any:
        """Run a short function on the device's thread, before whatever waits in the queue: warming, a style's code."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, function)

    def submit(self, job_id: str, member_key: str, kind: str, run: Callable[[Progress], Any]) -> Job:
        """Put a job into the queue. Raises QueueFull when it is full."""
        waiting = sum(len(jobs) for jobs in self._waiting.values())
        if waiting >= self._queue_length:
            raise QueueFull(f"The queue is full ({waiting} jobs are waiting); please try again in a minute.")
        job = Job(job_id, member_key, kind, run)
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
        """The running job, then the waiting ones in the order in which they will run."""
        now = time.monotonic()
        running = [self._running] if self._running else []
        first = 0 if running else 1
        return [Entry(job, i, now - job.submitted_at) for i, job in enumerate([*running, *self._order()], first)]

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

    def _next(self) -> Job | None:
        if not self._waiting:
            return None
        member_key, jobs = self._waiting.popitem(last=False)
        job = jobs.popleft()
        if jobs:
            self._waiting[member_key] = jobs  # behind all other members
        return job

    async def _serve(self) -> None:
        while True:
            job = self._next()
            if job is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            self._running = job
            job.started = True
            self._announce_positions()
            try:
                job.events.put_nowait(await self._run(job))
            finally:
                self._running = None

    async def _run(self, job: Job) -> Event:
        began = time.monotonic()
        try:
            result = await self.call(lambda: job.run(self._progress(job)))
        except EngineError as error:
            log.info("job ended", kind=job.kind, job_id=job.job_id, code=error.code, reason=str(error))
            return Failed(error)
        except (torch.OutOfMemoryError, MemoryError):
            log.exception("out of memory", kind=job.kind, job_id=job.job_id)
            return Failed(OutOfMemory("That does not fit into the engine's memory; please try a smaller one."))
        except Exception:  # whatever a job raises ends that job only
            log.exception("job failed", kind=job.kind, job_id=job.job_id)
            return Failed(Internal("Something went wrong in the engine; the details are in its log."))
        log.info("job done", kind=job.kind, job_id=job.job_id, seconds=round(time.monotonic() - began, 3))
        return Done(result)

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

        progress("starting", 0.0)
        return progress
