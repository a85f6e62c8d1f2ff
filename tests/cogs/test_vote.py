"""General votes: any question, with the store, the closer and the guarantees of the blind polls."""

from __future__ import annotations

import json
import re

import pytest

from bot.errors import Refused
from bot.store.polls import ballots
from cogs.vote import split_options
from tests.cogs.poll.lesson import everything, latest
from tests.conftest import Club


async def ask(club: Club, **options):
    options.setdefault("question", "Which day?")
    options.setdefault("options", "Monday | Tuesday | never")
    options.setdefault("closes_in", 10)
    return await club.student.slash(club.channel, "vote", **options)


async def test_anybody_asks_and_everybody_votes_also_who_asked(club: Club) -> None:
    asked = await ask(club)
    assert asked.ephemeral
    message = club.channel.last_message
    assert message.embeds[0].title == "Which day?"
    first = await club.student.click(message, label="Monday")
    assert "Your vote: **Monday**" in first.response.content
    assert first.ephemeral
    await club.other.click(message, label="Tuesday")
    changed = await club.other.click(message, label="Monday")
    assert "Your vote: **Monday**" in changed.response.content
    assert len(await ballots.of_trial(club.store, 1)) == 2


async def test_the_tally_is_hidden_until_the_close_and_then_shown_with_bars(club: Club) -> None:
    await ask(club)
    message = club.channel.last_message
    await club.student.click(message, label="Monday")
    await club.other.click(message, label="Monday")
    await club.instructor.click(message, label="never")
    await club.env.advance_time(15)
    now = await club.bot.get_channel(club.channel.id).fetch_message(message.id)
    assert "3 votes so far" in now.embeds[0].footer.text
    assert "67 %" not in json.dumps([e.to_dict() for e in now.embeds])
    await club.env.advance_time(10 * 60)
    result = club.channel.last_message
    assert "**Monday**\n`███████████░░░░░` 2 (67 %)" in result.embeds[0].description
    assert result.embeds[0].fields[0].value == "**Monday**, with 2 of 3 votes."
    assert "ada" not in json.dumps([e.to_dict() for e in result.embeds])
    assert str(club.student.id) not in json.dumps([e.to_dict() for e in result.embeds])
    closed = await club.bot.get_channel(club.channel.id).fetch_message(message.id)
    assert closed.components == []


async def test_several_answers_by_a_menu(club: Club) -> None:
    await ask(club, choices=2)
    message = club.channel.last_message
    picked = await club.student.select(message, values=["0", "2"], custom_id="pick:1")
    assert "Your vote: **Monday, never**" in picked.response.content
    await club.env.advance_time(10 * 60)
    assert "A tie between Monday and never" in club.channel.last_message.embeds[0].fields[0].value


async def test_an_open_vote_names_people_with_the_result_and_says_so_before(club: Club) -> None:
    await ask(club, names=True)
    message = club.channel.last_message
    assert "Names will be shown" in message.embeds[0].description
    await club.other.click(message, label="never")
    await club.env.advance_time(10 * 60)
    assert f"<@{club.other.id}>" in club.channel.last_message.embeds[0].description


async def test_below_its_quorum_a_vote_decides_nothing(club: Club) -> None:
    await ask(club, quorum=2)
    await club.student.click(club.channel.last_message, label="Monday")
    await club.env.advance_time(10 * 60)
    assert "2 were needed, so nothing is decided" in club.channel.last_message.embeds[0].fields[0].value


async def test_a_vote_is_taken_up_after_a_restart_and_told_once(club: Club) -> None:
    await ask(club)
    message = club.channel.last_message
    await club.restart()
    await club.student.click(message, label="Monday")
    club.bot.get_cog("Polls").closer.stop()
    await club.env.advance_time(3600)
    await club.restart()
    await club.restart()
    assert len([m for m in await everything(club) if m.embeds and m.embeds[0].fields]) == 1


async def test_a_vote_is_in_no_figure_of_the_listening_experiment(club: Club) -> None:
    await ask(club)
    await club.student.click(club.channel.last_message, label="Monday")
    await club.env.advance_time(10 * 60)
    assert await ballots.judgements(club.store, club.guild.id) == []
    assert "No closed poll" in (await club.student.slash(club.channel, "poll stats")).response.embeds[0].description
    assert (await latest(club)).kind == "question"


def test_options_are_split_at_the_bars() -> None:
    assert split_options(" yes |no| | later ") == ["yes", "no", "later"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("yes", "put | between"),
        ("|".join(map(str, range(11))), "2 to 10"),
        ("a | A", "the same"),
        ("a | " + "b" * 101, "100"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(Refused, match=re.escape(sentence)):
        split_options(text)
