"""Everything that runs in a soak (soak.py), and what can go wrong with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import resource
import signal
import socket
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from playground.driver import Driver, Json, Route

HOUSE = Path(__file__).resolve().parents[2]
CHANNEL, QUIZ_CHANNEL = "gallery", "quiz"
LOADING, EPHEMERAL = 1 << 7, 1 << 6
DISCORD_EPOCH_S = 1420070400.0
MOVED_S = 16 * 60.0
"""More than the 15 minutes that an interaction's token lives."""
LONG_JOB_S = 30.0


@dataclass
class Tally:
    """What happened, and what members were told."""

    votes: dict[int, set[int]] = field(default_factory=dict)
    """What each member's vote may be: the last confirmed one, and whatever was pressed since without an answer."""
    answers: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    moves: list[float] = field(default_factory=list)
    """When Discord's clock was moved, in our own seconds since 1970."""

    def written_at(self, message_id: int) -> float:
        """When a message was written, in our own time."""
        shown = (message_id >> 22) / 1000 + DISCORD_EPOCH_S
        passed = sum(shown >= at + number * MOVED_S for number, at in enumerate(self.moves, 1))
        return shown - passed * MOVED_S

    def is_cut_off(self, message: Json) -> bool:
        """Whether a private answer's 15 minutes were over, because the clock was moved, before it could be given.
        Nobody can change it then; Discord's own app says after that time that the application didn't respond."""
        written_at = self.written_at(int(message["id"]))
        return bool(message["flags"] & EPHEMERAL) and any(-5.0 < at - written_at < LONG_JOB_S for at in self.moves)


