"""/styles: the contact sheet, and a server's own styles from being added to having been removed."""

from __future__ import annotations

import grpc
import pytest
import simcord

from bot.library.own_styles import StyleChoice
from bot.settings import BotSettings, ClubSettings, DiscordSettings
from bot.store import styles
from bot.store.styles import OwnStyle
from cogs.styles import embeds
from cogs.stylize.pictures import PictureButton, StyleMenu, picture_view, style_menus
from engine.contract import engine_pb2 as pb
from tests.conftest import Club
from tests.engine_double import STYLES, Behaviour, code_of, png

PICTURE = png(20, 20, 30)


async def add(club: Club, name: str = "mosaic", content: bytes = PICTURE, member=None):
    member = member or club.instructor
    return await member.slash(club.channel, "styles add", image=("wall.png", content), name=name)


async def stylize(club: Club, **options):
    return (await club.student.slash(club.channel, "stylize", image=("cat.png", png()), **options)).response


def fields(message) -> dict[str, str]:
    return {field.name: field.value for field in message.embeds[0].fields}


async def names(club: Club) -> list[str]:
    return [style.name for style in await styles.of_guild(club.store, club.guild.id)]


# ---------------------------------------------------------------- the sheet


async def test_the_sheet_shows_the_book_and_the_servers_own_with_artist_title_and_year_beneath(club: Club) -> None:
    await add(club)
    result = await club.student.slash(club.channel, "styles list")
    assert result.ephemeral
    answer = result.response
    assert [a.filename for a in answer.attachments] == ["styles-1.jpg", "styles-2.jpg"]
    book, own = answer.embeds
    assert (book.title, own.title) == ("The style book", "This server's own styles")
    assert "`great-wave` The Great Wave off Kanagawa, Katsushika Hokusai (1831)" in book.description
    assert own.description.startswith("`mosaic` added <t:")
    assert f"<@{club.instructor.id}>" in own.description
    assert [each.image.url for each in (book, own)] == ["attachment://styles-1.jpg", "attachment://styles-2.jpg"]
    assert club.bot.jobs.taken(club.student.id) == 0


async def test_the_sheet_is_of_the_members_picture_or_of_the_engines_own(club: Club) -> None:
    await club.student.slash(club.channel, "styles list")
    assert club.double.requests[-1].image == b""
    await club.student.slash(club.channel, "styles list", image=("cat.png", png()))
    request = club.double.requests[-1]
    assert request.image == png()
    assert request.max_bytes > 0
    assert request.job.member_key == club.bot.member_key(club.student.id)
    empty = await club.student.slash(club.channel, "styles list", image=("cat.png", b""))
    assert empty.response.content == "The picture is empty. Please choose another one."
    assert club.refusals()


async def test_the_sheet_shows_its_progress_with_a_button_that_cancels(club: Club) -> None:
    seen = []
    original = club.env.backend.edit_message

    def spy(channel_id, message_id, changes, *args, **kwargs):
        seen.append(changes)
        return original(channel_id, message_id, changes, *args, **kwargs)

    club.env.backend.edit_message = spy
    await club.student.slash(club.channel, "styles list")
    running = [change for change in seen if "..." in str(change.get("content"))]
    assert running
    assert "Cancel" in str(running[0]["components"])


async def test_a_sheet_of_something_that_is_no_picture_ends_in_the_engines_sentence(club: Club) -> None:
    club.double.misbehave(Behaviour.REFUSE)
    result = await club.student.slash(club.channel, "styles list", image=("cat.png", b"no picture"))
    assert result.response.content == "That file is not a picture."
    assert club.refusals() == ["That file is not a picture."]


