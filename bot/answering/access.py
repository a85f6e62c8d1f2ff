"""Who may use a command, and where."""

from __future__ import annotations

import math

import discord

from bot.answering.posting import require_may_post
from bot.client import Interaction
from bot.errors import SERVER_ONLY, STAFF_ONLY, Refused
from bot.rules.quotas import Quota


def require_staff(interaction: Interaction) -> None:
    """Raises Refused unless the member carries the staff role or manages the server."""
    if not interaction.client.is_staff(interaction.user):
        raise Refused(STAFF_ONLY)


def require_own_message(interaction: Interaction, *permissions: str) -> None:
    """For a message of the bot's own, which needs more than an answer to a command. Raises MissingPermission."""
    in_thread = isinstance(interaction.channel, discord.Thread)
    send = "send_messages_in_threads" if in_thread else "send_messages"
    require_may_post(interaction, "view_channel", send, *permissions)


def guild_id_of(interaction: Interaction) -> int:
    """The server of the command. Raises Refused in a direct message."""
    if interaction.guild_id is None:
        raise Refused(SERVER_ONLY)
    return interaction.guild_id


def take_turn(quota: Quota, interaction: Interaction) -> None:
    """Use a quota of the member's. Raises Refused with the seconds to wait."""
    if wait_s := quota.take(interaction.user.id, interaction.client.now()):
        raise Refused(f"You're fast! Please try again in {math.ceil(wait_s)} s.")


SIMULATED_ROLE = "Simulated class"
"""Of the members that the playground makes up; nobody on Discord carries it."""


def is_simulated(member: discord.abc.User) -> bool:
    """Whether a member is one of the playground's made-up class."""
    return isinstance(member, discord.Member) and any(role.name == SIMULATED_ROLE for role in member.roles)
