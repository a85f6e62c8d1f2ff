"""A small discord.py bot, unmodified but for three addresses, that uses every part of the wire."""

from __future__ import annotations

import asyncio
import io
import re
import struct
import zlib
from typing import Any

import discord
import yarl
from discord import app_commands
from discord.ext import commands

STYLES = ("Starry Night", "The Great Wave", "The Scream", "Composition VIII")


def png(width: int, height: int, rgb: tuple[int, int, int] = (201, 138, 61)) -> bytes:
    """A PNG of one colour."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + bytes(rgb) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def wav(seconds: float) -> bytes:
    """Silence, 8 kHz mono."""
    data = b"\0\0" * int(8000 * seconds)
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(data),
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        8000,
        16000,
        2,
        16,
        b"data",
        len(data),
    )
    return head + data


class CounterButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"count:(?P<count>\d+)"):
    """A button whose whole state is its id, so that it works after a restart."""

    def __init__(self, count: int) -> None:
        super().__init__(discord.ui.Button(label=f"Count {count}", custom_id=f"count:{count}", emoji="🎲"))
        self.count = count

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> CounterButton:
        return cls(int(match["count"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(content=f"Counted to {self.count + 1}", view=counter(self.count + 1))


def counter(count: int) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(CounterButton(count))
    view.add_item(
        discord.ui.Button(label="Closed", disabled=True, custom_id="closed", style=discord.ButtonStyle.danger)
    )
    view.add_item(discord.ui.Button(label="PyTorch", url="https://pytorch.org"))
    return view


class InstrumentSelect(discord.ui.Select[discord.ui.View]):
    def __init__(self) -> None:
        options = [discord.SelectOption(label=name, value=name) for name in ("piano", "trumpet", "tenor sax")]
        super().__init__(
            custom_id="instruments",
            placeholder="Which instruments play: a piano, a trumpet, a tenor sax, or two of them?",
            options=options,
            max_values=2,
        )

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(" and ".join(self.values), ephemeral=True)


class ClipForm(discord.ui.Modal, title="A clip for the poll"):
    player: discord.ui.TextInput[ClipForm] = discord.ui.TextInput(label="Who plays?", min_length=2, max_length=40)

    def __init__(self) -> None:
        super().__init__()
        self.feel: discord.ui.Select[ClipForm] = discord.ui.Select(
            options=[
                discord.SelectOption(label="Swing", value="swing"),
                discord.SelectOption(label="Latin", value="latin"),
            ]
        )
        self.add_item(discord.ui.Label(text="Feel", component=self.feel))
        self.clip: discord.ui.FileUpload[ClipForm] = discord.ui.FileUpload(required=False)
        self.add_item(discord.ui.Label(text="Clip", description="MIDI or audio", component=self.clip))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        names = [file.filename for file in self.clip.values]
        await interaction.response.send_message(f"{self.player.value}, {self.feel.values[0]}, {names}")


class PracticeBot(commands.Bot):
    """Keeps what it saw and which errors it met."""

    def __init__(self, intents: discord.Intents | None = None) -> None:
        super().__init__(
            "!",
            intents=intents or discord.Intents(guilds=True, guild_messages=True, guild_reactions=True),
            help_command=None,
        )
        self.logins = 0
        """How often it has logged in or resumed."""
        self.codes: list[int] = []
        self.events: list[str] = []
        self.contents: list[str] = []
        self.locales: list[str] = []
        self.reactions: list[str] = []
        add_commands(self)

    async def setup_hook(self) -> None:
        self.add_dynamic_items(CounterButton)
        await self.tree.sync()

    async def enter(self) -> None:
        """Waits until it knows its server's channels; `on_ready` comes 2 s later."""
        while not any(guild.text_channels for guild in self.guilds):  # noqa: ASYNC110 -- there is no event for it
            await asyncio.sleep(0.01)

    async def on_connect(self) -> None:
        self.logins += 1

    async def on_resumed(self) -> None:
        self.logins += 1
        self.events.append("resumed")

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        self.locales.append(interaction.locale.value)

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        self.reactions.append(f"+{event.emoji}")

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        self.reactions.append(f"-{event.emoji}")

    async def on_message(self, message: discord.Message) -> None:
        self.contents.append(message.content)


def point_at(api_base: str, gateway: str, origin: str) -> None:
    """The three addresses."""
    discord.http.Route.BASE = api_base
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
    discord.Asset.BASE = origin