async def test_other_servers_do_not_see_a_servers_styles(club: Club) -> None:
    await add(club)
    elsewhere = club.env.create_guild("Another course")
    channel = elsewhere.create_text_channel("gallery")
    visitor = elsewhere.add_member(club.env.create_user("vera"))
    await visitor.slash(channel, "styles list")
    assert list(club.double.requests[-1].saved) == []
    assert [c["value"] for c in await visitor.autocomplete(channel, "stylize", "style", "mosaic")] == []
    await visitor.slash(channel, "stylize", image=("cat.png", png()), style="mosaic")
    assert club.double.requests[-1].style == "mosaic", "the engine is asked, which knows no such style"


# ---------------------------------------------------------------- adding and removing


async def test_staff_add_a_style_and_the_store_keeps_what_it_takes_to_renew_it(club: Club) -> None:
    result = await add(club, "Stained  Glass")
    assert result.ephemeral
    assert result.response.content.startswith("Added `stained-glass`")
    (style,) = await styles.of_guild(club.store, club.guild.id)
    assert (style.name, style.model_version, style.added_by) == ("stained-glass", "abc1234", club.instructor.id)
    assert club.double.encoded == [PICTURE]
    kept = await styles.picture(club.store, style)
    assert kept not in (None, PICTURE), "the engine's small copy, not the upload"


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("scream", "`scream` is already in the style book"),
        ("The-Scream!", "A style's name needs 2 to 32 characters"),
        ("x", "A style's name needs 2 to 32 characters"),
        ("mosaïque", "A style's name needs 2 to 32 characters"),
        ("-a-", "A style's name needs 2 to 32 characters"),
        ("own:mosaic", "A style's name needs 2 to 32 characters"),
        ("a" * 33, "A style's name needs 2 to 32 characters"),
        ("Mosaic", "This server already has a style called `mosaic`"),
    ],
)
async def test_a_name_that_cannot_be_typed_or_is_taken_is_refused_alone(club: Club, name: str, start: str) -> None:
    await add(club)
    result = await add(club, name)
    assert result.ephemeral
    assert (result.response.content or result.followups[0].content).startswith(start)
    assert await names(club) == ["mosaic"]
    assert len(club.double.encoded) == 1, "refused before any work"
    assert club.refusals()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"no picture at all", "That file is not a picture."),
        (png(1, 1), "That picture has 1 × 1 pixels; a style can be taken from one of at least 32 × 32."),
    ],
)
async def test_a_picture_that_no_style_can_be_taken_from_is_answered_with_the_engines_sentence(
    club: Club, content: bytes, sentence: str
) -> None:
    club.double.refusal = (grpc.StatusCode.INVALID_ARGUMENT, "bad_picture", sentence)
    club.double.misbehave(Behaviour.REFUSE)
    result = await add(club, content=content)
    assert result.ephemeral
    assert club.refusals() == [sentence]
    assert await names(club) == []
    assert club.bot.jobs.taken(club.instructor.id) == 0


async def test_empty_and_oversized_style_pictures_are_refused_unread(club: Club) -> None:
    await add(club, content=b"")
    await add(club, content=bytes(26 * 2**20))
    assert club.refusals() == [
        "The picture is empty. Please choose another one.",
        "The picture is 26.0 MiB, but I only read up to 25 MiB.",
    ]
    assert club.double.encoded == []


async def test_adding_and_removing_are_for_staff(club: Club) -> None:
    await add(club)
    for command, options in (
        ("styles add", {"image": ("wall.png", PICTURE), "name": "other"}),
        ("styles remove", {"name": "mosaic"}),
    ):
        refused = await club.student.slash(club.channel, command, **options)
        assert (refused.response.content, refused.ephemeral) == ("Only the course staff can do this.", True)
    assert await names(club) == ["mosaic"]
    assert await club.student.autocomplete(club.channel, "styles remove", "name", "") == []
    assert club.refusals()


