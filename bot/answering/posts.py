"""Messages of the bot's own: a poll, its result. Posted once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace

import discord

from bot.answering.delivery.courier import ChannelCarrier, carry_out, undelivered
from bot.answering.delivery.rules import AS_BOT, PATIENT, Delivery, Patience, Route, Verdict
from bot.answering.parcels import Parcel

POST_PATIENCE_S = 60.0
"""A caller of `post` has its own way to try again later."""


async def post(
    bot: discord.Client,
    channel_id: int,
    parcel: Parcel,
    *,
    guild_id: int | None,
    nonce: str,
    reference: discord.MessageReference | None = None,
    may_be_there: bool = False,
    is_it: Callable[[discord.Message], bool] | None = None,
    since: float | None = None,
    patience: Patience = PATIENT,
) -> int:
    """Post a message once; returns its id.

    `nonce` (at most 25 characters) names it: Discord takes a second one of the same nonce for the first, for a few
    minutes. With `may_be_there`, as after a restart, and whenever an attempt's end isn't known, the channel's messages
    are looked through for one of the bot's that `is_it` is true of (as a rule: that shows this very parcel): the
    latest, or the first one `since` a moment, in seconds since 1970.

    Raises Undelivered. After one with `may_have_arrived` nothing may be undone; call again with `may_be_there`."""
    if len(nonce) > 25:
        raise ValueError(f"Discord's nonces have 25 characters at most: {nonce!r}")
    carrier = ChannelCarrier(
        bot, channel_id, parcel, guild_id=guild_id, nonce=nonce, reference=reference, is_it=is_it, since=since
    )
    await _run(carrier, AS_BOT, patience, may_be_there)
    assert carrier.message_id is not None
    return carrier.message_id


async def edit(
    bot: discord.Client,
    channel_id: int,
    message_id: int,
    parcel: Parcel,
    *,
    guild_id: int | None,
    patience: Patience = PATIENT,
) -> None:
    """Change a message of the bot's to what `parcel` has. Raises Undelivered."""
    carrier = ChannelCarrier(bot, channel_id, parcel, guild_id=guild_id, message_id=message_id)
    await _run(carrier, (Route.BOT_EDIT,), patience, may_be_there=False)


async def _run(carrier: ChannelCarrier, routes: tuple[Route, ...], patience: Patience, may_be_there: bool) -> None:
    short = replace(patience, total_s=min(patience.total_s, POST_PATIENCE_S))
    now = asyncio.get_running_loop().time()
    delivery = Delivery(routes, now, random.Random(), patience=short, may_be_there=may_be_there)
    verdict, error = await carry_out(delivery, carrier)
    if verdict is not Verdict.DELIVERED:
        raise undelivered(verdict, error) from error
