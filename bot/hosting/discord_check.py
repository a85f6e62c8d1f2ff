"""The doctor's look at Discord: the token, the clock, and on each server the bot's permissions and the staff's role.

It asks over REST and needs no gateway, so it works beside a running bot.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import discord

from bot.hosting.finding import Finding
from bot.hosting.servers import invitation, is_allowed, missing_permissions
from bot.hosting.staff_roles import remembered_role, shown_to
from bot.settings import TOKEN_VARIABLE, BotSettings

API = "https://discord.com/api/v10"
TIMEOUT_S = 15.0
CLOCK_TOLERANCE_S = 5.0
"""Deadlines of polls are compared with this machine's clock and shown by Discord's."""
REFUSED = (401, 403)


async def examine_discord(settings: BotSettings) -> AsyncIterator[Finding]:
    token = settings.token.get_secret_value()
    if not token:
        mend = (
            f"copy it from the Bot page of Discord's developer portal into the environment: export {TOKEN_VARIABLE}=..."
        )
        yield Finding("trouble", "token", f"{TOKEN_VARIABLE} isn't set", mend)
        return
    headers = {"Authorization": f"Bot {token}", "User-Agent": "DiscordBot (woodshed doctor, 1)"}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        asking = _Asking(session, settings.discord.api_base or API)
        try:
            async for finding in _examine(asking, settings):
                yield finding
        except _NotDiscord:
            detail = f"what answers at {asking.base} isn't Discord"
            mend = "log in to this network with a browser, or ask whoever runs its proxy to let the bot through"
            yield Finding("trouble", "Discord", detail, mend)
        except (aiohttp.ClientError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            mend = "check the network, and a firewall's rules for port 443"
            yield Finding("trouble", "Discord", f"{asking.base} can't be reached: {reason}", mend)


class _NotDiscord(Exception):
    """Something else answers, such as the login page of a network."""


class _Asking:
    """GET requests to Discord."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base
        self.skew_s: float | None = None
        """This machine's clock less Discord's, s; known after the first answer that carries a date."""

    async def get(self, route: str) -> tuple[int, Any]:
        """Status and content of an answer. Raises _NotDiscord for an answer that Discord doesn't give."""
        async with self.session.get(f"{self.base}{route}") as response:
            if "Date" in response.headers and self.skew_s is None:
                with contextlib.suppress(ValueError, TypeError):  # a proxy's own idea of a date
                    self.skew_s = (datetime.now(UTC) - parsedate_to_datetime(response.headers["Date"])).total_seconds()
            try:
                content = await response.json() if response.content_type == "application/json" else None
            except ValueError as error:
                raise _NotDiscord from error
            if response.status == 200 and not isinstance(content, dict | list):
                raise _NotDiscord
            return response.status, content


async def _examine(asking: _Asking, settings: BotSettings) -> AsyncIterator[Finding]:
    status, user = await asking.get("/users/@me")
    if status in REFUSED:
        mend = f"make a new token on the Bot page of Discord's developer portal, and set {TOKEN_VARIABLE} to it"
        yield Finding("trouble", "token", "Discord refuses it", mend)
        return
    if status != 200:
        yield Finding("trouble", "Discord", f"it answers with status {status}", "try again in a few minutes")
        return
    yield Finding("good", "token", f"it belongs to {user['username']}")
    if asking.skew_s is not None:
        if abs(asking.skew_s) > CLOCK_TOLERANCE_S:
            ahead = "ahead of" if asking.skew_s > 0 else "behind"
            detail = f"this machine's is {abs(asking.skew_s):.0f} s {ahead} Discord's"
            yield Finding("trouble", "clock", detail, "turn on time synchronisation: timedatectl set-ntp true")
        else:
            yield Finding("good", "clock", "it agrees with Discord's")
    status, guilds = await asking.get("/users/@me/guilds")
    if status != 200:
        yield Finding("warning", "servers", f"Discord doesn't list them (status {status})")
        return
    if not guilds:
        yield Finding("trouble", "servers", "the bot is on none", f"open {invitation(int(user['id']))}")
    for guild in guilds:
        async for finding in _examine_guild(asking, settings, guild, int(user["id"])):
            yield finding
    if settings.hosting.staff_channel:
        status, channel = await asking.get(f"/channels/{settings.hosting.staff_channel}")
        if status == 200:
            yield Finding("good", "staff channel", f"#{channel.get('name', settings.hosting.staff_channel)}")
        else:
            mend = "let the bot see it, or correct '[hosting] staff_channel'"
            yield Finding("trouble", "staff channel", "the bot can't see it", mend)


async def _examine_guild(
    asking: _Asking, settings: BotSettings, guild: dict[str, Any], application_id: int
) -> AsyncIterator[Finding]:
    subject = f"server {guild['name']}"
    if not is_allowed(int(guild["id"]), settings.hosting.servers):
        mend = "add it to '[hosting] servers', or let the bot leave at its next start"
        yield Finding("warning", subject, "it isn't one of '[hosting] servers'", mend)
        return
    missing = missing_permissions(discord.Permissions(int(guild["permissions"])))
    if missing:
        mend = f"give the bot's role these permissions, or invite it again: {invitation(application_id)}"
        yield Finding("trouble", subject, f"the bot isn't allowed to {', '.join(missing)}", mend)
    else:
        yield Finding("good", subject, "the bot has every permission that it needs")
    status, roles = await asking.get(f"/guilds/{guild['id']}/roles")
    if status != 200:
        return
    known = remembered_role(settings, int(guild["id"]))
    staff = next((role for role in roles if role.get("id") == str(known)), None) or next(
        (role for role in roles if role["name"] == settings.club.staff_role), None
    )
    if staff is None:
        mend = f"create the role '{settings.club.staff_role}' and rename it later, or set '[club] staff_role' to yours"
        yield Finding("warning", subject, f"there's no role '{settings.club.staff_role}'", mend)
    elif not shown_to(discord.Permissions(int(staff["permissions"]))):
        mend = f"give the role '{staff['name']}' Manage Messages, or allow it that command under Integrations"
        yield Finding("warning", subject, "its staff don't see /status", mend)
