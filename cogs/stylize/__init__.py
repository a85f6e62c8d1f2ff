"""/stylize, /see and the message menu "Stylize this"."""

from __future__ import annotations

import mimetypes
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.jobs import one_job
from bot.answering.parcels import Upload
from bot.answering.posting import require_may_post
from bot.attachments.fetching import require_size
from bot.client import Interaction, Woodshed
from bot.engine.catalogue import matching
from bot.errors import Refused
from bot.library import own_styles
from bot.store import creations
from cogs.stylize.pictures import PictureButton, StyleMenu, paint
from cogs.stylize.sources import posted
from engine.contract import engine_pb2 as pb
from engine.contract.limits import LARGEST_SEED

BRUSHES = {"fine": pb.BRUSH_FINE, "medium": pb.BRUSH_MEDIUM, "bold": pb.BRUSH_BOLD}
FACES = {"as the rest": pb.FACES_AS_THE_REST, "mild": pb.FACES_MILD}
UNTYPED_SUFFIXES = (".heic", ".heif", ".avif")


class Stylize(commands.Cog):
    """Pictures in the style of paintings."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot
        self.menu = app_commands.ContextMenu(name="Stylize this", callback=self.stylize_this)

    async def cog_load(self) -> None:
        self.bot.tree.add_command(self.menu)
        self.bot.add_dynamic_items(PictureButton, StyleMenu)

    async def cog_unload(self) -> None:
        self.bot.tree.remove_command(self.menu.name, type=self.menu.type)
        self.bot.remove_dynamic_items(PictureButton, StyleMenu)

    @app_commands.command(description="Repaint a picture in the style of a painting")
    @app_commands.describe(
        image="The picture or short film to repaint",
        style="A style from the style book or this server; if left out, I pick one at random",
        style_image="A picture to take the style from instead",
        strength="From 0 (the picture itself) to 100 (all style, the default)",
        keep_colors="Keep the picture's own colours",
        size="The longer side of the result, in pixels",
        brush="How wide the strokes are (medium: as in the painting)",
        faces="Paint the faces in a picture mildly, so that people stay recognisable",
        blend_with="A second style to mix in",
        blend="How much of the second style, in percent (50 by default)",
        seed="The same seed picks the same style",
    )
    async def stylize(
        self,
        interaction: Interaction,
        image: discord.Attachment,
        style: app_commands.Range[str, 1, 100] | None = None,
        style_image: discord.Attachment | None = None,
        strength: app_commands.Range[int, 0, 100] = 100,
        keep_colors: bool = False,
        size: app_commands.Range[int, 64, 8192] | None = None,
        brush: Literal["fine", "medium", "bold"] = "medium",
        faces: Literal["as the rest", "mild"] = "as the rest",
        blend_with: app_commands.Range[str, 1, 100] | None = None,
        blend: app_commands.Range[int, 0, 100] | None = None,
        seed: app_commands.Range[int, 0, LARGEST_SEED] | None = None,
    ) -> None:
        if style and style_image:
            raise Refused("Please choose either `style` or `style_image`, not both.")
        if blend is not None and not blend_with:
            raise Refused("`blend` needs a second style. Please choose one with `blend_with`.")
        limit = self.bot.settings.discord.max_attachment_bytes
        require_size(image, limit, "The picture")
        if style_image:
            require_size(style_image, limit, "The style picture")
        request = pb.StylizeRequest(
            style=style or "",
            strength=strength / 100,
            keep_colors=keep_colors,
            size=size or 0,
            brush=BRUSHES[brush],
            faces=FACES[faces],
            seed=seed,
            blend_with=blend_with or "",
            blend=(50 if blend is None else blend) / 100 if blend_with else 0.0,
        )
        await paint(
            interaction,
            request,
            posted(image, limit, "The picture", interaction.user.id),
            posted(style_image, limit, "The style picture", interaction.user.id) if style_image else None,
            spoiler=image.is_spoiler(),
        )

    @stylize.autocomplete("style")
    @stylize.autocomplete("blend_with")
    async def complete_style(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        styles = await own_styles.choices(self.bot.store, self.bot.catalogue, interaction.guild_id)
        return matching(typed, [(style.label, style.name) for style in styles])

    async def stylize_this(self, interaction: Interaction, message: discord.Message) -> None:
        """The message menu: repaint the first picture of a message in a style drawn by lot."""
        found = pictures_of(message)
        if not found:
            raise Refused("There's no picture in that message. Please choose one that shows a picture.")
        picture, shown_in = found[0]
        limit = self.bot.settings.discord.max_attachment_bytes
        require_size(picture, limit, "The picture")
        source = posted(picture, limit, "The picture", await self._owner(shown_in))
        await paint(interaction, pb.StylizeRequest(strength=1.0), source, spoiler=picture.is_spoiler())

    async def _owner(self, message: discord.Message) -> int:
        """Whose the picture in a message is: its author's; in the bot's own answers, whoever it was painted from."""
        if message.author == self.bot.user and (creation := await creations.shown_by(self.bot.store, message.id)):
            painted_from = await creations.file(self.bot.store, creation, "image")
            if painted_from is not None:
                return painted_from.owner
        return message.author.id

    @app_commands.command(description="What the network sees in a picture: feature maps of its five stages")
    @app_commands.describe(image="The picture to look at")
    async def see(self, interaction: Interaction, image: discord.Attachment) -> None:
        limit = self.bot.settings.discord.max_attachment_bytes
        require_may_post(interaction, "attach_files", "embed_links")
        require_size(image, limit, "The picture")
        async with one_job(interaction) as job:
            files = {"image": await job.fetch(image, limit, "The picture")}
            result = await self.bot.engine.see(pb.SeeRequest(job=job.ticket), job.show, files)
            shown = discord.Embed(title="What the network sees", description="\n".join(result.notes) or None)
            sheet = Upload("feature-maps.png", result.sheet, "Feature maps of the five stages of the encoder")
            if image.is_spoiler():
                sheet = sheet.hidden()
            else:
                shown.set_image(url=f"attachment://{sheet.name}")
            await job.finish(embeds=[shown], uploads=[sheet])


def pictures_of(message: discord.Message) -> list[tuple[discord.Attachment, discord.Message]]:
    """Pictures and films of a message, else of the one that it forwards, else of the one that it answers; each with
    the message that it counts as posted in. Of what was forwarded, Discord names no author."""
    answered = message.reference.resolved if message.reference else None
    for attachments, shown_in in (
        (message.attachments, message),
        *((snapshot.attachments, message) for snapshot in message.message_snapshots),
        *([(answered.attachments, answered)] if isinstance(answered, discord.Message) else []),
    ):
        found = [(attachment, shown_in) for attachment in attachments if _may_be_picture(attachment)]
        if found:
            return found
    return []


def _may_be_picture(attachment: discord.Attachment) -> bool:
    """From what Discord says; it knows no type for some phones' HEIC, so there the name decides."""
    kind = attachment.content_type or mimetypes.guess_type(attachment.filename)[0] or ""
    return kind.startswith(("image/", "video/")) or attachment.filename.lower().endswith(UNTYPED_SUFFIXES)


async def setup(bot: Woodshed) -> None:
    await bot.add_cog(Stylize(bot))
