"""What every member may ask of the bot itself: /about, /help, /queue and /mydata."""

from bot.client import Woodshed
from cogs.club.about import About
from cogs.club.help import Help
from cogs.club.mydata import ForgetButton, MyData
from cogs.club.queue import Queue


async def setup(bot: Woodshed) -> None:
    bot.add_dynamic_items(ForgetButton)
    for cog in (About, Help, MyData, Queue):
        await bot.add_cog(cog(bot))


async def teardown(bot: Woodshed) -> None:
    bot.remove_dynamic_items(ForgetButton)
