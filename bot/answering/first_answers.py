"""The first answer to an interaction, which Discord waits 3 s for, and what is said at once in it.

A connection may break after Discord has taken it. Then the same again earns 40060, "answered already": that was us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import discord
import structlog

from bot.answering.delivery.courier import CONNECTION_ERRORS, outcome_of
from bot.answering.delivery.rules import Outcome
from bot.answering.discord_codes import ALREADY_ANSWERED
from bot.answering.parcels import Upload

log = structlog.get_logger(__name__)

Response = TypeVar("Response")

PATIENCE_S = 2.5
"""Discord waits 3 s."""
PAUSE_S = 0.25
_ACKNOWLEDGED = "acknowledged"


def begun_before(bot: discord.Client) -> dict[int, Any]:
    """What an earlier process of the bot has acknowledged and this one does again, by the interaction's id."""
    kept: dict[int, Any] = bot.__dict__.setdefault("begun_before", {})
    return kept


def is_acknowledged(interaction: discord.Interaction[Any]) -> bool:
    """Whether Discord has a first answer, as far as is known."""
    return (
        interaction.response.is_done()
        or _ACKNOWLEDGED in interaction.extras
        or interaction.id in begun_before(interaction.client)
    )


def settled(view: discord.ui.View) -> discord.ui.View:
    """A view as it's sent with a private answer: its items are durable and found by their ids.

    Otherwise discord.py would keep it, and a task for it, in memory for 15 minutes, one for each private answer."""
    view.stop()
    return view


async def acknowledge(
    interaction: discord.Interaction[Any], send: Callable[[], Awaitable[Response]]
) -> Response | None:
    """Send the first answer, again where the connection broke or Discord failed; None where an earlier attempt turns
    out to have arrived. discord.py repeats some attempts by itself, so the first that we see fail may be its second.

    Raises discord.HTTPException, and the last connection error when time is up."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE_S
    while True:
        try:
            response = await send()
        except (discord.HTTPException, *CONNECTION_ERRORS) as error:
            if isinstance(error, discord.HTTPException) and error.code == ALREADY_ANSWERED:
                interaction.extras[_ACKNOWLEDGED] = True
                return None
            outcome, retry_after_s = outcome_of(error)
            pause_s = max(PAUSE_S, retry_after_s)
            if outcome not in (Outcome.LOST, Outcome.LIMITED) or loop.time() + pause_s > until:
                raise
            log.info("first answer not taken", error=repr(error))
            await asyncio.sleep(pause_s)
        else:
            interaction.extras[_ACKNOWLEDGED] = True
            return response


async def begin(interaction: discord.Interaction[Any], *, private: bool) -> int | None:
    """Show "thinking ..."; the id of its message, where Discord tells. Does nothing where that was done before."""
    if is_acknowledged(interaction):
        return None
    response = await acknowledge(interaction, lambda: interaction.response.defer(thinking=True, ephemeral=private))
    return response.message_id if response is not None else None


async def say(
    interaction: discord.Interaction[Any],
    content: str | None = None,
    *,
    embed: discord.Embed | None = None,
    view: discord.ui.View | None = None,
    uploads: Sequence[Upload] = (),
    private: bool = True,
) -> None:
    """Answer at once, with a message of its own."""
    extra: dict[str, Any] = {}
    if embed is not None:
        extra["embed"] = embed
    if view is not None:
        extra["view"] = settled(view)
    await acknowledge(
        interaction,
        lambda: interaction.response.send_message(
            content, files=[upload.file() for upload in uploads], ephemeral=private, **extra
        ),
    )


async def replace(interaction: discord.Interaction[Any], content: str) -> None:
    """Answer a press by putting a sentence in the place of the message that was pressed on."""
    await acknowledge(
        interaction,
        lambda: interaction.response.edit_message(content=content, embeds=[], attachments=[], view=None),
    )


async def take(interaction: discord.Interaction[Any]) -> None:
    """Answer a press with nothing yet: the message stays, and may be changed or deleted."""
    await acknowledge(interaction, lambda: interaction.response.defer())


async def open_form(interaction: discord.Interaction[Any], form: discord.ui.Modal) -> None:
    """Answer with a form."""
    await acknowledge(interaction, lambda: interaction.response.send_modal(form))
