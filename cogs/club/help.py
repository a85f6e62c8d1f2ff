"""/help: every command that there is, from the command tree itself, so that it cannot fall behind."""

from __future__ import annotations

from collections.abc import Iterator

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Woodshed

INTRODUCTION = (
    "Restyle pictures, have jazz improvised, test yourself on PyTorch, and vote, blind, on who wrote a clip: "
    "a human or the model."
)
EMBED_TEXT = 4096


class Help(commands.Cog):
    """The list of commands."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot

    @app_commands.command()
    async def help(self, interaction: discord.Interaction[Woodshed]) -> None:
        """What I can do."""
        lines = sorted(
            f"**/{command.qualified_name}** {command.description}"
            for command in _leaves(self.bot.tree.get_commands(type=discord.AppCommandType.chat_input))
        )
        menus = self.bot.tree.get_commands(type=discord.AppCommandType.message)
        lines += [f"**{menu.name}** in the menu of a message, under Apps" for menu in menus]
        text = "\n".join([INTRODUCTION, "", *lines])[:EMBED_TEXT]
        await interaction.response.send_message(embed=discord.Embed(title="Woodshed", description=text), ephemeral=True)


def _leaves(
    found: list[app_commands.Command | app_commands.Group],
) -> Iterator[app_commands.Command]:
    for command in found:
        if isinstance(command, app_commands.Group):
            yield from _leaves(command.commands)
        else:
            yield command
