"""The discord.py client: owns settings, store and engine client, loads the cogs, sends the commands to Discord."""

from __future__ import annotations

import asyncio
import importlib.util
import math
import pkgutil
import random
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import discord
import structlog
from discord.ext import commands
from yarl import URL

from bot.answering.command_sync import ON_SERVERS, offer_to_people, sync_commands
from bot.answering.delivery.courier import CONNECTION_ERRORS
from bot.answering.delivery.rules import PATIENT, Patience
from bot.answering.error_handler import ReportingTree
from bot.answering.open_answers import Payloads, resolve
from bot.attachments.fetching import Attachments
from bot.attachments.spool import Spool
from bot.engine.calls import EngineClient
from bot.engine.catalogue import Catalogue
from bot.hosting.draining import InHand
from bot.hosting.notices import Notices
from bot.hosting.servers import introduce, leave_others
from bot.hosting.staff_roles import StaffRoles
from bot.library.drafts import Drafts
from bot.loop_lag import LoopLag
from bot.pulse import PulseTaker
from bot.rules.job_desk import JobDesk
from bot.rules.pauses import Backoff
from bot.services import Services
from bot.settings import BotSettings
from bot.store import Store, meta, open_answers
from bot.store.open_answers import OpenAnswer
from engine.contract.configuration import ConfigurationError

