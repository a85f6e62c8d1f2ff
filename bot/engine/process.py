"""The local engine: started, watched and restarted by the bot, and never outliving it.

A pipe ties it to the bot: the engine reads one end and leaves at its end-of-file, which comes however the bot dies,
`kill -9` included. Its own session keeps Ctrl-C in the terminal from reaching it, so the bot decides when it stops.

    starting ──serving──> running ──exits, or no longer answers──> waiting (backoff) ──> starting ...
        └──exit code 78──> failed: the bot stops with the engine's own sentence
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import shutil
import sys
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.engine.calls import open_engine_client
from bot.rules.pauses import Backoff
from bot.rules.quotas import Quota
from engine.contract import CONFIGURATION_EXIT_CODE, HUNG_EXIT_CODE, PARENT_FD_VARIABLE
from engine.contract.configuration import ConfigurationError
from engine.contract.process_settings import ProcessSettings

log = structlog.get_logger(__name__)

ENGINE_COMMAND = (sys.executable, "-m", "engine", "serve")
LISTEN_VARIABLE = "WOODSHED_ENGINE__LISTEN"
TLS_VARIABLE = "WOODSHED_ENGINE__TLS_CERTIFICATE"
AT_ONCE, AT_ONCE_WITHIN_S = 2, 300.0
"""An engine that gives itself up for a hung job is started again without a pause, but not more often than this."""
LINE_LIMIT_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Supervision:
    """How patient the supervisor is; times in seconds."""

    start_timeout_s: float = 300.0
    """An engine that is not warm after this is taken for hung."""
    check_interval_s: float = 5.0
    missed_checks: int = 3
    """After this many health checks in a row without an answer, the engine counts as hung."""
    first_backoff_s: float = 0.5
    longest_backoff_s: float = 60.0
    stable_after_s: float = 60.0
    """An engine that ran this long resets the backoff when it dies."""
    stop_grace_s: float = 5.0
    """From SIGTERM to SIGKILL."""


@dataclass(frozen=True)
class Probe:
    """How the supervisor asks the engine how it is."""

    is_serving: Callable[[], Awaitable[bool]]
    is_alive: Callable[[], Awaitable[bool]]


class EngineProcess:
    """One engine at a time, from `run()` until that is cancelled."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        probe: Probe,
        supervision: Supervision | None = None,
        draw: random.Random | None = None,
        on_end: Callable[[int], None] = lambda code: None,
    ) -> None:
        """`on_end` hears the exit code of each engine that ended by itself."""
        self._on_end = on_end
        self._command = tuple(command)
        self._environment = dict(environment)
        self._probe = probe
        self._supervision = supervision or Supervision()
        self._backoff = Backoff(
            self._supervision.first_backoff_s, self._supervision.longest_backoff_s, draw or random.Random()
        )
        self._process: asyncio.subprocess.Process | None = None
        self._hangs = Quota(AT_ONCE, AT_ONCE_WITHIN_S)
        self._last_lines: deque[str] = deque(maxlen=20)
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """Process id of the engine that runs now."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def run(self) -> None:
        """Start the engine and keep one running; stops it when cancelled.

        Raises ConfigurationError with the engine's own sentence when it ended for a wrong setting."""
        while True:
            began = time.monotonic()
            code = await self._run_once()
            if code == CONFIGURATION_EXIT_CODE:
                raise ConfigurationError(
                    self._last_lines[-1] if self._last_lines else "The engine's settings are wrong."
                )
            self._on_end(code)
            ran_s = time.monotonic() - began
            if ran_s >= self._supervision.stable_after_s:
                self._backoff.reset()
            if code == HUNG_EXIT_CODE and self._hangs.take("hang", time.monotonic()) == 0.0:
                log.warning("the engine gave itself up; starting it again at once")
                continue
            pause_s = self._backoff.next_s()
            log.warning("engine ended; starting it again", code=code, ran_s=round(ran_s, 1), pause_s=round(pause_s, 2))
            await asyncio.sleep(pause_s)

    async def _run_once(self) -> int:
        """One life of an engine; returns its exit code, negative for the signal that ended it."""
        read_end, write_end = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env={**self._environment, PARENT_FD_VARIABLE: str(read_end)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                limit=LINE_LIMIT_BYTES,
                pass_fds=(read_end,),
                start_new_session=True,
            )
        except BaseException:
            os.close(write_end)
            raise
        finally:
            os.close(read_end)
        self.starts += 1
        log.info("engine started", pid=self._process.pid)
        reading = asyncio.create_task(self._read_lines(self._process), name="engine lines")
        watching = asyncio.create_task(self._watch(), name="engine watch")
        ending = asyncio.create_task(self._process.wait(), name="engine end")
        try:
            await asyncio.wait({watching, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            await self._stop(self._process)
            os.close(write_end)
            await asyncio.gather(watching, ending, return_exceptions=True)
            await reading
        return ending.result()

    async def _watch(self) -> None:
        """Return when the engine has to be replaced: never warm, or no longer answering."""
        limits = self._supervision
        began = time.monotonic()
        while not await self._probe.is_serving():
            if time.monotonic() - began > limits.start_timeout_s:
                log.error("the engine did not get warm in time", start_timeout_s=limits.start_timeout_s)
                return
            await asyncio.sleep(min(0.2, limits.check_interval_s))
        log.info("engine serving", after_s=round(time.monotonic() - began, 2))
        missed = 0
        while missed < limits.missed_checks:
            await asyncio.sleep(limits.check_interval_s)
            missed = 0 if await self._probe.is_alive() else missed + 1
        log.error("the engine no longer answers", missed_checks=missed)

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        """SIGTERM, a grace, SIGKILL."""
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
            try:
                async with asyncio.timeout(self._supervision.stop_grace_s):
                    await process.wait()
            except TimeoutError:
                log.warning("the engine did not leave; killing it", pid=process.pid)
                process.kill()
                await process.wait()

    async def _read_lines(self, process: asyncio.subprocess.Process) -> None:
        """Pass the engine's log on to the bot's, line by line."""
        assert process.stderr is not None
        while True:
            try:
                line = await process.stderr.readline()
            except ValueError:  # longer than LINE_LIMIT_BYTES; asyncio has dropped it
                continue
            if not line:
                return
            text = line.decode("utf-8", "replace").rstrip()
            self._last_lines.append(text)
            pass_on(text)


def pass_on(line: str) -> None:
    """Log a line of the engine's: its events are JSON and keep their level and fields; anything else is text."""
    try:
        fields = json.loads(line)
        level, event = logging.getLevelNamesMapping()[fields.pop("level").upper()], fields.pop("event")
    except (ValueError, KeyError, TypeError, AttributeError):
        log.info(line, source="engine")
    else:
        log.log(level, event, source="engine", **fields)


@contextlib.asynccontextmanager
async def private_address() -> AsyncIterator[str]:
    """A Unix socket address in a folder that only this user may enter; removed on leaving."""
    folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="woodshed-")
    try:
        yield f"unix:{Path(folder) / 'engine.sock'}"
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def run_local_engine(
    settings: ProcessSettings,
    address: str,
    command: Sequence[str] = ENGINE_COMMAND,
    supervision: Supervision | None = None,
    on_end: Callable[[int], None] = lambda code: None,
) -> AsyncIterator[asyncio.Task[None]]:
    """Keep a local engine on `address` until leaving. The task ends only with ConfigurationError."""
    environment = {**os.environ, LISTEN_VARIABLE: address, TLS_VARIABLE: ""}  # a private socket needs no TLS
    environment.pop("DISCORD_TOKEN", None)  # the engine has no business with it
    async with open_engine_client(settings, address) as client:
        process = EngineProcess(
            command,
            environment,
            Probe(client.is_serving, client.is_alive),
            supervision or Supervision(start_timeout_s=settings.start_timeout_s),
            on_end=on_end,
        )
        task = asyncio.create_task(process.run(), name="engine process")
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
