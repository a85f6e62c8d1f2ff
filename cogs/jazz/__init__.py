"""/jazz: a solo over chords or a form, with bass, comping and drums."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.posting import MIB, read_attachment, require_size
from bot.client import Woodshed
from bot.engine.catalogue import matching
from cogs.jazz.takes import ClipButton, InstrumentMenu, play
from engine.contract import engine_pb2 as pb
from engine.contract.limits import MAX_BARS, MAX_TAKES, MAX_TEMPO_BPM, METRES, MIN_BARS, MIN_TEMPO_BPM

LARGEST_SEED = 2**53 - 1
"""Discord's integers are JavaScript's."""
LONGEST_CHORDS = 1500
LONGEST_PHRASE_BYTES = MIB
"""A few bars of MIDI have some kilobytes; the request keeps them for the buttons."""


class Jazz(commands.Cog):
    """Improvised clips."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(ClipButton, InstrumentMenu)

    async def cog_unload(self) -> None:
        self.bot.remove_dynamic_items(ClipButton, InstrumentMenu)

    @app_commands.command()
    @app_commands.describe(
        chords="For example: Dm7 G7 | Cmaj7 | A7 (without chords: those of the form)",
        bars="How many bars",
        tempo="Beats per minute",
        instrument="Who plays the solo",
        seed="The same seed plays the same clip",
        form="A form instead of chords: blues, rhythm changes ...",
        key="The key of the form; chords bring their own",
        feel="Swing, bossa ...",
        style="In which style the solo is; without it, whatever suits instrument and tempo",
        metre="4/4, or a waltz",
        takes="So many lines are tried every eight bars, of which the critic draws one; more is slower",
        phrase="A MIDI file with a phrase of yours, which the soloist answers",
    )
    async def jazz(
        self,
        interaction: discord.Interaction[Woodshed],
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
        """Improvise a clip over chords or a form."""
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
        await play(interaction, request, partial(read_attachment, phrase, LONGEST_PHRASE_BYTES, "The phrase"))

    @jazz.autocomplete("instrument")
    async def complete_instrument(
        self, interaction: discord.Interaction[Woodshed], typed: str
    ) -> list[app_commands.Choice[str]]:
        return matching(typed, _as_pairs((await self.bot.catalogue.jazz.get()).instruments))

    @jazz.autocomplete("form")
    async def complete_form(
        self, interaction: discord.Interaction[Woodshed], typed: str
    ) -> list[app_commands.Choice[str]]:
        return matching(typed, _as_pairs((await self.bot.catalogue.jazz.get()).forms))

    @jazz.autocomplete("key")
    async def complete_key(
        self, interaction: discord.Interaction[Woodshed], typed: str
    ) -> list[app_commands.Choice[str]]:
        return matching(typed, _as_pairs((await self.bot.catalogue.jazz.get()).keys))

    @jazz.autocomplete("feel")
    async def complete_feel(
        self, interaction: discord.Interaction[Woodshed], typed: str
    ) -> list[app_commands.Choice[str]]:
        return matching(typed, _as_pairs((await self.bot.catalogue.jazz.get()).feels))

    @jazz.autocomplete("style")
    async def complete_style(
        self, interaction: discord.Interaction[Woodshed], typed: str
    ) -> list[app_commands.Choice[str]]:
        return matching(typed, _as_pairs((await self.bot.catalogue.jazz.get()).styles))


def _as_pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


async def setup(bot: Woodshed) -> None:
    await bot.add_cog(Jazz(bot))
