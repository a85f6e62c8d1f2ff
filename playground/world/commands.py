"""Application commands: what a bot may register, and who finds them in the composer.

https://discord.com/developers/docs/interactions/application-commands
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from playground.rules import errors, fields
from playground.rules.errors import Faults
from playground.world import cast
from playground.world.permissions import Permission
from playground.world.snowflake import Snowflakes
from playground.world.store import Store

Json = dict[str, Any]
Path = tuple[str | int, ...]

CHAT_INPUT, USER, MESSAGE = 1, 2, 3
SUBCOMMAND, GROUP = 1, 2
STRING, INTEGER, BOOLEAN, USER_OPTION, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = 3, 4, 5, 6, 7, 8, 9, 10, 11
OPTION_TYPES = {
    SUBCOMMAND: "subcommand",
    GROUP: "group",
    STRING: "string",
    INTEGER: "integer",
    BOOLEAN: "boolean",
    USER_OPTION: "user",
    CHANNEL: "channel",
    ROLE: "role",
    MENTIONABLE: "mentionable",
    NUMBER: "number",
    ATTACHMENT: "attachment",
}
GUILD_CONTEXT, DIRECT_CONTEXT = 0, 1

DAILY_CREATES = 200
_DAY_S = 24 * 3600
_NAME = re.compile(r"^[-_'\w]{1,32}$", re.UNICODE)
_MOST = {CHAT_INPUT: 100, USER: 15, MESSAGE: 15}


class Commands:
    """The bot's registered commands: global ones, and those of the guild."""

    def __init__(self, store: Store, ids: Snowflakes, clock: Callable[[], float]) -> None:
        self._store = store
        self._ids = ids
        self._clock = clock
        self._by_id: dict[str, Json] = {row["id"]: row for row in store.all("command")}
        self._creates: list[float] = []
        self.listeners: list[Callable[[], None]] = []

    def all(self, guild_id: str | None) -> list[Json]:
        """The commands of a scope: a guild's own, or the global ones (None)."""
        return [command for command in self._by_id.values() if command.get("guild_id") == guild_id]

    def get(self, command_id: str, guild_id: str | None) -> Json:
        command = self._by_id.get(command_id)
        if command is None or command.get("guild_id") != guild_id:
            raise errors.unknown_command()
        return command

    def find(self, command_id: str) -> Json | None:
        return self._by_id.get(command_id)

    def replace_all(self, bodies: Any, guild_id: str | None) -> list[Json]:
        """Overwrites a scope; a command that was there under the same name and type keeps its id."""
        if not isinstance(bodies, list):
            raise errors.invalid_json()
        faults = Faults()
        seen: set[tuple[int, str]] = set()
        counts: dict[int, int] = {}
        for number, body in enumerate(bodies):
            _check_command(faults, (number,), body)
            key = (body.get("type", CHAT_INPUT), body.get("name", ""))
            if key in seen:
                message = "Application command names must be unique"
                faults.add((number, "name"), "APPLICATION_COMMANDS_DUPLICATE_NAME", message)
            seen.add(key)
            counts[key[0]] = counts.get(key[0], 0) + 1
        for kind, count in counts.items():
            if count > _MOST.get(kind, 100):
                raise errors.too_many_commands(_MOST[kind])
        faults.raise_if_any()
        old = {(c["type"], c["name"]): c for c in self.all(guild_id)}
        self._count_creates(len(seen - old.keys()))
        for command in old.values():
            self._forget(command)
        commands = [self._keep(body, guild_id, old) for body in bodies]
        self._changed()
        return commands

    def upsert(self, body: Any, guild_id: str | None) -> Json:
        """Creates one command, or overwrites the one of that name and type."""
        faults = Faults()
        _check_command(faults, (), body)
        faults.raise_if_any()
        old = {(c["type"], c["name"]): c for c in self.all(guild_id)}
        self._count_creates(0 if (body.get("type", CHAT_INPUT), body["name"]) in old else 1)
        command = self._keep(body, guild_id, old)
        self._changed()
        return command

    def edit(self, command_id: str, body: Json, guild_id: str | None) -> Json:
        """Changes some fields of one command."""
        old = self.get(command_id, guild_id)
        merged = old | body
        faults = Faults()
        _check_command(faults, (), merged)
        faults.raise_if_any()
        self._forget(old)
        command = self._keep(merged, guild_id, {(old["type"], merged["name"]): old})
        self._changed()
        return command

    def delete(self, command_id: str, guild_id: str | None) -> None:
        self._forget(self.get(command_id, guild_id))
        self._changed()

    def visible_to(self, permissions: int, *, in_guild: bool, installs: Iterable[str]) -> list[Json]:
        """The commands that a member with these permissions finds; a guild's command hides a global namesake.
        `installs` says by whom the bot is installed: "0" the server, "1" the member."""
        own = self.all(cast.GUILD_ID) if in_guild else []
        hidden = {(command["type"], command["name"]) for command in own}
        rest = [c for c in self.all(None) if (c["type"], c["name"]) not in hidden]
        return [c for c in [*own, *rest] if may_use(c, permissions, in_guild=in_guild, installs=installs)]

    def _keep(self, body: Json, guild_id: str | None, old: dict[tuple[int, str], Json]) -> Json:
        kind = body.get("type", CHAT_INPUT)
        before = old.get((kind, body["name"]))
        default = body.get("default_member_permissions")
        command: Json = {
            "id": before["id"] if before else self._ids.next(),
            "application_id": cast.APPLICATION_ID,
            "version": self._ids.next(),
            "type": kind,
            "name": body["name"],
            "name_localizations": body.get("name_localizations"),
            "description": body.get("description") or "",
            "description_localizations": body.get("description_localizations"),
            "options": body.get("options") or [],
            "default_member_permissions": None if default is None else str(default),
            "dm_permission": body.get("dm_permission", True),
            "contexts": body.get("contexts"),
            "integration_types": body.get("integration_types") or [0],
            "nsfw": body.get("nsfw", False),
        }
        if guild_id is not None:
            command["guild_id"] = guild_id
        self._by_id[command["id"]] = command
        self._store.put("command", command["id"], command)
        return command

    def _forget(self, command: Json) -> None:
        self._by_id.pop(command["id"], None)
        self._store.remove("command", command["id"])

    def _count_creates(self, count: int) -> None:
        now = self._clock()
        self._creates = [at for at in self._creates if at > now - _DAY_S] + [now] * count
        if len(self._creates) > DAILY_CREATES:
            del self._creates[-count:]
            raise errors.too_many_command_creates()

    def _changed(self) -> None:
        for listener in self.listeners:
            listener()


