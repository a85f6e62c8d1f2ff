"""The button that cancels a job: under its progress and in /queue."""

from __future__ import annotations

import discord

from bot.answering.durable import Durable
from bot.answering.first_answers import begin
from bot.answering.live_reply import CANCEL_LABEL, LiveReply
from bot.client import Interaction


class CancelButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"job:(?P<job>[0-9a-f]{32}):cancel"
):
    """Cancels the job if it belongs to whoever presses; staff may cancel anybody's of their server."""

    def __init__(self, job: str, label: str = CANCEL_LABEL) -> None:
        super().__init__(discord.ui.Button(label=label, custom_id=f"job:{job}:cancel"))
        self.job = job

    async def press(self, interaction: Interaction) -> None:
        bot = interaction.client
        await begin(interaction, private=True)
        anyones = bot.is_staff(interaction.user) and bot.jobs.is_on(self.job, interaction.guild_id)
        cancelled = await bot.engine.cancel(self.job, bot.member_key(interaction.user.id), anyones=anyones)
        sentence = "Cancelled." if cancelled else "That isn't one of your jobs, or it has already finished."
        await LiveReply(interaction, 0.0, ephemeral=True, patience=bot.patience).put(sentence)


def cancel_view(job: str) -> discord.ui.View:
    """One cancel button."""
    view = discord.ui.View(timeout=None)
    view.add_item(CancelButton(job))
    return view
