"""/help: what one can do, by what one wants, from the command tree itself, so it can't fall behind."""

from __future__ import annotations

from collections.abc import Iterator

import discord
import structlog
from discord import app_commands
from discord.ext import commands

from bot.answering.first_answers import say
from bot.answering.text import MAX_DESCRIPTION, MAX_FIELD, shorten
from bot.client import Interaction, Woodshed
from cogs.club.welcome import tries_view

log = structlog.get_logger(__name__)

INTRODUCTION = "Click a command to try it."
NEWCOMER = "New here? Press a button below. Or click a command to try it."
WISHES = {
    "Paint": ("stylize", "see", "styles"),
    "Hear jazz": ("jazz",),
    "Learn PyTorch": ("ask", "quiz"),
    "Human or AI?": ("poll", "vote", "clips"),
    "Me, and what I keep": ("help", "about", "queue", "mydata"),
}
"""Commands by what somebody wants; whatever stands nowhere here comes last."""
_REST = "And also"
_STAFF = "Staff:"
"""How the descriptions of the staff's commands begin."""


class Help(commands.Cog):
    """The list of commands."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot
        self._ids: dict[str, int] = {}

    @app_commands.command(description="What I can do")
    async def help(self, interaction: Interaction) -> None:
        await self._learn_ids(interaction.guild)
        is_staff = self.bot.is_staff(interaction.user)
        found = list(_leaves(self.bot.tree.get_commands(type=discord.AppCommandType.chat_input)))
        usable = [command for command in found if _may_use(command, interaction.permissions)]
        tries = None if interaction.guild is None else tries_view()
        parts = [INTRODUCTION if tries is None else NEWCOMER]
        for wish, mine in _by_wish([command for command in usable if not _is_staffs(command)]):
            parts.append(f"\n**{wish}**")
            parts += [f"{self._link(command)} {command.description}" for command in mine]
        menus = self.bot.tree.get_commands(type=discord.AppCommandType.message)
        parts.append("\n**On a message** (right-click it, or hold it, then choose Apps)")
        parts.append(", ".join(menu.name for menu in menus))
        embed = discord.Embed(title="What I can do", description=shorten("\n".join(parts), MAX_DESCRIPTION))
        staffs = [command for command in usable if _is_staffs(command)]
        if is_staff and staffs:
            for wish, theirs in _by_wish(staffs):
                names = " · ".join(self._link(command) for command in theirs)
                embed.add_field(name=f"For staff: {wish.lower()}", value=shorten(names, MAX_FIELD), inline=False)
        await say(interaction, embed=embed, view=tries)

    def _link(self, command: app_commands.Command) -> str:
        """The command as something to click, or in bold where its id isn't known."""
        name = command.qualified_name
        root = self._ids.get(name.split()[0])
        return f"**/{name}**" if root is None else f"</{name}:{root}>"

    async def _learn_ids(self, guild: discord.Guild | None) -> None:
        """Asks Discord once for the ids of the commands; without them there is nothing to click, and that's all."""
        if self._ids:
            return
        try:
            known = await self.bot.tree.fetch_commands()
            if not known and guild is not None:
                known = await self.bot.tree.fetch_commands(guild=guild)
        except discord.HTTPException as error:
            log.info("the ids of the commands can't be fetched", error=str(error))
            return
        self._ids = {command.name: command.id for command in known}


def _leaves(
    found: list[app_commands.Command | app_commands.Group],
) -> Iterator[app_commands.Command]:
    for command in found:
        if isinstance(command, app_commands.Group):
            yield from _leaves(command.commands)
        else:
            yield command


def _by_wish(found: list[app_commands.Command]) -> Iterator[tuple[str, list[app_commands.Command]]]:
    """The commands under what they're for, in the order of `WISHES`; a wish with none is left out."""
    placed = {root: wish for wish, roots in WISHES.items() for root in roots}
    for wish in (*WISHES, _REST):
        mine = [command for command in found if placed.get(_root(command), _REST) == wish]
        if mine:
            order = WISHES.get(wish, ())
            yield wish, sorted(mine, key=lambda c: (_place(order, _root(c)), c.qualified_name))


def _place(order: tuple[str, ...], root: str) -> int:
    return order.index(root) if root in order else len(order)


def _root(command: app_commands.Command) -> str:
    return command.qualified_name.split()[0]


def _is_staffs(command: app_commands.Command) -> bool:
    return command.description.startswith(_STAFF)


def _may_use(command: app_commands.Command, permissions: discord.Permissions) -> bool:
    """Whether Discord offers the command to somebody with these permissions, as long as a server hasn't set its own."""
    needed = (command.root_parent or command).default_permissions
    return needed is None or permissions.administrator or permissions >= needed