def may_use(command: Json, permissions: int, *, in_guild: bool, installs: Iterable[str]) -> bool:
    """Whether Discord would offer the command to a member with these permissions, here or in a direct conversation."""
    if not any(int(install) in command["integration_types"] for install in installs):
        return False
    contexts = command["contexts"]
    if not in_guild:
        return DIRECT_CONTEXT in contexts if contexts is not None else bool(command["dm_permission"])
    if contexts is not None and GUILD_CONTEXT not in contexts:
        return False
    if permissions & Permission.ADMINISTRATOR:
        return True
    if not permissions & Permission.USE_APPLICATION_COMMANDS:
        return False
    needed = command["default_member_permissions"]
    return needed is None or (int(needed) != 0 and permissions & int(needed) == int(needed))


def _check_command(faults: Faults, path: Path, body: Any) -> None:
    if not isinstance(body, dict):
        raise errors.invalid_json()
    fields.check_command(faults, path, body)
    kind = body.get("type", CHAT_INPUT)
    if kind not in _MOST:
        faults.add((*path, "type"), "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3).")
        return
    if kind != CHAT_INPUT:
        faults.length((*path, "name"), body.get("name"), 1, 32)
        if body.get("description"):
            faults.add(
                (*path, "description"), "APPLICATION_COMMAND_DESCRIPTION_FORBIDDEN", "Menus have no description."
            )
        if body.get("options"):
            faults.add((*path, "options"), "APPLICATION_COMMAND_OPTIONS_FORBIDDEN", "Menus have no options.")
        return
    _check_name(faults, path, body)
    faults.length((*path, "description"), body.get("description"), 1, 100)
    _check_options(faults, (*path, "options"), body.get("options") or [], depth=0)
    if _characters(body) > 8000:
        message = "Command exceeds maximum size (8000)"
        faults.add(path or ("_",), "APPLICATION_COMMAND_TOO_LARGE", message)


def _check_name(faults: Faults, path: Path, body: Json) -> None:
    names = {"name": body.get("name"), **{f"name_localizations.{k}": v for k, v in _localized(body, "name")}}
    for key, name in names.items():
        if not isinstance(name, str) or not _NAME.match(name) or name != name.lower():
            message = "Command name is invalid"
            faults.add((*path, *key.split(".")), "APPLICATION_COMMAND_INVALID_NAME", message)


def _check_options(faults: Faults, path: Path, options: list[Json], *, depth: int) -> None:
    faults.count(path, options, 0, 25)
    names = [option.get("name") for option in options]
    if len(set(names)) != len(names):
        faults.add(path, "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_USED", "Option names must be unique.")
    may_be_required = True
    for number, option in enumerate(options):
        where = (*path, number)
        kind = option.get("type")
        if not isinstance(kind, int) or not 1 <= kind <= ATTACHMENT or (kind == GROUP and depth > 0):
            faults.add((*where, "type"), "BASE_TYPE_CHOICES", "This option type cannot be used here.")
            continue
        _check_name(faults, where, option)
        faults.length((*where, "description"), option.get("description"), 1, 100)
        if kind in (SUBCOMMAND, GROUP):
            _check_options(faults, (*where, "options"), option.get("options") or [], depth=depth + 1)
            continue
        if option.get("required") and not may_be_required:
            message = "Required options must be placed before non-required options"
            faults.add((*where, "required"), "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message)
        may_be_required = may_be_required and bool(option.get("required"))
        _check_choices(faults, where, option)
        for low, high, most in (("min_length", "max_length", 6000),):
            if option.get(low, 0) > option.get(high, most) or option.get(high, most) > most:
                faults.add((*where, high), "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")


def _check_choices(faults: Faults, path: Path, option: Json) -> None:
    choices = option.get("choices") or []
    faults.count((*path, "choices"), choices, 0, 25)
    if choices and option.get("autocomplete"):
        message = "Options with autocomplete have no choices."
        faults.add((*path, "choices"), "APPLICATION_COMMAND_OPTIONS_CHOICES_AND_AUTOCOMPLETE", message)
    for number, choice in enumerate(choices):
        faults.length((*path, "choices", number, "name"), choice.get("name"), 1, 100)
        if option["type"] == STRING:
            faults.length((*path, "choices", number, "value"), choice.get("value"), 1, 100)


def _localized(body: Json, key: str) -> list[tuple[str, str]]:
    return list((body.get(f"{key}_localizations") or {}).items())


def _characters(body: Json) -> int:
    """How much of a command's 8000 characters it takes; of translations Discord counts the longest."""
    total = 0
    for key in ("name", "description"):
        texts = [str(body.get(key) or ""), *(text for _, text in _localized(body, key))]
        total += max(len(text) for text in texts)
    total += sum(_characters(option) for option in body.get("options") or [])
    total += sum(len(str(c.get("name"))) + len(str(c.get("value"))) for c in body.get("choices") or [])
    return total
