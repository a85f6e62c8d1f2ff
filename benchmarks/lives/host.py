"""A machine on which the bot lives and is killed, beside a playground and an engine that go on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from benchmarks.lives.quick_engine import quick_engine
from playground.driver import Driver
from playground.server import Server
from playground.world.cast import BOT
from playground.world.state import Options, Playground
from playground.world.talk.messages import Message

HOUSE = Path(__file__).resolve().parents[2]
START_S = 60.0
Seen = TypeVar("Seen")


class Host:
    """One bot at a time. `store` is its database's file."""

    def __init__(self, playground: Playground, session: aiohttp.ClientSession, folder: Path, engine: str) -> None:
        self.playground = playground
        self.driver = Driver(session, playground.address)
        self.ada = self.driver.member("ada")
        self.staff = self.driver.member("thelonia")
        self.store = folder / "woodshed.sqlite3"
        self.log = folder / "bot.log"
        self.lives = 0
        self.environment = os.environ | {
            "WOODSHED_DISCORD__API_BASE": playground.api_base,
            "WOODSHED_DISCORD__PROGRESS_INTERVAL_S": "0.2",
            "WOODSHED_STORE__PATH": str(self.store),
            "WOODSHED_ENGINE__ADDRESS": engine,
            "WOODSHED_HOSTING__DRAIN_S": "0.1",
            "DISCORD_TOKEN": playground.token,
        }
        self._nursery: asyncio.subprocess.Process | None = None
        self._bot = 0

    async def open_nursery(self) -> None:
        self._nursery = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.lives.nursery"),
            cwd=HOUSE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert await self._line() == "ready"

    async def close(self) -> None:
        self.kill()
        if self._nursery is not None:
            assert self._nursery.stdin is not None
            self._nursery.stdin.close()
            await self._nursery.wait()

    async def start(self) -> None:
        """Start the bot and wait until it is logged in. Raises TimeoutError."""
        assert self._nursery is not None
        assert self._nursery.stdin is not None
        said = self._said("logged in")
        order = {"environment": self.environment, "log": str(self.log)}
        self._nursery.stdin.write(json.dumps(order).encode() + b"\n")
        self._bot = int(await self._line())
        self.lives += 1
        async with asyncio.timeout(START_S):
            while self._said("logged in") == said or not await self.ada.is_bot_online():
                if not self.is_alive:
                    raise RuntimeError(f"the bot has ended:\n{self.log.read_text()[-4000:]}")
                await asyncio.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL: nothing of the bot's runs any more when this returns."""
        if self._bot:
            with contextlib.suppress(ProcessLookupError):
                while True:  # it ends a moment after the signal
                    os.kill(self._bot, signal.SIGKILL)
                    time.sleep(0.001)
            self._bot = 0

    @property
    def is_alive(self) -> bool:
        try:
            os.kill(self._bot, 0)
        except ProcessLookupError:
            return False
        return self._bot != 0

    def messages(self, after: int = 0) -> list[Message]:
        """The bot's messages that Ada can see, everywhere, in the order of their ids."""
        world = self.playground
        ada = next(member for member in world.users.values() if member.slug == "ada")
        found = [
            message
            for channel in world.channels
            for message in world.messages.in_channel(channel, ada.id)
            if message.author_id == BOT.id and int(message.id) > after
        ]
        return sorted(found, key=lambda message: int(message.id))

    async def until(self, look: Callable[[], Seen], wanted: Callable[[Seen], bool], within_s: float = START_S) -> Seen:
        """What `look` sees once it is `wanted`. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not wanted(seen := look()):  # noqa: ASYNC110 -- over the wire nobody signals
                await asyncio.sleep(0.02)
        return seen

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Read from the bot's database, beside the bot."""
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as connection:
            return connection.execute(sql, parameters).fetchall()

    def _said(self, line: str) -> int:
        return self.log.read_text().count(line) if self.log.exists() else 0

    async def _line(self) -> str:
        assert self._nursery is not None
        assert self._nursery.stdout is not None
        return (await self._nursery.stdout.readline()).decode().strip()


def footers(messages: Sequence[Message]) -> list[str]:
    """Of all embeds: they say which vote or series a message is about."""
    return [(embed.get("footer") or {}).get("text", "") for message in messages for embed in message.embeds]


@contextlib.asynccontextmanager
async def passing_host() -> AsyncIterator[Host]:
    """A host whose files are gone at the end, and which is silent: the playground and gRPC tell of every connection
    that ends in the middle."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="woodshed-lives-") as folder:
        async with open_host(Path(folder)) as host:
            yield host


@contextlib.asynccontextmanager
async def open_host(folder: Path, engine: str = "") -> AsyncIterator[Host]:
    """A playground, an engine that answers at once unless the address of another is given, and the bot, logged in."""
    async with contextlib.AsyncExitStack() as stack:
        if not engine:
            engine = f"unix:{folder / 'engine.sock'}"
            await stack.enter_async_context(quick_engine(engine))
        playground = Playground(Options(state=folder / "playground"))
        await stack.enter_async_context(Server(playground))
        session = await stack.enter_async_context(aiohttp.ClientSession(playground.origin))
        host = Host(playground, session, folder, engine)
        stack.push_async_callback(host.close)
        await host.open_nursery()
        await host.start()
        async with asyncio.timeout(START_S):
            while not host.messages():  # noqa: ASYNC110 -- the bot's welcome, which nobody signals
                await asyncio.sleep(0.02)
        yield host
