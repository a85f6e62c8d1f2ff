"""/jazz: a solo over chords or a form, with bass, comping and drums."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.attachments.fetching import require_size
from bot.client import Interaction, Woodshed
from bot.engine.catalogue import matching
from cogs.jazz.clip import ClipButton, InstrumentMenu, play, posted
from engine.contract import engine_pb2 as pb
from engine.contract.limits import (
    LARGEST_SEED,
    MAX_BARS,
    MAX_TAKES,
    MAX_TEMPO_BPM,
    METRES,
    MIB,
    MIN_BARS,
    MIN_TEMPO_BPM,
)

LONGEST_CHORDS = 1500
LONGEST_PHRASE_BYTES = MIB
"""A few bars of MIDI take a few kilobytes; the request keeps them for the buttons."""


class Jazz(commands.Cog):
    """Improvised clips."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(ClipButton, InstrumentMenu)

    async def cog_unload(self) -> None:
        self.bot.remove_dynamic_items(ClipButton, InstrumentMenu)

    @app_commands.command(description="Order a jazz solo with a band, over your chords or over a form")
    @app_commands.describe(
        chords="Bars between |, like Dm7 G7 | Cmaj7 | A7; if left out, the chords of the form",
        bars="How many bars",
        tempo="Beats per minute",
        instrument="What the soloist plays",
        seed="The same seed gives the same clip",
        form="A form instead of chords: blues, rhythm changes ...",
        key="The key of the form; not needed with chords",
        feel="Swing, bossa ...",
        style="The style of the solo; if left out, one that suits the instrument and the tempo",
        metre="4/4, or 3/4 for a waltz",
        takes="How many takes the critic chooses from, every eight bars; a higher number is slower",
        phrase="A MIDI file with a phrase of yours for the soloist to answer",
    )
    async def jazz(
        self,
        interaction: Interaction,
        chords: app_commands.Range[str, 1, LONGEST_CHORDS] | None = None,
        bars: app_commands.Range[int, MIN_BARS, MAX_BARS] | None = None,
        tempo: app_commands.Range[float, MIN_TEMPO_BPM, MAX_TEMPO_BPM] | None = None,
        instrument: app_commands.Range[str, 1, 100] | None = None,
        seed: app_commands.Range[int, 0, LARGEST_SEED] | None = None,
        form: app_commands.Range[str, 1, 100] | None = None,
        key: app_commands.Range[str, 1, 20] | None = None,
        feel: app_commands.Range[str, 1, 100] | None = None,
        style: app_commands.Range[str, 1, 100] | None = None,
        metre: Literal["4/4", "3/4"] | None = None,
        takes: app_commands.Range[int, 1, MAX_TAKES] | None = None,
        phrase: discord.Attachment | None = None,
    ) -> None:
        request = pb.PlayRequest(
            chords=chords or "",
            bars=bars or 0,
            tempo_bpm=tempo or 0.0,
            instrument=instrument or "",
            seed=seed,
            form=form or "",
            key=key or "",
            feel=feel or "",
            takes=takes or 0,
            style=style or "",
            beats_per_bar=METRES[metre] if metre else 0,
        )
        if phrase is None:
            await play(interaction, request)
            return
        require_size(phrase, LONGEST_PHRASE_BYTES, "The phrase")
        await play(interaction, request, posted(phrase, LONGEST_PHRASE_BYTES, interaction.user.id))

    @jazz.autocomplete("instrument")
    async def complete_instrument(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return matching(typed, _as_pairs((await self.bot.catalogue.jazz.get()).instruments))

    @jazz.autocomplete("form")
    async def complete_form(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return matching(typed, _as_pairs((await self.bot.catalogue.jazz.get()).forms))

    @jazz.autocomplete("key")
    async def complete_key(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return matching(typed, _as_pairs((await self.bot.catalogue.jazz.get()).keys))

    @jazz.autocomplete("feel")
    async def complete_feel(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return matching(typed, _as_pairs((await self.bot.catalogue.jazz.get()).feels))

    @jazz.autocomplete("style")
    async def complete_style(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return matching(typed, _as_pairs((await self.bot.catalogue.jazz.get()).styles))


def _as_pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


async def setup(bot: Woodshed) -> None:
    await bot.add_cog(Jazz(bot))