async def test_a_removed_style_is_gone_with_its_picture(club: Club) -> None:
    await add(club)
    offered = await club.instructor.autocomplete(club.channel, "styles remove", "name", "mos")
    assert [choice["value"] for choice in offered] == ["mosaic"]
    removed = await club.instructor.slash(club.channel, "styles remove", name="mosaic")
    assert removed.response.content == "Removed `mosaic` and its picture. Pictures already painted in it stay."
    assert await club.store.fetch_all("SELECT * FROM styles") == []
    again = await club.instructor.slash(club.channel, "styles remove", name="mosaic")
    assert (
        again.response.content
        == "This server has no style of its own called `mosaic`. `/styles list` shows those it has."
    )
    await add(club)
    assert await names(club) == ["mosaic"]
    assert club.refusals()


async def test_two_who_add_the_same_name_at_once_get_one_style(club: Club) -> None:
    options = {"model_version": "v", "picture": b"p", "added_by": 1, "limit": 9, "now": 1.0}
    await styles.add(club.store, club.guild.id, "mosaic", code=b"first", **options)
    with pytest.raises(Exception, match="already has a style called `mosaic`"):
        await styles.add(club.store, club.guild.id, "mosaic", code=b"second", **options)
    with pytest.raises(Exception, match="already has 1 style of its own"):
        await styles.add(club.store, club.guild.id, "other", code=b"third", **options | {"limit": 1})
    (style,) = await styles.of_guild(club.store, club.guild.id)
    assert style.code == b"first"


class TestASmallServer:
    @pytest.fixture
    def settings(self) -> BotSettings:
        discord = DiscordSettings(progress_interval_s=0.0, shards=1)
        return BotSettings(discord=discord, club=ClubSettings(styles_per_server=2))

    async def test_a_server_has_so_many_styles_and_no_more(self, club: Club) -> None:
        for name in ("one", "two"):
            await add(club, name * 2)
        refused = await add(club, "three")
        assert refused.ephemeral
        sentence = "This server already has 2 styles of its own, and that's the limit. Please remove one first."
        assert club.refusals() == [sentence]
        assert len(club.double.encoded) == 2
        await club.instructor.slash(club.channel, "styles remove", name="twotwo")
        await add(club, "three")
        assert await names(club) == ["oneone", "three"]


# ---------------------------------------------------------------- painting in them


async def test_members_paint_in_a_servers_style_by_name_and_the_answer_says_which(club: Club) -> None:
    await add(club)
    found = await club.student.autocomplete(club.channel, "stylize", "style", "mos")
    assert [(choice["name"], choice["value"]) for choice in found] == [("mosaic (this server's own)", "mosaic")]
    assert len(await club.student.autocomplete(club.channel, "stylize", "blend_with", "")) == len(STYLES) + 1
    answer = await stylize(club, style="Mosaic")
    request = club.double.requests[-1]
    assert (request.style, request.style_code, request.style_name) == ("", code_of(PICTURE, "abc1234"), "mosaic")
    assert (answer.embeds[0].title, fields(answer)["Style"]) == ("mosaic (this server's own)", "mosaic")


async def test_a_servers_style_blends_with_one_of_the_book_and_either_way_round(club: Club) -> None:
    await add(club)
    answer = await stylize(club, style="scream", blend_with="mosaic", blend=30)
    request = club.double.requests[-1]
    assert (request.style, request.blend_with, request.blend_with_name) == ("scream", "", "mosaic")
    assert request.blend_with_code
    assert (fields(answer)["Style"], fields(answer)["Blended with"]) == ("scream + mosaic", "mosaic, 30%")
    await stylize(club, style="mosaic", blend_with="scream")
    request = club.double.requests[-1]
    assert (request.style_name, request.blend_with) == ("mosaic", "scream")


async def test_the_buttons_under_a_blend_go_on_blending(club: Club) -> None:
    await add(club)
    for options in ({"style": "scream", "blend_with": "mosaic"}, {"style": "mosaic", "blend_with": "scream"}):
        answer = await stylize(club, strength=60, **options)
        asked = club.double.requests[-1]
        await club.student.click(answer, label="Stronger")
        again = club.double.requests[-1]
        for name in ("style", "style_name", "style_code", "blend_with", "blend_with_name", "blend_with_code", "blend"):
            assert getattr(again, name) == getattr(asked, name), name


