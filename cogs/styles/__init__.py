"""/styles: the style book and the server's own styles on one contact sheet; staff add and remove the server's."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.access import guild_id_of, require_staff
from bot.answering.first_answers import say
from bot.answering.jobs import one_job
from bot.answering.parcels import Upload
from bot.answering.posting import require_may_post, upload_limit_bytes
from bot.answering.text import MAX_ALT_TEXT, MAX_EMBED, counted, shorten
from bot.attachments.fetching import require_size
from bot.client import Interaction, Woodshed
from bot.engine.catalogue import matching, style_label
from bot.errors import Refused
from bot.library import own_styles
from bot.rules.style_names import as_typed, new_name
from bot.store import styles
from bot.store.styles import OwnStyle
from engine.contract import engine_pb2 as pb

MOST_PAGES = 10
"""Discord's limit on embeds and on files in one message."""
LONGEST_FOOTER = 20


class Styles(commands.GroupCog, group_name="styles", group_description="The style book and this server's own styles"):
    """Answers are private: a sheet is looked at, then a style is used."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot

    @app_commands.command(name="list", description="One picture in every style, with names, artists and years")
    @app_commands.describe(image="The picture to show them on; if left out, a portrait")
    async def list_styles(self, interaction: Interaction, image: discord.Attachment | None = None) -> None:
        limit = self.bot.settings.discord.max_attachment_bytes
        require_may_post(interaction, "attach_files", "embed_links")
        if image:
            require_size(image, limit, "The picture")
        async with one_job(interaction, private=True) as job:
            files = {"image": await job.fetch(image, limit, "The picture")} if image else {}
            guild_id = interaction.guild_id
            own = [] if guild_id is None else await styles.of_guild(self.bot.store, guild_id)
            request = pb.StyleSheetRequest(job=job.ticket, max_bytes=upload_limit_bytes(interaction))
            result = await own_styles.style_sheet(self.bot.engine, self.bot.store, own, request, job.show, files)
            pages = result.pages[:MOST_PAGES]
            await job.finish(
                content="\n".join(result.notes) or None,
                embeds=embeds(pages, await self.bot.catalogue.styles.get(), own),
                uploads=[Upload(_file_name(number), page.sheet, _alt_text(page)) for number, page in enumerate(pages)],
            )

    @app_commands.guild_only()
    @app_commands.command(description="Staff: add a style to this server, learned from a picture")
    @app_commands.describe(
        image="The picture to learn it from; I keep a small copy",
        name="What members type: letters a to z, digits and hyphens",
    )
    async def add(
        self, interaction: Interaction, image: discord.Attachment, name: app_commands.Range[str, 1, 100]
    ) -> None:
        require_staff(interaction)
        guild_id, style = guild_id_of(interaction), new_name(name)
        limit_bytes = self.bot.settings.discord.max_attachment_bytes
        require_size(image, limit_bytes, "The picture")
        own = await styles.of_guild(self.bot.store, guild_id)
        if style in {each.name for each in own}:
            raise Refused(styles.taken(style))
        most = self.bot.settings.club.styles_per_server
        if len(own) >= most:
            raise Refused(styles.full(most))
        async with one_job(interaction, private=True) as job:
            if style in {each.name for each in await self.bot.engine.list_styles()}:
                raise Refused(f"`{style}` is already in the style book. Please choose another name.")
            encoded = await self.bot.engine.encode_style(await job.fetch(image, limit_bytes, "The picture"), job.ticket)
            await styles.add(
                self.bot.store,
                guild_id,
                style,
                code=encoded.code,
                model_version=encoded.model_version,
                picture=encoded.picture,
                added_by=interaction.user.id,
                limit=most,
                now=self.bot.now(),
            )
            await job.finish(
                content=f"Added `{style}`. Try it with `/stylize style:{style}`; `/styles list` shows it too."
            )

    @app_commands.guild_only()
    @app_commands.command(description="Staff: remove one of this server's own styles")
    @app_commands.describe(name="Which style")
    async def remove(self, interaction: Interaction, name: app_commands.Range[str, 1, 100]) -> None:
        require_staff(interaction)
        style = as_typed(name)
        if not await styles.remove(self.bot.store, guild_id_of(interaction), style):
            raise Refused(
                f"This server has no style of its own called `{discord.utils.escape_markdown(style)}`. "
                "`/styles list` shows those it has."
            )
        await say(interaction, f"Removed `{style}` and its picture. Pictures already painted in it stay.")

    @remove.autocomplete("name")
    async def complete_own(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        if interaction.guild_id is None or not self.bot.is_staff(interaction.user):
            return []
        own = await styles.of_guild(self.bot.store, interaction.guild_id)
        return matching(typed, [(style.name, style.name) for style in own])


def embeds(
    pages: Sequence[pb.StyleSheetResult.Page], book: Sequence[pb.Style], own: Sequence[OwnStyle]
) -> list[discord.Embed]:
    """A page of the sheet each, with what its styles are called beneath."""
    lines = {
        True: {style.name: _own_line(style) for style in own},
        False: {style.name: f"`{style.name}` {style_label(style)}" for style in book},
    }
    texts = ["\n".join(lines[page.saved].get(name, f"`{name}`") for name in page.names) for page in pages]
    titles = [_title(page, pages[number - 1] if number else None) for number, page in enumerate(pages)]
    room = MAX_EMBED - sum(len(title or "") + LONGEST_FOOTER for title in titles)
    total = sum(map(len, texts))
    shown = []
    for number, (page, text, title) in enumerate(zip(pages, texts, titles, strict=True)):
        # Discord counts all embeds of a message together; where that's too much, each is cut alike.
        text = text if total <= room else shorten(text, room * len(text) // total)
        embed = discord.Embed(title=title, description=text)
        embed.set_image(url=f"attachment://{_file_name(number)}")
        if number == 0 or pages[number - 1].saved != page.saved:
            amount = sum(len(each.names) for each in pages if each.saved == page.saved)
            embed.set_footer(text=counted(amount, "style"))
        shown.append(embed)
    return shown


def _title(page: pb.StyleSheetResult.Page, before: pb.StyleSheetResult.Page | None) -> str | None:
    """Above the first page of a period, or of the server's own styles."""
    if before is not None and (before.saved, before.period) == (page.saved, page.period):
        return None
    if page.saved:
        return "This server's own styles"
    return f"The style book: {page.period}" if page.period else "The style book"


def _own_line(style: OwnStyle) -> str:
    by = f" by <@{style.added_by}>" if style.added_by is not None else ""
    return f"`{style.name}` added <t:{style.added_at:.0f}:d>{by}"


def _file_name(number: int) -> str:
    return f"styles-{number + 1}.jpg"


def _alt_text(page: pb.StyleSheetResult.Page) -> str:
    return shorten("The same picture in these styles: " + ", ".join(page.names), MAX_ALT_TEXT)


async def setup(bot: Woodshed) -> None:
    await bot.add_cog(Styles(bot))
