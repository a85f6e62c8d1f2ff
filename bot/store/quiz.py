"""Quiz questions as posted, first answers, scores, and who is on the leaderboard."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from bot.rules.judging import judge
from bot.rules.quiz import Kind, Question, Score
from bot.store import members
from bot.store.connection import Store, Transaction


@dataclass(frozen=True, slots=True)
class PostedQuestion:
    """A question with its number, and where it was asked."""

    id: int
    guild_id: int
    channel_id: int
    question: Question


@dataclass(frozen=True, slots=True)
class Answer:
    """A member's answer that counts; `first` is False when it had been given before. `given` as
    `bot.rules.judging` writes answers."""

    given: str
    right: bool
    first: bool


async def add_question(
    store: Store,
    question: Question,
    *,
    guild_id: int,
    channel_id: int,
    asked_by: int,
    now: float,
    private: bool = False,
) -> PostedQuestion:
    """Write a question down, before it is posted. `asked_by` is a Discord id; `private`: for that member alone."""
    async with store.transaction() as transaction:
        asker = await members.number_of(transaction, asked_by, now)
        number = await insert_question(transaction, question, guild_id, channel_id, asker, now, private)
    return PostedQuestion(number, guild_id, channel_id, question)


async def insert_question(
    transaction: Transaction,
    question: Question,
    guild_id: int,
    channel_id: int,
    asker: int,
    now: float,
    private: bool = False,
) -> int:
    """The same inside a larger transaction; `asker` is a member's number here. Returns the question's number."""
    return await transaction.insert(
        "INSERT INTO questions (guild_id, channel_id, private, asked_by, asked_at, generator, seed, topic, kind,"
        " question, code, options, accepted, reasons, slips, explanation, card_id, is_fixed, picture, alt)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            guild_id,
            channel_id,
            private,
            asker,
            now,
            question.generator,
            question.seed,
            question.topic,
            question.kind.value,
            question.text,
            question.code,
            json.dumps(question.options),
            json.dumps(question.accepted),
            json.dumps(question.reasons),
            json.dumps(question.slips),
            question.explanation,
            question.card_id,
            question.is_fixed,
            question.picture or None,
            question.alt,
        ),
    )


async def set_message(store: Store, question: int, message_id: int) -> None:
    """It is posted; from now on its picture lies at Discord."""
    await store.execute("UPDATE questions SET message_id = ?, picture = NULL WHERE id = ?", (message_id, question))


async def get_question(store: Store, question: int) -> PostedQuestion | None:
    row = await store.fetch_one("SELECT * FROM questions WHERE id = ?", (question,))
    return None if row is None else _posted(row)


async def record_answer(
    store: Store, posted: PostedQuestion, discord_id: int, given: str, now: float, *, simulated: bool = False
) -> Answer:
    """Judge and keep a member's answer if it is their first to this question; return the one that counts.

    Raises Refused for an answer that the question does not offer."""
    right = judge(posted.question, given)
    async with store.transaction() as transaction:
        member = await members.number_of(transaction, discord_id, now)
        taken = await transaction.execute(
            "INSERT INTO answers (question, member, given, is_right, simulated, answered_at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (question, member) DO NOTHING",
            (posted.id, member, given, right, simulated, now),
        )
        row = await transaction.fetch_one(
            "SELECT given, is_right FROM answers WHERE question = ? AND member = ?", (posted.id, member)
        )
    assert row is not None
    return Answer(given=str(row["given"]), right=bool(row["is_right"]), first=taken == 1)


async def asked_before(store: Store, guild_id: int, discord_id: int, topic: str = "") -> list[str]:
    """Generators asked in public on this server or answered by this member, latest first; of one topic if given."""
    rows = await store.fetch_all(
        "SELECT generator, max(at) AS latest FROM ("
        "  SELECT generator, topic, asked_at AS at FROM questions WHERE guild_id = ? AND private = 0"
        "  UNION ALL"
        "  SELECT generator, topic, answered_at FROM answers JOIN questions ON questions.id = answers.question"
        "    JOIN members ON members.id = answers.member WHERE members.discord_id = ?"
        ") WHERE ? IN ('', topic) GROUP BY generator ORDER BY latest DESC",
        (guild_id, discord_id, topic),
    )
    return [str(row["generator"]) for row in rows]


async def scores_by_topic(store: Store, guild_id: int, discord_id: int) -> dict[str, Score]:
    rows = await store.fetch_all(
        "SELECT topic, count(*) AS answered, sum(is_right) AS right"
        " FROM answers JOIN questions ON questions.id = answers.question JOIN members ON members.id = answers.member"
        " WHERE guild_id = ? AND discord_id = ? GROUP BY topic ORDER BY topic",
        (guild_id, discord_id),
    )
    return {str(row["topic"]): Score(int(row["answered"]), int(row["right"])) for row in rows}


async def latest_results(store: Store, guild_id: int, discord_id: int) -> list[tuple[str, bool]]:
    """The topic of each of a member's answers and whether it was right, latest first."""
    rows = await store.fetch_all(
        "SELECT topic, is_right FROM answers JOIN questions ON questions.id = answers.question"
        " JOIN members ON members.id = answers.member WHERE guild_id = ? AND discord_id = ?"
        " ORDER BY answered_at DESC, answers.question DESC",
        (guild_id, discord_id),
    )
    return [(str(row["topic"]), bool(row["is_right"])) for row in rows]


