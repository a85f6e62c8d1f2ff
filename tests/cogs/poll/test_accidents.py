"""Exactly once, also in the corners: kills, lost answers, lost rights, sleeping hosts, full queues of writers."""

from __future__ import annotations

import asyncio
import sqlite3

import discord
import pytest

from bot.answering.delivery.rules import Patience
from bot.errors import STAFF_ONLY
from bot.rules.blind_poll import Ballot, Choice
from bot.store import Store
from bot.store.polls import ballots, series
from tests.cogs.poll.lesson import everything, latest, messages, start, trials
from tests.conftest import Club
from tests.engine_double import Behaviour

HOUR_S = 3600.0
SHORT = Patience(total_s=0.3, first_pause_s=0.05, longest_pause_s=0.1)
"""What takes a minute elsewhere."""


def reveals(found: list[discord.Message]) -> list[discord.Message]:
    return [message for message in found if any((e.title or "").startswith("The reveal") for e in message.embeds)]


async def close_quietly(club: Club) -> int:
    """The close is committed, and the bot is stopped before it can tell; returns the series' number."""
    club.bot.get_cog("Polls").closer.stop()
    found = await latest(club)
    await series.close(club.store, found.id, (found.closes_at or 0) - 60)
    return found.id


# ------------------------------------------------------------ while it is posted


async def test_a_bot_killed_between_sending_a_trial_and_noting_it_loses_no_vote(club: Club) -> None:
    """The message stands, a member votes, the bot starts again: the vote is there and nothing is posted twice."""
    await start(club, Choice.A)
    (message,) = await messages(club)
    await club.store.execute("UPDATE trials SET message_id = NULL, shown_at = NULL")
    voted = await club.student.click(message, label="A")
    assert "Your vote" in voted.response.content
    await club.restart()
    assert [m.id for m in await messages(club)] == [message.id]
    assert [ballot.choice for ballot in await ballots.of_trial(club.store, 1)] == ["A"]
    assert len(await everything(club)) == 2


async def test_what_stands_already_is_found_again_after_a_kill_without_any_vote(club: Club) -> None:
    await start(club, Choice.A, Choice.B)
    standing = [message.id for message in await messages(club)]
    number = len(await everything(club))
    await club.store.execute("UPDATE series SET opening_message_id = NULL")
    await club.store.execute("UPDATE trials SET message_id = NULL")
    await club.env.advance_time(120)
    await club.restart()
    assert [message.id for message in await messages(club)] == standing
    assert len(await everything(club)) == number


async def test_a_bot_killed_before_it_posted_posts_on_its_next_start(club: Club) -> None:
    """Everything was prepared and written down: nothing is lost, nobody has to start it again."""
    await start(club, Choice.A, Choice.B)
    found = await latest(club)
    channel = club.bot.get_channel(club.channel.id)
    thread = club.bot.get_partial_messageable(found.trials_channel)
    for trial in await trials(club):
        await thread.get_partial_message(trial.message_id).delete()
    await channel.get_partial_message(found.opening_message_id).delete()
    await club.store.execute(
        "UPDATE series SET opening_message_id = NULL, posting_at = NULL, thread_id = NULL WHERE id = ?", (found.id,)
    )
    await club.store.execute("UPDATE trials SET message_id = NULL, shown_at = NULL")
    await club.restart()
    assert len(await messages(club)) == 2
    again = await latest(club)
    assert again.seal == found.seal
    assert again.opening_message_id not in (None, found.opening_message_id)


async def test_one_failure_in_the_middle_of_posting_is_nothing_anybody_notices(club: Club) -> None:
    club.env.inject_error("POST", "/channels/*/messages", status=500)
    result = await start(club, Choice.A)
    assert "is open" in result.response.content
    assert len(await everything(club)) == 2


async def test_discord_failing_for_long_in_the_middle_of_posting_leaves_no_half_series(club: Club) -> None:
    club.bot.patience = SHORT
    club.env.inject_error("POST", "/channels/*/messages", status=500, times=None)
    result = await start(club, Choice.A)
    assert "as soon as I can" in result.response.content
    club.env.backend.faults.clear()
    await club.env.advance_time(130)
    (message,) = await messages(club)
    assert "Your vote" in (await club.student.click(message, label="A")).response.content
    assert len(await everything(club)) == 2


