"""The staff's role, found by its name once and remembered by its id: renaming it locks nobody out.

remembered and still there ──> that role, whatever it's called now (a changed name is logged)
not remembered, or deleted ──> the role of the configured name, remembered from then on
another name in the settings, and a role of that name ──> that role: the host has chosen another one
"""

from __future__ import annotations

import discord
import structlog

from bot.errors import UNREADABLE
from bot.hosting.database_file import read_only
from bot.settings import BotSettings
from bot.store import Store, meta

log = structlog.get_logger(__name__)

PREFIX = "staff_role:"
SHOWN_TO = discord.Permissions(manage_messages=True)
"""Discord shows commands that are only for staff to members who may do this; when one is used, the role counts."""


def shown_to(held: discord.Permissions) -> bool:
    """Whether Discord shows the staff's commands to a role with these permissions, unless told otherwise."""
    return held.administrator or held >= SHOWN_TO


class StaffRoles:
    """Which role of a server makes staff."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self._ids: dict[int, int] = {}
        self._chosen: dict[int, str] = {}
        """Under which name of the settings each was found."""

    async def load(self) -> None:
        """Read what is remembered, once, before the first member comes."""
        for key in await meta.names(self._store, PREFIX):
            value = await meta.get(self._store, key)
            if value is not None:
                guild_id = int(key.removeprefix(PREFIX))
                self._ids[guild_id], self._chosen[guild_id] = remembered(value, self._name)

    async def learn(self, guild: discord.Guild) -> discord.Role | None:
        """Find a server's staff role and remember it; warns of a changed name, and when there is none."""
        role = self.role_of(guild)
        if role is None:
            log.warning("no staff role on this server; create it, or set '[club] staff_role'", guild=guild.id)
            return None
        if role.name != self._name:
            log.warning("the staff role has another name now; it still counts", guild=guild.id, name=role.name)
        former = self._ids.get(guild.id), self._chosen.get(guild.id)
        chosen = self._name if role.name == self._name or former[1] is None else former[1]
        if former != (role.id, chosen):
            self._ids[guild.id], self._chosen[guild.id] = role.id, chosen
            await meta.put(self._store, f"{PREFIX}{guild.id}", f"{role.id} {chosen}")
        return role

    def role_of(self, guild: discord.Guild) -> discord.Role | None:
        """The staff's role on a server."""
        known = guild.get_role(self._ids.get(guild.id, 0))
        named = discord.utils.get(guild.roles, name=self._name)
        if named is not None and self._chosen.get(guild.id) != self._name:
            return named
        return known or named

    def is_staff(self, member: discord.abc.User) -> bool:
        """Whether a member carries that role, or manages the server."""
        if not isinstance(member, discord.Member):
            return False
        if member.guild_permissions.manage_guild:
            return True
        role = self.role_of(member.guild)
        return role is not None and role in member.roles


def remembered(value: str, name: str) -> tuple[int, str]:
    """What a value of the database says: the role's id, and the name in the settings under which it was found. Older
    values lack that; then it's `name`, the one in the settings now."""
    role_id, _, chosen = value.partition(" ")
    return int(role_id), chosen or name


def remembered_role(settings: BotSettings, guild_id: int) -> int | None:
    """The id of a server's staff role as the database remembers it for the name in the settings; None if it doesn't, or
    can't be read. Blocking, but short: for the doctor, who opens no store."""
    try:
        with read_only(settings.store.path) as connection:
            row = connection.execute("SELECT value FROM meta WHERE name = ?", (f"{PREFIX}{guild_id}",)).fetchone()
    except (OSError, *UNREADABLE):
        return None
    role_id, chosen = remembered(str(row[0]), settings.club.staff_role) if row else (None, "")
    return role_id if chosen == settings.club.staff_role else None
