"""A picture on its way: from a request to the answer with its buttons, whichever command, menu or button asked.

The buttons know the answer's number; the store knows the rest, also after a restart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import discord

from bot.answering.creations import delete, find
from bot.answering.creations import keep as creation_keep
from bot.answering.durable import MOST_OPTIONS, ChoiceMenu, Durable
from bot.answering.jobs import one_answer, one_job
from bot.answering.parcels import HIDDEN, Upload
from bot.answering.posting import REQUEST_LIMIT_BYTES, require_may_post, upload_limit_bytes
from bot.client import Interaction
from bot.errors import Refused
from bot.library import own_styles
from bot.library.own_styles import StyleChoice
from bot.store import creations
from cogs.stylize.sources import Found, Source, gone, kept
from engine.contract import engine_pb2 as pb

STEP = 0.2
"""How much stronger or weaker one press makes it."""
MOST_ROWS, IN_A_ROW = 5, 5
"""Of menus and buttons under a message, and buttons in one of them: Discord's limits."""
LAST_ROW = MOST_ROWS - 1
MOST_MENUS = MOST_ROWS - 1
"""One row is for the buttons."""
FILM_ALREADY = "That's a film already. I can only make a film of how a still picture becomes a painting."

LABELS = {
    "another": "Another style",
    "stronger": "Stronger",
    "weaker": "Weaker",
    "film": "From photo to painting",
    "next": "Paint over this one",
    "delete": "Delete",
}


async def paint(
    interaction: Interaction,
    request: pb.StylizeRequest,
    image: Source,
    style_image: Source | None = None,
    *,
    spoiler: bool = False,
) -> None:
    """Have the engine paint, post the picture with its buttons, and keep what they need.

    `spoiler`: the picture came hidden, so what's made of it is hidden, too.

    `request` comes without files and codes. Raises Refused, and what the sources and the engine raise."""
    bot = interaction.client
    require_may_post(interaction, "attach_files", "embed_links")
    used = await own_styles.put_codes(bot.store, interaction.guild_id, request)
    async with one_job(interaction) as job:
        request.job.CopyFrom(job.ticket)
        found = {"image": await image(job)}
        if style_image:
            found["style_image"] = await style_image(job)
        request.max_bytes = upload_limit_bytes(interaction)
        request.keep_copies = not all(one.digest for one in found.values())
        waiting = {name: one.file for name, one in found.items()}
        result = await own_styles.stylize(bot.engine, bot.store, used, request, job.show, waiting)
        files = uploads(result, spoiler=spoiler)
        creation_id = await keep(interaction, request, result, found, spoiler=spoiler)
        styles = await own_styles.choices(bot.store, bot.catalogue, interaction.guild_id)
        message_id = await job.finish(
            embeds=[embed(request, result, styles, with_before_after=len(files) > 1 and not spoiler)],
            uploads=files,
            view=picture_view(creation_id, styles, result.style, request.strength, moving=is_moving(result)),
        )
        await creations.posted(bot.store, creation_id, message_id)


async def keep(
    interaction: Interaction,
    request: pb.StylizeRequest,
    result: pb.StylizeResult,
    found: Mapping[str, Found],
    *,
    spoiler: bool,
) -> int:
    """Record what the buttons will need: the request as it turned out, its pictures, and the result without its own.

    Of pictures that members sent the engine's copies are kept: nothing that came along with them."""
    files: dict[creations.Role, creations.File] = {}
    if image := found["image"].to_keep(result.kept_image):
        files["image"] = image
    if "style_image" in found and (style_image := found["style_image"].to_keep(result.kept_style_image)):
        files["style_image"] = style_image
    for name in ("image", "before_after", "kept_image", "kept_style_image"):
        result.ClearField(name)
    for name in ("job", "max_bytes", "keep_copies"):
        request.ClearField(name)
    own_styles.take_codes_out(request)
    request.seed = result.seed
    if result.drawn_style:
        request.style = result.drawn_style  # so that a newer style book does not draw another one
    return await creation_keep(
        interaction,
        "picture",
        request=request.SerializeToString(),
        result=result.SerializeToString(),
        files=files,
        spoiler=spoiler,
    )


