"""What every member may ask about the bot itself: /about, /help, /queue and /mydata."""

from bot.client import Woodshed
from cogs.club.about import About
from cogs.club.help import Help
from cogs.club.mydata import MyData
from cogs.club.queue import Queue


async def setup(bot: Woodshed) -> None:
    for cog in (About, Help, MyData, Queue):
        await bot.add_cog(cog(bot))
