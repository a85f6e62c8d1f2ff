"""Discord's JSON error codes that this bot meets on purpose.

https://discord.com/developers/docs/topics/opcodes-and-status-codes#json"""

from __future__ import annotations

import discord

UNKNOWN_MESSAGE = 10008
UNKNOWN_WEBHOOK = 10015
UNKNOWN_INTERACTION = 10062
"""The first answer came later than 3 s; nothing can be said any more."""
TOO_LARGE = 40005
ALREADY_ANSWERED = 40060
MISSING_ACCESS = 50001
THREAD_ARCHIVED = 50083
MISSING_PERMISSIONS = 50013
INVALID_TOKEN = 50027
"""The interaction is older than 15 min."""

EXPIRED = frozenset({UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION, INVALID_TOKEN})
"""The interaction takes no answer any more."""


def is_too_large(error: discord.HTTPException) -> bool:
    """Whether Discord found the files too large."""
    return error.status == 413 or error.code == TOO_LARGE