async def test_two_first_polls_at_once_are_one_poll(club: Club) -> None:
    """Two of the staff press at the same moment on a new server: one poll, one sentence for the other."""
    preparing = club.bot.get_cog("Polls").starter.preparing.setdefault(club.channel.id, asyncio.Lock())
    async with preparing:
        second = await start(club)
    assert "already being prepared; one at a time" in second.response.content
    await start(club)
    third = await start(club)
    assert "one at a time" in third.response.content
    assert len(await club.store.fetch_all("SELECT 1 FROM series")) == 1
    assert len(club.refusals()) == 2


async def test_an_engine_that_dies_midway_leaves_no_half_collection(club: Club) -> None:
    club.double.misbehave(Behaviour.DIE_STARTED, after=3)
    await start(club, trials=4)
    assert await club.store.fetch_all("SELECT 1 FROM clips") == []
    assert club.refusals()


# ------------------------------------------------------------ when it is told


async def test_a_deadline_that_passed_while_the_bot_was_away_is_kept_on_its_start(club: Club) -> None:
    await start(club)
    club.bot.get_cog("Polls").closer.stop()
    await club.env.advance_time(HOUR_S)
    assert not (await latest(club)).closed
    await club.restart()
    assert (await latest(club)).closed
    assert len(reveals(await everything(club))) == 1


async def test_a_close_that_was_not_told_is_told_on_the_next_start_and_once(club: Club) -> None:
    await start(club)
    await close_quietly(club)
    await club.restart()
    await club.restart()
    assert len(reveals(await everything(club))) == 1


async def test_a_result_isnt_told_twice_after_an_outage_longer_than_discords_memory(club: Club) -> None:
    """Sent, and the bot is gone before it can note that, for an hour: nonces are forgotten, messages are not."""
    await start(club)
    await club.instructor.slash(club.channel, "poll close")
    told = club.channel.last_message.id
    await club.store.execute("UPDATE series SET announced_at = NULL, result_message_id = NULL")
    await club.env.advance_time(HOUR_S)
    await club.restart()
    assert len(reveals(await everything(club))) == 1
    found = await latest(club)
    assert found.result_message_id == told


async def test_every_message_that_must_come_once_carries_a_nonce(club: Club) -> None:
    await start(club, Choice.A, Choice.B)
    await club.instructor.slash(club.channel, "poll close")
    posted = [r.json for r in club.env.http_requests if r.method == "POST" and r.path.endswith("/messages")]
    nonces = [body["nonce"] for body in posted]
    assert nonces == ["series-1", "trial-1", "trial-2", "result-1"]
    assert all(body["enforce_nonce"] for body in posted)
    assert all(len(nonce) <= 25 for nonce in nonces)


@pytest.mark.parametrize(("status", "code"), [(403, 50013), (403, 50001), (500, 0)])
async def test_trouble_that_may_pass_is_tried_again(club: Club, status: int, code: int) -> None:
    """A brief 403 used to mark the result as told for ever."""
    await start(club)
    club.bot.patience = SHORT
    club.env.inject_error("POST", "/channels/*/messages", status=status, code=code, times=None)
    await club.env.advance_time(10 * 60)
    assert (await latest(club)).closed
    assert reveals(await everything(club)) == []
    assert (await latest(club)).announced_at is None
    club.env.backend.faults.clear()
    await club.env.advance_time(120)
    assert len(reveals(await everything(club))) == 1
    assert (await latest(club)).announced_at is not None


async def test_a_thread_that_was_archived_meanwhile_is_opened_again(club: Club) -> None:
    channel = club.bot.get_channel(club.channel.id)
    await channel.create_thread(name="listening", type=discord.ChannelType.public_thread)
    (thread,) = club.channel.threads
    await club.instructor.slash(thread, "poll start", trials=1, closes_in=10)
    club.env.inject_error("POST", "/channels/*/messages", status=400, code=50083)
    await club.env.advance_time(10 * 60)
    opened = [r.json for r in club.env.http_requests if r.method == "PATCH" and r.path == f"/channels/{thread.id}"]
    assert opened == [{"archived": False}]
    assert len(reveals(await everything(club, thread.id))) == 1


async def test_a_deleted_channel_ends_it_and_the_result_can_still_be_asked_for(club: Club) -> None:
    await start(club, Choice.A)
    (message,) = await messages(club)
    await club.student.click(message, label="A")
    club.env.inject_error("POST", "/channels/*/messages", status=404, code=10003)
    await club.env.advance_time(10 * 60)
    found = await latest(club)
    assert found.announced_at is not None
    assert found.result_message_id is None
    shown = await club.student.slash(club.channel, "poll results", series=1)
    assert "1 of 1" in shown.response.embeds[0].description
    again = await club.instructor.slash(club.channel, "poll announce", series=1)
    assert "been posted again" in again.response.content
    assert len(reveals(await everything(club))) == 1


