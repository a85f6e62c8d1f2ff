"""What stands under the bot's name: whether the engine is warm, and how much it has to do."""

from __future__ import annotations

import asyncio

import discord
from discord.ext import commands

from bot.answering.text import counted
from bot.client import Woodshed
from bot.errors import WoodshedError

LOOK_EVERY_S = 5.0
"""Discord takes five changes in 20 s; only changes are sent."""
WARM_WITHIN_S = 600.0
WARMING = "Warming up…"
READY = "Ready to play"


class Presence(commands.Cog):
    """Keeps the line true: looks when somebody uses the bot, and goes on looking while there's something to do."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot
        self.shown = ""
        self._watch: asyncio.Task[None] | None = None

    async def cog_unload(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        self.shown = ""  # a new session starts without one
        self._look()

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        if interaction.type is not discord.InteractionType.autocomplete:
            self._look()

    def _look(self) -> None:
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._follow(), name="presence")

    async def _follow(self) -> None:
        """Shows the state until there's nothing more to follow."""
        while True:
            state = await self.state()
            await self._show(state)
            if state == READY:
                return
            if state == WARMING:
                try:
                    await self.bot.engine.wait_serving(WARM_WITHIN_S)
                except WoodshedError:
                    return
            else:
                await asyncio.sleep(LOOK_EVERY_S)

    async def _show(self, state: str) -> None:
        if state != self.shown and self.bot.is_ready() and not self.bot.is_closed():
            await self.bot.change_presence(activity=discord.CustomActivity(name=state))
            self.shown = state

    async def state(self) -> str:
        """The line for now."""
        try:
            if not await self.bot.engine.is_serving():
                return WARMING
            jobs = len(await self.bot.engine.queue())
        except WoodshedError:
            return WARMING
        return f"{counted(jobs, 'job')} under way" if jobs else READY
