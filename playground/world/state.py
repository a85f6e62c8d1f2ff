"""The state of the whole: who is there, what was said, what the bot registered, and who is told of a change."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from playground.control.clock import MovableClock
from playground.control.faults import FaultOrders
from playground.control.openapi import Description
from playground.control.transcript import Transcript
from playground.gateway.gateway import Gateway
from playground.rest.rate_limits import RateLimits
from playground.rules import errors
from playground.rules.options import Directory
from playground.world import cast, permissions, roles
from playground.world.attachments import MIB, Attachments
from playground.world.audience import Audience
from playground.world.commands import Commands
from playground.world.intents import Intent
from playground.world.interactions import Interactions
from playground.world.permissions import Permission
from playground.world.snowflake import Snowflakes
from playground.world.store import Store
from playground.world.talk.messages import Message, Messages
from playground.world.webhooks import Webhooks
from playground.world.world_file import World

Json = dict[str, Any]

HOST = "127.0.0.1"
FILE_LIMITS = (10 * MIB, 10 * MIB, 50 * MIB, 100 * MIB)
"""The largest file, by the server's boost level."""


@dataclass(frozen=True)
class Options:
    """What can be set when the server starts. Times in seconds, sizes in bytes."""

    state: Path
    port: int = 0
    token: str | None = None
    """What a bot logs in with; None: a random one, which this world keeps."""
    attachment_size_limit: int = 10 * MIB
    rate_limits: bool = False
    privileged_intents: bool = False
    answer_within_s: float = 3.0
    heartbeat_interval_s: float = 41.25
    world: World = field(default_factory=World)
    shards: int = 1
    """How many shards a bot that asks is told to come in."""
    openapi: Path | None = None
    """Discord's OpenAPI description, to hold every request and answer against."""


