"""Class quizzes: where each stands, what was answered, and what it came to."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import Refused
from bot.rules.class_quiz import Given, Guess, Phase, Plan, Standing
from bot.rules.class_report import Reply
from bot.rules.judging import judge, slips_of
from bot.rules.quiz import Question
from bot.store import members, quiz
from bot.store.connection import Store, Transaction
from bot.store.lessons.own_questions import GENERATOR
from bot.store.quiz import PostedQuestion

ONE_AT_A_TIME = "A class quiz is already running in this channel; end it first, or use another channel."


@dataclass(frozen=True, slots=True)
class ClassQuiz:
    """A quiz and where it stands."""

    id: int
    guild_id: int
    channel_id: int
    hosted_by: int
    """the host's number in the store"""
    topic: str
    plan: Plan
    standing: Standing
    ended: bool
    told: bool


@dataclass(frozen=True, slots=True)
class Round:
    """One question of a quiz."""

    position: int
    posted: PostedQuestion
    message_id: int | None
    skipped: bool


async def begin(
    store: Store,
    plan: Plan,
    standing: Standing,
    questions: Sequence[Question],
    *,
    guild_id: int,
    channel_id: int,
    hosted_by: int,
    topic: str,
    now: float,
) -> ClassQuiz:
    """Write a whole quiz down before anything is posted. `hosted_by` is a Discord id.

    Raises Refused when one runs in the channel."""
    async with store.transaction() as transaction:
        host = await members.number_of(transaction, hosted_by, now)
        try:
            number = await transaction.insert(
                "INSERT INTO class_quizzes (guild_id, channel_id, hosted_by, topic, rounds, seconds, second_vote,"
                " teams, started_at, position, phase, phase_ends_at, paused_left_s) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    guild_id,
                    channel_id,
                    host,
                    topic,
                    plan.rounds,
                    plan.seconds,
                    plan.second_vote,
                    plan.teams,
                    now,
                    standing.position,
                    standing.phase.value,
                    standing.ends_at,
                    standing.left_s,
                ),
            )
        except sqlite3.IntegrityError as error:
            raise Refused(ONE_AT_A_TIME) from error
        for position, question in enumerate(questions):
            asked = await quiz.insert_question(transaction, question, guild_id, channel_id, host, now)
            await transaction.execute(
                "INSERT INTO class_quiz_rounds (quiz, position, question) VALUES (?, ?, ?)", (number, position, asked)
            )
    found = await get(store, number)
    assert found is not None
    return found


async def get(store: Store, number: int) -> ClassQuiz | None:
    row = await store.fetch_one("SELECT * FROM class_quizzes WHERE id = ?", (number,))
    return None if row is None else _quiz(row)


async def running_in(store: Store, channel_id: int) -> ClassQuiz | None:
    row = await store.fetch_one("SELECT * FROM class_quizzes WHERE channel_id = ? AND ended_at IS NULL", (channel_id,))
    return None if row is None else _quiz(row)


async def untold(store: Store) -> list[ClassQuiz]:
    """The quizzes that still have something to post: those that run, and those whose ranking is not posted yet."""
    return [
        _quiz(row) for row in await store.fetch_all("SELECT * FROM class_quizzes WHERE told_at IS NULL ORDER BY id")
    ]


async def rounds(store: Store, number: int) -> list[Round]:
    rows = await store.fetch_all(
        "SELECT position, question, class_quiz_rounds.message_id AS posted_as, skipped"
        " FROM class_quiz_rounds WHERE quiz = ? ORDER BY position",
        (number,),
    )
    found = []
    for row in rows:
        posted = await quiz.get_question(store, int(row["question"]))
        assert posted is not None
        found.append(Round(int(row["position"]), posted, row["posted_as"], bool(row["skipped"])))
    return found


async def round_of(store: Store, question: int) -> tuple[int, int] | None:
    """The quiz that a question belongs to, and its position there."""
    row = await store.fetch_one("SELECT quiz, position FROM class_quiz_rounds WHERE question = ?", (question,))
    return None if row is None else (int(row["quiz"]), int(row["position"]))


async def set_message(store: Store, number: int, at: Round, message_id: int) -> None:
    """A question is posted; from now on its picture lies at Discord."""
    async with store.transaction() as transaction:
        await transaction.execute(
            "UPDATE class_quiz_rounds SET message_id = ? WHERE quiz = ? AND position = ?",
            (message_id, number, at.position),
        )
        await transaction.execute("UPDATE questions SET picture = NULL WHERE id = ?", (at.posted.id,))


