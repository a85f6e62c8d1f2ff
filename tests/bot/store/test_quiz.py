"""Questions and answers: the first answer counts, by the schema itself; scores and the leaderboard follow."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from bot.errors import Refused
from bot.rules.quiz import Kind, Question, Score
from bot.store import Store, quiz
from bot.store.quiz import PostedQuestion

GUILD, ELSEWHERE = 1, 2
ANN, BOB = 10**17 + 1, 10**17 + 2

QUESTION = Question(
    generator="shapes",
    seed=7,
    topic="tensors",
    text="What is the shape?",
    code="torch.ones(2)",
    options=("(2,)", "(1, 2)", "2"),
    accepted=("0",),
    explanation="One axis.",
    card_id="shapes",
)


async def ask(store: Store, question: Question = QUESTION, guild_id: int = GUILD, now: float = 1.0) -> PostedQuestion:
    return await quiz.add_question(store, question, guild_id=guild_id, channel_id=3, asked_by=ANN, now=now)


async def test_a_question_comes_back_as_it_was_asked(store: Store) -> None:
    posted = await ask(store)
    assert await quiz.get_question(store, posted.id) == posted
    assert await quiz.get_question(store, posted.id + 1) is None


async def test_the_first_answer_counts(store: Store) -> None:
    posted = await ask(store)
    first = await quiz.record_answer(store, posted, ANN, "1", 2.0)
    assert (first.given, first.right, first.first) == ("1", False, True)
    second = await quiz.record_answer(store, posted, ANN, "0", 3.0)
    assert (second.given, second.right, second.first) == ("1", False, False)
    assert await quiz.scores_by_topic(store, GUILD, ANN) == {"tensors": Score(1, 0)}


async def test_the_schema_itself_refuses_a_second_thought(store: Store) -> None:
    posted = await ask(store)
    await quiz.record_answer(store, posted, ANN, "1", 2.0)
    with pytest.raises(sqlite3.IntegrityError, match="the first answer counts"):
        await store.execute("UPDATE answers SET given = '0'")


@pytest.mark.parametrize("choice", [-1, 3])
async def test_the_schema_itself_refuses_an_option_that_does_not_exist(store: Store, choice: int) -> None:
    posted = await ask(store)
    with pytest.raises(Refused):
        await quiz.record_answer(store, posted, ANN, str(choice), 2.0)
    with pytest.raises(sqlite3.IntegrityError, match="no such option"):
        await store.execute(
            "INSERT INTO answers (question, member, given, is_right, answered_at) VALUES (?, 1, ?, 0, 2.0)",
            (posted.id, str(choice)),
        )


async def test_a_right_answer_outside_the_options_is_never_stored(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await ask(store, replace(QUESTION, accepted=("3",)))


async def test_what_was_asked_is_what_the_server_saw_and_the_member_answered(store: Store) -> None:
    await ask(store, replace(QUESTION, generator="strides"), now=1.0)
    await ask(store, replace(QUESTION, generator="entropy", topic="losses"), now=2.0)
    elsewhere = await ask(store, replace(QUESTION, generator="gradients"), guild_id=ELSEWHERE, now=3.0)
    await quiz.record_answer(store, elsewhere, ANN, "0", 4.0)
    await quiz.add_question(
        store, replace(QUESTION, generator="alone"), guild_id=GUILD, channel_id=3, asked_by=BOB, now=5.0, private=True
    )
    assert await quiz.asked_before(store, GUILD, ANN) == ["gradients", "entropy", "strides"]
    assert await quiz.asked_before(store, GUILD, BOB) == ["entropy", "strides"]
    assert await quiz.asked_before(store, GUILD, ANN, "losses") == ["entropy"]


async def test_scores_of_one_server_do_not_count_on_another(store: Store) -> None:
    await quiz.record_answer(store, await ask(store), ANN, "0", 2.0)
    await quiz.record_answer(store, await ask(store, guild_id=ELSEWHERE), ANN, "0", 3.0)
    assert await quiz.scores_by_topic(store, GUILD, ANN) == {"tensors": Score(1, 1)}
    assert await quiz.class_total(store, GUILD) == Score(1, 1)


async def test_results_come_latest_first(store: Store) -> None:
    for now, choice in ((1.0, 1), (2.0, 0), (3.0, 0)):
        await quiz.record_answer(store, await ask(store), ANN, str(choice), now)
    assert await quiz.latest_results(store, GUILD, ANN) == [("tensors", right) for right in (True, True, False)]


async def test_nobody_is_shown_without_having_asked_for_it(store: Store) -> None:
    posted = await ask(store)
    await quiz.record_answer(store, posted, ANN, "0", 2.0)
    await quiz.record_answer(store, posted, BOB, "1", 2.0)
    assert await quiz.shown_scores(store, GUILD) == {}
    await quiz.show(store, GUILD, ANN, True, 3.0)
    await quiz.show(store, GUILD, ANN, True, 4.0)
    assert await quiz.is_shown(store, GUILD, ANN)
    assert await quiz.shown_scores(store, GUILD) == {ANN: Score(1, 1)}
    await quiz.show(store, GUILD, ANN, False, 5.0)
    assert await quiz.shown_scores(store, GUILD) == {}


@pytest.mark.parametrize(
    "question",
    [
        replace(QUESTION, kind=Kind.SEVERAL, accepted=("0,2",), reasons=("", "doubles it", "")),
        replace(QUESTION, kind=Kind.ORDER, accepted=("0,1,2", "1,0,2"), is_fixed=True),
        replace(
            QUESTION, kind=Kind.TYPED, options=(), accepted=("(2,)",), slips=(("2", "takes a shape for a number"),)
        ),
        replace(QUESTION, picture=b"png", alt="a curve"),
    ],
    ids=["several", "order", "typed", "picture"],
)
async def test_a_question_of_any_kind_comes_back_as_it_was_asked(store: Store, question: Question) -> None:
    posted = await ask(store, question)
    assert await quiz.get_question(store, posted.id) == posted
    await quiz.set_message(store, posted.id, 9)
    kept = await quiz.get_question(store, posted.id)
    assert kept is not None
    assert kept.question == replace(question, picture=b""), "a posted picture lies at Discord"


async def test_a_made_up_class_counts_nowhere(store: Store) -> None:
    posted = await ask(store)
    await quiz.record_answer(store, posted, ANN, "0", 2.0)
    await quiz.record_answer(store, posted, BOB, "1", 2.0, simulated=True)
    await quiz.show(store, GUILD, BOB, True, 3.0)
    assert await quiz.class_total(store, GUILD) == Score(1, 1)
    assert await quiz.shown_scores(store, GUILD) == {}
