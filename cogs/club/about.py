"""/about: versions, device, and the models with their cards."""

from __future__ import annotations

import platform
import re
from typing import Any, Self

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.durable import Durable
from bot.answering.live_reply import Upload
from bot.client import Woodshed
from bot.errors import EngineError, Refused
from bot.version import woodshed_version
from engine.contract import engine_pb2 as pb

FIELD_TEXT = 1024


class CardButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"about:card:(?P<model>[\w-]{1,40})"
):
    """Hands out a model's card."""

    def __init__(self, model: str) -> None:
        super().__init__(discord.ui.Button(label=f"Model card: {model}", custom_id=f"about:card:{model}"))
        self.model = model

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["model"])

    async def press(self, interaction: discord.Interaction[Woodshed]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        about = await interaction.client.engine.about()
        cards = {model.name: model.card for model in about.models}
        if not cards.get(self.model):
            raise Refused(f"There is no card of a model called {self.model}.")
        card = Upload(f"{self.model}-model-card.md", cards[self.model].encode())
        await interaction.edit_original_response(attachments=[card.file()])


class About(commands.Cog):
    """What this is made of."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(CardButton)

    async def cog_unload(self) -> None:
        self.bot.remove_dynamic_items(CardButton)

    @app_commands.command()
    async def about(self, interaction: discord.Interaction[Woodshed]) -> None:
        """Versions, device and models."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        shown = discord.Embed(
            title=f"Woodshed {woodshed_version()}",
            description="The practice room of a PyTorch course.",
        )
        shown.set_footer(text=f"Python {platform.python_version()} · discord.py {discord.__version__}")
        shown.add_field(
            name="Longest delay of the bot in the last minute", value=f"{self.bot.loop_lag.worst_s * 1000:.1f} ms"
        )
        view = None
        try:
            about = await self.bot.engine.about()
        except EngineError as error:  # the rest of the answer stands without the engine
            shown.add_field(name="Engine", value=error.sentence, inline=False)
        else:
            describe_engine(shown, about)
            view = card_buttons(about)
        await interaction.edit_original_response(embed=shown, view=view)


def describe_engine(shown: discord.Embed, about: pb.AboutReply) -> None:
    """What the engine says about itself."""
    hours, seconds = divmod(int(about.uptime_s), 3600)
    shown.add_field(name="Engine", value=f"{about.version}, torch {about.torch_version}")
    shown.add_field(name="Device", value=about.device)
    shown.add_field(name="Up", value=f"{hours} h {seconds // 60} min")
    shown.add_field(name="SoundFont", value=about.soundfont or "none")
    shown.add_field(name="Teaching", value=f"{about.cards} concept cards, {about.generators} question generators")
    for model in about.models:
        text = f"{model.parameters / 1e6:.2f} M parameters, version {model.version}\n{model.summary}"
        shown.add_field(name=f"Model: {model.name}", value=text[:FIELD_TEXT], inline=False)


def card_buttons(about: pb.AboutReply) -> discord.ui.View | None:
    """A button for each model that has a card."""
    with_card = [model for model in about.models if model.card]
    if not with_card:
        return None
    view = discord.ui.View(timeout=None)
    for model in with_card:
        view.add_item(CardButton(model.name))
    return view
