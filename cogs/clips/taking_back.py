"""Taking a removed clip's sound out of the messages of past and open polls that still carry it."""

from __future__ import annotations

import discord
import structlog

from bot.answering.text import counted
from bot.client import Woodshed
from bot.store.polls import series
from bot.store.polls.series import WITHDRAWN

log = structlog.get_logger(__name__)


async def take_back(bot: Woodshed, clip: int) -> list[str]:
    """Remove the attachments of every message that a human clip was posted in; what to say to staff about it.

    A pair's message loses both sounds: which one stays would tell."""
    cleared, left = 0, []
    for place in await series.messages_with(bot.store, clip):
        channel = bot.get_partial_messageable(place.channel_id, guild_id=place.guild_id)
        embed = discord.Embed(description=WITHDRAWN)
        try:
            await channel.get_partial_message(place.message_id).edit(attachments=[], embed=embed)
        except discord.NotFound:
            continue  # somebody has deleted it
        except discord.HTTPException as error:
            log.warning("a removed clip stays attached", clip=clip, message=place.message_id, code=error.code)
            left.append(place.link)
        else:
            cleared += 1
    said = [f"I took its sound out of {counted(cleared, 'message')}."] if cleared else []
    if left:
        said.append(f"I couldn't take it out of these; please delete them by hand: {' '.join(left)}")
    return said
