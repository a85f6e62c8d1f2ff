"""Telling Discord which commands there are, but only when they changed: a server allows 200 creations a day."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import discord
import structlog
from discord import app_commands

from bot.store import Store, meta
from engine.contract.configuration import ConfigurationError

log = structlog.get_logger(__name__)

GLOBAL = "global"
ON_SERVERS = app_commands.AppInstallationType(guild=True, user=False)
ANYWHERE = app_commands.AppInstallationType(guild=True, user=True)
EVERY_PLACE = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)

PERSONAL = ("ask", "stylize")
"""Commands that need nothing of a server. Their answers go through the interaction alone, so they work where the bot
isn't a member. `/jazz` would, too, but a stranger's clip takes the device three times as long as a picture."""


def offer_to_people(tree: app_commands.CommandTree[Any]) -> None:
    """Let people who added the bot to their account use the `PERSONAL` commands wherever they are.

    Everything else stays on servers, by the tree's own default."""
    for name in PERSONAL:
        command = tree.get_command(name)
        assert isinstance(command, app_commands.Command)
        command.allowed_installs, command.allowed_contexts = ANYWHERE, EVERY_PLACE


async def sync_commands(
    tree: app_commands.CommandTree[Any], store: Store, application_id: int, guild_ids: Sequence[int]
) -> list[str]:
    """Bring Discord's copy of the commands up to date; returns the scopes that were written.

    With `guild_ids` the commands go to those servers at once, else everywhere. A scope that held them before and no
    longer should is emptied, or members would see every command twice. Discord is asked first what it has, because
    the digest only says what this database last sent.

    Raises ConfigurationError for one of `guild_ids` that the bot isn't on. A server that it has left is forgotten."""
    wanted = {str(guild_id) for guild_id in guild_ids} or {GLOBAL}
    prefix = f"commands:{application_id}:"
    known = {name.removeprefix(prefix) for name in await meta.names(store, prefix)}
    commands = tree.get_commands()
    written = []
    for scope in sorted(wanted | known):
        guild = None if scope == GLOBAL else discord.Object(int(scope))
        desired = commands if scope in wanted else []
        digest = _digest(tree, desired)
        try:
            if await meta.get(store, prefix + scope) == digest and await _names(tree, guild) == _own_names(desired):
                continue
            await _write(tree, guild, desired, application_id)
        except (discord.Forbidden, discord.NotFound) as error:
            if guild is None:
                raise
            if desired:
                raise ConfigurationError(
                    f"'discord.guild_ids' names the server {scope}, but the bot isn't on it: "
                    "invite it with the scope applications.commands, or remove the number."
                ) from error
            await meta.drop(store, prefix + scope)
            log.info("a server that the bot has left is forgotten", scope=scope, code=error.code)
            continue
        await meta.put(store, prefix + scope, digest)
        written.append(scope)
        log.info("commands sent to Discord", scope=scope, commands=len(desired))
    return written


async def _write(
    tree: app_commands.CommandTree[Any],
    guild: discord.Object | None,
    desired: Sequence[app_commands.Command | app_commands.Group | app_commands.ContextMenu],
    application_id: int,
) -> None:
    """Replace what a scope holds by `desired`: all commands of the tree, or none."""
    if guild is not None and desired:
        tree.copy_global_to(guild=guild)
        await tree.sync(guild=guild)
    elif guild is None and desired:
        await tree.sync()
    elif guild is not None:
        tree.clear_commands(guild=guild)
        await tree.sync(guild=guild)
    else:
        await tree.client.http.bulk_upsert_global_commands(application_id, payload=[])


def _digest(
    tree: app_commands.CommandTree[Any],
    commands: Sequence[app_commands.Command | app_commands.Group | app_commands.ContextMenu],
) -> str:
    payload = [command.to_dict(tree) for command in commands]
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


def _own_names(
    commands: Sequence[app_commands.Command | app_commands.Group | app_commands.ContextMenu],
) -> set[tuple[str, int]]:
    return {
        (c.name, c.type.value if isinstance(c, app_commands.ContextMenu) else discord.AppCommandType.chat_input.value)
        for c in commands
    }


async def _names(tree: app_commands.CommandTree[Any], guild: discord.Object | None) -> set[tuple[str, int]]:
    return {(command.name, command.type.value) for command in await tree.fetch_commands(guild=guild)}
