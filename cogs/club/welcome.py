"""The first message in a server: what Woodshed is, and four things to try with one click."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import discord
import structlog
from discord.ext import commands

from bot.answering.durable import Durable
from bot.answering.jobs import Job
from bot.answering.parcels import Parcel, Upload
from bot.answering.posts import post
from bot.client import Interaction, Woodshed
from bot.errors import Undelivered
from bot.store import meta
from cogs.club.try_listening import AnotherPairButton, GuessButton, offer_pair
from cogs.jazz.clip import play
from cogs.stylize.pictures import paint
from cogs.stylize.sources import Found
from engine.contract import engine_pb2 as pb

log = structlog.get_logger(__name__)

PICTURE = Path(__file__).with_name("practice-room.jpg")
"""Our own drawing, so that there's a picture to paint before anybody has posted one."""
ALT_TEXT = (
    "A practice room at dusk: a piano with sheet music and a laptop, a trumpet on a stool, hills behind the window"
)
STYLE = "great-wave"

WELCOME = (
    "**Welcome to the practice room of the PyTorch course.**\n"
    "I paint your pictures, play jazz that a network improvised, and ask and answer questions about PyTorch.\n"
    "And I have a question for you: who's playing, a human or the model?\n"
    "Press a button to try it."
)
LABELS = {
    "paint": "Paint this picture",
    "play": "Play me a blues",
    "ask": "Quiz me",
    "listen": "Human or AI?",
}
ELSEWHERE = {"paint": "Paint a picture"}
"""Labels where the welcome's picture isn't above the buttons."""


class WelcomeButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"welcome:(?P<step>paint|play|ask|listen)",
):
    """One of the things to try. It does what the command does, for whoever presses it."""

    def __init__(self, step: str, label: str = "") -> None:
        style = discord.ButtonStyle.primary if step == "paint" else discord.ButtonStyle.secondary
        super().__init__(discord.ui.Button(label=label or LABELS[step], style=style, custom_id=f"welcome:{step}"))
        self.step = step

    async def press(self, interaction: Interaction) -> None:
        await STEPS[self.step](interaction)


async def _paint(interaction: Interaction) -> None:
    async def drawing(job: Job) -> Found:
        return Found(await job.hold(PICTURE.read_bytes()), interaction.user.id)

    await paint(interaction, pb.StylizeRequest(style=STYLE, strength=1.0), drawing)


async def _play(interaction: Interaction) -> None:
    await play(interaction, pb.PlayRequest(form="blues"))


async def _ask(interaction: Interaction) -> None:
    await interaction.client.services.practice.practise_now(interaction, "")


STEPS: dict[str, Callable[[Interaction], Awaitable[None]]] = {
    "paint": _paint,
    "play": _play,
    "ask": _ask,
    "listen": offer_pair,
}


BUTTONS = (WelcomeButton, GuessButton, AnotherPairButton)


def welcome_view() -> discord.ui.View:
    """The four tries, under the welcome and its picture."""
    return _tries(LABELS)


def tries_view() -> discord.ui.View:
    """The four tries, for whoever comes when the welcome has scrolled out of sight."""
    return _tries(LABELS | ELSEWHERE)


def _tries(labels: Mapping[str, str]) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for step, label in labels.items():
        view.add_item(WelcomeButton(step, label))
    return view


class Welcome(commands.Cog):
    """Says hello once per server: when the bot is invited, and in a playground the first time it starts there."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*BUTTONS)

    async def cog_unload(self) -> None:
        self.bot.remove_dynamic_items(*BUTTONS)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self.greet(guild)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        if self.bot.settings.discord.api_base:  # nobody invites the bot to a playground: it lives there
            for guild in self.bot.guilds:
                await self.greet(guild)

    async def greet(self, guild: discord.Guild) -> None:
        """Posts the welcome in the first channel where it may stand, unless this server had it."""
        known = f"welcome:{guild.id}"
        if await meta.get(self.bot.store, known) is not None:
            return
        place = next((channel for channel in guild.text_channels if _may_stand_in(channel)), None)
        if place is None:
            return
        picture = Upload(PICTURE.name, PICTURE.read_bytes(), ALT_TEXT)
        parcel = Parcel(content=WELCOME, uploads=[picture], view=welcome_view())
        try:
            await post(
                self.bot,
                place.id,
                parcel,
                guild_id=guild.id,
                nonce=f"hello-{guild.id % 10**18}",
                may_be_there=True,
                is_it=lambda message: message.content == WELCOME,
            )
        except Undelivered as error:
            log.warning("the welcome could not be posted", guild=guild.id, error=str(error))
            return
        await meta.put(self.bot.store, known, str(place.id))


def _may_stand_in(channel: discord.TextChannel) -> bool:
    may = channel.permissions_for(channel.guild.me)
    return may.view_channel and may.send_messages and may.attach_files