async def test_staff_hear_of_a_result_that_cant_be_told(club: Club) -> None:
    told: list[str] = []

    async def tell(found: series.Series, sentence: str) -> None:
        told.append(sentence)

    await start(club)
    club.bot.get_cog("Polls").closer._tell_staff = tell
    for _ in range(3):
        club.env.inject_error("POST", "/channels/*/messages", status=403, code=50013)
    await club.env.advance_time(14 * 60)
    (sentence,) = told
    assert "/poll announce series:1" in sentence


async def test_the_alarm_looks_at_the_clock_each_minute(club: Club) -> None:
    """A host that slept for hours wakes with a timer that still has hours to go; the wall clock says it is overdue."""
    await start(club, closes_in=600)
    await club.store.execute("UPDATE series SET closes_at = closes_at - 35000")  # as if the clock had jumped
    await club.env.advance_time(60 + 1)
    await club.env.advance_time(1000)
    assert (await latest(club)).closed
    assert len(reveals(await everything(club))) == 1


async def test_a_close_that_cant_be_written_is_tried_again_and_staff_hear_of_it(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Disk full, or a backup that holds the file for long."""
    told: list[str] = []

    async def locked(store: Store, now: float) -> int:
        raise sqlite3.OperationalError("database is locked")

    await start(club)
    with monkeypatch.context() as patched:
        patched.setattr(series, "close_overdue", locked)
        patched.setattr(club.bot.notices, "report", lambda topic, sentence, **more: told.append(sentence))
        await club.env.advance_time(11 * 60)
    assert "the close of a poll, which I'm trying again (database is locked)" in told[0]
    assert not (await latest(club)).closed
    await club.env.advance_time(2 * 60)
    assert (await latest(club)).closed
    assert len(reveals(await everything(club))) == 1


async def test_a_clock_an_hour_back_loses_nothing(club: Club) -> None:
    """Summer time by hand, a wrong NTP server: what was cast stays, the deadline comes when the clock says so."""
    await start(club, Choice.A)
    (message,) = await messages(club)
    await club.student.click(message, label="A")
    await club.store.execute("UPDATE series SET prepared_at = prepared_at + 3600, closes_at = closes_at + 3600")
    await club.student.click(message, label="B")
    assert await ballots.of_trial(club.store, 1) == [Ballot("B")]
    await club.env.advance_time(2 * HOUR_S)
    assert "0 of 1 right" in reveals(await everything(club))[0].embeds[0].description


async def test_a_bot_thrown_out_of_the_server_stops_trying(club: Club) -> None:
    await start(club)
    guild = club.bot.get_guild(club.guild.id)
    await club.bot.get_cog("Polls").on_guild_remove(guild)
    found = await latest(club)
    assert found.closed
    assert found.announced_at is not None
    await club.env.advance_time(HOUR_S)
    assert reveals(await everything(club)) == []


async def test_a_series_ends_on_time_though_the_staff_role_was_deleted_meanwhile(club: Club) -> None:
    await start(club, Choice.A)
    guild = club.bot.get_guild(club.guild.id)
    role = club.bot.staff_roles.role_of(guild)
    await role.delete()
    await club.env.settle()
    refused = await club.moderator.slash(club.channel, "poll close")
    assert refused.response.content == STAFF_ONLY
    (message,) = await messages(club)
    assert "Your vote" in (await club.student.click(message, label="A")).response.content
    await club.env.advance_time(10 * 60)
    assert len(reveals(await everything(club))) == 1
    assert club.refusals()


async def test_buttons_and_deadline_survive_a_restart(club: Club) -> None:
    await start(club, Choice.HUMAN)
    (message,) = await messages(club)
    await club.restart()
    voted = await club.student.click(message, label="Human")
    assert "Your vote: **human**" in voted.response.content
    await club.restart()
    await club.student.select(voted.response, values=["70"], custom_id="sure:1")
    await club.env.advance_time(10 * 60)
    assert len(reveals(await everything(club))) == 1
    assert await ballots.of_trial(club.store, 1) == [Ballot("human", 70)]
