"""A playground on a free port with a real discord.py bot logged in to it, in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import discord
import pytest

from playground.driver import Driver, Member
from playground.server import Server
from playground.world.state import Options, Playground
from tests.playground import evidence
from tests.playground.practice_bot import PracticeBot, point_at

OPENAPI = Path(__file__).parents[3] / "shared/data/discord/openapi.json"
"""Discord's own description. Where it lies, every request and answer of these tests is held against it."""
LOGIN_S = 30.0
ANSWER_S = 30.0
"""Discord gives a bot 3 s, which a machine that other work holds up may stand still for."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows who did what."""
    report = yield
    evidence.note(item, report)
    return report


@dataclass
class Course:
    """The server, its bot, and three members."""

    playground: Playground
    bot: PracticeBot
    session: aiohttp.ClientSession
    driver: Driver = field(init=False)
    ada: Member = field(init=False)
    ben: Member = field(init=False)
    instructor: Member = field(init=False)

    def __post_init__(self) -> None:
        self.driver = Driver(self.session, self.playground.address)
        self.ada, self.ben, self.instructor = (self.driver.member(slug) for slug in ("ada", "ben", "thelonia"))


class Clock:
    """The real time, until a test moves it on."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keep_discord_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts discord.py's addresses back after the test."""
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    gateway = discord.gateway.DiscordWebSocket
    monkeypatch.setattr(gateway, "DEFAULT_GATEWAY", gateway.DEFAULT_GATEWAY)
    monkeypatch.setattr(discord.Asset, "BASE", discord.Asset.BASE)


Open = Callable[..., contextlib.AbstractAsyncContextManager[Course]]


@pytest.fixture
def open_course(tmp_path: Path, clock: Clock, keep_discord_addresses: None) -> Open:
    """Opens a course; a second one after the first finds its state. Keyword arguments are those of Options."""

    @contextlib.asynccontextmanager
    async def opened(intents: discord.Intents | None = None, **options: object) -> AsyncIterator[Course]:
        described = OPENAPI if OPENAPI.is_file() else None
        given = {"openapi": described, "answer_within_s": ANSWER_S} | options
        playground = Playground(Options(tmp_path / "state", **given), clock)  # type: ignore[arg-type]
        async with Server(playground), aiohttp.ClientSession(playground.origin) as session:
            point_at(playground.api_base, playground.gateway.url, playground.origin)
            bot = PracticeBot(intents)
            running = asyncio.create_task(bot.start(playground.token))
            try:
                await logged_in(bot.enter(), running)
                yield Course(playground, bot, session)
            finally:
                await bot.close()
                await asyncio.wait({running})
        if playground.description is not None:
            assert list(playground.description.violations) == []

    return opened


async def logged_in(wanted: Awaitable[object], running: asyncio.Task[None]) -> None:
    """Waits for `wanted`, or raises what ended the bot before."""
    waiting = asyncio.ensure_future(wanted)
    done, _ = await asyncio.wait({waiting, running}, timeout=LOGIN_S, return_when=asyncio.FIRST_COMPLETED)
    if running in done:
        waiting.cancel()
        running.result()
    assert waiting in done, f"the bot did not log in within {LOGIN_S:.0f} s"


@pytest.fixture
async def course(open_course: Open) -> AsyncIterator[Course]:
    async with open_course() as opened:
        yield opened