def embed(
    request: pb.StylizeRequest, result: pb.StylizeResult, styles: Sequence[StyleChoice], *, with_before_after: bool
) -> discord.Embed:
    """Before and after, with everything needed to make it again."""
    labels = {style.name: style.label for style in styles}
    shown = discord.Embed(title=labels.get(result.style, result.style), description="\n".join(result.notes) or None)
    shown.add_field(name="Style", value=result.style)
    if request.blend_with or request.blend_with_name:
        blended = result.style.rpartition(" + ")[2]  # as the style book spells it, however it was typed
        shown.add_field(name="Blended with", value=f"{blended}, {request.blend:.0%}")
    shown.add_field(
        name="Strength", value=f"{request.strength:.0%}" + (", with its own colours" if request.keep_colors else "")
    )
    shown.add_field(name="Size", value=f"{result.width} x {result.height} px")
    if request.brush != pb.BRUSH_MEDIUM:
        shown.add_field(name="Brush", value="fine" if request.brush == pb.BRUSH_FINE else "bold")
    if request.faces == pb.FACES_MILD:
        shown.add_field(name="Faces", value="mild")
    shown.add_field(name="Time", value=f"{result.compute_s:.2f} s")
    shown.add_field(name="Seed", value=str(result.seed))
    if with_before_after:
        shown.set_image(url="attachment://before-after.jpg")
    return shown


def uploads(result: pb.StylizeResult, *, spoiler: bool = False) -> list[Upload]:
    """The picture itself, and the two side by side unless both are too much for one message; hidden as a spoiler."""
    files = [
        Upload(f"stylized.{result.extension}", result.image, f"The picture, repainted in the style {result.style}")
    ]
    if result.before_after and len(result.image) + len(result.before_after) < REQUEST_LIMIT_BYTES:
        files.append(Upload("before-after.jpg", result.before_after, "The picture before and after"))
    return [file.hidden() for file in files] if spoiler else files


class PictureButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"picture:(?P<creation>\d+):(?P<action>another|stronger|weaker|film|next|delete)",
):
    """One of the things to do with a picture."""

    def __init__(self, creation: int, action: str, *, disabled: bool = False, row: int = LAST_ROW) -> None:
        style = discord.ButtonStyle.danger if action == "delete" else discord.ButtonStyle.secondary
        super().__init__(
            discord.ui.Button(
                label=LABELS[action],
                style=style,
                custom_id=f"picture:{creation}:{action}",
                disabled=disabled,
                row=row,
            )
        )
        self.creation_id = creation
        self.action = action

    async def press(self, interaction: Interaction) -> None:
        creation = await find(interaction, self.creation_id, "picture")
        request = pb.StylizeRequest.FromString(creation.request)
        match self.action:
            case "another":
                await another_style(interaction, creation, "")
            case "stronger" | "weaker":
                request.strength = stepped(request.strength, STEP if self.action == "stronger" else -STEP)
                await again(interaction, creation, request)
            case "film":
                await film(interaction, creation, request)
            case "next":
                await offer_as_input(interaction, creation)
            case "delete":
                await delete(interaction, creation)


class StyleMenu(ChoiceMenu, template=r"picture:(?P<creation>\d+):style(?::\d)?"):
    """Paints the same picture in the chosen style."""

    async def press(self, interaction: Interaction) -> None:
        creation = await find(interaction, self.creation_id, "picture")
        await another_style(interaction, creation, self.chosen)