async def move(store: Store, before: ClassQuiz, after: Standing | None, now: float, *, skip: bool = False) -> bool:
    """Go from `before.standing` to `after`, or end the quiz where `after` is None; False when it has moved meanwhile.

    With `skip` the question at hand counts for nobody. When the answer of a question is revealed, the last vote of
    each member is put down as their answer to that question, so that scores and reports know it."""
    stood = before.standing
    async with store.transaction() as transaction:
        where = (before.id, stood.position, stood.phase.value, stood.ends_at, stood.left_s)
        same = " WHERE id = ? AND ended_at IS NULL AND position = ? AND phase = ? AND phase_ends_at IS ?"
        same += " AND paused_left_s IS ?"
        if after is None:
            moved = await transaction.execute(f"UPDATE class_quizzes SET ended_at = ?{same}", (now, *where))
        else:
            moved = await transaction.execute(
                f"UPDATE class_quizzes SET position = ?, phase = ?, phase_ends_at = ?, paused_left_s = ?{same}",
                (after.position, after.phase.value, after.ends_at, after.left_s, *where),
            )
        if not moved:
            return False
        if skip and stood.phase is not Phase.REVEALED:
            await transaction.execute(
                "UPDATE class_quiz_rounds SET skipped = 1 WHERE quiz = ? AND position = ?", (before.id, stood.position)
            )
        elif after is not None and after.phase is Phase.REVEALED and stood.phase is not Phase.REVEALED:
            await _put_down(transaction, before.id, stood.position)
        return True


async def _put_down(transaction: Transaction, number: int, position: int) -> None:
    await transaction.execute(
        "INSERT INTO answers (question, member, given, is_right, simulated, answered_at)"
        " SELECT question, member, given, is_right, simulated, answered_at FROM class_quiz_answers AS given"
        " JOIN class_quiz_rounds USING (quiz, position)"
        " WHERE quiz = ? AND position = ? AND vote = (SELECT max(vote) FROM class_quiz_answers AS other"
        "  WHERE (other.quiz, other.position, other.member) = (given.quiz, given.position, given.member))"
        " ON CONFLICT (question, member) DO NOTHING",
        (number, position),
    )


async def set_told(store: Store, number: int, now: float) -> None:
    await store.execute("UPDATE class_quizzes SET told_at = ? WHERE id = ?", (now, number))


async def record(
    store: Store,
    number: int,
    at: Round,
    vote: int,
    discord_id: int,
    given: str,
    *,
    seconds: float,
    team: str,
    now: float,
    simulated: bool = False,
) -> str | None:
    """Judge and take or change an answer while its vote is open; returns what was answered before, or None.

    Raises Refused when the vote has closed (what the store says at that moment decides), and for an answer that the
    question doesn't offer."""
    right = judge(at.posted.question, given)
    async with store.transaction() as transaction:
        row = await transaction.fetch_one(
            "SELECT 1 FROM class_quizzes WHERE id = ? AND ended_at IS NULL AND position = ? AND phase = ?",
            (number, at.position, (Phase.VOTE if vote == 1 else Phase.SECOND_VOTE).value),
        )
        if row is None:
            raise Refused("This vote has closed; the next question comes in this channel.")
        member = await members.number_of(transaction, discord_id, now)
        key = (number, at.position, vote, member)
        before = await transaction.fetch_one(
            "SELECT given FROM class_quiz_answers WHERE quiz = ? AND position = ? AND vote = ? AND member = ?", key
        )
        await transaction.execute(
            "INSERT INTO class_quiz_answers (quiz, position, vote, member, given, is_right, seconds, team, simulated,"
            " answered_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (quiz, position, vote, member) DO UPDATE SET given = excluded.given,"
            " is_right = excluded.is_right, seconds = excluded.seconds, team = excluded.team,"
            " answered_at = excluded.answered_at WHERE given <> excluded.given",
            (*key, given, right, seconds, team, simulated, now),
        )
    return None if before is None else str(before["given"])


async def guess(store: Store, number: int, position: int, discord_id: int, choice: int, now: float) -> None:
    """Take or change a member's guess of the commonest mistake. Raises Refused once the first vote has closed."""
    async with store.transaction() as transaction:
        row = await transaction.fetch_one(
            "SELECT 1 FROM class_quizzes WHERE id = ? AND ended_at IS NULL AND position = ? AND phase = ?",
            (number, position, Phase.VOTE.value),
        )
        if row is None:
            raise Refused("The first vote has closed, so guesses have too.")
        member = await members.number_of(transaction, discord_id, now)
        await transaction.execute(
            "INSERT INTO class_quiz_guesses (quiz, position, member, choice, guessed_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (quiz, position, member) DO UPDATE SET choice = excluded.choice,"
            " guessed_at = excluded.guessed_at",
            (number, position, member, choice, now),
        )


