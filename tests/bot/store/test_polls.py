"""Polls: one vote a member, none after the close, a draw that never changes; held by the schema itself."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from bot.errors import Refused
from bot.rules.blind_poll import Origin, Vote
from bot.store import Store, polls
from tests.bot.store.collection import CHANNEL, GUILD, open_poll

ANN, BOB = 10**17 + 1, 10**17 + 2


async def test_a_member_has_one_vote_and_may_change_it(store: Store) -> None:
    poll = await open_poll(store, closes_at=100.0)
    first = await polls.choose(store, poll.id, ANN, Origin.HUMAN, 10.0)
    assert (first.before, first.vote) == (None, Vote(Origin.HUMAN))
    changed = await polls.choose(store, poll.id, ANN, Origin.AI, 11.0)
    assert (changed.before, changed.vote) == (Vote(Origin.HUMAN), Vote(Origin.AI))
    assert await polls.votes(store, poll.id) == [Vote(Origin.AI)]


async def test_two_clicks_at_once_are_one_vote(store: Store) -> None:
    poll = await open_poll(store, closes_at=100.0)
    await asyncio.gather(*(polls.choose(store, poll.id, ANN, Origin.HUMAN, 10.0) for _ in range(8)))
    assert await polls.votes(store, poll.id) == [Vote(Origin.HUMAN)]


async def test_knowing_the_piece_keeps_the_choice_and_can_be_taken_back(store: Store) -> None:
    poll = await open_poll(store, closes_at=100.0)
    assert (await polls.toggle_knows(store, poll.id, ANN, 9.0)).vote == Vote(None, knows=True)
    assert (await polls.choose(store, poll.id, ANN, Origin.AI, 10.0)).vote == Vote(Origin.AI, knows=True)
    assert (await polls.toggle_knows(store, poll.id, ANN, 11.0)).vote == Vote(Origin.AI, knows=False)


@pytest.mark.parametrize("now", [100.0, 1000.0])
async def test_a_vote_at_or_after_the_deadline_is_refused_before_anybody_closed_the_poll(
    store: Store, now: float
) -> None:
    poll = await open_poll(store, closes_at=100.0)
    with pytest.raises(Refused, match="closed"):
        await polls.choose(store, poll.id, ANN, Origin.HUMAN, now)
    assert await polls.votes(store, poll.id) == []


async def test_after_an_early_close_no_vote_is_given_changed_or_lost(store: Store) -> None:
    poll = await open_poll(store, closes_at=100.0)
    await polls.choose(store, poll.id, ANN, Origin.HUMAN, 10.0)
    assert await polls.close(store, poll.id, 50.0)
    for member in (ANN, BOB):
        with pytest.raises(Refused, match="closed"):
            await polls.choose(store, poll.id, member, Origin.AI, 60.0)
    for statement in ("UPDATE votes SET choice = 'ai'", "DELETE FROM votes"):
        with pytest.raises(sqlite3.IntegrityError, match="closed"):
            await store.execute(statement)
    assert await polls.votes(store, poll.id) == [Vote(Origin.HUMAN)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE polls SET answer = 'ai'",
        "UPDATE polls SET human_clip = ai_clip",
        "UPDATE polls SET draw_seed = 1",
    ],
)
async def test_the_draw_never_changes(store: Store, statement: str) -> None:
    await open_poll(store, closes_at=100.0)
    with pytest.raises(sqlite3.IntegrityError, match="the draw is final"):
        await store.execute(statement)


async def test_a_closed_poll_is_not_opened_again(store: Store) -> None:
    poll = await open_poll(store, closes_at=100.0)
    await polls.close(store, poll.id, 50.0)
    with pytest.raises(sqlite3.IntegrityError, match="closed"):
        await store.execute("UPDATE polls SET closed_at = NULL, announced_at = NULL")


async def test_only_one_of_two_closers_closes(store: Store) -> None:
    poll = await open_poll(store, closes_at=100.0)
    closed = await asyncio.gather(*(polls.close(store, poll.id, 50.0) for _ in range(5)))
    assert sorted(closed) == [False, False, False, False, True]


async def test_one_poll_at_a_time_in_a_channel(store: Store) -> None:
    poll = await open_poll(store, closes_at=100.0)
    with pytest.raises(Refused, match="one at a time"):
        await open_poll(store, closes_at=100.0)
    rows = await store.fetch_all("SELECT id FROM clips WHERE origin = 'ai'")
    assert [row["id"] for row in rows] == [poll.ai_clip], "the refused poll left a clip behind"
    await open_poll(store, closes_at=100.0, channel_id=CHANNEL + 1)
    await polls.close(store, poll.id, 50.0)
    await open_poll(store, closes_at=100.0)


async def test_overdue_polls_close_and_wait_to_be_announced(store: Store) -> None:
    due = await open_poll(store, closes_at=100.0)
    later = await open_poll(store, closes_at=200.0, channel_id=CHANNEL + 1)
    assert await polls.next_deadline(store) == 100.0
    assert await polls.close_overdue(store, 150.0) == 1
    assert [poll.id for poll in await polls.unannounced(store)] == [due.id]
    await polls.set_announced(store, due.id, 88, 151.0)
    assert await polls.unannounced(store) == []
    assert await polls.next_deadline(store) == later.closes_at


async def test_a_poll_that_was_never_posted_counts_nowhere(store: Store) -> None:
    poll = await open_poll(store, closes_at=100.0, message_id=None)
    assert await polls.void_unposted(store, 50.0) == 1
    assert await polls.unannounced(store) == []
    assert await polls.of_guild(store, GUILD) == []
    found = await polls.get(store, poll.id)
    assert found is not None
    assert found.voided


async def test_statistics_know_only_votes_that_count(store: Store) -> None:
    poll = await open_poll(store, closes_at=100.0, answer=Origin.AI)
    await polls.choose(store, poll.id, ANN, Origin.HUMAN, 10.0)
    await polls.choose(store, poll.id, BOB, Origin.AI, 10.0)
    await polls.toggle_knows(store, poll.id, BOB, 11.0)
    assert await polls.judgements(store, GUILD) == [], "nothing before the close"
    await polls.close(store, poll.id, 100.0)
    (judgement,) = await polls.judgements(store, GUILD)
    assert (judgement.clip, judgement.is_human, judgement.called_human) == (poll.ai_clip, False, True)
    assert await polls.judgements(store, GUILD, BOB) == []
    assert await polls.judgements(store, GUILD + 1) == []