class Playground:
    """A small Discord without its doors; server.py opens those."""

    def __init__(self, options: Options, real_clock: Callable[[], float] = time.time) -> None:
        self.options = options
        self.clock = clock = MovableClock(real_clock)
        self.attachment_size_limit = options.attachment_size_limit
        self.store = Store(options.state)
        self.token = options.token or self.store.secret("bot-token")
        self.key = self.store.secret("page")
        self.ids = Snowflakes(clock, last=self.store.largest_id())
        self.world = options.world
        self.users = self.world.everybody()
        self.roles = roles.kept(self.store)
        self.roles[cast.BOT_ROLE_ID]["name"] = self.bot.name
        roles.restore_held(self.store, self.users)
        self.installed_by = set((self.store.get("installed-by") or "").split())
        """Ids of the members who have installed the bot for themselves."""
        self.boost_level = int(self.store.get("boost-level") or 0)
        if self.boost_level:
            self.attachment_size_limit = max(options.attachment_size_limit, FILE_LIMITS[self.boost_level])
        self.channels = self.world.text_channels()
        for row in self.store.all("channel"):
            channel = cast.Channel(**row)
            self.channels[channel.id] = channel
            if channel.deleted:
                del self.channels[channel.id]
        self.attachments = Attachments(self.store, self.ids, clock)
        self.messages = Messages(self.store, self.ids, clock, self.attachments, self.channels, self.users)
        self.webhooks = Webhooks(self.store, self.ids)
        self.commands = Commands(self.store, self.ids, clock)
        self.interactions = Interactions(self.store, self.ids, clock, self.messages, options.answer_within_s)
        self.directory = Directory(self.users, self.channels, self.roles, self.attachments)
        self.rate_limits = RateLimits(options.rate_limits)
        self.faults = FaultOrders()
        self.description = Description(options.openapi) if options.openapi else None
        self.transcript = Transcript(clock)
        self.audience = Audience()
        self.gateway = Gateway(
            token=self.token,
            guild_payload=self.guild_payload,
            users=self.users,
            privileged_intents=options.privileged_intents,
            heartbeat_interval_s=options.heartbeat_interval_s,
            on_presence=self._publish_presence,
        )
        self.messages.listeners.append(self._publish_message)
        self.commands.listeners.append(lambda: self.audience.send("COMMANDS_UPDATE", {}))
        self.port = options.port
        self.bot_process = ""

    @property
    def bot(self) -> cast.Member:
        """The bot, as this world calls it."""
        return self.world.bot

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def address(self) -> str:
        """The page's address. Its key is a capability: whoever has it can play every member."""
        return f"{self.origin}/{self.key}/"

    @property
    def api_base(self) -> str:
        """What a bot puts before its routes."""
        return f"{self.origin}/api/v10"

    def bind(self, port: int) -> None:
        """Learns the port that the server got, which every address it gives out contains."""
        self.port = port
        self.attachments.base_url = self.origin
        self.gateway.url = f"ws://{HOST}:{port}/gateway"

    def guild_payload(self, members: list[Json]) -> Json:
        """The wire's guild object, with these members in it."""
        return cast.guild(
            self.text_channels(),
            members,
            self.threads(),
            self.roles.values(),
            self.boost_level,
            name=self.world.name,
            member_count=len(self.users),
        )

    def text_channels(self) -> list[cast.Channel]:
        return [c for c in self.channels.values() if not c.is_direct and not c.is_thread]

    def threads(self) -> list[cast.Channel]:
        """The threads that are not archived."""
        return [c for c in self.channels.values() if c.is_thread and not c.archived]

    def channel(self, channel_id: str, viewer_id: str) -> cast.Channel:
        """The channel, or ApiError: 10003 if there is none that `viewer_id` may know of, 50001 for a bot thrown out."""
        channel = self.channels.get(channel_id)
        if channel is None or (channel.is_direct and viewer_id not in (channel.recipient_id, cast.BOT.id)):
            raise errors.unknown_channel()
        if viewer_id == cast.BOT.id and not channel.is_direct and not self.gateway.is_in_guild:
            raise errors.missing_access()
        return channel

    def direct_channel(self, user_id: str) -> cast.Channel:
        """The conversation of the bot with one member; made when it is first asked for."""
        for channel in self.channels.values():
            if channel.recipient_id == user_id:
                return channel
        channel = cast.Channel(self.ids.next(), "", recipient_id=user_id)
        self.channels[channel.id] = channel
        self.keep_channel(channel)
        return channel

    def keep_channel(self, channel: cast.Channel) -> None:
        """Writes the channel down, and tells everybody who knows it."""
        self.write_channel(channel)
        if not channel.is_direct:
            self.gateway.dispatch("CHANNEL_UPDATE", channel.payload(), Intent.GUILDS)
        self.audience.send("CHANNELS_UPDATE", {})

    def write_channel(self, channel: cast.Channel) -> None:
        """Writes the channel down."""
        record = {key: value for key, value in asdict(channel).items() if key != "last_message_id"}
        self.store.put("channel", channel.id, record)

    def channel_payload(self, channel: cast.Channel) -> Json:
        """The wire's channel object, direct ones included."""
        if channel.recipient_id is None:
            return channel.payload()
        return {
            "id": channel.id,
            "type": 1,
            "last_message_id": channel.last_message_id,
            "recipients": [self.users[channel.recipient_id].user()],
            "flags": 0,
        }

    def permissions(self, member: cast.Member, channel: cast.Channel) -> int:
        """What a member may do in a channel, as permission bits."""
        if channel.is_direct:
            return permissions.EVERYONE
        if channel.parent_id is not None:
            channel = self.channels[channel.parent_id]
        held = [role_id for role_id in (cast.GUILD_ID, *member.role_ids) if role_id in self.roles]
        return permissions.in_channel(
            user_id=member.id,
            guild_id=cast.GUILD_ID,
            is_owner=member.id == cast.GUILD_OWNER_ID,
            role_permissions=[int(self.roles[role_id]["permissions"]) for role_id in held],
            role_ids=held,
            overwrites=channel.overwrites,
        )

    def installs(self, member: cast.Member, channel: cast.Channel) -> dict[str, str]:
        """Who has installed the bot where a member uses it, as `authorizing_integration_owners` has it."""
        owners = {}
        if channel.is_direct:
            owners["0"] = "0"
        elif self.gateway.is_in_guild:
            owners["0"] = cast.GUILD_ID
        if member.id in self.installed_by:
            owners["1"] = member.id
        return owners

    def install(self, member: cast.Member, *, is_installed: bool) -> None:
        """A member takes the bot along as an app of their own, or gives it back."""
        (self.installed_by.add if is_installed else self.installed_by.discard)(member.id)
        self.store.set("installed-by", " ".join(sorted(self.installed_by)))
        self.audience.send("COMMANDS_UPDATE", {})

    def bot_may(self, channel: cast.Channel, permission: Permission) -> bool:
        return bool(self.permissions(cast.BOT, channel) & permission)

    def _publish_message(self, name: str, message: Message) -> None:
        channel = self.channels[message.channel_id]
        body = self.messages.event(name, message)
        if message.visible_to is None:
            intent = Intent.DIRECT_MESSAGES if channel.is_direct else Intent.GUILD_MESSAGES
            self.gateway.dispatch(name, body, intent, own=message.author_id == cast.BOT.id)
        self.show_message(name, message)

    def show_message(self, name: str, message: Message) -> None:
        """Tells the open tabs of a message that came, changed or went."""
        channel = self.channels[message.channel_id]
        self.audience.send(name, self.shown_message(message, name), only=message.visible_to or channel.recipient_id)

    def shown_message(self, message: Message, name: str = "MESSAGE_CREATE") -> Json:
        """What the page gets of a message: the event on it, who reacted, and who chose what in its poll."""
        body = self.messages.event(name, message)
        if message.reactions:
            body["reactors"] = message.reactions
        if message.poll is not None:
            body["poll_votes"] = message.poll["votes"]
        return body

    def _publish_presence(self) -> None:
        self.audience.send("BOT_STATUS", self.bot_status())

    def bot_status(self) -> Json:
        return {
            "online": self.gateway.connected.is_set(),
            "activity": self.gateway.activity,
            "process": self.bot_process,
        }

    def set_bot_process(self, state: str) -> None:
        """What is known of the bot's process: `starting`, `running`, `stopped`, or nothing where it isn't ours."""
        self.bot_process = state
        self._publish_presence()


PLAYGROUND: web.AppKey[Playground] = web.AppKey("playground", Playground)
"""Where the request handlers find it."""
