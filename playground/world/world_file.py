"""A world of one's own, as TOML (`--world world.toml`): what the server, the bot, channels and members are called.

    name = "Chess club"
    bot = "Knightly"

    [[channels]]
    name = "games"
    topic = "Try /play and /puzzle"

    [[members]]
    name = "Nia"

    [[members]]
    name = "Sam"
    staff = true

Whatever is left out stays as it is in the PyTorch course.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from playground.world import cast
from playground.world.cast import Channel, Member

MOST_CHANNELS = 50
MOST_MEMBERS = 100
_COLOURS = ("#5865f2", "#3ba55c", "#eb459e", "#c98a3d", "#1f8fb5", "#8a5cd1")
_CHANNEL_NAME = re.compile(r"[\w-]{1,100}")
_KNOWN = {"": {"name", "bot", "channels", "members"}, "channels": {"name", "topic"}, "members": {"name", "staff"}}


class BadWorld(ValueError):
    """The file can't be a world; the message says why."""


@dataclass(frozen=True)
class World:
    """What is there before anything has happened."""

    name: str = "PyTorch course"
    bot: Member = cast.BOT
    members: tuple[Member, ...] = cast.PLAYERS
    channels: tuple[tuple[str, str], ...] = cast.CHANNELS
    """Names and topics."""

    def everybody(self) -> dict[str, Member]:
        """The members, the owner and the bot, by id."""
        return {member.id: member for member in (*self.members, cast.OWNER, self.bot)}

    def text_channels(self) -> dict[str, Channel]:
        """The channels, as they are before anybody changed a permission."""
        made = [
            Channel(cast.channel_id(place), name, topic, place) for place, (name, topic) in enumerate(self.channels)
        ]
        return {channel.id: channel for channel in made}

    def application_owner(self) -> Member:
        """The first of the staff."""
        return next((m for m in self.members if cast.STAFF_ROLE_ID in m.role_ids), cast.OWNER)


def read_world(path: Path) -> World:
    """The world of a file; raises OSError, or BadWorld for one that makes no sense."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadWorld(f"{path} isn't TOML: {error}.") from error
    _check_keys(path, given, "")
    world = World()
    bot_name = _text(path, given, "bot", world.bot.name)
    return World(
        name=_text(path, given, "name", world.name),
        bot=replace(world.bot, name=bot_name),
        members=_members(path, given) if "members" in given else world.members,
        channels=_channels(path, given) if "channels" in given else world.channels,
    )


def _channels(path: Path, given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    tables = _tables(path, given, "channels", MOST_CHANNELS)
    made = tuple((_text(path, table, "name"), _text(path, table, "topic", "")) for table in tables)
    for name, _ in made:
        if not _CHANNEL_NAME.fullmatch(name) or name != name.lower():
            raise BadWorld(f"{path}: {name!r} can't be a channel's name. Use small letters, digits and hyphens.")
    _check_unique(path, "channels", [name for name, _ in made])
    return made


def _members(path: Path, given: Mapping[str, Any]) -> tuple[Member, ...]:
    made = []
    for place, table in enumerate(_tables(path, given, "members", MOST_MEMBERS)):
        name = _text(path, table, "name")
        if not isinstance(table.get("staff", False), bool):
            raise BadWorld(f"{path}: staff of {name} is true or false.")
        slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or f"member_{place + 1}"
        role = cast.STAFF_ROLE_ID if table.get("staff") else cast.STUDENT_ROLE_ID
        made.append(Member(cast.member_id(place), slug, name, (role,), _COLOURS[place % len(_COLOURS)]))
    _check_unique(path, "members", [member.slug for member in made])
    return tuple(made)


def _tables(path: Path, given: Mapping[str, Any], key: str, most: int) -> list[dict[str, Any]]:
    tables = given[key]
    if not isinstance(tables, list) or not 1 <= len(tables) <= most or not all(isinstance(t, dict) for t in tables):
        raise BadWorld(f"{path}: write 1 to {most} tables [[{key}]].")
    for table in tables:
        _check_keys(path, table, key)
    return tables


def _check_keys(path: Path, table: Mapping[str, Any], where: str) -> None:
    for key in table.keys() - _KNOWN[where]:
        place = f" in [[{where}]]" if where else ""
        raise BadWorld(f"{path}: there is no setting {key!r}{place}. There are {', '.join(sorted(_KNOWN[where]))}.")


def _check_unique(path: Path, key: str, names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadWorld(f"{path}: two {key} are called {twice!r}.")


def _text(path: Path, table: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or (not value.strip() and default is None) or len(value) > 1024:
        raise BadWorld(f"{path}: {key} is missing, or isn't a text.")
    return value
