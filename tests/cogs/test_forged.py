"""What nobody presses or types with Discord's own programs: buttons of other servers and channels, numbers that there
are none of, choices that no menu has, names that aren't what they look like."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.answering.durable import NOT_OFFERED, require_offered
from bot.answering.error_handler import GENERAL_SENTENCE
from bot.answering.text import named
from bot.errors import STAFF_ONLY, Refused
from bot.store import clips
from bot.store.polls import ballots
from bot.store.polls.ballots import Change
from cogs.clips.submitting import accept
from tests.conftest import STAFF_ROLE, Club
from tests.engine_double import midi, ogg, png

HUGE = 10**30
HIDING = "\u202e\u2066\u00ad"
"""Turns the direction of writing, and hides between letters."""


def made_up(kind: discord.AppCommandOptionType) -> Any:
    match kind:
        case discord.AppCommandOptionType.attachment:
            return ("solo.mid", midi())
        case discord.AppCommandOptionType.boolean:
            return True
        case discord.AppCommandOptionType.integer | discord.AppCommandOptionType.number:
            return 1
    return "x"


def staffs(club: Club) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every command that says that it's for staff, with something in each option that it needs."""
    for command in club.bot.tree.walk_commands():
        if isinstance(command, discord.app_commands.Command) and command.description.startswith("Staff"):
            options = {
                one.display_name: one.choices[0].value if one.choices else made_up(one.type)
                for one in command.parameters
                if one.required
            }
            yield command.qualified_name, options


async def test_every_staff_command_refuses_whoever_is_not_staff(club: Club) -> None:
    before = await contents(club)
    commands = list(staffs(club))
    assert len(commands) >= 15, "or they don't say any more whom they're for"
    for name, options in commands:
        refused = await club.moderator.slash(club.channel, name, **options)
        assert (refused.ephemeral, refused.response.content) == (True, STAFF_ONLY), name
    assert set(club.refusals()) == {STAFF_ONLY}
    assert await contents(club) == before


async def contents(club: Club) -> dict[str, list[Any]]:
    """The store, but for what is written of every answer."""
    names = await club.store.fetch_all(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%words%'"
    )
    written = {"open_answers", "pulses", "members", "meta"}
    return {
        row["name"]: [tuple(one) for one in await club.store.fetch_all(f"SELECT * FROM {row['name']}")]
        for row in names
        if row["name"] not in written
    }


async def furnish(club: Club) -> None:
    """One of everything that has buttons."""
    await club.student.slash(club.channel, "stylize", image=("cat.png", png()))
    await club.student.slash(club.channel, "jazz")
    await club.student.slash(club.channel, "vote", question="Which?", options="this | that")
    await club.student.slash(
        club.channel, "clips submit", file=("a.mid", midi()), performer="Ada", title="Blues", consent=True,
        licence="CC BY", chords="F7",
    )  # fmt: skip
    await club.instructor.slash(club.channel, "quiz class", questions=1)
    await club.student.slash(club.channel, "quiz question")
    await club.instructor.slash(club.channel, "unanswered", keep=True)
    await club.student.slash(club.channel, "ask", question="who won the match?")


def forged(number: int) -> list[str]:
    return [
        *(f"picture:{number}:{action}" for action in ("another", "stronger", "next", "delete")),
        *(f"take:{number}:{action}" for action in ("another", "slower", "midi", "lead-sheet", "delete")),
        *(f"submission:{number}:{action}" for action in ("accept", "decline", "withdraw")),
        *(f"series:{number}:{step}:1" for step in ("next", "reveal")),
        *(f"class-host:{number}:{action}" for action in ("pause", "next", "skip", "end")),
        *(f"{where}:{number}:0" for where in ("class:1", "class:2", "quiz", "practice")),
        *(f"unanswered-{what}:{number}" for what in ("answer", "card", "drop", "mine")),
        f"hand-in:quiz:{number}:0.1",
        f"order:practice:{number}:0",
        f"type:quiz:{number}",
        f"pick:{number}:7",
        f"pick:{number}:{HUGE}",
        f"vote:{number}:A",
        f"vote:{number}:known",
        f"job:{'0' * 32}:cancel",
    ]


@pytest.mark.parametrize("number", [1, 2, HUGE])
async def test_no_button_reaches_into_another_server(club: Club, number: int) -> None:
    await furnish(club)
    elsewhere = club.env.create_guild("Another course")
    channel = elsewhere.create_text_channel("gallery")
    role = elsewhere.create_role(STAFF_ROLE, permissions=discord.Permissions.all())
    boss = elsewhere.add_member(club.env.create_user("mallory"), roles=[role])
    there = club.bot.get_channel(channel.id)
    assert isinstance(there, discord.TextChannel)
    before = await contents(club)
    jobs = len(club.double.requests)
    for custom_id in forged(number):
        if custom_id.startswith(("vote:", "pick:")) and ":7" not in custom_id and str(HUGE) not in custom_id:
            continue  # a vote is whoever's who can press it
        view = discord.ui.View(timeout=None).add_item(discord.ui.Button(label="?", custom_id=custom_id))
        message = await there.send(view=view)
        view.stop()
        pressed = await boss.click(channel.last_message, custom_id=custom_id)
        assert pressed.modal is None or custom_id.startswith("unanswered"), custom_id
        if pressed.response is not None:
            assert pressed.ephemeral, custom_id
            assert pressed.response.content != GENERAL_SENTENCE, f"{custom_id} wasn't foreseen"
        await message.delete()
    assert await contents(club) == before
    assert len(club.double.requests) == jobs


