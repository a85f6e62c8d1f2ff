"""Takes the steps of a delivery at Discord: sends, looks, waits, and says how each went."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol, cast

import aiohttp
import discord
import structlog

from bot.answering import discord_codes as codes
from bot.answering.delivery.rules import (
    Apology,
    Cargo,
    Delivery,
    End,
    Look,
    Outcome,
    Remove,
    Route,
    Step,
    Try,
    Unarchive,
    Verdict,
    Wait,
)
from bot.answering.parcels import Parcel, shows
from bot.errors import Undelivered

log = structlog.get_logger(__name__)

CONNECTION_ERRORS = (aiohttp.ClientError, OSError, TimeoutError)
"""Whatever may happen to a request on its way; nobody knows then whether it has arrived."""
ORIGINAL = cast(int, "@original")
LOOKED_THROUGH = 100
"""The latest messages of a channel, among which one of the bot's own is looked for."""
LOOKED_THROUGH_SINCE = 1000
"""This many, if it's known since when it may be there."""
CLOCKS_DIFFER_S = 300.0
"""So far may this machine's clock and Discord's be apart."""


def outcome_of(error: Exception) -> tuple[Outcome, float]:
    """How an attempt went that ended in `error`, and for how many seconds Discord asks us to wait."""
    match error:
        case discord.RateLimited():
            return Outcome.LIMITED, error.retry_after
        case discord.HTTPException() if error.status == 429:
            return Outcome.LIMITED, _retry_after_s(error)
        case discord.HTTPException() if error.status >= 500:
            return Outcome.LOST, 0.0
        case discord.HTTPException() if error.code in codes.EXPIRED or error.status == 401:
            return Outcome.EXPIRED, 0.0
        case discord.HTTPException() if error.code == codes.THREAD_ARCHIVED:
            return Outcome.ARCHIVED, 0.0
        case discord.Forbidden():
            return Outcome.FORBIDDEN, 0.0
        case discord.NotFound():
            return Outcome.GONE, 0.0
        case discord.HTTPException():
            return Outcome.REFUSED, 0.0
    return Outcome.LOST, 0.0


def _retry_after_s(error: discord.HTTPException) -> float:
    try:
        return float(error.response.headers.get("Retry-After", 0.0))
    except (AttributeError, TypeError, ValueError):
        return 0.0


class Carrier(Protocol):
    """Someone who can take a step, and raises what discord.py raises."""

    async def send(self, route: Route, cargo: Cargo) -> bool:
        """False where there is no such way."""

    async def look(self, route: Route, cargo: Cargo) -> bool | None:
        """Whether it's there; None where that can't be looked up."""

    async def unarchive(self) -> None: ...

    async def remove(self) -> None: ...


async def carry_out(
    delivery: Delivery | Apology,
    carrier: Carrier,
    *,
    now: Callable[[], float] | None = None,
) -> tuple[Verdict, Exception | None]:
    """Step a delivery to its end; returns its verdict and the last error met."""
    clock = now or asyncio.get_running_loop().time
    met: Exception | None = None
    while True:
        match delivery.next(clock()):
            case End(verdict):
                return verdict, met
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case step:
                outcome, retry_after_s, error = await _take(step, carrier)
                if error is not None:
                    met = error
                    log.info("on its way", step=repr(step), outcome=outcome.name, error=repr(error))
                delivery.report(outcome, clock(), retry_after_s)


async def _take(step: Step, carrier: Carrier) -> tuple[Outcome, float, Exception | None]:
    try:
        match step:
            case Try(route, cargo):
                return (Outcome.ARRIVED if await carrier.send(route, cargo) else Outcome.EXPIRED), 0.0, None
            case Look(route, cargo):
                there = await carrier.look(route, cargo)
                return {True: Outcome.ARRIVED, False: Outcome.ABSENT, None: Outcome.EXPIRED}[there], 0.0, None
            case Unarchive():
                await carrier.unarchive()
            case Remove():
                await carrier.remove()
        return Outcome.ARRIVED, 0.0, None
    except (discord.HTTPException, discord.RateLimited, *CONNECTION_ERRORS) as error:
        return *outcome_of(error), error


