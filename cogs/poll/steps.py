"""The staff's buttons of a live series: next trial, reveal."""

from __future__ import annotations

from enum import StrEnum

import discord

from bot.answering.access import guild_id_of, require_staff
from bot.answering.durable import Durable
from bot.answering.jobs import one_answer
from bot.client import Interaction
from bot.errors import Refused
from bot.store.polls import ballots, series


class Step(StrEnum):
    NEXT = "next"
    REVEAL = "reveal"


class StepButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"series:(?P<series>\d+):(?P<step>next|reveal):(?P<place>\d+)",
):
    """Goes one step on. Its id says which step, so that a second press takes none."""

    def __init__(self, series: int, step: Step, place: int) -> None:
        label = "Reveal" if step is Step.REVEAL else "Next" if place > 1 else "First"
        super().__init__(
            discord.ui.Button(
                label=f"{label} (staff)",
                style=discord.ButtonStyle.secondary,
                custom_id=f"series:{series}:{step.value}:{place}",
                row=1,
            )
        )
        self.series = series
        self.step = step
        self.place = place

    async def press(self, interaction: Interaction) -> None:
        require_staff(interaction)
        polls = interaction.client.services.series
        found = await series.get(interaction.client.store, self.series)
        if found is None or found.guild_id != guild_id_of(interaction):
            raise Refused(ballots.GONE)
        async with one_answer(interaction, private=True) as reply:
            if self.step is Step.NEXT:
                said = await polls.show_next(self.series, self.place)
            else:
                said = await polls.close_series(self.series)
            await reply.finish(content=said)