class Child:
    """A process of the soak's, restarted at will; its log in a file."""

    def __init__(self, log: Path, command: Sequence[str], environment: dict[str, str]) -> None:
        self._log, self._command, self._environment = log, command, environment
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self._command, cwd=HOUSE, env={**os.environ, **self._environment},
                stdout=output, stderr=output,
            )  # fmt: skip

    async def end(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
            try:
                await asyncio.wait_for(self.process.wait(), 40.0)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def said(self, pattern: re.Pattern[str] | str) -> re.Match[str] | None:
        return re.search(pattern, self._log.read_text(errors="replace"))


class Engines:
    """The nursery of engines (soak_engine.py), and the one that lives now."""

    def __init__(self, log: Path, address: str, mode: Path) -> None:
        self._log, self._command = log, ("-m", "benchmarks.hosting.soak_engine", address, str(mode))
        self._nursery: asyncio.subprocess.Process | None = None
        self.pid = 0

    async def start(self) -> None:
        """Another engine, in the place of the one that's there."""
        if self._nursery is None:
            with self._log.open("ab") as output:
                self._nursery = await asyncio.create_subprocess_exec(
                    sys.executable, *self._command, cwd=HOUSE, stderr=output,
                    stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                )  # fmt: skip
        self.kill()
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(b"\n")
        self.pid = int(await self._nursery.stdout.readline())

    def kill(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def end(self) -> None:
        self.kill()
        if self._nursery is not None:
            self._nursery.kill()
            await self._nursery.wait()


class Scene:
    """Everything that runs, and what can go wrong with it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.draw = folder, random.Random(seed)
        self.mode = folder / "mode"
        self.mode.write_text("well")
        self.address = f"unix:{folder}/engine.sock"
        self.database = folder / "woodshed.sqlite3"
        self.engine = Engines(folder / "engine.log", self.address, self.mode)
        self.playground = Child(
            folder / "playground.log", ("playground", "--server-only", "--state", str(folder / "state")), {}
        )
        self.bot = Child(folder / "bot.log", ("bot",), {})
        self.tally = Tally()
        self.metrics_port = 0
        self.driver: Driver

    async def restart_engine(self, mode: str = "well") -> None:
        self.mode.write_text(mode)
        await self.engine.start()

    async def restart_bot(self, number: int = signal.SIGTERM) -> None:
        await self.bot.end(number)
        await self.bot.start()

    # ------------------------------------------------------------ faults

    async def engine_killed(self) -> None:
        await self.restart_engine()

    async def engine_hung(self) -> None:
        psutil.Process(self.engine.pid).suspend()
        await asyncio.sleep(6.0)
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(self.engine.pid).resume()

    async def engine_in_mode(self, mode: str) -> None:
        self.mode.write_text(mode)
        await asyncio.sleep(4.0)
        self.mode.write_text("well")

    async def engine_is_another(self, mode: str) -> None:
        await self.restart_engine(mode)
        await asyncio.sleep(4.0)
        await self.restart_engine()

    async def database_locked(self) -> None:
        def lock() -> None:
            with contextlib.closing(sqlite3.connect(self.database, timeout=2.0)) as connection:
                try:
                    connection.execute("BEGIN EXCLUSIVE")
                    time.sleep(self.draw.choice((2.0, 6.5)))  # the bot waits for 5 s
                    connection.rollback()
                except sqlite3.OperationalError:
                    return

        await asyncio.to_thread(lock)

    async def disk_full(self) -> None:
        """No file of the bot's may grow any more: writing beyond fails as on a full disk."""
        bot = psutil.Process(self.bot.pid)
        bot.rlimit(psutil.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        await asyncio.sleep(2.0)
        bot.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    async def answer_deleted(self) -> None:
        grace = self.driver.member("thelonia")
        for message in reversed(await grace.messages(CHANNEL)):
            if message["flags"] & LOADING or only_cancel(message):
                await self.driver.delete_message(message)
                return

    async def thread_deleted(self) -> None:
        channel = await self.driver.member("thelonia").channel(CHANNEL)
        thread = await self.driver.create_thread(channel["id"], "for a moment")
        ordering = asyncio.create_task(self.driver.member("ada").use("jazz", channel="for a moment", bars=4))
        await asyncio.sleep(0.3)
        await self.driver.delete_channel(thread["id"])
        await asyncio.gather(ordering, return_exceptions=True)

    async def forbidden(self) -> None:
        channel = await self.driver.member("thelonia").channel(CHANNEL)
        await self.driver.bot_permissions(channel["id"], send_messages=False, attach_files=False)
        await asyncio.sleep(3.0)
        await self.driver.bot_permissions(channel["id"], send_messages=True, attach_files=True)

    async def clock_moved(self) -> None:
        self.tally.moves.append(time.time())
        await self.driver.advance_clock(MOVED_S)

    def kinds(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        """Every kind of fault, by its name."""
        driver, routes = self.driver, (Route.CALLBACK, Route.EDIT_ANSWER, Route.FOLLOW_UP, Route.SEND)
        on = self.draw.choice
        return {
            "engine killed": self.engine_killed,
            "engine hung": self.engine_hung,
            "engine slow": lambda: self.engine_in_mode("slow"),
            "engine out of memory": lambda: self.engine_in_mode("memory"),
            "engine has a defect": lambda: self.engine_in_mode("defect"),
            "engine answers rubbish": lambda: self.engine_in_mode("rubbish"),
            "no engine but garbage": lambda: self.engine_is_another("garbage"),
            "engine of another contract": lambda: self.engine_is_another("contract"),
            "database locked": self.database_locked,
            "disk full": self.disk_full,
            "gateway dropped": lambda: driver.drop_gateway(resumable=True),
            "session lost": lambda: driver.drop_gateway(resumable=False),
            "asked to reconnect": driver.ask_to_reconnect,
            "connection cut": lambda: driver.cut(on(routes), times=3),
            "cut after it arrived": lambda: driver.cut(on(routes), accepted=True, times=3),
            "429": lambda: driver.rate_limit(on(routes), 1.5, times=3),
            "429 for everything": lambda: driver.rate_limit(Route.ANY, 1.0, is_global=True, times=2),
            "500": lambda: driver.server_error(on(routes), times=3),
            "500 after it arrived": lambda: driver.server_error(on(routes), accepted=True, times=3),
            "403": self.forbidden,
            "answer deleted": self.answer_deleted,
            "channel deleted": self.thread_deleted,
            "clock moved": self.clock_moved,
        }


def only_cancel(message: Json) -> bool:
    """Whether a message still shows progress: its one button is "Cancel"."""
    labels = [item.get("label") for row in message["components"] for item in row.get("components", ())]
    return labels == ["Cancel"]


async def until(is_so: Callable[[], bool], within_s: float = 90.0) -> None:
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110 -- another process's log
            await asyncio.sleep(0.1)


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])
