"""Which servers the bot is on, may be on, and how it gets there."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import discord
import structlog

from bot.answering.posting import PERMISSION_NAMES

log = structlog.get_logger(__name__)

SCOPES = ("bot", "applications.commands")


def invitation(application_id: int) -> str:
    """The address by which an administrator adds the bot to a server, with just the permissions that it needs."""
    permissions = discord.Permissions(**dict.fromkeys(PERMISSION_NAMES, True))
    return discord.utils.oauth_url(application_id, permissions=permissions, scopes=SCOPES)


def missing_permissions(held: discord.Permissions) -> list[str]:
    """What the bot's role lacks of what it needs, as a person reads it."""
    return [words for name, words in PERMISSION_NAMES.items() if not getattr(held, name)]


def is_allowed(guild_id: int | None, allowed: Collection[int]) -> bool:
    """Whether the bot serves this server; direct messages (None) are always served."""
    return not allowed or guild_id is None or guild_id in allowed


async def leave_others(guilds: Iterable[discord.Guild], allowed: Collection[int]) -> None:
    """Leave every server that isn't on the list."""
    for guild in guilds:
        if not is_allowed(guild.id, allowed):
            log.warning("leaving a server that isn't in '[hosting] servers'", guild=guild.id, name=guild.name)
            try:
                await guild.leave()
            except discord.HTTPException as error:
                log.error("could not leave", guild=guild.id, status=error.status, code=error.code)


def introduce(bot_user: str, application_id: int, guilds: Iterable[discord.Guild]) -> None:
    """Log where the bot is, what it lacks there, and how to invite it."""
    joined = list(guilds)
    for guild in joined:
        if lacking := missing_permissions(guild.me.guild_permissions):
            log.warning(
                "on this server, but not allowed to do its work", guild=guild.id, name=guild.name, lacks=lacking
            )
        else:
            log.info("on this server", guild=guild.id, name=guild.name)
    if not joined:
        log.warning("the bot is on no server yet; open the invitation")
    log.info("invitation", bot=bot_user, address=invitation(application_id))