async def test_the_buttons_go_on_working_after_a_restart(club: Club) -> None:
    await add(club)
    answer = await stylize(club, style="mosaic", strength=60)
    await club.restart()
    stronger = await club.student.click(answer, label="Stronger")
    request = club.double.requests[-1]
    assert (request.style_name, request.strength) == ("mosaic", pytest.approx(0.8))
    assert request.style_code
    assert fields(stronger.response)["Style"] == "mosaic"
    book = {style.name for style in STYLES}
    drawn: set[str] = set()
    for _ in range(100):  # that one of three styles is never drawn has odds of 3 in 10^18
        await club.student.click(answer, label="Another style")
        drawn.add(club.double.requests[-1].style)
        assert not club.double.requests[-1].style_code
        if drawn >= book:
            break
    assert drawn == book


def menus(message: simcord.ResponseMessage) -> list[list[str]]:
    """The values of the select menus under a message."""
    items = [item for row in message.components for item in row["components"] if item["type"] == 3]
    return [[option["value"] for option in item["options"]] for item in items]


async def test_the_menu_of_a_servers_styles_comes_first(club: Club) -> None:
    await add(club)
    answer = await stylize(club, style="scream")
    assert menus(answer) == [["own:mosaic"], ["great-wave", "starry-night"]]
    painted = await club.other.select(answer, ["own:mosaic"], custom_id=menu_id(answer, "own:mosaic"))
    assert club.double.requests[-1].style_name == "mosaic"
    assert club.double.requests[-1].style_code
    assert menus(painted.response) == [["great-wave", "starry-night", "scream"]]


@pytest.mark.parametrize(
    ("of_the_server", "of_the_book", "titles"),
    [
        (0, 60, ["Paintings up to 1845", "Paintings of 1848 to 1893", "Paintings from 1896 on"]),
        (3, 20, ["Styles of this server", "Styles of the style book"]),
        (30, 0, ["Styles of this server: own-00 to own-14", "Styles of this server: own-15 to own-29"]),
    ],
)
def test_a_menu_of_styles_says_what_stands_in_it(of_the_server: int, of_the_book: int, titles: list[str]) -> None:
    own = [StyleChoice(f"own-{number:02}", "", own=True) for number in range(of_the_server)]
    years = [f"c. {1800 + 12 * n // 5}" for n in range(of_the_book)]
    book = [StyleChoice(f"book-{number}", f"B {year}", own=False, year=year) for number, year in enumerate(years)]
    found = style_menus(7, [*own, *reversed(book)])
    assert [menu.item.placeholder for menu in found] == titles
    assert [option.label for menu in found for option in menu.item.options if option.label.startswith("B ")] == [
        style.label for style in book
    ], "by their years"


def menu_id(message: simcord.ResponseMessage, value: str) -> str:
    """The custom id of the menu that offers `value`."""
    items = [item for row in message.components for item in row["components"] if item["type"] == 3]
    return next(item["custom_id"] for item in items if value in [option["value"] for option in item["options"]])


