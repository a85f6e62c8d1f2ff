"""/queue: what's running, where a member's own jobs are, and a button to cancel each."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.job_buttons import CancelButton
from bot.client import Interaction, Woodshed
from engine.contract import engine_pb2 as pb

KINDS = {
    "stylize": "a picture",
    "sheet": "a contact sheet",
    "see": "feature maps",
    "play": "a clip",
    "render": "an uploaded clip",
}
MOST_BUTTONS = 25
MOST_LINES = 20


class Queue(commands.Cog):
    """The engine's queue."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(CancelButton)

    async def cog_unload(self) -> None:
        self.bot.remove_dynamic_items(CancelButton)

    @app_commands.command(description="What the engine is working on, and where your jobs are")
    async def queue(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        entries = await self.bot.engine.queue()
        own_key = self.bot.member_key(interaction.user.id)
        await interaction.edit_original_response(content=listing(entries, own_key), view=own_jobs(entries, own_key))


def listing(entries: Sequence[pb.QueueReply.Entry], own_key: str) -> str:
    """One line for each job; the member's own in bold, and never left out. Whose the others are stays private."""
    if not entries:
        return "The queue is empty."
    lines = []
    for number, entry in enumerate(entries):
        if number >= MOST_LINES and entry.member_key != own_key:
            continue
        what = KINDS.get(entry.kind, entry.kind)
        place = f"running, {entry.fraction:.0%}" if entry.position == 0 else f"number {entry.position} in the queue"
        line = f"{what}: {place}, {entry.waited_s:.0f} s so far"
        lines.append(f"- **yours: {line}**" if entry.member_key == own_key else f"- {line}")
    if len(entries) > len(lines):
        lines.append(f"- and {len(entries) - len(lines)} more")
    return "\n".join(lines)


def own_jobs(entries: Sequence[pb.QueueReply.Entry], own_key: str) -> discord.ui.View | None:
    """A cancel button for each of the member's own jobs."""
    own = [entry for entry in entries if entry.member_key == own_key][:MOST_BUTTONS]
    if not own:
        return None
    view = discord.ui.View(timeout=None)
    for entry in own:
        place = "running" if entry.position == 0 else f"number {entry.position}"
        view.add_item(CancelButton(entry.job_id, f"Cancel {KINDS.get(entry.kind, entry.kind)} ({place})"))
    return view
