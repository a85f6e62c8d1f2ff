"""Members are numbers here; forgetting one leaves every total as it was."""

from __future__ import annotations

import os
from pathlib import Path

from bot.rules import class_quiz as class_rules
from bot.rules.blind_poll import Ballot, Choice
from bot.rules.quiz import Kind, Question, Score
from bot.store import Store, creations, members, open_store, quiz
from bot.store.creations import File, Room
from bot.store.lessons import class_quiz, practice, unanswered
from bot.store.polls import ballots, listeners, series
from bot.store.polls.ballots import Change
from bot.store.polls.listeners import Listener
from tests.bot.store.collection import GUILD, open_series

ANN, BOB = 10**17 + 1, 10**17 + 2

QUESTION = Question("shapes", 7, "tensors", "?", "", ("a", "b"), ("1",), "because", "")


async def test_a_member_keeps_one_number(store: Store) -> None:
    async with store.transaction() as transaction:
        first = await members.number_of(transaction, ANN, 1.0)
        assert await members.number_of(transaction, ANN, 2.0) == first
        assert await members.number_of(transaction, BOB, 2.0) != first


async def test_forgetting_somebody_leaves_totals_right(store: Store) -> None:
    found, (trial,) = await open_series(store)
    await ballots.put(store, trial.id, ANN, Change(choice=Choice.HUMAN), 10.0)
    await ballots.put(store, trial.id, BOB, Change(choice=Choice.AI), 11.0)
    await listeners.put(store, ANN, Listener("tenor sax", 5), 12.0)
    await listeners.show_ears(store, GUILD, ANN, True, 12.0)
    await series.close(store, found.id, 100.0)
    posted = await quiz.add_question(store, QUESTION, guild_id=GUILD, channel_id=2, asked_by=ANN, now=1.0)
    await quiz.record_answer(store, posted, ANN, "1", 2.0)

    assert await members.forget(store, ANN, 200.0)

    assert sorted(ballot.choice for ballot in await ballots.of_trial(store, trial.id)) == ["ai", "human"]
    assert [judgement.is_musician for judgement in await ballots.judgements(store, GUILD)] == [None, None]
    assert await listeners.shown_ears(store, GUILD) == {}
    assert (await quiz.class_total(store, GUILD)).right == 1
    kept = await members.export(store, ANN)
    assert not any(kept.values())
    rows = await store.fetch_all("SELECT 1 FROM members WHERE discord_id = ?", (ANN,))
    assert rows == []


async def test_nobody_votes_twice_by_being_forgotten(store: Store) -> None:
    _, (trial,) = await open_series(store, closes_at=None)
    await ballots.put(store, trial.id, ANN, Change(choice=Choice.HUMAN), 10.0)
    await members.forget(store, ANN, 11.0)
    await ballots.put(store, trial.id, ANN, Change(choice=Choice.HUMAN), 12.0)
    assert await ballots.of_trial(store, trial.id) == [Ballot("human")]


async def test_nothing_leads_back_to_who_was_forgotten(store: Store) -> None:
    """Discord shows above a question's message who asked for it: that message's number may not stay beside theirs."""
    posted = await quiz.add_question(store, QUESTION, guild_id=GUILD, channel_id=2, asked_by=ANN, now=1.0)
    await quiz.set_message(store, posted.id, 4711)
    await open_series(store)
    await store.execute("UPDATE series SET request = 815, started_by = (SELECT asked_by FROM questions)")
    await members.forget(store, ANN, 200.0)
    assert [tuple(row) for row in await store.fetch_all("SELECT message_id FROM questions")] == [(None,)]
    assert [tuple(row) for row in await store.fetch_all("SELECT request FROM series")] == [(None,)]


def in_files(store: Store, what: bytes) -> list[str]:
    return [file.name for file in store.path.parent.glob(f"{store.path.name}*") if what in file.read_bytes()]


async def test_the_bytes_of_what_was_forgotten_are_in_no_file_of_the_database(tmp_path: Path) -> None:
    picture, question = os.urandom(9000), "how-do-i-tell-them"
    path = tmp_path / "woodshed.sqlite3"
    async with open_store(path) as store:  # long ago, so that it lies in the database itself
        room = Room(10**9, 10**9)
        await creations.add(
            store, "picture", member_id=ANN, guild_id=GUILD, channel_id=2, request=question.encode(), result=b"",
            files={"image": File(ANN, picture)}, now=1.0, room=room,
        )  # fmt: skip
    async with open_store(path) as store:
        await unanswered.add(store, GUILD, 2, ANN, question, 2.0)  # just now, so that it lies in the log
        assert in_files(store, picture[4000:4064])
        assert len(in_files(store, question.encode())) == 2
        assert await members.forget(store, ANN, 3.0)
        assert [in_files(store, part) for part in (picture[:64], picture[4000:4064], question.encode())] == [[], [], []]


async def test_forgetting_a_stranger_changes_nothing(store: Store) -> None:
    assert not await members.forget(store, ANN, 1.0)


async def test_ones_data_never_tells_what_an_open_poll_is(store: Store) -> None:
    found, (trial,) = await open_series(store)
    await ballots.put(store, trial.id, ANN, Change(choice=Choice.HUMAN), 10.0)
    (vote,) = (await members.export(store, ANN))["votes"]
    assert vote["choice"] == "human"
    assert vote["answer"] is None
    await series.close(store, found.id, 100.0)
    (vote,) = (await members.export(store, ANN))["votes"]
    assert vote["answer"] == trial.answer


async def test_what_lessons_keep_is_exported_and_forgotten(store):
    question = Question("shape-of-matmul", 7, "tensors", "What?", "", ("a", "b"), ("0",), "because", "")
    posted = await quiz.add_question(store, question, guild_id=1, channel_id=2, asked_by=99, now=1.0)
    plan = class_rules.Plan(1, 30)
    started = await class_quiz.begin(
        store, plan, class_rules.begin(plan, 1.0), [question], guild_id=1, channel_id=2, hosted_by=5,
        topic="", now=1.0,
    )  # fmt: skip
    (at,) = await class_quiz.rounds(store, started.id)
    await class_quiz.record(store, started.id, at, 1, 5, "1", seconds=3.0, team="Team red", now=2.0)
    await class_quiz.guess(store, started.id, 0, 5, 1, 2.0)
    await practice.remember(store, 5, "shape-of-matmul", "tensors", True, 3.0)
    await quiz.object_to(store, posted.id, 5, "I think it's b", 4.0)
    kept = await members.export(store, 5)
    parts = ("class_quiz_answers", "class_quiz_guesses", "class_quizzes_hosted", "practice", "objections")
    assert {part: len(kept[part]) for part in parts} == dict.fromkeys(parts, 1)
    assert await members.forget(store, 5, 6.0)
    assert await practice.memories(store, 5) == []
    assert await quiz.objections(store, 1, 0.0) == []
    (answer,) = await class_quiz.answers(store, started.id)
    assert (answer.given, answer.team) == ("1", ""), "the class's figures stay right"


async def test_what_a_forgotten_member_typed_is_gone_and_the_figures_stay(store):
    question = Question("g", 7, "tensors", "What?", "", (), ("8",), "because", "", Kind.TYPED)
    posted = await quiz.add_question(store, question, guild_id=1, channel_id=2, asked_by=99, now=1.0)
    await quiz.record_answer(store, posted, 5, "8.0 says Ann", 2.0)
    await members.forget(store, 5, 3.0)
    assert [row["given"] for row in await store.fetch_all("SELECT given FROM answers")] == [""]
    assert await quiz.class_total(store, 1) == Score(1, 0)
