"""Who runs next: reading beside the device, one turn at a time on it, finishing beside the next turn.

A job waits until it is among the next few; then its files are read (`intake`). The device's one thread takes the first
job in the `line` that is ready, with those that share its turn, and does nothing but compute. What came of it is
finished by a few other threads. So the event loop stays free to answer, and torch releases the GIL inside its kernels.

A watchdog looks after all of it: a stage that gives no sign of life for its limit is ended, and its member told. Where
that can't be done from inside (a kernel that hangs, a device that is lost), everybody is told and `on_loss` is called.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog

from engine.contract.quotes import unquoted
from engine.device import is_device_lost, is_out_of_memory, trim_heaps
from engine.errors import Cancelled, EngineError, Internal, OutOfMemory, QueueFull, Restarting
from engine.serving.intake.pool import Intake
from engine.serving.jobs import Done, Event, Failed, Job, Position, Stage
from engine.serving.line import WaitingLine
from engine.serving.stage_times import StageTimes
from engine.serving.stages import Stages
from engine.uploads import Reading

log = structlog.get_logger(__name__)

RESTART = "The engine has to restart; please try again in a minute."
HUNG = "That job got stuck, so I stopped it; please try again in a minute."


@dataclass(frozen=True)
class Limits:
    """What the engine takes on at once, and how long a stage may be silent."""

    read_ahead: int = 2
    """Jobs whose files are read before their turn, twice as many at most: each may hold a few hundred MB."""
    finishers: int = 2
    """Threads that finish; twice as many works may wait for them before the device pauses."""
    turn_silence_s: float = 120.0
    finish_silence_s: float = 60.0
    stuck_finishers: int = 4
    """How many threads may be given up before the engine restarts."""
    watch_every_s: float = 1.0
    rest_s: float = 30.0
    """Without a job, until memory that is free goes back to the system."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the queue as `/queue` shows it; position 0 is at work."""

    job: Job
    position: int
    waited_s: float
    eta_s: float


