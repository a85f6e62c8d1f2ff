"""What pictures and clips have in common once they are posted: they can be found again, and taken away."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import discord

from bot.answering.first_answers import take
from bot.client import Interaction
from bot.errors import Refused
from bot.store import creations

MB = 1_000_000


async def keep(
    interaction: Interaction,
    kind: creations.Kind,
    *,
    request: bytes,
    result: bytes,
    files: Mapping[creations.Role, creations.File],
    spoiler: bool = False,
) -> int:
    """Record what the buttons under an answer will need, before it's posted; returns its number."""
    bot = interaction.client
    assert interaction.channel_id is not None
    limits = bot.settings.store
    return await creations.add(
        bot.store,
        kind,
        member_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id,
        request=request,
        result=result,
        files=files,
        now=bot.now(),
        room=creations.Room(limits.member_mb * MB, limits.picture_mb * MB),
        spoiler=spoiler,
    )


async def find(interaction: Interaction, creation_id: int, kind: creations.Kind) -> creations.Creation:
    """The record behind a button. Raises Refused when it is no longer there, or belongs to another channel: whoever
    can't see an answer can't make anything of it."""
    creation = await creations.get(interaction.client.store, creation_id)
    if creation is None or creation.kind != kind or creation.channel_id != interaction.channel_id:
        raise Refused(f"I don't remember how this {kind} was made. Please make a new one.")
    return creation


async def delete(interaction: Interaction, creation: creations.Creation) -> None:
    """Take the answer away, for its author and for staff. Raises Refused for anybody else."""
    bot = interaction.client
    if interaction.user.id != creation.member_id and not bot.is_staff(interaction.user):
        raise Refused("Only the member who made this, or the course staff, can delete it.")
    await take(interaction)
    with contextlib.suppress(discord.NotFound):  # another press came first
        await interaction.delete_original_response()
    await creations.delete(bot.store, creation.id)
