"""What pictures and clips have in common once they are posted: they can be found again, and taken away."""

from __future__ import annotations

import contextlib

import discord

from bot.answering.first_answers import take
from bot.client import Interaction, Woodshed
from bot.errors import Refused
from bot.store import creations


async def find(bot: Woodshed, creation_id: int, kind: creations.Kind) -> creations.Creation:
    """The record behind a button. Raises Refused when it is no longer there."""
    creation = await creations.get(bot.store, creation_id)
    if creation is None or creation.kind != kind:
        raise Refused(f"I don't remember how this {kind} was made. Please make a new one.")
    return creation


async def delete(interaction: Interaction, creation: creations.Creation) -> None:
    """Take the answer away, for its author and for staff. Raises Refused for anybody else."""
    bot = interaction.client
    if interaction.user.id != creation.member_id and not bot.is_staff(interaction.user):
        raise Refused("Only the member who made this, or the course's staff, can delete it.")
    await take(interaction)
    with contextlib.suppress(discord.NotFound):  # another press came first
        await interaction.delete_original_response()
    await creations.delete(bot.store, creation.id)
