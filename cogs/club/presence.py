"""What stands under the bot's name: whether the engine is warm, how much it has to do, and what it computes on."""

from __future__ import annotations

import asyncio

import discord
from discord.ext import commands

from bot.alarm import Alarm
from bot.answering.delivery.courier import CONNECTION_ERRORS
from bot.answering.text import counted
from bot.client import Woodshed
from bot.errors import WoodshedError

LOOK_EVERY_S = 15.0
"""Discord takes five changes in 20 s; only changes are sent."""
PATIENCE_S = 1.0
"""An engine that doesn't answer in this time isn't ready to play."""
WARMING = "Warming up…"
READY = "Ready to play"


class Presence(commands.Cog):
    """Keeps the line true: looks when somebody uses the bot, and goes on looking while there's something to do."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot
        self.shown = ""
        self._alarm = Alarm("presence", self._follow, bot.now)

    async def cog_unload(self) -> None:
        self._alarm.stop()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        self.shown = ""  # a new session starts without one
        self._alarm.ring()

    @commands.Cog.listener()
    async def on_resumed(self) -> None:
        self._alarm.ring()

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        if interaction.type is not discord.InteractionType.autocomplete:
            self._alarm.ring()

    async def _follow(self) -> float | None:
        """Show the state; returns when to look again, or None when there's nothing to follow."""
        state = await self.state()
        await self._show(state)
        return None if state.startswith(READY) else self.bot.now() + LOOK_EVERY_S

    async def _show(self, state: str) -> None:
        if state != self.shown and self.bot.is_ready() and not self.bot.is_closed():
            try:
                await self.bot.change_presence(activity=discord.CustomActivity(name=state))
            except CONNECTION_ERRORS:  # the line to Discord is down for the moment; once it's up, this is asked again
                return
            self.shown = state

    async def state(self) -> str:
        """The line for now."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                if not await self.bot.engine.is_serving():
                    return WARMING
                if jobs := len(await self.bot.engine.queue()):
                    return f"{counted(jobs, 'job')} under way"
                device = (await self.bot.engine.about()).device
        except (WoodshedError, TimeoutError):
            return WARMING
        return f"{READY} ({'CPU' if device.startswith('cpu') else 'GPU'})"
