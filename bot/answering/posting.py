"""What has to be true before any work begins: the bot may post the answer."""

from __future__ import annotations

from typing import Any

import discord

from bot.answering.text import in_a_row
from bot.errors import MissingPermission
from engine.contract.limits import MIB

REQUEST_LIMIT_BYTES = 25 * MIB
"""Discord refuses a larger request, however many files it is spread over."""
EMBED_ROOM_BYTES = 64 * 1024

PERMISSION_NAMES = {
    "attach_files": "attach files",
    "create_public_threads": "open threads",
    "embed_links": "embed links",
    "send_messages": "send messages",
    "send_messages_in_threads": "send messages in threads",
    "read_message_history": "read the message history",
    "view_channel": "see this channel",
}
"""All that the bot ever needs, as a member reads it; the invitation in the README asks for these."""


def require_may_post(interaction: discord.Interaction[Any], *permissions: str) -> None:
    """Raises MissingPermission unless the bot has these permissions where the command was used."""
    if interaction.guild_id is None:
        return  # in a direct message nothing is withheld
    missing = [PERMISSION_NAMES[name] for name in permissions if not getattr(interaction.app_permissions, name)]
    if missing:
        raise MissingPermission(
            f"I can't answer here, because I'm not allowed to {in_a_row(missing)}. Please ask staff to allow it."
        )


def upload_limit_bytes(interaction: discord.Interaction[Any]) -> int:
    """The largest file that the bot may post in answer, from the limit that the interaction carries."""
    return min(interaction.filesize_limit, REQUEST_LIMIT_BYTES) - EMBED_ROOM_BYTES