async def class_total(store: Store, guild_id: int, since: float = 0.0) -> Score:
    """Of everybody together, those who are not shown and those who were forgotten included."""
    row = await store.fetch_one(
        "SELECT count(*) AS answered, coalesce(sum(is_right), 0) AS right"
        " FROM answers JOIN questions ON questions.id = answers.question WHERE guild_id = ?"
        " AND answered_at >= ? AND simulated = 0",
        (guild_id, since),
    )
    assert row is not None
    return Score(int(row["answered"]), int(row["right"]))


async def shown_scores(store: Store, guild_id: int, since: float = 0.0) -> dict[int, Score]:
    """Scores since then of those who chose to be shown, by Discord id."""
    rows = await store.fetch_all(
        "SELECT discord_id, count(*) AS answered, sum(is_right) AS right FROM leaderboard"
        " JOIN members ON members.id = leaderboard.member"
        " JOIN answers ON answers.member = leaderboard.member"
        " JOIN questions ON questions.id = answers.question AND questions.guild_id = leaderboard.guild_id"
        " WHERE leaderboard.guild_id = ? AND discord_id IS NOT NULL AND answered_at >= ?"
        " AND simulated = 0 GROUP BY discord_id",
        (guild_id, since),
    )
    return {int(row["discord_id"]): Score(int(row["answered"]), int(row["right"])) for row in rows}


async def is_shown(store: Store, guild_id: int, discord_id: int) -> bool:
    row = await store.fetch_one(
        "SELECT 1 FROM leaderboard JOIN members ON members.id = leaderboard.member"
        " WHERE guild_id = ? AND discord_id = ?",
        (guild_id, discord_id),
    )
    return row is not None


async def show(store: Store, guild_id: int, discord_id: int, shown: bool, now: float) -> None:
    """Put a member on a server's leaderboard, or take them off it."""
    async with store.transaction() as transaction:
        member = await members.number_of(transaction, discord_id, now)
        if shown:
            await transaction.execute(
                "INSERT INTO leaderboard (guild_id, member, joined_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (guild_id, member, now),
            )
        else:
            await transaction.execute("DELETE FROM leaderboard WHERE guild_id = ? AND member = ?", (guild_id, member))


@dataclass(frozen=True, slots=True)
class Objection:
    """What a member thinks is wrong with a question, whose generator and seed make it again."""

    question: Question
    reason: str
    raised_at: float


async def object_to(store: Store, question: int, discord_id: int, reason: str, now: float) -> None:
    """Keep a member's objection to a question; a second one takes the first one's place."""
    async with store.transaction() as transaction:
        member = await members.number_of(transaction, discord_id, now)
        await transaction.execute(
            "INSERT INTO objections (question, member, reason, raised_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (question, member) DO UPDATE SET reason = excluded.reason, raised_at = excluded.raised_at",
            (question, member, reason, now),
        )


async def objections(store: Store, guild_id: int, since: float) -> list[Objection]:
    """The latest first."""
    rows = await store.fetch_all(
        "SELECT questions.*, reason, raised_at FROM objections JOIN questions ON questions.id = objections.question"
        " WHERE guild_id = ? AND raised_at >= ? ORDER BY raised_at DESC, objections.id DESC",
        (guild_id, since),
    )
    return [Objection(question_of(row), str(row["reason"]), float(row["raised_at"])) for row in rows]


def question_of(row: sqlite3.Row) -> Question:
    """A row of `questions`."""
    return Question(
        generator=str(row["generator"]),
        seed=int(row["seed"]),
        topic=str(row["topic"]),
        text=str(row["question"]),
        code=str(row["code"]),
        options=tuple(json.loads(row["options"])),
        accepted=tuple(json.loads(row["accepted"])),
        explanation=str(row["explanation"]),
        card_id=str(row["card_id"]),
        kind=Kind(row["kind"]),
        reasons=tuple(json.loads(row["reasons"])),
        slips=tuple((answer, reason) for answer, reason in json.loads(row["slips"])),
        is_fixed=bool(row["is_fixed"]),
        picture=row["picture"] or b"",
        alt=str(row["alt"]),
    )


def _posted(row: sqlite3.Row) -> PostedQuestion:
    return PostedQuestion(int(row["id"]), int(row["guild_id"]), int(row["channel_id"]), question_of(row))
