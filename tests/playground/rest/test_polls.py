"""Native polls over the wire, with discord.py on the other side."""

from __future__ import annotations

import datetime

import discord
import pytest

from playground.driver import Refused
from tests.playground.conftest import Course, Open
from tests.waiting import until

HOUR = datetime.timedelta(hours=1)


def rhythm(**more: bool) -> discord.Poll:
    poll = discord.Poll("Which rhythm?", HOUR, **more)
    return poll.add_answer(text="Swing", emoji="🎷").add_answer(text="Latin")


async def post(course: Course, poll: discord.Poll) -> discord.Message:
    channel = course.bot.get_channel(int((await course.ada.channel())["id"]))
    assert isinstance(channel, discord.TextChannel)
    return await channel.send(poll=poll)


async def test_a_poll_is_voted_in_counted_and_ended_by_its_bot(open_course: Open) -> None:
    async with open_course(discord.Intents(guilds=True, guild_messages=True, polls=True)) as course:
        heard: list[str] = []

        async def on_raw_poll_vote_add(event: discord.RawPollVoteActionEvent) -> None:
            heard.append(f"+{event.answer_id}")

        async def on_raw_poll_vote_remove(event: discord.RawPollVoteActionEvent) -> None:
            heard.append(f"-{event.answer_id}")

        course.bot.add_listener(on_raw_poll_vote_add)
        course.bot.add_listener(on_raw_poll_vote_remove)
        sent = await post(course, rhythm())
        shown = await course.ada.sees(lambda m: m.get("poll"))
        await course.ada.vote(shown, 1)
        await course.ben.vote(shown, 2)
        await course.ben.vote(shown, 1)
        await until(lambda: heard == ["+1", "+2", "+1", "-2"])
        assert sent.poll is not None
        answer = sent.poll.get_answer(1)
        assert answer is not None
        assert {user.name async for user in answer.voters()} == {"ada", "ben"}
        ended = await sent.end_poll()
        assert ended.poll is not None
        assert ended.poll.is_finalised()
        assert ended.poll.total_votes == 2
        result = await course.ada.sees(lambda m: m["type"] == 46)
        fields = {field["name"]: field["value"] for field in result["embeds"][0]["fields"]}
        assert (fields["victor_answer_text"], fields["total_votes"]) == ("Swing", "2")
        with pytest.raises(Refused, match="520001"):
            await course.ada.vote(shown, 2)
        with pytest.raises(discord.HTTPException, match="520003"):
            await sent.edit(content="another question")


async def test_one_answer_or_several_as_the_poll_wants_it(course: Course) -> None:
    await post(course, rhythm())
    one = await course.ada.sees(lambda m: m.get("poll"))
    with pytest.raises(Refused, match="doesn't take these answers"):
        await course.ada.vote(one, 1, 2)
    await post(course, rhythm(multiple=True))
    several = await course.ada.sees(lambda m: m.get("poll"), after=int(one["id"]))
    await course.ada.vote(several, 1, 2)
    await course.ben.vote(several, 2)
    await course.ada.vote(several)
    counts = (await course.ada.sees(lambda m: m["id"] == several["id"]))["poll"]["results"]["answer_counts"]
    assert counts == [{"id": 2, "count": 1, "me_voted": False}]


async def test_a_poll_ends_by_the_clock_also_after_a_restart(open_course: Open) -> None:
    async with open_course() as course:
        await post(course, rhythm())
        shown = await course.ada.sees(lambda m: m.get("poll"))
        await course.ada.vote(shown, 2)
    async with open_course() as course:
        await course.driver.advance_clock(3601)
        closed = await course.ada.sees(lambda m: m["id"] == shown["id"])
        assert closed["poll"]["results"] == {
            "answer_counts": [{"id": 2, "count": 1, "me_voted": False}],
            "is_finalized": True,
        }


@pytest.mark.parametrize("what", ["question", "answers", "text"])
async def test_a_poll_beyond_discords_limits_is_refused(course: Course, what: str) -> None:
    poll = discord.Poll("x" * 301 if what == "question" else "Which rhythm?", HOUR)
    for number in range(11 if what == "answers" else 2):
        poll.add_answer(text=f"{number}" + ("x" * 55 if what == "text" else ""))
    with pytest.raises(discord.HTTPException, match=f"In poll.*{what}"):
        await post(course, poll)
