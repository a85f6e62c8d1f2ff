"""The real bot, logged in to the playground over the wire, with bad days on order; its engine is the double."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest

from bot.answering.delivery.rules import Patience
from bot.client import Woodshed, point_discord_at
from bot.engine.calls import EngineClient
from bot.settings import BotSettings, ClubSettings, DiscordSettings
from bot.store import Store, meta
from playground.driver import Driver, Member
from playground.server import Server
from playground.world.cast import GUILD_ID
from playground.world.state import Options, Playground
from tests.engine_double import EngineDouble

IN_HASTE = Patience(total_s=20.0, first_pause_s=0.02, longest_pause_s=0.2)
"""What takes ten minutes elsewhere."""


@dataclass
class Wire:
    """A playground, the bot on it, and two members."""

    playground: Playground
    store: Store
    engine: EngineClient
    double: EngineDouble
    session: aiohttp.ClientSession
    bot: Woodshed = field(init=False)
    running: asyncio.Task[None] | None = None
    driver: Driver = field(init=False)
    ada: Member = field(init=False)
    instructor: Member = field(init=False)

    def __post_init__(self) -> None:
        self.driver = Driver(self.session, self.playground.address)
        self.ada, self.instructor = self.driver.member("ada"), self.driver.member("thelonia")

    async def start(self) -> None:
        """Another bot on the same store, as after a restart; returns once its commands are there."""
        settings = BotSettings(
            discord=DiscordSettings(progress_interval_s=0.3, api_base=self.playground.api_base),
            club=ClubSettings(staff_role="Course staff"),
        )
        self.bot = Woodshed(settings, self.store, self.engine, patience=IN_HASTE)
        self.running = asyncio.create_task(self.bot.start(self.playground.token))
        async with asyncio.timeout(60):
            while not await self.ada.is_bot_online():
                if self.running.done():
                    self.running.result()
                await asyncio.sleep(0.02)
            await self.bot.wait_until_ready()

    async def stop(self) -> None:
        await self.bot.close()
        if self.running is not None:
            await asyncio.wait({self.running})

    async def answers(self, channel: str = "gallery") -> list[dict[str, Any]]:
        """All of the bot's messages that Ada sees."""
        return [message for message in await self.ada.messages(channel) if message["author"].get("bot")]

    async def settled(self, wanted: Callable[[list[dict[str, Any]]], object], within_s: float = 60.0) -> list[dict]:
        """Wait until `wanted` holds of the bot's messages; returns them."""
        async with asyncio.timeout(within_s):
            while not wanted(found := await self.answers()):  # noqa: ASYNC110 -- over the wire nobody signals
                await asyncio.sleep(0.02)
        return found

    async def idle(self, within_s: float = 60.0) -> None:
        """Wait until no answer is open any more."""
        async with asyncio.timeout(within_s):
            while await self.store.fetch_all("SELECT 1 FROM open_answers") or self.bot.jobs.total:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@pytest.fixture
async def wire(
    tmp_path: Path,
    store: Store,
    engine: EngineClient,
    double: EngineDouble,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Wire]:
    """Parametrised: with so many shards instead of one."""
    gateway = discord.gateway.DiscordWebSocket
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    monkeypatch.setattr(gateway, "DEFAULT_GATEWAY", gateway.DEFAULT_GATEWAY)
    monkeypatch.setattr(discord.Asset, "BASE", discord.Asset.BASE)
    playground = Playground(Options(state=tmp_path / "state", shards=getattr(request, "param", 1)))
    async with Server(playground), aiohttp.ClientSession(playground.origin) as session:
        point_discord_at(playground.api_base, str(playground.gateway.url))
        await meta.put(store, f"welcome:{GUILD_ID}", "said")  # the messages of these tests are answers alone
        opened = Wire(playground, store, engine, double, session)
        await opened.start()
        try:
            yield opened
        finally:
            await opened.driver.mend()
            await opened.stop()