class Scheduler:
    """Owns the device. Open it with `async with`; every method belongs to the event loop's thread."""

    def __init__(
        self,
        queue_length: int,
        intake: Intake | None = None,
        limits: Limits | None = None,
        on_loss: Callable[[str], None] = lambda reason: None,
    ) -> None:
        """`on_loss(reason)` is called once, when only a new process can help."""
        self._queue_length, self._intake, self._limits, self._on_loss = (
            queue_length,
            intake,
            limits or Limits(),
            on_loss,
        )
        self._line = WaitingLine()
        self._running: list[Job] = []
        self._finishing: list[Job] = []
        self.stage_times = StageTimes()
        self._device = ThreadPoolExecutor(max_workers=1, thread_name_prefix="device")
        self._preparer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="preparing")
        self._finishers = self._new_finishers()
        self._stuck = 0
        self._lost = ""
        self._last_end_at, self._untidy = time.monotonic(), True
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading: dict[Job, asyncio.Task[None]] = {}

    def _new_finishers(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=self._limits.finishers, thread_name_prefix="finishing")

    async def __aenter__(self) -> Scheduler:
        self._loop = asyncio.get_running_loop()
        self._start(self._serve(), "scheduler")
        self._start(self._watch(), "watchdog")
        return self

    async def __aexit__(self, *_: object) -> None:
        for job in self._all():
            self._cancel(job)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._device.shutdown(wait=False, cancel_futures=True)
        self._finishers.shutdown(wait=False, cancel_futures=True)
        self._preparer.shutdown(wait=False, cancel_futures=True)

    async def call(self, function: Callable[[], Any]) -> Any:
        """Run a function on the device's thread before the first job: loading and warming."""
        return await self._loop.run_in_executor(self._device, function)

    def submit(self, job_id: str, member_key: str, kind: str, stages: Stages, request_id: str = "") -> Job:
        """Put a job into the queue. Raises QueueFull when it is full, `Restarting` when the device is lost."""
        if self._lost:
            raise Restarting(RESTART)
        waiting = len(self._line)
        if waiting >= self._queue_length:
            raise QueueFull(f"The queue is full: {waiting} jobs are waiting. Please try again in a minute.")
        job = Job(job_id, member_key, kind, stages, request_id)
        self._line.add(job)
        self._changed()
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

    async def result(self, job: Job) -> Any:
        """The job's result alone. Raises the `EngineError` that it ended with; being cancelled cancels the job."""
        async for event in self.events(job):
            match event:
                case Done(result):
                    return result
                case Failed(error):
                    raise error
        raise Internal("The job ended without a result.")

    def entries(self) -> list[Entry]:
        """What is at work, then what waits, in the order in which it will run."""
        now = time.monotonic()
        placed = [
            *((job, 0) for job in [*self._finishing, *self._running]),
            *((j, i) for i, j in enumerate(self._line.order(self._running, now), 1)),
        ]
        etas = self._line.etas(self._running, self._finishing, now)
        return [Entry(job, position, now - job.submitted_at, etas.get(job, 0.0)) for job, position in placed]

    def cancel(self, job_id: str, member_key: str, anyones: bool = False) -> bool:
        """Cancel a member's own job (or `anyones`, for staff), wherever it is; False if there is none."""
        for job in self._all():
            if job.job_id == job_id and (anyones or job.member_key == member_key):
                self._cancel(job)
                return True
        return False

    def _all(self) -> list[Job]:
        return [*self._finishing, *self._running, *self._line]

    def _changed(self) -> None:
        """Tell everybody who waits how long still, and look whether there is something to start."""
        now = time.monotonic()
        etas = self._line.etas(self._running, self._finishing, now)
        for position, job in enumerate(self._line.order(self._running, now), 1):
            job.events.put_nowait(Position(position, round(etas.get(job, 0.0), 1)))
        self._wake.set()

    # ------------------------------------------------------------ from stage to stage

    async def _serve(self) -> None:
        """Start whatever can be started, whenever something has changed."""
        while True:
            self._wake.clear()
            self._read_ahead()
            if not self._running and len(self._finishing) < 2 * self._limits.finishers and not self._lost:
                turn = self._line.take_turn(self._running, time.monotonic())
                if turn:
                    self._running = turn
                    self._start(self._take_turn(turn), "turn")
            await self._wake.wait()

    def _read_ahead(self) -> None:
        begun = sum(job.stage in (Stage.READING, Stage.READY) for job in self._line)
        for job in self._line.order(self._running, time.monotonic())[: self._limits.read_ahead]:
            # The order changes as others come: whoever is next now is read even if some who were next wait on.
            if job.stage is Stage.WAITING and begun < 2 * self._limits.read_ahead:
                begun += 1
                job.enter(Stage.READING)
                self._reading[job] = self._start(self._read(job), "reading")

    async def _read(self, job: Job) -> None:
        """Intake: the files of one job, one after the other."""
        loop_progress = job.progress(self._loop)
        began = time.monotonic()
        with structlog.contextvars.bound_contextvars(**job.about()):
            try:
                readings: list[Reading] = []
                for upload in job.stages.uploads:
                    assert self._intake is not None, "a scheduler without intake was given files"
                    readings.append(await self._intake.read(upload, loop_progress))
                if readings:
                    job.work = await self._loop.run_in_executor(self._preparer, job.stages.prepare, readings)
                else:
                    job.work = job.stages.prepare(readings)
            except asyncio.CancelledError:
                self._end(job, Cancelled("The job was cancelled."))
                raise
            except Exception as error:  # noqa: BLE001 -- whatever reading raises ends this job only
                self._end(job, error)
            else:
                job.other_s += time.monotonic() - began
                if job.stage is Stage.READING:
                    job.enter(Stage.READY)
            finally:
                self._reading.pop(job, None)
                self._wake.set()

    async def _take_turn(self, turn: list[Job]) -> None:
        """On the device, and from there to the finishers."""
        self._changed()
        began = time.monotonic()
        outcomes: Sequence[Any] = await self._loop.run_in_executor(self._device, self._compute, turn)
        now = time.monotonic()
        self._running = []
        for job, outcome in zip(turn, outcomes, strict=True):
            job.turn_s = (now - began) / len(turn)
            self._line.used.charge(job.member_key, job.turn_s, now)
            if isinstance(outcome, Exception) or job.stages.finish is None:
                self._end(job, outcome)
            elif job.stage is not Stage.OVER:
                job.work = outcome
                job.enter(Stage.FINISHING)
                self._finishing.append(job)
                self._start(self._finish(job), "finishing")
        lost = next((error for error in outcomes if isinstance(error, Exception) and is_device_lost(error)), None)
        if lost is not None:
            self._lose("the device is lost")
        self._changed()

    def _compute(self, turn: Sequence[Job]) -> Sequence[Any]:
        """On the device's thread: each job's outcome, or what it raised."""
        progresses = [job.progress(self._loop) for job in turn]
        works = [job.work for job in turn]
        with structlog.contextvars.bound_contextvars(**_about_all(turn)):
            try:
                shared = turn[0].stages.shared
                if len(turn) > 1 and shared:
                    return shared.run(works, progresses)
                progresses[0]("starting", 0.0)
                return [turn[0].stages.turn(works[0], progresses[0])]
            except Exception as error:  # noqa: BLE001 -- whatever a job raises ends that job only
                return [error] * len(turn)

    async def _finish(self, job: Job) -> None:
        began = time.monotonic()
        try:
            outcome = await self._loop.run_in_executor(self._finishers, self._finished, job)
        except asyncio.CancelledError:
            self._end(job, Cancelled("The job was cancelled."))
            raise
        job.other_s += time.monotonic() - began
        self._end(job, outcome)

    def _finished(self, job: Job) -> Any:
        """On a finishing thread: the result, or what it raised."""
        finish, work, job.work = job.stages.finish, job.work, None
        assert finish is not None
        job.last_sign_at = time.monotonic()  # it may have waited for the thread
        with structlog.contextvars.bound_contextvars(**job.about()):
            try:
                return finish(work, job.progress(self._loop))
            except Exception as error:  # noqa: BLE001 -- whatever a job raises ends that job only
                return error

    # ------------------------------------------------------------ ends

    def _cancel(self, job: Job) -> None:
        """Where it waits or is read, it ends now; on a thread it ends as soon as that asks for its progress."""
        if job.stage is Stage.OVER:
            return
        job.cancelled.set()
        if job.stage in (Stage.WAITING, Stage.READING, Stage.READY):
            reading = self._reading.get(job)
            if reading is not None:
                reading.cancel()  # which kills the child that reads
            self._end(job, Cancelled("The job was cancelled."))
            self._changed()

    def _end(self, job: Job, outcome: Any) -> None:
        """The job's last event, from its result or from what it raised."""
        if job.stage is Stage.OVER:
            return
        self._line.remove(job)
        if job in self._finishing:
            self._finishing.remove(job)
        event = _last_event(job, outcome)
        if job.end(event) and isinstance(event, Done):
            self._line.durations.took(job, job.turn_s, job.other_s)
            self.stage_times.took(job)
        self._last_end_at, self._untidy = time.monotonic(), True
        self._wake.set()

    def _lose(self, reason: str) -> None:
        """Nothing more can be done in this process: everybody is told, once."""
        if self._lost:
            return
        self._lost = reason
        log.critical("the engine gives up", reason=reason)
        for job in self._all():
            stuck = job in self._running
            job.cancelled.set()
            self._end(job, Internal(HUNG) if stuck else Restarting(RESTART))
        self._on_loss(reason)

    async def _watch(self) -> None:
        """The watchdog."""
        while True:
            await asyncio.sleep(self._limits.watch_every_s)
            now = time.monotonic()
            if self._untidy and not self._all() and now - self._last_end_at >= self._limits.rest_s:
                self._untidy = False
                await self._loop.run_in_executor(self._preparer, trim_heaps)
            if self._running and now - max(job.last_sign_at for job in self._running) > self._limits.turn_silence_s:
                self._lose("a job hangs on the device")
            for job in list(self._finishing):
                if now - job.last_sign_at > self._limits.finish_silence_s and job.work is None:
                    self._give_up_finisher(job)

    def _give_up_finisher(self, job: Job) -> None:
        """A thread can't be ended: it is left to itself, and new ones take over."""
        log.error("a job got stuck while it was finished", **job.about())
        job.cancelled.set()
        self._end(job, Internal(HUNG))
        self._stuck += 1
        if self._stuck > self._limits.stuck_finishers:
            self._lose("too many threads hang")
            return
        stuck, self._finishers = self._finishers, self._new_finishers()
        stuck.shutdown(wait=False)

    def _start(self, coroutine: Any, name: str) -> asyncio.Task[None]:
        """A task that can't die unseen: what it raises is logged, and the engine restarts."""
        task: asyncio.Task[None] = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("a task of the scheduler died", task=task.get_name(), exc_info=error)
            self._lose("the scheduler failed")


def _about_all(turn: Sequence[Job]) -> dict[str, str]:
    return {name: " ".join(job.about().get(name, "-") for job in turn) for name in turn[0].about()}


def _last_event(job: Job, outcome: Any) -> Done | Failed:
    """The last event of a job that gave a result or raised an exception."""
    match outcome:
        case EngineError():
            log.info("job ended", code=outcome.code, reason=unquoted(str(outcome)), **job.about())
            return Failed(outcome)
        case Exception() if is_out_of_memory(outcome):
            log.error("out of memory", exc_info=outcome, **job.about())
            outcome.__traceback__ = None  # whose frames hold what there was no room for
            return Failed(OutOfMemory("I don't have enough memory for that; please try something smaller."))
        case Exception():
            log.error("job failed", exc_info=outcome, **job.about())
            return Failed(Internal("Something went wrong in the engine. The details are in its log."))
    log.info("job done", turn_s=round(job.turn_s, 3), other_s=round(job.other_s, 3), **job.about())
    return Done(outcome)
