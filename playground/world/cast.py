"""The server that everybody finds here: "PyTorch course", its channels, its members, its bot. world_file.py puts others
in their places.

All ids are fixed, so that what a bot remembers (in its own database) still fits after a restart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.world import permissions

Json = dict[str, Any]

# Snowflakes of 1 September 2025, a term's first day.
_BASE = 1_411_898_000_000_000_000
GUILD_ID = str(_BASE + 1)
APPLICATION_ID = str(_BASE + 2)
BOT_ROLE_ID = str(_BASE + 3)
STAFF_ROLE_ID = str(_BASE + 4)
STUDENT_ROLE_ID = str(_BASE + 5)
SIMULATED_ROLE_ID = str(_BASE + 6)
GUILD_OWNER_ID = str(_BASE + 10)
PUBLIC_THREAD = 11
BOOSTS = (0, 2, 7, 14)
"""How many boosts make each level."""
JOINED_AT = "2025-09-01T08:00:00+00:00"


@dataclass(frozen=True)
class Member:
    """One person in the server, or the bot. `slug` is what the page's address calls them (`?member=ada`)."""

    id: str
    slug: str
    name: str
    role_ids: tuple[str, ...]
    colour: str
    is_bot: bool = False
    playable: bool = True
    simulated: bool = False

    def user(self) -> Json:
        """The wire's user object."""
        return {
            "id": self.id,
            "username": self.name if self.is_bot else self.slug,
            "global_name": None if self.is_bot else self.name,
            "discriminator": "0000" if self.is_bot else "0",
            "avatar": None,
            "bot": self.is_bot,
            "system": False,
            "public_flags": 0,
            "flags": 0,
            "banner": None,
            "accent_color": None,
            "avatar_decoration_data": None,
            "primary_guild": None,
        }

    def member(self) -> Json:
        """The wire's member object, without the user in it."""
        return {
            "nick": None,
            "avatar": None,
            "banner": None,
            "roles": list(self.role_ids),
            "joined_at": JOINED_AT,
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "communication_disabled_until": None,
        }


@dataclass
class Channel:
    """A text channel (type 0), a direct conversation of the bot with one member (1), or a public thread (11)."""

    id: str
    name: str
    topic: str = ""
    position: int = 0
    recipient_id: str | None = None
    last_message_id: str | None = None
    overwrites: list[Json] = field(default_factory=list)
    parent_id: str | None = None
    owner_id: str | None = None
    archived: bool = False
    locked: bool = False
    archive_changed_at: str = JOINED_AT
    deleted: bool = False
    """A channel of the cast that was deleted: kept, or it would be back after a restart."""

    @property
    def is_direct(self) -> bool:
        return self.recipient_id is not None

    @property
    def is_thread(self) -> bool:
        return self.parent_id is not None

    def payload(self) -> Json:
        """The wire's channel object of a text channel or a thread."""
        if self.is_thread:
            return self._thread_payload()
        return {
            "id": self.id,
            "type": 0,
            "guild_id": GUILD_ID,
            "name": self.name,
            "topic": self.topic,
            "position": self.position,
            "permission_overwrites": self.overwrites,
            "nsfw": False,
            "rate_limit_per_user": 0,
            "parent_id": None,
            "last_message_id": self.last_message_id,
            "flags": 0,
        }

    def _thread_payload(self) -> Json:
        return {
            "id": self.id,
            "type": PUBLIC_THREAD,
            "guild_id": GUILD_ID,
            "parent_id": self.parent_id,
            "owner_id": self.owner_id,
            "name": self.name,
            "last_message_id": self.last_message_id,
            "message_count": 0,
            "total_message_sent": 0,
            "member_count": len(MEMBERS),
            "rate_limit_per_user": 0,
            "flags": 0,
            "thread_metadata": {
                "archived": self.archived,
                "locked": self.locked,
                "auto_archive_duration": 1440,
                "archive_timestamp": self.archive_changed_at,
                "create_timestamp": self.archive_changed_at,
            },
        }


BOT = Member(APPLICATION_ID, "woodshed", "Woodshed", (BOT_ROLE_ID,), "#c98a3d", is_bot=True, playable=False)
FORMER_MEMBER = Member(str(_BASE + 9), "former", "Former member", (), "#80848e", playable=False)
"""Stands for whoever is not there any more, such as last week's simulated class."""
OWNER = Member(GUILD_OWNER_ID, "office", "Course office", (), "#80848e", playable=False)
PLAYERS: tuple[Member, ...] = (
    Member(str(_BASE + 11), "ada", "Ada", (STUDENT_ROLE_ID,), "#5865f2"),
    Member(str(_BASE + 12), "ben", "Ben", (STUDENT_ROLE_ID,), "#3ba55c"),
    Member(str(_BASE + 13), "thelonia", "Thelonia", (STAFF_ROLE_ID,), "#eb459e"),
)
MEMBERS: tuple[Member, ...] = (*PLAYERS, OWNER, BOT)
CHANNELS = (
    ("gallery", "Your pictures, painted in the style of others: /stylize, /styles list"),
    ("jazz-club", "Solos by a network, and blind polls: /jazz, /poll start, /poll stats"),
    ("quiz", "Questions about PyTorch: /quiz question, /quiz me, /quiz class, /ask"),
)
"""Names and topics."""


