"""What the tests of bot and cogs stand on: the real bot in SimCord's Discord, its store, and an engine over gRPC."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import simcord
from discord import app_commands
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from simcord.backend.cdn import CDN_BASE

from bot.attachments import fetching
from bot.client import Woodshed
from bot.engine.calls import EngineClient
from bot.engine.connection import open_channel
from bot.errors import WoodshedError
from bot.hosting.staff_roles import SHOWN_TO
from bot.settings import BotSettings, ClubSettings, DiscordSettings
from bot.store import Store, open_store
from tests.engine_double import EngineDouble, serve_double, socket_address

# How long an example takes to be made or tried says how busy the machine is.
hypothesis_settings.register_profile("woodshed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("woodshed")

STAFF_ROLE = ClubSettings().staff_role
SETTLE_S = 12.0
"""How long SimCord waits until the bot has done what an event asked for; its usual 5 s are short on a busy machine.
Timers that run for longer wait for the test to move the clock."""
os.environ["WOODSHED_TEACH__DOCUMENTATION"] = "false"  # reading it at an engine's first start is minutes of work


@pytest.fixture(autouse=True)
def cogs_as_imported() -> Iterator[None]:
    """A bot that closes drops its cogs' modules, and the next one imports others: what a test file imported and patches
    would then be modules that no bot uses, but only after some other test. So each test begins with the same ones."""
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "cogs"}
    yield
    sys.modules.update(before)


@dataclass
class Club:
    """A server with two students, an instructor and three channels, and the bot on it."""

    env: simcord.Env
    store: Store
    engine: EngineClient
    double: EngineDouble
    settings: BotSettings
    forgiven: list[BaseException] = field(default_factory=list)
    """Errors that a test has looked at and expects, though they are not of `bot.errors`."""
    guild: simcord.GuildHandle = field(init=False)
    channel: simcord.ChannelHandle = field(init=False)
    student: simcord.MemberActor = field(init=False)
    other: simcord.MemberActor = field(init=False)
    moderator: simcord.MemberActor = field(init=False)
    """Discord shows them the staff's commands, but they aren't staff."""
    instructor: simcord.MemberActor = field(init=False)

    def __post_init__(self) -> None:
        self.guild = self.env.create_guild("PyTorch course")
        self.channel = self.guild.create_text_channel("gallery")
        role = self.guild.create_role(STAFF_ROLE, permissions=SHOWN_TO)
        self.student = self.guild.add_member(self.env.create_user("ada"))
        self.other = self.guild.add_member(self.env.create_user("ben"))
        shown = self.guild.create_role("Moderator", permissions=SHOWN_TO)
        self.moderator = self.guild.add_member(self.env.create_user("zoe"), roles=[shown])
        self.instructor = self.guild.add_member(self.env.create_user("grace"), roles=[role])

    @property
    def bot(self) -> Woodshed:
        assert isinstance(self.env.bot, Woodshed)
        return self.env.bot

    async def restart(self) -> None:
        """Another bot process on the same store: nothing of the old one's memory is left."""
        await self.env.restart_bot(Woodshed(self.settings, self.store, self.engine))

    def refusals(self) -> list[str]:
        """The sentences of the errors that members met; anything else that was raised fails the test."""
        return [_expected(error).sentence for error in self.env.errors if error not in self.forgiven]


def _expected(error: BaseException) -> WoodshedError:
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    if not isinstance(cause, WoodshedError):
        raise cause
    return cause


@pytest.fixture
def settings() -> BotSettings:
    """The defaults, without the pause between progress edits: SimCord's clock would wait for each of them."""
    return BotSettings(discord=DiscordSettings(progress_interval_s=0.0, shards=1))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(tmp_path / "woodshed.sqlite3") as opened:
        yield opened


@pytest.fixture
async def double(tmp_path: Path) -> AsyncIterator[EngineDouble]:
    """An engine that is up and warm."""
    engine = EngineDouble()
    async with serve_double(socket_address(tmp_path), engine):
        yield engine
        engine.release.set()


@pytest.fixture
async def engine(tmp_path: Path, double: EngineDouble) -> AsyncIterator[EngineClient]:
    """The bot's own client, connected to the double."""
    channel = open_channel(socket_address(tmp_path))
    yield EngineClient(channel, job_timeout_s=30.0, patience_s=0.5, job_patience_s=0.5)
    await channel.close()


def hand_over_files(simulation: simcord.Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have SimCord's files fetched from SimCord, which has them in memory; the playground has them on a wire."""

    @contextlib.asynccontextmanager
    async def from_memory(address: str, limits: fetching.Limits) -> AsyncIterator[AsyncIterator[bytes]]:
        content = simulation.backend.cdn.get(address)
        if content is None:
            raise fetching.Gone(address)

        async def pieces() -> AsyncIterator[bytes]:
            yield content

        yield pieces()

    monkeypatch.setattr(fetching, "open_download", from_memory)
    monkeypatch.setattr(fetching, "may_fetch", lambda address, api_base: address.startswith(CDN_BASE))


@pytest.fixture
async def env(
    settings: BotSettings, store: Store, engine: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[simcord.Env]:
    """SimCord's Discord with the bot logged in."""
    simulation = simcord.Env(Woodshed(settings, store, engine), settle_timeout=SETTLE_S)
    hand_over_files(simulation, monkeypatch)
    await simulation.start()
    try:
        yield simulation
    finally:
        await simulation.shutdown()


@pytest.fixture
async def club(
    env: simcord.Env, settings: BotSettings, store: Store, engine: EngineClient, double: EngineDouble
) -> AsyncIterator[Club]:
    """The bot on its server. An error that is not a sentence of `bot.errors` fails the test when it ends."""
    world = Club(env, store, engine, double, settings)
    yield world
    world.refusals()