log = structlog.get_logger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""Between attempts to log in."""
FIRST_SYNC_PAUSE_S, LONGEST_SYNC_PAUSE_S = 30.0, 3600.0
"""Between attempts to send the commands: Discord takes 200 new ones a day."""

discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # clips are files; nobody joins a voice channel


def wall_clock() -> float:
    """Seconds since 1970, UTC: every time that the bot stores or compares."""
    return discord.utils.utcnow().timestamp()


class Woodshed(commands.AutoShardedBot):
    """The bot. What it works with is opened outside and passed in; closing it closes none of that.

    It has as many gateway connections (shards) as Discord recommends, which is one for any ordinary course."""

    def __init__(
        self,
        settings: BotSettings,
        store: Store,
        engine: EngineClient,
        draw: random.Random | None = None,
        notices: Notices | None = None,
        now: Callable[[], float] = wall_clock,
        patience: Patience = PATIENT,
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=ReportingTree,
            # Discord hands over the text of messages that mention the bot, and of no others: that would be privileged.
            intents=discord.Intents(guilds=True, guild_messages=True),
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_installs=ON_SERVERS,
            max_messages=None,  # nothing here looks back at messages; a cache of them would only cost memory
            chunk_guilds_at_startup=False,
            guild_ready_timeout=1.0,  # a bot of one or a few servers need not wait longer to be ready
            shard_count=settings.discord.shards or None,
        )
        self.settings = settings
        self.store = store
        self.engine = engine
        self.jobs = JobDesk(settings.club.jobs_per_member)
        self.catalogue = Catalogue(engine)
        self.attachments = Attachments(settings.discord.api_base, Spool(store.path.with_suffix(".waiting")))
        self.in_hand = InHand()
        self.failures: list[Callable[[Interaction, BaseException], None]] = []
        """Who wants to hear of every command that ends with a sentence instead of its answer."""
        self.notices = notices or Notices()
        self.staff_roles = StaffRoles(store, settings.club.staff_role)
        self.loop_lag = LoopLag()
        self.draw = draw or random.Random()
        self.now = now
        self.patience = patience
        self.pulse = PulseTaker(store, self.loop_lag, self._queue_length, now)
        self.failures.append(self.pulse.ended)
        self.add_listener(self.pulse.answered, "on_app_command_completion")
        self.payloads = Payloads()
        self.payloads.listen(self._connection.parsers)
        self._left_open: Sequence[OpenAnswer] = ()
        self._resolving: asyncio.Task[None] | None = None
        self._syncing: asyncio.Task[None] | None = None
        self.drafts = Drafts()
        self.services = Services()
        self._member_secret = b""

    async def _queue_length(self) -> int:
        return len(await self.engine.queue())

    def member_key(self, member_id: int) -> str:
        """The opaque name under which the engine knows this member."""
        assert self._member_secret, "the secret is read in setup_hook()"
        return meta.member_key(self._member_secret, member_id)

    def is_staff(self, member: discord.abc.User) -> bool:
        """Whether a member carries the course staff's role, or runs the server."""
        return self.staff_roles.is_staff(member)

    async def setup_hook(self) -> None:
        if self.shard_count is None:  # asked here, because discord.py would ask once and give up on a bad day
            self.shard_count, _, _ = await self.http.get_bot_gateway()
        self._member_secret = await meta.member_secret(self.store)
        await self.attachments.spool.open()
        await self.staff_roles.load()
        for name in cog_names():
            await self.load_extension(name)
        if self.settings.discord.user_install:
            offer_to_people(self.tree)
        assert self.application_id is not None
        self._left_open = await open_answers.left_open(self.store)
        await self._sync_patiently()

    async def start(self, token: str, *, reconnect: bool = True) -> None:
        """Log in and run until closed. While Discord has a bad day, try again, less and less often.

        Raises discord.LoginFailure for a token that Discord refuses."""
        pauses = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S, self.draw)
        while True:
            try:
                await self.login(token)
                break
            except discord.LoginFailure:
                raise
            except (discord.HTTPException, discord.GatewayNotFound, *CONNECTION_ERRORS) as error:
                pause_s = pauses.next_s()
                log.warning("Discord doesn't let the bot in yet", error=repr(error), pause_s=round(pause_s, 1))
                await self.http.close()  # or the next attempt would leave its connections behind
                self.http.connector = discord.utils.MISSING
                await asyncio.sleep(pause_s)
        await self.connect(reconnect=reconnect)

    async def _sync_patiently(self) -> None:
        """Send the commands, or go on with those that Discord has and send them later: members shouldn't wait."""
        try:
            await self._sync()
        except (discord.HTTPException, *CONNECTION_ERRORS) as error:
            log.warning("commands not sent; going on with those that Discord has", error=repr(error))
            self._syncing = asyncio.create_task(self._sync_later(), name="commands")

    async def _sync_later(self) -> None:
        pauses = Backoff(FIRST_SYNC_PAUSE_S, LONGEST_SYNC_PAUSE_S, self.draw)
        while True:
            await asyncio.sleep(pauses.next_s())
            try:
                await self._sync()
            except ConfigurationError:
                log.exception("commands not sent")
                return
            except (discord.HTTPException, *CONNECTION_ERRORS) as error:
                log.warning("commands still not sent", error=repr(error))
            else:
                return

    async def _sync(self) -> None:
        assert self.application_id is not None
        await sync_commands(self.tree, self.store, self.application_id, self.settings.discord.guild_ids)

    async def close(self) -> None:
        self.drafts.close()
        for task in (self._resolving, self._syncing):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self.catalogue.close()
        await super().close()
        self.attachments.spool.close()

    def is_well(self) -> bool:
        """Whether the bot is logged in and hears Discord."""
        return self.is_ready() and not self.is_closed() and math.isfinite(self.latency)

    def _schedule_event(self, *arguments: Any, **more: Any) -> asyncio.Task[None]:
        """discord.py forgets the tasks that its events run in, and they'd meet a closed store."""
        task = super()._schedule_event(*arguments, **more)
        self.in_hand.add(task)
        return task

    async def on_ready(self) -> None:
        log.info("logged in", user=str(self.user), guilds=len(self.guilds), commands=len(self.tree.get_commands()))
        assert self.application_id is not None
        await leave_others(self.guilds, self.settings.hosting.servers)
        introduce(str(self.user), self.application_id, self.guilds)
        for guild in self.guilds:
            await self.staff_roles.learn(guild)
        if channel_id := self.settings.hosting.staff_channel:
            if self.get_channel(channel_id) is None:
                log.warning("the staff's channel can't be seen; check '[hosting] staff_channel'", channel=channel_id)
            self.notices.connect(self.get_partial_messageable(channel_id).send)
        if self._resolving is None:
            self._resolving = asyncio.create_task(
                resolve(self, self.store, self._left_open, self.now(), self.patience), name="answers left open"
            )

    async def on_message(self, message: discord.Message) -> None:
        """There are no text commands: a cog answers those who mention the bot."""

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await leave_others([guild], self.settings.hosting.servers)
        await self.staff_roles.learn(guild)

    async def on_guild_role_create(self, role: discord.Role) -> None:
        if role.name == self.settings.club.staff_role:
            await self.staff_roles.learn(role.guild)

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if before.name != after.name:
            await self.staff_roles.learn(after.guild)


Interaction = discord.Interaction[Woodshed]
"""What every command, button and form is handed."""


def cog_names() -> list[str]:
    """Every package of `cogs/`: one per group of commands."""
    room = importlib.util.find_spec("cogs")  # found, not imported: cogs know the bot, the bot knows no cog
    assert room is not None
    return [f"cogs.{found.name}" for found in pkgutil.iter_modules(room.submodule_search_locations)]


def point_discord_at(api_base: str, gateway_url: str) -> None:
    """Let discord.py talk to another server than Discord, such as the playground.

    `api_base` is what stands before the routes ("http://127.0.0.1:8600/api/v10"). discord.py has no option for this;
    these three attributes are where it keeps the addresses."""
    origin = urlsplit(api_base)
    discord.http.Route.BASE = api_base
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway_url)
    discord.Asset.BASE = f"{origin.scheme}://{origin.netloc}"