@pytest.mark.parametrize(("of_the_server", "of_the_book"), [(0, 0), (0, 3), (0, 60), (24, 60), (25, 76), (60, 20)])
def test_every_style_there_is_stands_in_a_menu(of_the_server: int, of_the_book: int) -> None:
    own = [StyleChoice(f"own-{number}", f"O {number}", own=True) for number in range(of_the_server)]
    book = [StyleChoice(f"book-{number}", f"B {number}", own=False) for number in range(of_the_book)]
    view = picture_view(7, [*own, *book], "book-2", 0.5)
    found = [item for item in view.children if isinstance(item, StyleMenu)]
    offered = [option.value for menu in found for option in menu.item.options]
    assert offered == [style.value for style in [*own, *book] if style.name != "book-2"]
    assert all(1 <= len(menu.item.options) <= 25 for menu in found)
    assert len({item.custom_id for item in view.children if isinstance(item, StyleMenu | PictureButton)}) == len(
        view.children
    )
    assert len(view.to_components()) == min(5, len(found) + 2), "a row each, and the buttons in one or two"
    actions = [item.action for item in view.children if isinstance(item, PictureButton)]
    assert {"film", "weaker", "stronger", "next", "delete"} <= set(actions)
    assert "another" in actions or len(found) == 4, "only four menus take its place"
    assert all(len(menu.item.placeholder or "") <= 150 for menu in found)


def test_every_style_has_its_line_under_the_page_of_its_period() -> None:
    book = [
        pb.Style(
            name=f"style-number-{number}", title=f"{number}: {'title ' * 4}", artist="Somebody With a Name", year="1889"
        )
        for number in range(60)
    ]
    own = [OwnStyle(1, f"own-{number}", b"", "", 7, 1.7e9) for number in range(24)]
    page = pb.StyleSheetResult.Page
    pages = [
        *(
            page(names=[style.name for style in book[start : start + 12]], period=f"period {start}")
            for start in range(0, 60, 12)
        ),
        page(names=[style.name for style in own], saved=True),
    ]
    shown = embeds(pages, book, own)
    assert [embed.title for embed in shown[:2]] == ["The style book: period 0", "The style book: period 12"]
    assert shown[-1].title == "This server's own styles"
    for embed, part in zip(shown, pages, strict=True):
        assert all(f"`{name}`" in (embed.description or "") for name in part.names)
    assert sum(map(len, shown)) <= 6000
    crowded = embeds(pages * 2, book, own)
    assert sum(map(len, crowded)) <= 6000


def test_where_styles_abound_neither_kind_crowds_out_the_other() -> None:
    own = [StyleChoice(f"own-{number}", f"O {number}", own=True) for number in range(100)]
    book = [StyleChoice(f"book-{number}", f"B {number}", own=False) for number in range(120)]
    found = [item for item in picture_view(7, [*own, *book], "", 0.5).children if isinstance(item, StyleMenu)]
    offered = [option.value for menu in found for option in menu.item.options]
    assert (len(found), len(offered)) == (4, 97)
    assert sum(value.startswith("own:") for value in offered) == 25


def test_the_single_menu_of_an_older_answer_is_still_known_by_its_id() -> None:
    assert StyleMenu.__discord_ui_compiled_template__.fullmatch("picture:7:style")


async def test_what_hangs_on_a_removed_style_says_so_in_one_sentence_and_the_rest_goes_on(club: Club) -> None:
    await add(club)
    answer = await stylize(club, style="mosaic", strength=60)
    other = await stylize(club, style="scream")
    await club.instructor.slash(club.channel, "styles remove", name="mosaic")
    await club.restart()
    before = len(club.double.requests)
    sentence = "The style `mosaic` has been removed from this server. Please choose another one."
    for refused in (
        await club.student.click(answer, label="Stronger"),
        await club.student.select(other, ["own:mosaic"], custom_id=menu_id(other, "own:mosaic")),
    ):
        assert (refused.response.content, refused.ephemeral) == (sentence, True)
    assert len(club.double.requests) == before
    await club.student.select(answer, ["scream"])
    assert club.double.requests[-1].style == "scream"


# ---------------------------------------------------------------- other weights


