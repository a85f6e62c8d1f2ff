"""/about: versions, device, and the models with their cards."""

from __future__ import annotations

import platform

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.durable import Durable
from bot.answering.jobs import one_answer
from bot.answering.parcels import Upload
from bot.answering.text import MAX_FIELD, shorten
from bot.client import Interaction, Woodshed
from bot.errors import EngineError, Refused
from bot.version import woodshed_version
from engine.contract import engine_pb2 as pb

LONGEST_DELAY = "My longest delay in the last minute"
"""The field that the bench reads, too."""


class ModelCardButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"about:card:(?P<model>[\w-]{1,40})"
):
    """Sends a model's card."""

    def __init__(self, model: str) -> None:
        super().__init__(discord.ui.Button(label=f"Model card: {model}", custom_id=f"about:card:{model}"))
        self.model = model

    async def press(self, interaction: Interaction) -> None:
        async with one_answer(interaction, private=True) as answer:
            about = await interaction.client.engine.about()
            cards = {model.name: model.card for model in about.models}
            if not cards.get(self.model):
                raise Refused(
                    f"I don't have a model card called {self.model} any more. `/about` shows the current ones."
                )
            card = Upload(f"{self.model}-model-card.md", cards[self.model].encode())
            await answer.finish(uploads=[card])


class About(commands.Cog):
    """What the bot is made of."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(ModelCardButton)

    async def cog_unload(self) -> None:
        self.bot.remove_dynamic_items(ModelCardButton)

    @app_commands.command(description="What I'm made of: versions, device and models")
    async def about(self, interaction: Interaction) -> None:
        async with one_answer(interaction, private=True) as answer:
            shown = discord.Embed(
                title=f"Woodshed {woodshed_version()}", description="The practice room of a PyTorch course."
            )
            shown.set_footer(text=f"Python {platform.python_version()} · discord.py {discord.__version__}")
            lag_ms = self.bot.loop_lag.worst_s * 1000
            shown.add_field(name=LONGEST_DELAY, value=f"{lag_ms:.1f} ms")
            view = None
            try:
                about = await self.bot.engine.about()
            except EngineError as error:  # the rest of the answer stands without the engine
                shown.add_field(name="Engine", value=error.sentence, inline=False)
            else:
                describe_engine(shown, about)
                view = card_buttons(about)
            await answer.finish(embeds=[shown], view=view)


def describe_engine(shown: discord.Embed, about: pb.AboutReply) -> None:
    """What the engine says about itself."""
    hours, seconds = divmod(int(about.uptime_s), 3600)
    shown.add_field(name="Engine", value=f"{about.version}, torch {about.torch_version}")
    shown.add_field(name="Device", value=about.device)
    shown.add_field(name="Running for", value=f"{hours} h {seconds // 60} min")
    shown.add_field(name="SoundFont", value=about.soundfont or "none")
    shown.add_field(name="Teaching", value=f"{about.cards} concept cards, {about.generators} question generators")
    if about.reference:
        shown.add_field(name="PyTorch's documentation", value=about.reference)
    if about.intake_layers:
        shown.add_field(name="Safeguards around your files", value=", ".join(about.intake_layers))
    for model in about.models:
        text = f"{model.parameters / 1e6:.2f} M parameters, version {model.version}\n{model.summary}"
        shown.add_field(name=f"Model: {model.name}", value=shorten(text, MAX_FIELD), inline=False)


def card_buttons(about: pb.AboutReply) -> discord.ui.View | None:
    """A button for each model that has a card."""
    with_card = [model for model in about.models if model.card]
    if not with_card:
        return None
    view = discord.ui.View(timeout=None)
    for model in with_card:
        view.add_item(ModelCardButton(model.name))
    return view
