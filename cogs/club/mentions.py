"""`@Woodshed help`: whoever mentions the bot learns how to talk to it.

Discord hands over the text of messages that mention the bot, and of no others: the bot asks for no privileged intent.
"""

from __future__ import annotations

import discord
import structlog
from discord.ext import commands

from bot.answering.parcels import Parcel
from bot.answering.posts import post
from bot.client import Woodshed
from bot.errors import Undelivered
from cogs.club.welcome import tries_view

log = structlog.get_logger(__name__)

PAUSE_S = 20.0
"""Between two such answers in a channel, so that nobody can make the bot flood it."""
HELLO = """\
Hi! Press a button, or type `/` and choose what I should do:
- `/stylize` paints your picture in the style of a painting
- `/jazz` improvises over your chords
- `/quiz me` asks you a question about PyTorch, `/ask` answers yours
- `/help` lists everything"""


class Mentions(commands.Cog):
    """Answers mentions, and reads nothing else."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot
        self._answered: dict[int, float] = {}

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        me = self.bot.user
        # A reply to one of our messages mentions us, too; only what stands in the text asks for an answer.
        if me is None or message.author.bot or message.guild is None or me.id not in message.raw_mentions:
            return
        now = self.bot.now()
        if now - self._answered.get(message.channel.id, -PAUSE_S) < PAUSE_S or not _may_answer(message):
            return
        self._answered = {channel: at for channel, at in self._answered.items() if now - at < PAUSE_S}
        self._answered[message.channel.id] = now
        try:
            await post(
                self.bot,
                message.channel.id,
                Parcel(content=HELLO, view=tries_view()),
                guild_id=message.guild.id,
                nonce=f"hi-{message.id}",
                reference=message.to_reference(fail_if_not_exists=False),
            )
        except Undelivered as error:
            log.info("a mention stays without an answer", channel=message.channel.id, error=str(error))


def _may_answer(message: discord.Message) -> bool:
    assert message.guild is not None
    permissions = message.channel.permissions_for(message.guild.me)
    in_thread = isinstance(message.channel, discord.Thread)
    return permissions.send_messages_in_threads if in_thread else permissions.send_messages
