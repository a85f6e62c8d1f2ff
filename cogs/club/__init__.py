"""The bot itself: /about, /help, /queue and /mydata, its welcome, its hello when mentioned, the line under its name."""

from bot.client import Woodshed
from cogs.club.about import About
from cogs.club.help import Help
from cogs.club.mentions import Mentions
from cogs.club.mydata import MyData
from cogs.club.presence import Presence
from cogs.club.queue import Queue
from cogs.club.welcome import Welcome


async def setup(bot: Woodshed) -> None:
    for cog in (About, Help, Mentions, MyData, Presence, Queue, Welcome):
        await bot.add_cog(cog(bot))