def member_id(place: int) -> str:
    """The id of a world's first, second ... member; a few stand between the bot and the channels."""
    return str(_BASE + 11 + place if place < 9 else _BASE + 100 + place)


def channel_id(place: int) -> str:
    """The id of a world's first, second ... channel."""
    return str(_BASE + 21 + place if place < 9 else _BASE + 300 + place)


_FIRST_NAMES = tuple(
    "Mia Jonas Aisha Luca Yuki Omar Nora Felix Ines Ravi Sofia Emil Hana Noah Zoe Ali Marta Jin Clara Hugo".split()  # noqa: SIM905
)


def simulated_members(count: int) -> list[Member]:
    """A class of so many. Everything that names one of them says that they're simulated."""
    return [
        Member(
            str(_BASE + 1000 + number),
            f"simulated_{number + 1}",
            f"{_FIRST_NAMES[number % len(_FIRST_NAMES)]} (simulated)",
            (SIMULATED_ROLE_ID,),
            "#6d7080",
            simulated=True,
        )
        for number in range(count)
    ]


def new_role(role_id: str, name: str, position: int, bits: int, color: int = 0, tags: Json | None = None) -> Json:
    role: Json = {
        "id": role_id,
        "name": name,
        "color": color,
        "colors": {"primary_color": color, "secondary_color": None, "tertiary_color": None},
        "hoist": role_id in (STAFF_ROLE_ID, STUDENT_ROLE_ID, SIMULATED_ROLE_ID),
        "icon": None,
        "unicode_emoji": None,
        "position": position,
        "permissions": str(bits),
        "managed": tags is not None,
        "mentionable": role_id == STAFF_ROLE_ID,
        "flags": 0,
    }
    if tags is not None:
        role["tags"] = tags
    return role


ROLES: tuple[Json, ...] = (
    new_role(GUILD_ID, "@everyone", 0, permissions.EVERYONE),
    new_role(STUDENT_ROLE_ID, "Students", 1, permissions.EVERYONE),
    new_role(SIMULATED_ROLE_ID, "Simulated class", 1, permissions.EVERYONE, 0x8A8D98),
    new_role(BOT_ROLE_ID, "Woodshed", 2, permissions.BOT, 0xC98A3D, {"bot_id": APPLICATION_ID}),
    new_role(STAFF_ROLE_ID, "Course staff", 3, permissions.STAFF, 0xF0B232),
)


def guild(
    channels: Sequence[Channel],
    members: list[Json],
    threads: Sequence[Channel],
    roles: Iterable[Json],
    boost_level: int,
    *,
    name: str,
    member_count: int,
) -> Json:
    """The wire's guild object, as GUILD_CREATE brings it."""
    return {
        "id": GUILD_ID,
        "name": name,
        "icon": None,
        "icon_hash": None,
        "splash": None,
        "discovery_splash": None,
        "owner_id": GUILD_OWNER_ID,
        "afk_channel_id": None,
        "afk_timeout": 300,
        "widget_enabled": False,
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "roles": list(roles),
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "premium_tier": boost_level,
        "premium_subscription_count": BOOSTS[boost_level],
        "preferred_locale": "en-US",
        "public_updates_channel_id": None,
        "nsfw_level": 0,
        "premium_progress_bar_enabled": False,
        "safety_alerts_channel_id": None,
        "joined_at": JOINED_AT,
        "large": False,
        "unavailable": False,
        "member_count": member_count,
        "voice_states": [],
        "members": members,
        "channels": [channel.payload() for channel in channels],
        "threads": [thread.payload() for thread in threads],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def application(bot: Member, owner: Member) -> Json:
    """The wire's application object; the instructor owns it, so `is_owner` checks can be tried."""
    return {
        "id": APPLICATION_ID,
        "name": bot.name,
        "icon": None,
        "description": f"{bot.name}, at home in the playground.",
        "summary": "",
        "type": None,
        "bot": bot.user(),
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 0,
        "flags_new": "0",
        "explicit_content_filter": 0,
        "eligible_oauth2_scopes": ["applications.commands", "bot"],
        "owner": owner.user(),
        "team": None,
        "tags": [],
        "rpc_origins": [],
        "redirect_uris": [],
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "integration_types_config": {"0": {}, "1": {}},
    }
