"""Ballots: one a member and trial, none after the close, none by who has a hand in the trial."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from bot.errors import Refused
from bot.rules.blind_poll import Ballot, Choice
from bot.rules.listening.judgements import Design, Reason
from bot.store import Store, clips
from bot.store.polls import ballots, beginning, listeners, series
from bot.store.polls.ballots import Change
from bot.store.polls.beginning import NewQuestion, NewSeries
from bot.store.polls.listeners import Listener
from tests.bot.store.collection import CHANNEL, GRACE, GUILD, human_clip, open_series

ANN, BOB = 10**17 + 1, 10**17 + 2


async def test_a_member_has_one_vote_a_trial_and_may_change_it(store: Store) -> None:
    _, (first, second) = await open_series(store, Choice.A, Choice.HUMAN)
    stored = await ballots.put(store, first.id, ANN, Change(choice=Choice.A), 10.0)
    assert (stored.before, stored.ballot) == (None, Ballot("A"))
    changed = await ballots.put(store, first.id, ANN, Change(choice=Choice.B), 11.0)
    assert (changed.before, changed.ballot) == (Ballot("A"), Ballot("B"))
    await ballots.put(store, second.id, ANN, Change(choice=Choice.AI), 12.0)
    assert await ballots.of_trial(store, first.id) == [Ballot("B")]
    assert await ballots.voters(store, first.series) == {first.id: 1, second.id: 1}


async def test_eight_clicks_at_once_are_one_vote(store: Store) -> None:
    _, (trial,) = await open_series(store)
    await asyncio.gather(*(ballots.put(store, trial.id, ANN, Change(choice=Choice.AI), 10.0) for _ in range(8)))
    assert await ballots.of_trial(store, trial.id) == [Ballot("ai")]


async def test_what_is_said_about_a_vote_stays_with_it_and_saying_it_twice_says_it_once(store: Store) -> None:
    _, (trial,) = await open_series(store)
    await ballots.put(store, trial.id, ANN, Change(choice=Choice.AI), 10.0)
    for change in (Change(confidence=80), Change(knows=True), Change(knows=True), Change(reasons=(Reason.TIMING,))):
        stored = await ballots.put(store, trial.id, ANN, change, 11.0)
    assert stored.ballot == Ballot("ai", 80, True, (Reason.TIMING,))
    undone = await ballots.put(store, trial.id, ANN, Change(knows=False), 12.0)
    assert undone.ballot == Ballot("ai", 80, False, (Reason.TIMING,))


async def test_a_changed_choice_doesnt_inherit_the_confidence_in_the_other_one(store: Store) -> None:
    _, (trial,) = await open_series(store)
    await ballots.put(store, trial.id, ANN, Change(choice=Choice.AI), 10.0)
    await ballots.put(store, trial.id, ANN, Change(confidence=90), 11.0)
    assert (await ballots.put(store, trial.id, ANN, Change(choice=Choice.AI), 12.0)).ballot.confidence == 90
    assert (await ballots.put(store, trial.id, ANN, Change(choice=Choice.HUMAN), 13.0)).ballot.confidence is None


@pytest.mark.parametrize("now", [100.0, 1000.0])
async def test_a_vote_at_or_after_the_deadline_is_refused_before_anybody_closed_the_series(
    store: Store, now: float
) -> None:
    _, (trial,) = await open_series(store, closes_at=100.0)
    with pytest.raises(Refused, match="has closed"):
        await ballots.put(store, trial.id, ANN, Change(choice=Choice.HUMAN), now)
    assert await ballots.of_trial(store, trial.id) == []


async def test_after_the_close_no_vote_is_given_changed_or_lost(store: Store) -> None:
    found, (trial,) = await open_series(store)
    await ballots.put(store, trial.id, ANN, Change(choice=Choice.HUMAN), 10.0)
    assert await series.close(store, found.id, 50.0)
    for member in (ANN, BOB):
        with pytest.raises(Refused, match="has closed"):
            await ballots.put(store, trial.id, member, Change(choice=Choice.AI), 60.0)
    for statement in (
        "UPDATE ballots SET choice = 'ai'",
        "UPDATE ballots SET confidence = 100",
        "DELETE FROM ballots",
        "INSERT INTO ballots (trial, member, choice, voted_at) VALUES (1, 1, 'ai', 60)",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="closed"):
            await store.execute(statement)
    assert await ballots.of_trial(store, trial.id) == [Ballot("human")]


async def test_who_started_it_cant_vote(store: Store) -> None:
    _, (trial,) = await open_series(store)
    with pytest.raises(Refused, match="You started this poll"):
        await ballots.put(store, trial.id, GRACE, Change(choice=Choice.AI), 10.0)


async def test_who_handed_in_or_played_a_clip_cant_vote_on_it(store: Store) -> None:
    _, (trial,) = await open_series(store)  # handed in by Grace, played by Ada
    await store.execute("UPDATE clips SET added_by = NULL WHERE id = ?", (trial.human_clip,))
    with pytest.raises(Refused, match="You played or handed in"):
        await ballots.put(store, trial.id, ANN, Change(choice=Choice.AI), 10.0, names=["ann", " ADA "])
    await ballots.put(store, trial.id, ANN, Change(choice=Choice.AI), 10.0, names=["ann"])
    added = await clips.add(store, human_clip("zz"), b"sound", 1.0)
    await store.execute("INSERT INTO members (discord_id, first_seen_at) VALUES (?, 1)", (BOB,))
    await store.execute("UPDATE clips SET added_by = (SELECT id FROM members WHERE discord_id = ?)", (BOB,))
    assert added
    with pytest.raises(Refused, match="You played or handed in"):
        await ballots.put(store, trial.id, BOB, Change(choice=Choice.AI), 10.0)


async def test_a_vote_on_what_isnt_there_or_was_called_off_says_so(store: Store) -> None:
    with pytest.raises(Refused, match="don't have this poll"):
        await ballots.put(store, 99, ANN, Change(choice=Choice.AI), 10.0)
    found, (trial,) = await open_series(store)
    await series.void(store, found.id, 20.0)
    with pytest.raises(Refused, match="called off"):
        await ballots.put(store, trial.id, ANN, Change(choice=Choice.AI), 30.0)


async def test_a_pair_takes_no_single_clips_answer(store: Store) -> None:
    _, (trial,) = await open_series(store, Choice.A)
    with pytest.raises(Refused):
        await ballots.put(store, trial.id, ANN, Change(choice=Choice.HUMAN), 10.0)


async def test_a_vote_notes_a_message_that_nobody_could_note_before(store: Store) -> None:
    """The bot was killed between sending a trial and storing its message: the vote adopts the message."""
    found, (trial,) = await open_series(store, opening_message_id=None)
    await ballots.put(store, trial.id, ANN, Change(choice=Choice.AI), 10.0, message_id=345)
    adopted = await series.trial(store, trial.id)
    assert adopted is not None
    assert adopted.message_id == 345
    assert await ballots.has_any(store, found.id)
    await ballots.put(store, trial.id, BOB, Change(choice=Choice.AI), 10.0, message_id=999)
    again = await series.trial(store, trial.id)
    assert again is not None
    assert again.message_id == 345


async def test_a_question_takes_as_many_choices_as_it_says(store: Store) -> None:
    asked = await beginning.record_question(
        store, NewSeries(GUILD, CHANNEL, GRACE, 100.0), NewQuestion("Which?", ["a", "b", "c"], most_choices=2), 5.0
    )
    (trial,) = await series.trials(store, asked.id)
    await ballots.put(store, trial.id, GRACE, Change(choice="0,2"), 10.0)
    await ballots.put(store, trial.id, ANN, Change(choice="2"), 10.0)
    with pytest.raises(Refused, match="at most 2"):
        await ballots.put(store, trial.id, BOB, Change(choice="0,1,2"), 10.0)
    assert ballots.chosen_options(await ballots.of_trial(store, trial.id), 3) == [1, 0, 2]


# ------------------------------------------------------------ what counts


async def closed_votes(store: Store, *votes: tuple[int, str], **options) -> int:
    """A series of one pair with A the human, voted on by members, and closed."""
    found, (trial,) = await open_series(store, Choice.A, **options)
    for member, choice in votes:
        await ballots.put(store, trial.id, member, Change(choice=choice), 10.0)
    await series.close(store, found.id, 100.0)
    return found.id


async def test_statistics_know_only_votes_that_count(store: Store) -> None:
    found, (pair, single) = await open_series(store, Choice.B, Choice.AI)
    await ballots.put(store, pair.id, ANN, Change(choice=Choice.B), 10.0)
    await ballots.put(store, single.id, ANN, Change(choice=Choice.HUMAN), 10.0)
    await ballots.put(store, single.id, BOB, Change(choice=Choice.AI), 10.0)
    await ballots.put(store, single.id, BOB, Change(knows=True), 11.0)
    assert await ballots.judgements(store, GUILD) == [], "nothing before the close"
    await series.close(store, found.id, 100.0)
    first, second = await ballots.judgements(store, GUILD)
    assert (first.design, first.is_human, first.called_human, first.clip) == (
        Design.PAIR,
        False,
        False,
        pair.human_clip,
    )
    assert (second.design, second.is_human, second.called_human, second.clip) == (
        Design.SINGLE,
        False,
        True,
        single.ai_clip,
    )
    assert (first.right, second.right) == (True, False)
    assert await ballots.judgements(store, GUILD, discord_id=BOB) == []
    assert await ballots.judgements(store, GUILD + 1) == []


async def test_who_misses_a_catch_trial_is_left_out_of_that_series(store: Store) -> None:
    found, (pair, catch) = await open_series(store, Choice.A, Choice.B, catches=[1])
    for member, caught in ((ANN, Choice.B), (BOB, Choice.A)):
        await ballots.put(store, pair.id, member, Change(choice=Choice.A), 10.0)
        await ballots.put(store, catch.id, member, Change(choice=caught), 10.0)
    await series.close(store, found.id, 100.0)
    (judgement,) = await ballots.judgements(store, GUILD)
    assert judgement.trial == pair.id
    assert len(await ballots.judgements(store, GUILD, discord_id=ANN)) == 1
    assert await ballots.missed_catches(store, found.id) == 1


async def test_recordings_count_in_their_own_series_only(store: Store) -> None:
    number = await closed_votes(store, (ANN, "A"), recordings=True)
    assert await ballots.judgements(store, GUILD) == []
    assert len(await ballots.judgements(store, GUILD, series=number)) == 1


async def test_musicians_are_told_from_others_and_from_those_who_said_nothing(store: Store) -> None:
    cleo = BOB + 1
    await listeners.put(store, ANN, Listener("tenor sax", 5), 1.0)
    await listeners.put(store, BOB, Listener("", None, hearing_aid=False), 1.0)
    await closed_votes(store, (ANN, "A"), (BOB, "A"), (cleo, "B"))
    assert sorted(
        (j.is_musician, j.right) for j in await ballots.judgements(store, GUILD) if j.is_musician is not None
    ) == [
        (False, True),
        (True, True),
    ]
    assert await listeners.drop(store, ANN)
    assert [j.is_musician for j in await ballots.judgements(store, GUILD, discord_id=ANN)] == [None]


async def test_the_typical_number_of_voters_is_that_of_the_latest_trials(store: Store) -> None:
    assert await ballots.typical_voters(store, GUILD) is None
    await closed_votes(store, (ANN, "A"), (BOB, "B"))
    assert await ballots.typical_voters(store, GUILD) == 2


async def test_a_made_up_class_plans_nothing(store: Store) -> None:
    found, (trial,) = await open_series(store)
    await ballots.put(store, trial.id, ANN, Change(choice=Choice.HUMAN), 10.0, simulated=True)
    await series.close(store, found.id, 100.0)
    assert await ballots.typical_voters(store, GUILD) is None
