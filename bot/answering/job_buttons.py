"""The button that cancels a job: under its progress, and in /queue."""

from __future__ import annotations

import re
from typing import Any, Self

import discord

from bot.answering.durable import Durable
from bot.client import Woodshed


class CancelButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"job:(?P<job>[0-9a-f]{32}):cancel"
):
    """Cancels the job if it belongs to whoever presses."""

    def __init__(self, job_id: str, label: str = "Cancel") -> None:
        super().__init__(discord.ui.Button(label=label, custom_id=f"job:{job_id}:cancel"))
        self.job_id = job_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["job"])

    async def press(self, interaction: discord.Interaction[Woodshed]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        bot = interaction.client
        cancelled = await bot.engine.cancel(self.job_id, bot.member_key(interaction.user.id))
        await interaction.edit_original_response(
            content="Cancelled." if cancelled else "That is not a job of yours, or it is already done."
        )


def cancel_view(job_id: str) -> discord.ui.View:
    """One cancel button."""
    view = discord.ui.View(timeout=None)
    view.add_item(CancelButton(job_id))
    return view