def add_commands(bot: PracticeBot) -> None:
    """Registers everything."""
    tree = bot.tree

    @tree.command(description="Sends your picture back")
    @app_commands.describe(picture="What to send back", note="A word with it", times="How often it is said")
    async def echo(
        interaction: discord.Interaction,
        picture: discord.Attachment,
        note: app_commands.Range[str, 1, 20] = "",
        times: app_commands.Range[int, 1, 5] = 1,
    ) -> None:
        await interaction.response.defer(thinking=True)
        content = await picture.read()
        await interaction.followup.send(note * times, file=discord.File(io.BytesIO(content), "back.png"))
        await interaction.edit_original_response(content=f"{note * times}: {len(content)} bytes")

    @tree.command(description="Finds a style while you type")
    async def style(interaction: discord.Interaction, name: str) -> None:
        embed = discord.Embed(
            title=name, description="A **style** of the book", colour=0xC98A3D, timestamp=discord.utils.utcnow()
        )
        embed.add_field(name="Strength", value="0.8").add_field(name="Seed", value="`42`").add_field(
            name="Time", value="1.2 s"
        )
        embed.set_image(url="attachment://style.png").set_footer(text="Woodshed").set_author(name="Hokusai")
        file = discord.File(io.BytesIO(png(320, 200)), "style.png")
        await interaction.response.send_message(embed=embed, file=file)

    @style.autocomplete("name")
    async def complete(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        if current == "slow":
            await asyncio.sleep(1.5)
        return [app_commands.Choice(name=s, value=s) for s in STYLES if current.lower() in s.lower()]

    @tree.command(description="A button that counts")
    async def count(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Counted to 0", view=counter(0))

    @tree.command(description="Choose instruments")
    async def band(interaction: discord.Interaction) -> None:
        view = discord.ui.View(timeout=None)
        view.add_item(InstrumentSelect())
        await interaction.response.send_message("The band", view=view)

    @tree.command(description="A clip that plays inline")
    async def clip(interaction: discord.Interaction, seconds: float = 2.0) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.followup.send("A clip", file=discord.File(io.BytesIO(wav(seconds)), "clip.wav"))

    @tree.command(description="Only for you")
    async def secret(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("psst", ephemeral=True)

    @tree.command(description="Opens a form")
    async def form(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(ClipForm())

    @tree.command(description="Answers too late")
    async def late(interaction: discord.Interaction, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await noting(interaction.response.send_message("sorry"))

    @tree.command(description="Answers twice")
    async def twice(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("once")
        interaction.response._response_type = None  # what a second process, or a race, would do
        await noting(interaction.response.send_message("again"))

    @tree.command(description="Sends itself, without the interaction")
    async def post(interaction: discord.Interaction, length: int, pictures: int = 0) -> None:
        await interaction.response.defer(ephemeral=True)
        assert isinstance(interaction.channel, discord.TextChannel)
        attached = [discord.File(io.BytesIO(png(8, 8)), f"{n}.png") for n in range(pictures)]
        await noting(interaction.channel.send("x" * length, files=attached))
        await interaction.followup.send("posted")

    @tree.command(description="A layout of components")
    async def layout(interaction: discord.Interaction) -> None:
        view = discord.ui.LayoutView(timeout=None)
        section: Any = discord.ui.Section("## Starry Night", "de la Muse", accessory=discord.ui.Button(label="Hang up"))
        gallery: Any = discord.ui.MediaGallery(discord.MediaGalleryItem("attachment://style.png"))
        view.add_item(discord.ui.Container(section, discord.ui.Separator(), gallery, accent_colour=0xC98A3D))
        await interaction.response.send_message(view=view, file=discord.File(io.BytesIO(png(64, 64)), "style.png"))

    poll = app_commands.Group(
        name="poll", description="Blind polls", default_permissions=discord.Permissions(manage_guild=True)
    )

    @poll.command(description="Opens a poll")
    async def start(interaction: discord.Interaction, hours: app_commands.Range[int, 1, 72]) -> None:
        await interaction.response.send_message(f"open for {hours} h")

    tree.add_command(poll)

    @tree.context_menu(name="Measure this")
    async def measure(interaction: discord.Interaction, message: discord.Message) -> None:
        sizes = [f"{a.width}x{a.height}" for a in message.attachments]
        await interaction.response.send_message(f"{message.content} {sizes}")

    @tree.context_menu(name="Greet")
    async def greet(interaction: discord.Interaction, member: discord.Member) -> None:
        await interaction.response.send_message(f"Hello {member.mention}")

    async def noting(sending: Any) -> None:
        """Awaits it and keeps the code of the error that Discord answers with."""
        try:
            await sending
        except discord.HTTPException as error:
            bot.codes.append(error.code)
