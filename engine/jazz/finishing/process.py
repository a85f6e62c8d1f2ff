"""The engine's end of the finishing process: starts it, hands it works, and ends it when it hangs or isn't wanted."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import structlog

from engine import errors
from engine.contract import engine_pb2 as pb
from engine.errors import EngineError
from engine.jazz.finishing import wire
from engine.jazz.finishing.work import Work
from engine.jazz.rendering.render import Room
from engine.progress import Progress

log = structlog.get_logger(__name__)

HOUSE = Path(__file__).resolve().parents[3]
SILENCE_S = 45.0
"""Less than the scheduler's watchdog waits, which could only give the thread up."""
WAIT_STEP_S = 0.5
KNOWN = {kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, EngineError)}


class Died(Exception):
    """The process is gone, or didn't start."""


class FinishingProcess:
    """One process with one SoundFont. Threads that need it at the same time wait for each other."""

    def __init__(self, soundfont: Path, silence_s: float = SILENCE_S) -> None:
        self._soundfont, self._silence_s = soundfont, silence_s
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self.heavy = False
        """Whether it loaded torch."""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Begin to start; the first work waits until it is up. Raises `Died`."""
        if self._process is not None:
            return
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "engine.jazz.finishing.child", str(self._soundfont.resolve())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                cwd=HOUSE,
                env=os.environ | one | {"MALLOC_ARENA_MAX": "2"},
            )
        except OSError as error:
            raise Died(str(error)) from error
        self._ready = False

    def finish(self, work: Work, room: Room, progress: Progress) -> pb.Clip:
        """The clip of a work. Raises what `finish_clip` raises, `Died`, `TimeoutError` when it hangs, and whatever
        `progress` raises; after the last three it is replaced."""
        while not self._turn.acquire(timeout=WAIT_STEP_S):
            progress("the band joins in", 0.0)
        try:
            self.start()
            return self._finish(work, room, progress)
        except EngineError as error:
            if isinstance(error, errors.Cancelled):
                self._replace()
            raise
        except (EOFError, BrokenPipeError) as error:
            self._replace()
            raise Died("the finishing process ended") from error
        except BaseException:
            self._replace()
            raise
        finally:
            self._turn.release()

    def _finish(self, work: Work, room: Room, progress: Progress) -> pb.Clip:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        if not self._ready:
            hello, _ = self._hear(process.stdout, progress)
            self._ready, self.heavy = True, bool(hello.get("heavy"))
        wire.send(process.stdin, *wire.packed_work(work))
        while True:
            facts, parts = self._hear(process.stdout, progress)
            if "stage" in facts:
                progress(facts["stage"], facts["fraction"])
            elif "room" in facts:
                wire.send(process.stdin, {}, (wire.samples_part(room(wire.samples_of(parts[0]))),))
            elif "done" in facts:
                return pb.Clip.FromString(parts[0])
            elif facts.get("error") in KNOWN:
                raise KNOWN[facts["error"]](facts["sentence"])
            else:
                log.error("a clip couldn't be finished", traceback=facts.get("fault", ""))
                raise RuntimeError("a clip couldn't be finished")

    def _hear(self, pipe: Any, progress: Progress) -> tuple[dict[str, Any], list[bytes]]:
        """Its next message. Raises `TimeoutError` after too long a silence."""
        until = time.monotonic() + self._silence_s
        while not select.select([pipe], [], [], WAIT_STEP_S)[0]:
            if time.monotonic() > until:
                raise TimeoutError("the finishing process hangs")
        return wire.receive(pipe)

    def _replace(self) -> None:
        self.close()
        with contextlib.suppress(Died):
            self.start()

    def close(self) -> None:
        """Kill it and wait until it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def __del__(self) -> None:
        self.close()  # rooms that failed to load leave nothing behind
