"""The bot itself: /about, /help, /queue, /status, /mydata; its welcome and hello; the line under its name."""

from bot.client import Woodshed
from cogs.club.about import About
from cogs.club.help import Help
from cogs.club.mentions import Mentions
from cogs.club.mydata import MyData
from cogs.club.presence import Presence
from cogs.club.queue import Queue
from cogs.club.status import Status
from cogs.club.welcome import Welcome


async def setup(bot: Woodshed) -> None:
    for cog in (About, Help, Mentions, MyData, Presence, Queue, Status, Welcome):
        await bot.add_cog(cog(bot))