def picture_view(
    creation_id: int, styles: Sequence[StyleChoice], current: str, strength: float, *, moving: bool = False
) -> discord.ui.View:
    """All that can be done with a picture, or with a film; the menus lack the style it is in."""
    view = discord.ui.View(timeout=None)
    menus = style_menus(creation_id, styles, current)
    for menu in menus:
        view.add_item(menu)
    at_an_end = {"stronger": strength >= 1.0, "weaker": strength <= 0.0, "film": strength <= 0.0}
    actions = [action for action in LABELS if not (action == "film" and moving)]
    rows = MOST_ROWS - len(menus)
    if rows == 1:  # the menus have every other style, too
        least = [*(action for action in actions if at_an_end.get(action)), "another"]
        for action in least[: max(0, len(actions) - IN_A_ROW)]:
            actions.remove(action)
    first = -(-len(actions) // 2) if len(actions) > IN_A_ROW else 0
    for number, action in enumerate(actions):
        row = LAST_ROW - 1 if number < first else LAST_ROW
        view.add_item(PictureButton(creation_id, action, disabled=at_an_end.get(action, False), row=row))
    return view


def style_menus(creation_id: int, styles: Sequence[StyleChoice], current: str = "") -> list[StyleMenu]:
    """Every style but the current one: the server's own, then the style book's by the years of its paintings.

    A menu has room for 25 and a message for four beside the buttons; a server with more styles of its own than that
    leaves the rest to `/stylize style:`."""
    own = _dealt([style for style in styles if style.own and style.name != current])
    by_year = sorted((style for style in styles if not style.own and style.name != current), key=_year)
    book = _dealt(by_year)[: MOST_MENUS - bool(own)]
    own = own[: MOST_MENUS - len(book)]
    titled = [*zip(_own_titles(own), own, strict=True), *zip(_book_titles(book), book, strict=True)]
    return [
        StyleMenu.of(
            creation_id,
            f"picture:{creation_id}:style:{row}",
            title,
            [discord.SelectOption(label=style.label, value=style.value) for style in part],
            row,
        )
        for row, (title, part) in enumerate(titled)
    ]


def _year(style: StyleChoice) -> int:
    """ "c. 1831" -> 1831; 0 where there is none."""
    found = re.search(r"\d{3,4}", style.year)
    return int(found[0]) if found else 0


def _own_titles(parts: Sequence[Sequence[StyleChoice]]) -> list[str]:
    if len(parts) == 1:
        return ["Styles of this server"]
    return [f"Styles of this server: {part[0].name} to {part[-1].name}" for part in parts]


def _book_titles(parts: Sequence[Sequence[StyleChoice]]) -> list[str]:
    """ "Paintings up to 1875", "Paintings of 1888 to 1905", "Paintings from 1905 on"."""
    if len(parts) < 2:
        return ["Styles of the style book"][: len(parts)]
    years = [(_year(part[0]), _year(part[-1])) for part in parts]
    if not all(first and last for first, last in years):
        return [f"Styles of the style book, part {number} of {len(parts)}" for number in range(1, len(parts) + 1)]
    between = [f"Paintings of {first} to {last}" for first, last in years[1:-1]]
    return [f"Paintings up to {years[0][1]}", *between, f"Paintings from {years[-1][0]} on"]


def _dealt(styles: Sequence[StyleChoice]) -> list[Sequence[StyleChoice]]:
    """In as few menus as they need, about equally many in each."""
    menus = -(-len(styles) // MOST_OPTIONS)
    each = -(-len(styles) // menus) if menus else 1
    return [styles[start : start + each] for start in range(0, len(styles), each)]


def stepped(strength: float, step: float) -> float:
    """A strength one step up or down, within 0..1. Raises Refused at the end of the scale."""
    moved = round(min(1.0, max(0.0, strength + step)), 2)
    if moved == strength:
        raise Refused("It's at full strength already." if step > 0 else "That's already the original photo.")
    return moved


def is_from_picture(request: pb.StylizeRequest) -> bool:
    """Whether the style of a kept request is a picture's, not one with a name."""
    return not request.style and not request.style_name


async def again(interaction: Interaction, creation: creations.Creation, request: pb.StylizeRequest) -> None:
    """Paint the same picture after a changed request."""
    bot = interaction.client
    await paint(
        interaction,
        request,
        kept(bot, creation.id, "image"),
        kept(bot, creation.id, "style_image") if is_from_picture(request) else None,
        spoiler=creation.spoiler,
    )


async def another_style(interaction: Interaction, creation: creations.Creation, style: str) -> None:
    """Paint the same picture in a style of the menu or, for "", in one drawn from all but the present one."""
    bot = interaction.client
    if not style:
        present = pb.StylizeResult.FromString(creation.result).style
        styles = await own_styles.choices(bot.store, bot.catalogue, interaction.guild_id)
        others = [choice.value for choice in styles if choice.name != present]
        style = bot.draw.choice(others) if others else ""
    request = pb.StylizeRequest.FromString(creation.request)
    for name in ("seed", "blend_with", "blend_with_name", "blend"):
        request.ClearField(name)
    own_styles.choose(request, style)
    await paint(interaction, request, kept(bot, creation.id, "image"), spoiler=creation.spoiler)


def is_moving(result: pb.StylizeResult) -> bool:
    """Whether it's a film or an animation: of several frames nothing else is written."""
    return result.extension in ("mp4", "webp", "gif")


async def film(interaction: Interaction, creation: creations.Creation, request: pb.StylizeRequest) -> None:
    """Post a short film of how the photo becomes this painting. Raises Refused for what is a film itself."""
    bot = interaction.client
    painted = pb.StylizeResult.FromString(creation.result)
    if is_moving(painted):
        raise Refused(FILM_ALREADY)
    require_may_post(interaction, "attach_files", "embed_links")
    used = await own_styles.put_codes(bot.store, interaction.guild_id, request)
    request.rising = True
    async with one_job(interaction) as job:
        request.job.CopyFrom(job.ticket)
        request.max_bytes = upload_limit_bytes(interaction)
        found = {"image": await kept(bot, creation.id, "image")(job)}
        if is_from_picture(request):
            found["style_image"] = await kept(bot, creation.id, "style_image")(job)
        waiting = {name: one.file for name, one in found.items()}
        result = await own_styles.stylize(bot.engine, bot.store, used, request, job.show, waiting)
        file = Upload(
            f"from-photo-to-painting.{result.extension}",
            result.image,
            f"The photo slowly becomes the painting in the style {result.style}",
        )
        film_id = await keep(interaction, request, result, found, spoiler=creation.spoiler)
        styles = await own_styles.choices(bot.store, bot.catalogue, interaction.guild_id)
        labels = {style.name: style.label for style in styles}
        shown = discord.Embed(
            title=f"From photo to painting: {labels.get(result.style, result.style)}",
            description="\n".join(result.notes) or None,
        )
        view = discord.ui.View(timeout=None)
        view.add_item(PictureButton(film_id, "delete"))
        message_id = await job.finish(embeds=[shown], uploads=[file.hidden() if creation.spoiler else file], view=view)
        await creations.posted(bot.store, film_id, message_id)


def is_painted(attachment: discord.Attachment) -> bool:
    """Whether it's the painted picture of an answer, not the two side by side."""
    return attachment.filename.removeprefix(HIDDEN).startswith("stylized.")


async def offer_as_input(interaction: Interaction, creation: creations.Creation) -> None:
    """Keep the painted picture as the start of a new one, and let the member choose what goes over it."""
    bot = interaction.client
    async with one_answer(interaction, private=True) as answer:
        message = interaction.message
        painted = [a for a in message.attachments if is_painted(a)] if message else []
        if not painted:
            raise Refused("I no longer have that painting. Please make it again with `/stylize`.")
        before = await creations.file(bot.store, creation.id, "image")
        if before is None:  # perhaps its owner asked for that, and a painting can show all that a photo did
            raise Refused(gone(bot))
        content = await bot.attachments.read(painted[0], bot.settings.discord.max_attachment_bytes, "The picture")
        start = await creation_keep(
            interaction,
            "picture",
            request=creation.request,
            result=creation.result,
            files={"image": creations.File(before.owner, content)},
            spoiler=creation.spoiler,
        )
        view = discord.ui.View(timeout=None)
        for menu in style_menus(start, await own_styles.choices(bot.store, bot.catalogue, interaction.guild_id)):
            view.add_item(menu)
        view.add_item(PictureButton(start, "another"))
        await answer.finish(content="Which style comes next?", view=view)