async def test_a_code_of_other_weights_is_renewed_from_the_kept_picture_on_first_use(club: Club) -> None:
    await add(club)
    await add(club, "fresco")
    (_, style) = await styles.of_guild(club.store, club.guild.id)
    kept = await styles.picture(club.store, style)
    club.double.weights = "def5678"
    answer = await stylize(club, style="mosaic")
    assert answer.attachments
    assert club.double.encoded[2:] == [kept], "this style alone, and from the small picture"
    assert club.double.requests[-1].style_code.startswith(b"def5678:")
    fresco, mosaic = await styles.of_guild(club.store, club.guild.id)
    assert (fresco.model_version, mosaic.model_version) == ("abc1234", "def5678")
    await stylize(club, style="mosaic")
    assert len(club.double.encoded) == 3, "once"


async def test_the_sheet_and_a_blend_renew_what_they_use_too(club: Club) -> None:
    await add(club)
    await add(club, "fresco", png(24, 24, 99))
    club.double.weights = "def5678"
    answer = await stylize(club, style="mosaic", blend_with="fresco")
    assert fields(answer)["Style"] == "mosaic + fresco"
    request = club.double.requests[-1]
    assert request.style_code != request.blend_with_code
    club.double.weights = "0123abc"
    await club.student.slash(club.channel, "styles list")
    assert [style.code.split(b":")[0] for style in club.double.requests[-1].saved] == [b"0123abc"] * 2
    versions = {style.model_version for style in await styles.of_guild(club.store, club.guild.id)}
    assert versions == {"0123abc"}


async def test_a_style_removed_while_it_is_renewed_stays_removed(club: Club) -> None:
    await add(club)
    (style,) = await styles.of_guild(club.store, club.guild.id)
    await styles.remove(club.store, club.guild.id, "mosaic")
    await styles.renew(club.store, style, b"code", "def5678")
    assert await styles.of_guild(club.store, club.guild.id) == []
    assert await styles.picture(club.store, style) is None


async def test_another_style_under_the_same_name_is_not_taken_for_the_removed_one(club: Club) -> None:
    options = {"model_version": "v", "added_by": 1, "limit": 9}
    await styles.add(club.store, club.guild.id, "mosaic", code=b"old", picture=b"old", now=1.0, **options)
    (old,) = await styles.of_guild(club.store, club.guild.id)
    await styles.remove(club.store, club.guild.id, "mosaic")
    await styles.add(club.store, club.guild.id, "mosaic", code=b"new", picture=b"new", now=2.0, **options)
    assert await styles.picture(club.store, old) is None
    await styles.renew(club.store, old, b"old, renewed", "w")
    (new,) = await styles.of_guild(club.store, club.guild.id)
    assert (new.code, await styles.picture(club.store, new)) == (b"new", b"new")


async def test_no_answer_keeps_a_code_so_removing_a_style_removes_it_everywhere(club: Club) -> None:
    await add(club)
    await stylize(club, style="mosaic", blend_with="mosaic")
    (row,) = await club.store.fetch_all("SELECT request FROM creations")
    kept = pb.StylizeRequest.FromString(row["request"])
    assert (kept.style_name, kept.blend_with_name) == ("mosaic", "mosaic")
    assert (kept.style_code, kept.blend_with_code) == (b"", b"")


async def test_whoever_added_a_style_finds_it_in_their_data_and_may_be_forgotten(club: Club) -> None:
    await add(club)
    export = await club.instructor.slash(club.channel, "mydata export")
    assert b'"name": "mosaic"' in await export.response.attachments[0].read()
    asked = await club.instructor.slash(club.channel, "mydata delete")
    await club.instructor.click(asked.response, label="Forget me")
    (style,) = await styles.of_guild(club.store, club.guild.id)
    assert style.added_by is None
    listed = await club.student.slash(club.channel, "styles list")
    assert "<@" not in listed.response.embeds[1].description


async def test_requests_for_a_style_of_the_book_carry_no_code(club: Club) -> None:
    await add(club)
    await stylize(club, style="scream")
    request = club.double.requests[-1]
    assert isinstance(request, pb.StylizeRequest)
    assert (request.style, request.style_code, request.style_name) == ("scream", b"", "")
