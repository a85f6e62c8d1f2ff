"""/help: every command that there is, from the command tree itself, so it can't fall behind."""

from __future__ import annotations

from collections.abc import Iterator

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.first_answers import say
from bot.answering.text import MAX_DESCRIPTION, shorten
from bot.client import Interaction, Woodshed

INTRODUCTION = (
    "Repaint your pictures, order some jazz, test yourself on PyTorch, and listen: is it a human or the model?"
)


class Help(commands.Cog):
    """The list of commands."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot

    @app_commands.command(description="What I can do")
    async def help(self, interaction: Interaction) -> None:
        lines = sorted(
            f"**/{command.qualified_name}** {command.description}"
            for command in _leaves(self.bot.tree.get_commands(type=discord.AppCommandType.chat_input))
        )
        menus = self.bot.tree.get_commands(type=discord.AppCommandType.message)
        lines += [f"**{menu.name}**: right-click a message (or hold it), then choose Apps" for menu in menus]
        text = shorten("\n".join([INTRODUCTION, "", *lines]), MAX_DESCRIPTION)
        await say(interaction, embed=discord.Embed(title="Woodshed", description=text))


def _leaves(
    found: list[app_commands.Command | app_commands.Group],
) -> Iterator[app_commands.Command]:
    for command in found:
        if isinstance(command, app_commands.Group):
            yield from _leaves(command.commands)
        else:
            yield command