async def test_a_picture_of_another_channel_is_painted_over_by_nobody_who_cannot_see_it(club: Club) -> None:
    await furnish(club)
    open_channel = club.guild.create_text_channel("open")
    there = club.bot.get_channel(open_channel.id)
    assert isinstance(there, discord.TextChannel)
    view = discord.ui.View(timeout=None).add_item(discord.ui.Button(label="?", custom_id="picture:1:another"))
    await there.send(view=view)
    view.stop()
    jobs = len(club.double.requests)
    pressed = await club.other.click(open_channel.last_message, custom_id="picture:1:another")
    assert "don't remember" in pressed.response.content
    assert len(club.double.requests) == jobs


# ------------------------------------------------------------ choices


@pytest.mark.parametrize("choice", ["2", "99", "-1", "0,0", "00", "x", str(HUGE)])
async def test_a_vote_for_an_option_that_there_is_none_of_is_not_stored(club: Club, choice: str) -> None:
    await club.student.slash(club.channel, "vote", question="Which?", options="this | that", choices=2)
    with pytest.raises(Refused):
        await ballots.put(club.store, 1, club.other.id, Change(choice=choice), club.bot.now())
    assert await club.store.fetch_all("SELECT * FROM ballots") == []


MENU = {
    "type": 1,
    "components": [
        {
            "type": 3,
            "custom_id": "sure:1",
            "min_values": 1,
            "max_values": 2,
            "options": [{"label": label, "value": label} for label in ("50", "75", "100")],
        }
    ],
}


@pytest.mark.parametrize(
    ("values", "offered"),
    [(["75"], True), (["50", "100"], True), (["76"], False), (["75", "75"], False), (["50", "75", "100"], False)],
)
def test_only_what_a_menu_offers_can_be_chosen(values: list[str], offered: bool) -> None:
    message = SimpleNamespace(components=[discord.ActionRow(MENU)])  # type: ignore[arg-type]
    interaction: Any = SimpleNamespace(message=message, data={"custom_id": "sure:1", "values": values})
    if offered:
        require_offered(interaction)
    else:
        with pytest.raises(Refused, match=NOT_OFFERED[:20]):
            require_offered(interaction)


# ------------------------------------------------------------ names


async def test_a_title_cannot_turn_the_line_that_it_stands_in(club: Club) -> None:
    title = f"{HIDING}**Blues**\n# [free](https://example.org) @everyone"
    await club.instructor.slash(
        club.channel, "clips add", file=("a.ogg", ogg()), performer=f"{HIDING}Ada\n> x", title=title, consent=True
    )
    (clip,) = await clips.human_clips(club.store, club.guild.id)
    assert (clip.title, clip.performer) == ("**Blues** # [free](https://example.org) @everyone", "Ada > x")
    listed = (await club.instructor.slash(club.channel, "clips list")).response.embeds[0].description
    assert len(listed.splitlines()) == 1
    assert "\\*\\*Blues\\*\\* # \\[free](https://example.org)" in listed


async def test_a_name_that_nobody_can_read_is_not_taken(club: Club) -> None:
    refused = await club.instructor.slash(
        club.channel, "clips add", file=("a.ogg", ogg()), performer=HIDING, title="Blues", consent=True
    )
    assert "performer's name" in refused.response.content
    refused = await club.student.slash(club.channel, "vote", question=f"{HIDING}\u200b", options="this | that")
    assert "your question" in refused.response.content
    assert club.refusals()


@pytest.mark.parametrize("other", [f"y{HIDING}es", "y\u200bes", "YES", "ｙｅｓ", "yes\u200d"])
async def test_two_answers_that_look_the_same_are_the_same(club: Club, other: str) -> None:
    refused = await club.student.slash(club.channel, "vote", question="Which?", options=f"yes | {other}")
    assert "the same" in refused.response.content
    assert club.refusals()


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Blue in Green", "Blue in Green"),
        ("a\u202eb\u2069c\u00add", "abcd"),
        ("a\r\n# b", "a # b"),
        ("[x](https://a.b)", "\\[x](https://a.b)"),
        ("`x` *y* ||z||", "\\`x\\` \\*y\\* \\|\\|z\\|\\|"),
        ("👩‍🔬 می‌خواهم", "👩‍🔬 می‌خواهم"),
    ],
)
def test_a_name_stands_in_one_line_as_it_was_typed(typed: str, shown: str) -> None:
    assert named(typed) == shown


# ------------------------------------------------------------ pings


async def test_nobody_has_staff_pinged_again_and_again(club: Club) -> None:
    answer = await club.student.slash(club.channel, "ask", question="who won?")
    for number in range(5):
        form = await club.student.click(answer.response, label="Ask staff")
        (field,) = (part["custom_id"] for row in form.modal["components"] for part in row.get("components", []))
        told = await club.student.submit_modal(form, {field: f"Please! {number}"})
    assert "You're fast!" in told.response.content
    assert len(club.channel.threads) == 3


# ------------------------------------------------------------ at once


async def test_a_clip_accepted_five_times_at_once_is_in_the_collection_once(club: Club) -> None:
    await furnish(club)
    deciding = (accept(club.bot, 1, club.instructor.id) for _ in range(5))
    outcomes = await asyncio.gather(*deciding, return_exceptions=True)
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    assert all(isinstance(outcome, str | Refused) for outcome in outcomes)
    assert len(await clips.human_clips(club.store, club.guild.id)) == 1
