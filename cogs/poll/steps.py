"""The staff's buttons of a live series: next trial, reveal."""

from __future__ import annotations

import re
from typing import Any, Literal, Self

import discord

from bot.answering.access import Interaction, require_staff
from bot.answering.durable import Durable

Step = Literal["next", "reveal"]


class StepButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"series:(?P<series>\d+):(?P<step>next|reveal):(?P<place>\d+)",
):
    """Goes one step on. Its id says which step, so that a second press takes none."""

    def __init__(self, series: int, step: Step, place: int) -> None:
        label = {"next": "Next" if place > 1 else "First", "reveal": "Reveal"}[step]
        super().__init__(
            discord.ui.Button(
                label=f"{label} (staff)",
                style=discord.ButtonStyle.secondary,
                custom_id=f"series:{series}:{step}:{place}",
                row=1,
            )
        )
        self.series = series
        self.step: Step = step
        self.place = place

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["series"]), "next" if match["step"] == "next" else "reveal", int(match["place"]))

    async def press(self, interaction: Interaction) -> None:
        require_staff(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        cog: Any = interaction.client.get_cog("Polls")
        said = await (cog.show_next(self.series, self.place) if self.step == "next" else cog.close_series(self.series))
        await interaction.edit_original_response(content=said)
