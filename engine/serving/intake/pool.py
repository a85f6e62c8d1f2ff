"""The pool of children: who reads next, for how long at most, and what becomes of a child that misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
import math
import mmap
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import structlog

from engine import errors
from engine.contract.limits import MIB
from engine.errors import CallerError, EngineError, Internal
from engine.progress import Progress, silent
from engine.serving.intake.messages import (
    LENGTH,
    MOST_MESSAGE_BYTES,
    Malformed,
    packed,
    reading_of,
    shared_memory,
    unpacked,
)
from engine.serving.intake.readers import FAULTS
from engine.uploads import CALCULATION, Reading, Upload

log = structlog.get_logger(__name__)

HOUSE = Path(__file__).resolve().parents[3]
SHARED_BYTES = 512 * MIB
"""Of the memory that an upload and its result lie in. It costs nothing until it is written to."""
MEMORY_BYTES = 640 * MIB
"""What a child may take beyond what it has when it is warm."""
GROWTH_BYTES = 192 * MIB
"""A child that has kept more than this of what it took is replaced."""
TIME_LIMIT_S = 20.0
QUICK = frozenset({CALCULATION})
"""Kinds that a person waits for who only asked a question: they have a child of their own."""
QUICK_MEMORY_BYTES = 256 * MIB
QUICK_LIMIT_S = 4.0
START_LIMIT_S = 120.0
RESTART_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
BROKEN_AFTER = 3
"""Starts that fail one after the other: then whoever waits is told."""
LARGE_BYTES = 4 * MIB
"""From here on copying is done on a thread: the event loop has other things to do."""
KNOWN = {kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CallerError)}

CHILD_MODULE = "engine.serving.intake.child"
TOO_HARD = "I couldn't read that file safely; please send a simpler or smaller one."
TOO_LONG = "That file takes too long to read; please send a simpler or smaller one."
TOO_MUCH = "That's too much for me to work out here; please ask for something smaller."


class Died(Exception):
    """The child is gone, or says things that nobody can follow."""


class Child:
    """One process. It reads one file at a time."""

    def __init__(self, process: asyncio.subprocess.Process, memory: mmap.mmap, quick: bool) -> None:
        self._process, self._memory, self.quick = process, memory, quick
        self._watched = psutil.Process(process.pid)
        self.holds: tuple[str, ...] = ()
        self.heavy: tuple[str, ...] = ()
        self._warm_bytes = 0

    @classmethod
    async def start(cls, quick: bool) -> Child:
        """A warm child; `quick`: with less memory. Raises `Died`, `TimeoutError`."""
        descriptor = shared_memory(SHARED_BYTES)
        memory_bytes = QUICK_MEMORY_BYTES if quick else MEMORY_BYTES
        try:
            spawning = asyncio.ensure_future(
                asyncio.create_subprocess_exec(
                    sys.executable, "-B", "-m", CHILD_MODULE, str(descriptor), str(memory_bytes),
                    stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                    pass_fds=(descriptor,), cwd=HOUSE, env=_environment(), limit=MOST_MESSAGE_BYTES,
                )
            )  # fmt: skip
            try:
                process = await asyncio.shield(spawning)
            except asyncio.CancelledError:  # a process that nobody knows of would stay
                process = await spawning
                process.kill()
                await process.wait()
                raise
            child = cls(process, mmap.mmap(descriptor, SHARED_BYTES), quick)
        finally:
            os.close(descriptor)
        try:
            async with asyncio.timeout(START_LIMIT_S):
                hello = await child._message()
        except BaseException:
            await child.end()
            raise
        if not hello.get("ready"):
            await child.end()
            raise Died(str(hello.get("failed", "it isn't ready")))
        child.holds = tuple(str(layer) for layer in hello.get("holds", ()))
        child.heavy = tuple(str(name) for name in hello.get("heavy", ()))
        child._warm_bytes = child._watched.memory_info().rss
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    async def read(self, upload: Upload, limit_s: float, progress: Progress) -> Reading:
        """`limit_s`: of the processor's time. Raises `CallerError`s, `Died`, and whatever `progress` raises."""
        if len(upload.data) > SHARED_BYTES // 2:
            raise _fault(upload.kind, TOO_HARD)
        self._limit_cpu(limit_s)
        await _aside(len(upload.data), self._memory.__setitem__, slice(0, len(upload.data)), upload.data)
        request = {"kind": upload.kind, "bytes": len(upload.data), "options": dict(upload.options)}
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(packed(request))
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Died("its pipe is closed") from error
        while "stage" in (message := await self._message()):
            progress(str(message["stage"])[:40], min(1.0, max(0.0, float(message.get("fraction", 0.0)))))
        if "error" in message:
            raise self._error(message, upload.kind)
        try:
            described = message.get("arrays") or []
            size = sum(len(str(one)) and 1 for one in described) * LARGE_BYTES
            return await _aside(size, reading_of, message, self._memory)
        except Malformed as error:
            raise Died(str(error)) from error
        finally:
            self._forget()

    def _error(self, message: dict[str, Any], kind: str) -> EngineError:
        known = KNOWN.get(str(message["error"]))
        if known is not None:
            return known(str(message.get("sentence", TOO_HARD))[:500])
        log.warning("a file broke its reader", kind=kind, traceback=str(message.get("traceback", ""))[:4000])
        return _fault(kind, TOO_HARD)

    async def _message(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        try:
            (length,) = LENGTH.unpack(await self._process.stdout.readexactly(LENGTH.size))
            if length > MOST_MESSAGE_BYTES:
                raise Died(f"a message of {length} bytes")
            return unpacked(await self._process.stdout.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionResetError) as error:
            raise Died("it ended") from error
        except Malformed as error:
            raise Died(str(error)) from error

    def _limit_cpu(self, limit_s: float) -> None:
        """Processor time for the next file. Set from outside: the child itself may not change its limits."""
        if sys.platform == "linux":
            times = self._watched.cpu_times()
            most = math.ceil(times.user + times.system + limit_s) + 1
            resource.prlimit(self.pid, resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))

    def _forget(self) -> None:
        """Give the pages back that the last file and its result took; the next one starts with zeros."""
        with contextlib.suppress(OSError, AttributeError, ValueError):
            self._memory.madvise(mmap.MADV_REMOVE)

    def has_grown(self) -> bool:
        return self._watched.memory_info().rss > self._warm_bytes + GROWTH_BYTES

    async def end(self) -> None:
        """Kill it and wait until it is gone."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        transport = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()
        with contextlib.suppress(BufferError):  # a thread still copies out of it
            self._memory.close()


class Intake:
    """A few warm children. Open it with `async with`; its methods belong to the event loop's thread."""

    def __init__(
        self,
        processes: int = 2,
        time_limit_s: float = TIME_LIMIT_S,
        quick_processes: int = 0,
        quick_limit_s: float = QUICK_LIMIT_S,
    ) -> None:
        """`quick_processes` read kinds of `QUICK` only; those may go to the other children, too, when one is idle."""
        self._count, self._quick_count = processes, quick_processes
        self._time_limit_s, self._quick_limit_s = time_limit_s, quick_limit_s
        self._idle: asyncio.Queue[Child] = asyncio.Queue()
        self._quick: asyncio.Queue[Child] = asyncio.Queue()
        self._children: set[Child] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._broken = asyncio.Event()
        self.replaced = 0
        self.holds: tuple[str, ...] = ()
        """Layers that keep the children in; empty until the first one is warm."""

    async def __aenter__(self) -> Intake:
        for number in range(self._count + self._quick_count):
            self._start_one(quick=number >= self._count)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in list(self._starting):
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        await asyncio.gather(*(child.end() for child in self._children))

    async def warm(self) -> None:
        """Wait until one child of each sort is ready. Raises `Internal` when none starts."""
        for queue, count in ((self._idle, self._count), (self._quick, self._quick_count)):
            if count:
                self._give_back(await self._next([queue]))

    @property
    def pids(self) -> list[int]:
        return sorted(child.pid for child in self._children)

    async def read(self, upload: Upload, progress: Progress = silent) -> Reading:
        """Read one upload in a child of its own. Being cancelled kills that child.

        Raises `CallerError`s, `Internal`, and whatever `progress` raises."""
        quick = upload.kind in QUICK
        child = await self._next([self._quick, self._idle] if quick else [self._idle])
        limit_s = self._quick_limit_s if quick else self._time_limit_s
        sound = False
        try:
            async with asyncio.timeout(limit_s):
                reading = await child.read(upload, limit_s, progress)
            sound = True
            return reading
        except CallerError:
            sound = True
            raise
        except TimeoutError as error:
            log.warning("a file took too long to read", kind=upload.kind, size=len(upload.data))
            raise _fault(upload.kind, TOO_LONG) from error
        except Died as error:
            log.warning("a child ended over a file", kind=upload.kind, size=len(upload.data), why=str(error))
            raise _fault(upload.kind, TOO_HARD) from error
        finally:
            if sound and not child.has_grown():
                self._give_back(child)
            else:
                self._replace(child)

    def _give_back(self, child: Child) -> None:
        (self._quick if child.quick else self._idle).put_nowait(child)

    async def _next(self, queues: Sequence[asyncio.Queue[Child]]) -> Child:
        """An idle child, of the first queue that has one. Raises `Internal` when none can be had."""
        for queue in queues:
            if not queue.empty():
                return queue.get_nowait()
        getting = [asyncio.ensure_future(queue.get()) for queue in queues]
        broken = asyncio.ensure_future(self._broken.wait())
        taken: Child | None = None
        try:
            await asyncio.wait((*getting, broken), timeout=START_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
            taken = next((task.result() for task in getting if task.done()), None)
        finally:
            for task in getting:  # a second one that came at the same time, or one that nobody waits for any more
                if task.done() and task.result() is not taken:
                    self._give_back(task.result())
            for waiting in (*getting, broken):
                waiting.cancel()
        if taken is None:
            raise Internal("I can't read files right now; please try again in a minute.")
        return taken

    def _replace(self, child: Child) -> None:
        self.replaced += 1
        self._children.discard(child)
        self._start_one(child.quick, instead_of=child)

    def _start_one(self, quick: bool, instead_of: Child | None = None) -> None:
        task = asyncio.create_task(self._started(quick, instead_of), name="intake child")
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _started(self, quick: bool, instead_of: Child | None) -> None:
        if instead_of is not None:
            ending = asyncio.ensure_future(instead_of.end())
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError:
                await ending  # or its pipes would outlive the loop
                raise
        failures = 0
        while True:
            try:
                child = await Child.start(quick)
            except (Died, TimeoutError, OSError) as error:
                failures += 1
                log.error("an intake child didn't start", failures=failures, why=str(error) or type(error).__name__)
                if failures >= BROKEN_AFTER:
                    self._broken.set()
                await asyncio.sleep(min(LONGEST_PAUSE_S, RESTART_PAUSE_S * 2**failures))
                continue
            self._broken.clear()
            self._children.add(child)
            self.holds = child.holds
            self._give_back(child)
            return


def _fault(kind: str, sentence: str) -> CallerError:
    return FAULTS.get(kind, CallerError)(TOO_MUCH if kind in QUICK else sentence)


async def _aside(size: int, function: Any, *arguments: Any) -> Any:
    """Large copies on a thread, small ones right here."""
    if size < LARGE_BYTES:
        return function(*arguments)
    return await asyncio.to_thread(function, *arguments)


def _environment() -> dict[str, str]:
    """No secrets of the engine's, and one thread a library: a second one would only take a core from the networks."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "HOME") if name in os.environ}
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return kept | one | {"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2", "PYTHONPATH": str(HOUSE)}
