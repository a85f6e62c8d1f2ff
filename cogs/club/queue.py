"""/queue: what's running, where a member's own jobs are, and a button to cancel each."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.job_buttons import CancelButton
from bot.answering.jobs import one_answer
from bot.answering.text import counted, roughly
from bot.client import Interaction, Woodshed
from bot.errors import EngineError
from engine.contract import engine_pb2 as pb

KINDS = {
    "stylize": "a picture",
    "film": "a film of a painting",
    "sheet": "a contact sheet",
    "see": "feature maps",
    "play": "a clip",
    "render": "an uploaded clip",
    "encode": "a new style",
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
        own_key = self.bot.member_key(interaction.user.id)
        async with one_answer(interaction, private=True) as answer:
            try:
                entries = await self.bot.engine.queue()
            except EngineError as error:  # what the bot itself knows is still true
                jobs = self.bot.engine.jobs_of(own_key)
                await answer.finish(content=without_engine(error.sentence, jobs, self.bot), view=cancel_buttons(jobs))
            else:
                here = {one.job_id for one in entries if self.bot.jobs.is_on(one.job_id, interaction.guild_id)}
                staffs = here if self.bot.is_staff(interaction.user) else set()
                await answer.finish(content=listing(entries, own_key), view=jobs_to_cancel(entries, own_key, staffs))


def listing(entries: Sequence[pb.QueueReply.Entry], own_key: str) -> str:
    """One line for each job; the member's own in bold, and never left out. Whose the others are stays private."""
    if not entries:
        return "The queue is empty."
    lines = []
    for number, entry in enumerate(entries):
        if number >= MOST_LINES and entry.member_key != own_key:
            continue
        what = KINDS.get(entry.kind, entry.kind)
        line = f"{what}: {_place(entry)}, {entry.waited_s:.0f} s so far"
        if entry.eta_s:
            line += f", about {roughly(entry.eta_s)} to go"
        lines.append(f"- **yours: {line}**" if entry.member_key == own_key else f"- {line}")
    if len(entries) > len(lines):
        lines.append(f"- and {len(entries) - len(lines)} more")
    return "\n".join(lines)


def _place(entry: pb.QueueReply.Entry) -> str:
    if entry.position:
        return f"number {entry.position} in the queue"
    return "finishing" if entry.stage == "finishing" else f"running, {entry.fraction:.0%}"


def without_engine(sentence: str, own: Sequence[str], bot: Woodshed) -> str:
    """What the bot knows of the queue by itself."""
    others = bot.engine.jobs_under_way - len(own)
    yours = f"You have {counted(len(own), 'job')} under way" if own else "You have no jobs under way"
    return f"{sentence}\n{yours}{f', and other members have {others}' if others > 0 else ''}."


def cancel_buttons(jobs: Sequence[str]) -> discord.ui.View | None:
    """A cancel button for each job that nothing more is known of."""
    if not jobs:
        return None
    view = discord.ui.View(timeout=None)
    for number, job in enumerate(jobs[:MOST_BUTTONS], start=1):
        view.add_item(CancelButton(job, f"Cancel job {number}"))
    return view


def jobs_to_cancel(
    entries: Sequence[pb.QueueReply.Entry], own_key: str, staffs: Collection[str] = ()
) -> discord.ui.View | None:
    """A cancel button for each of the member's own jobs, then for those of `staffs`, which staff may cancel too."""
    own = [entry for entry in entries if entry.member_key == own_key]
    others = [entry for entry in entries if entry.member_key != own_key and entry.job_id in staffs]
    shown = [*own, *others][:MOST_BUTTONS]
    if not shown:
        return None
    view = discord.ui.View(timeout=None)
    for entry in shown:
        place = "running" if entry.position == 0 else f"number {entry.position}"
        whose = "" if entry.member_key == own_key else ", not yours"
        view.add_item(CancelButton(entry.job_id, f"Cancel {KINDS.get(entry.kind, entry.kind)} ({place}{whose})"))
    return view
