"""A bot that is killed or stopped leaves nothing open: its next start does what never began, and ends the rest."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.answering.open_answers import INTERRUPTED
from playground.driver import Driver, Route
from playground.server import Server
from playground.world.state import Options, Playground
from tests.engine_double import Behaviour, EngineDouble, png, socket_address
from tests.waiting import until

HOUSE = Path(__file__).resolve().parents[3]


class Host:
    """A machine on which the bot runs in a process of its own, beside a playground and an engine that go on."""

    def __init__(self, playground: Playground, session: aiohttp.ClientSession, folder: Path) -> None:
        self.driver = Driver(session, playground.address)
        self.ada = self.driver.member("ada")
        self.log = folder / "bot.log"
        self._environment = {
            **os.environ,
            "WOODSHED_DISCORD__API_BASE": playground.api_base,
            "WOODSHED_DISCORD__PROGRESS_INTERVAL_S": "0.2",
            "WOODSHED_STORE__PATH": str(folder / "woodshed.sqlite3"),
            "WOODSHED_ENGINE__ADDRESS": socket_address(folder),
            "WOODSHED_HOSTING__DRAIN_S": "0.1",
            "DISCORD_TOKEN": playground.token,
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the bot and wait until it's logged in anew."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", cwd=HOUSE, env=self._environment, stdout=log, stderr=log
            )
        seen = self.log.read_text().count("logged in")
        async with asyncio.timeout(120):
            while self.log.read_text().count("logged in") == seen or not await self.ada.is_bot_online():
                assert self._process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.05)

    async def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(how)
            await asyncio.wait_for(self._process.wait(), 60)

    async def answers(self) -> list[dict[str, Any]]:
        """What the bot has posted, but for its welcome."""
        posted = [message for message in await self.ada.messages() if message["author"].get("bot")]
        return [message for message in posted if not message["content"].startswith("**Welcome")]

    async def settled(self, wanted: Any, within_s: float = 60.0) -> list[dict[str, Any]]:
        async with asyncio.timeout(within_s):
            while not wanted(found := await self.answers()):  # noqa: ASYNC110 -- over the wire nobody signals
                await asyncio.sleep(0.05)
        return found

    async def stylize(self) -> None:
        answer = await self.ada.use("stylize", files={"cat.png": png()}, image="cat.png", style="scream")
        assert answer.outcome == "answered"


@pytest.fixture
async def host(tmp_path: Path, double: EngineDouble) -> AsyncIterator[Host]:
    playground = Playground(Options(state=tmp_path / "state"))
    async with Server(playground), aiohttp.ClientSession(playground.origin) as session:
        opened = Host(playground, session, tmp_path)
        await opened.start()
        try:
            yield opened
        finally:
            await opened.end()


def is_thinking(message: dict[str, Any]) -> bool:
    return bool(message["flags"] & 128)


async def test_what_never_began_is_done_by_the_next_start(host: Host, double: EngineDouble) -> None:
    double.misbehave(Behaviour.HANG)
    await host.stylize()
    (message,) = await host.settled(lambda found: found)
    await until(lambda: double.requests)
    await host.end()
    double.behaviour = Behaviour.HONEST
    await host.start()
    (done,) = await host.settled(lambda found: found and found[0]["attachments"])
    assert done["id"] == message["id"], "in the very message that said it was thinking"
    with contextlib.suppress(TimeoutError):
        await host.settled(lambda found: len(found) > 1, 1.0)
    assert len(await host.answers()) == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
async def test_what_had_begun_ends_with_one_sentence_and_is_not_done_twice(
    host: Host, double: EngineDouble, how: signal.Signals
) -> None:
    double.misbehave(Behaviour.SLOW)
    await host.stylize()
    await host.settled(lambda found: found and "Painting" in found[0]["content"])
    await host.end(how)
    await host.start()
    found = await host.settled(lambda found: found and "Painting" not in found[0]["content"])
    assert len(found) == 1
    assert "restarted" in found[0]["content"]
    assert found[0]["components"] == [], "nothing to cancel any more"
    if how is signal.SIGKILL:
        assert found[0]["content"] == INTERRUPTED
    assert len(double.requests) == 1


async def test_a_result_that_arrived_before_the_kill_stays(host: Host, double: EngineDouble) -> None:
    """Discord has taken the result; the bot is killed before it hears of it."""
    double.steps = 0
    await host.driver.delay(Route.EDIT_ANSWER, 30.0, accepted=True)
    await host.stylize()
    await host.settled(lambda found: found and found[0]["attachments"])
    await host.end()
    await host.driver.mend()
    await host.start()
    await asyncio.sleep(1.0)
    (message,) = await host.answers()
    assert message["attachments"]
    assert len(double.requests) == 1


async def test_a_bad_day_at_the_start_is_waited_out(host: Host) -> None:
    await host.end()
    await host.driver.cut(Route.LOGIN, times=2)
    await host.driver.refuse(Route.SYNC_COMMANDS, 30034)
    await host.driver.refuse(Route.LIST_COMMANDS, 50001)
    await host.start()
    assert "Traceback" not in host.log.read_text()
    await host.ada.use("help")
    await host.settled(lambda found: found)