def undelivered(verdict: Verdict, error: Exception | None) -> Undelivered:
    """The error for a delivery that didn't end well, with a sentence for whoever may still be told."""
    sentence = {
        Verdict.FORBIDDEN: "I'm missing a permission here: I need to send messages, embed links and attach files.",
        Verdict.ARCHIVED: "This thread is archived or locked, so I can't post in it.",
        Verdict.GONE: "The channel or the message isn't there any more.",
        Verdict.UNWANTED: "Somebody deleted the answer.",
        Verdict.DOUBTFUL: "I can't tell whether my answer has arrived.",
        Verdict.UNREACHABLE: "I tried for a while, but Discord didn't accept my answer.",
    }.get(verdict, "Discord didn't accept the answer.")
    if isinstance(error, discord.HTTPException) and codes.is_too_large(error):
        sentence = "The result is larger than this server lets me upload. Please try something smaller."
    return Undelivered(
        sentence,
        final=verdict in (Verdict.GONE, Verdict.REFUSED, Verdict.UNWANTED),
        may_have_arrived=verdict is Verdict.DOUBTFUL,
        worth_saying=verdict in (Verdict.FORBIDDEN, Verdict.ARCHIVED, Verdict.REFUSED),
    )


class ChannelCarrier:
    """Posts one parcel in a channel as the bot, or edits a message of the bot's."""

    def __init__(
        self,
        bot: discord.Client,
        channel_id: int,
        parcel: Parcel,
        *,
        guild_id: int | None,
        nonce: str = "",
        message_id: int | None = None,
        reference: discord.MessageReference | None = None,
        is_it: Callable[[discord.Message], bool] | None = None,
        since: float | None = None,
    ) -> None:
        self._bot = bot
        self._channel_id = channel_id
        self._channel = bot.get_partial_messageable(channel_id, guild_id=guild_id)
        self._parcel = parcel
        self._nonce = nonce
        self._reference = reference
        self._is_it = is_it or (lambda message: shows(message, parcel))
        self._since = since
        self.message_id = message_id

    async def send(self, route: Route, cargo: Cargo) -> bool:
        parcel = self._parcel
        if route is Route.BOT_EDIT:
            if self.message_id is None:
                return False
            message = self._channel.get_partial_message(self.message_id)
            files: dict[str, Any] = {} if parcel.keeps_files else {"attachments": parcel.files()}
            edited = await message.edit(content=parcel.content, embeds=list(parcel.embeds), view=parcel.view, **files)
            return not edited.flags.loading  # or members would go on reading "thinking ..." in its place
        extra: dict[str, Any] = {} if parcel.view is None else {"view": parcel.view}
        if self._reference is not None:
            extra["reference"] = self._reference
        sent = await self._channel.send(
            parcel.content, embeds=list(parcel.embeds), files=parcel.files(), nonce=self._nonce, **extra
        )
        self.message_id = sent.id
        return True

    async def look(self, route: Route, cargo: Cargo) -> bool | None:
        if route is Route.BOT_EDIT:
            if self.message_id is None:
                return None
            message = await self._channel.fetch_message(self.message_id)
            return shows(message, self._parcel) and not message.flags.loading
        found = await find_own(self._bot, self._channel, self._is_it, self._since)
        if found is not None:
            self.message_id = found.id
        return found is not None

    async def unarchive(self) -> None:
        await unarchive(self._bot, self._channel_id)

    async def remove(self) -> None:
        if self.message_id is not None:
            await self._channel.get_partial_message(self.message_id).delete()


async def find_own(
    bot: discord.Client,
    channel: discord.abc.Messageable,
    is_it: Callable[[discord.Message], bool],
    since: float | None = None,
) -> discord.Message | None:
    """A message of the bot's own that `is_it` is true of: the channel's latest, or the first one `since` a moment."""
    assert bot.user is not None
    if since is None:
        messages = channel.history(limit=LOOKED_THROUGH)
    else:
        after = datetime.fromtimestamp(since - CLOCKS_DIFFER_S, UTC)
        messages = channel.history(limit=LOOKED_THROUGH_SINCE, after=after)
    async for message in messages:
        if message.author.id == bot.user.id and is_it(message):
            return message
    return None


async def unarchive(bot: discord.Client, channel_id: int) -> None:
    """Open an archived thread. Raises discord.HTTPException, Forbidden for a locked one."""
    channel = await bot.fetch_channel(channel_id)
    if isinstance(channel, discord.Thread):
        await channel.edit(archived=False)