async def answers(store: Store, number: int) -> list[Given]:
    rows = await store.fetch_all("SELECT * FROM class_quiz_answers WHERE quiz = ? ORDER BY answered_at", (number,))
    return [
        Given(
            position=int(row["position"]),
            vote=int(row["vote"]),
            member=int(row["member"]),
            given=str(row["given"]),
            right=bool(row["is_right"]),
            seconds=float(row["seconds"]),
            team=str(row["team"]),
            simulated=bool(row["simulated"]),
        )
        for row in rows
    ]


async def guesses(store: Store, number: int) -> list[Guess]:
    rows = await store.fetch_all("SELECT * FROM class_quiz_guesses WHERE quiz = ?", (number,))
    return [Guess(int(row["position"]), int(row["member"]), int(row["choice"])) for row in rows]


async def voters(store: Store, number: int, position: int, vote: int) -> int:
    row = await store.fetch_one(
        "SELECT count(*) AS voters FROM class_quiz_answers WHERE quiz = ? AND position = ? AND vote = ?",
        (number, position, vote),
    )
    assert row is not None
    return int(row["voters"])


async def discord_ids(store: Store, number: int) -> dict[int, int]:
    """Discord ids of those who took part, by their numbers; those who were forgotten are left out."""
    rows = await store.fetch_all(
        "SELECT DISTINCT members.id, discord_id FROM class_quiz_answers JOIN members ON members.id = member"
        " WHERE quiz = ? AND discord_id IS NOT NULL",
        (number,),
    )
    return {int(row["id"]): int(row["discord_id"]) for row in rows}


async def is_host(store: Store, found: ClassQuiz, discord_id: int) -> bool:
    row = await store.fetch_one("SELECT 1 FROM members WHERE id = ? AND discord_id = ?", (found.hosted_by, discord_id))
    return row is not None


async def replies(store: Store, guild_id: int, since: float) -> tuple[list[Reply], dict[int, int]]:
    """What was answered in class on a server since then, for the report: everybody's first vote on each question, for
    the second follows a discussion. And Discord ids by member number, of those who were not forgotten. A simulated
    class is left out."""
    rows = await store.fetch_all(
        "SELECT questions.*, given.member, members.discord_id, given.given, given.is_right"
        " FROM class_quiz_answers AS given JOIN class_quiz_rounds USING (quiz, position)"
        " JOIN class_quizzes ON class_quizzes.id = given.quiz"
        " JOIN questions ON questions.id = class_quiz_rounds.question JOIN members ON members.id = given.member"
        " WHERE class_quizzes.guild_id = ? AND answered_at >= ? AND skipped = 0 AND vote = 1 AND simulated = 0"
        " AND (given.position < class_quizzes.position"
        "      OR given.position = class_quizzes.position AND phase = 'revealed') ORDER BY answered_at",
        (guild_id, since),
    )
    found = [
        Reply(
            member=int(row["member"]),
            item=_item(quiz.question_of(row)),
            topic=str(row["topic"]),
            right=bool(row["is_right"]),
            reasons=tuple(slip.reason for slip in slips_of(quiz.question_of(row), str(row["given"])) if slip.reason)
            if not row["is_right"]
            else (),
        )
        for row in rows
    ]
    return found, {int(row["member"]): int(row["discord_id"]) for row in rows if row["discord_id"] is not None}


def _item(question: Question) -> str:
    """What a question is called, across seeds. One that staff wrote has its text, and its number, because several may
    begin alike."""
    if not question.generator.startswith(GENERATOR):
        return question.generator
    return f"{question.text[:60]} (number {question.generator.removeprefix(GENERATOR)})"


def _quiz(row: sqlite3.Row) -> ClassQuiz:
    return ClassQuiz(
        id=int(row["id"]),
        guild_id=int(row["guild_id"]),
        channel_id=int(row["channel_id"]),
        hosted_by=int(row["hosted_by"]),
        topic=str(row["topic"]),
        plan=Plan(int(row["rounds"]), int(row["seconds"]), bool(row["second_vote"]), bool(row["teams"])),
        standing=Standing(
            position=int(row["position"]),
            phase=Phase(row["phase"]),
            ends_at=row["phase_ends_at"],
            left_s=row["paused_left_s"],
        ),
        ended=row["ended_at"] is not None,
        told=row["told_at"] is not None,
    )
