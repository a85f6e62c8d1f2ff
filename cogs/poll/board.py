"""The button that joins or leaves the board of best ears."""

from __future__ import annotations

import discord

from bot.answering.access import guild_id_of
from bot.answering.durable import Durable
from bot.answering.first_answers import say
from bot.client import Interaction
from bot.store.polls import listeners


class EarsButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"ears:(?P<shown>on|off)"
):
    """Joins or leaves."""

    def __init__(self, shown: str) -> None:
        super().__init__(
            discord.ui.Button(
                label="Show me on the board" if shown == "on" else "Take me off the board",
                style=discord.ButtonStyle.secondary,
                custom_id=f"ears:{shown}",
            )
        )
        self.shown = shown == "on"

    async def press(self, interaction: Interaction) -> None:
        now = interaction.client.now()
        await listeners.show_ears(
            interaction.client.store, guild_id_of(interaction), interaction.user.id, self.shown, now
        )
        said = "You'll be on the board as soon as ten of your votes count." if self.shown else "You're off the board."
        await say(interaction, said)
