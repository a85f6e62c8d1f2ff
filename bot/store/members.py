"""Who took part: the numbers behind Discord ids, what is known of a member, and forgetting them."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import structlog
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from bot.store import creations, open_answers
from bot.store.connection import Store, Transaction
from bot.store.lessons import export as lessons_export
from engine.contract import engine_pb2 as pb

log = structlog.get_logger(__name__)

IN_PUBLIC = (
    ("questions", "asked_by"),
    ("series", "started_by"),
    ("clips", "added_by"),
    ("styles", "added_by"),
    ("class_quizzes", "hosted_by"),
    ("own_questions", "added_by"),
    ("daily_questions", "set_by"),
    ("submissions", "decided_by"),
)
"""Who did what under everybody's eyes."""


async def number_of(transaction: Transaction, discord_id: int, now: float) -> int:
    """The number under which the games know this member; given out on first use."""
    await transaction.execute(
        "INSERT INTO members (discord_id, first_seen_at) VALUES (?, ?) ON CONFLICT (discord_id) DO NOTHING",
        (discord_id, now),
    )
    row = await transaction.fetch_one("SELECT id FROM members WHERE discord_id = ?", (discord_id,))
    assert row is not None
    return int(row["id"])


async def export(store: Store, discord_id: int) -> dict[str, list[dict[str, Any]]]:
    """All that is kept of this member, table by table; of files, what they are. Times are seconds since 1970, UTC.

    What a clip was is told for closed polls only: asking for one's data must not unblind a poll."""
    queries = {
        "member": "SELECT first_seen_at FROM members WHERE discord_id = ?",
        "quiz_answers": (
            "SELECT questions.guild_id, topic, generator, seed, questions.question, options, given, is_right,"
            " answered_at"
            " FROM answers JOIN questions ON questions.id = answers.question"
            " JOIN members ON members.id = answers.member WHERE discord_id = ? ORDER BY answered_at"
        ),
        "quiz_questions_asked": (
            "SELECT guild_id, channel_id, message_id, topic, generator, seed, asked_at FROM questions"
            " JOIN members ON members.id = questions.asked_by WHERE discord_id = ? ORDER BY asked_at"
        ),
        "leaderboards": (
            "SELECT guild_id, joined_at FROM leaderboard JOIN members ON members.id = leaderboard.member"
            " WHERE discord_id = ?"
        ),
        "votes": (
            "SELECT series.id AS series, trials.number AS trial, guild_id, design, question, choice, confidence, knows,"
            " reasons, voted_at, closed_at, CASE WHEN closed_at IS NULL THEN NULL ELSE answer END AS answer"
            " FROM ballots JOIN trials ON trials.id = ballots.trial JOIN series ON series.id = trials.series"
            " JOIN members ON members.id = ballots.member WHERE discord_id = ? ORDER BY voted_at"
        ),
        "polls_started": (
            "SELECT series.id AS series, kind, title, guild_id, channel_id, prepared_at, closes_at FROM series"
            " JOIN members ON members.id = series.started_by WHERE discord_id = ? ORDER BY prepared_at"
        ),
        "listener": (
            "SELECT instrument, years, hearing_aid, said_at FROM listeners"
            " JOIN members ON members.id = listeners.member WHERE discord_id = ?"
        ),
        "boards_of_ears": (
            "SELECT guild_id, joined_at FROM ears JOIN members ON members.id = ears.member WHERE discord_id = ?"
        ),
        "clips_added": (
            "SELECT guild_id, kind, title, performer, added_at, removed_at FROM clips"
            " JOIN members ON members.id = clips.added_by WHERE discord_id = ? ORDER BY added_at"
        ),
        "clips_handed_in": (
            "SELECT guild_id, title, performer, licence, kind, consent_at, state, decided_at, reason,"
            " length(file) AS file_bytes FROM submissions JOIN members ON members.id = submissions.member"
            " WHERE discord_id = ? ORDER BY submissions.id"
        ),
        "styles_added": (
            "SELECT guild_id, name, length(picture) AS picture_bytes, added_at FROM styles"
            " JOIN members ON members.id = styles.added_by WHERE discord_id = ? ORDER BY added_at"
        ),
        "creations": (
            "SELECT id AS creation, kind, guild_id, channel_id, message_id, created_at, spoiler, request, result"
            " FROM creations WHERE member_id = ? ORDER BY created_at"
        ),
        "answers_under_way": (
            "SELECT stage, private, message_id, opened_at, json_remove(payload, '$.token') AS interaction"
            " FROM open_answers WHERE member_id = ? ORDER BY opened_at"
        ),
        "files_of_creations": (
            "SELECT creation_id AS creation, role, length(content) AS bytes, digest AS sha256 FROM creation_blobs"
            " JOIN blobs USING (digest) JOIN creations ON creations.id = creation_id WHERE member_id = ?"
            " ORDER BY creation_id, role"
        ),
        "files_of_yours_in_others_creations": (
            "SELECT kind, role, length(content) AS bytes, digest AS sha256, creations.created_at FROM creation_blobs"
            " JOIN blobs USING (digest) JOIN creations ON creations.id = creation_id"
            " WHERE owner = ? AND member_id <> owner ORDER BY creation_id, role"
        ),
        **lessons_export.EXPORTS,
    }
    return {
        name: [_exported(row) for row in await store.fetch_all(sql, (discord_id,))] for name, sql in queries.items()
    }


def _exported(row: sqlite3.Row) -> dict[str, Any]:
    """A row for a JSON file. Discord's ids become strings: they're over 2^53, and many readers would round them.

    What is kept as protobuf or as JSON is written out."""
    return {name: _readable(row, name, value) for name, value in dict(row).items()}


def _readable(row: sqlite3.Row, name: str, value: Any) -> Any:
    match name:
        case "request":
            kept: Message = pb.StylizeRequest() if row["kind"] == "picture" else pb.PlayRequest()
        case "result":
            kept = pb.StylizeResult() if row["kind"] == "picture" else pb.Clip()
        case "interaction":
            return json.loads(value)
        case _:
            return str(value) if name.endswith("_id") and isinstance(value, int) else value
    kept.ParseFromString(value)
    return MessageToDict(kept, preserving_proto_field_name=True)


async def forget(store: Store, discord_id: int, now: float) -> bool:
    """Forget a person for good: nothing of theirs stays in the database's files. False when nothing is known of them.

    See `_forget` for what goes and what stays."""
    known = await _forget(store, discord_id, now)
    if known and not await store.overwrite_deleted():
        log.warning("what was forgotten stays in the log until it's emptied the next time")
    return known


async def _forget(store: Store, discord_id: int, now: float) -> bool:
    """Cut the tie between a person and what is stored; False when nothing is known of them.

    Votes on open polls go, for whoever votes again is somebody new and would count twice. Closed votes and quiz
    answers stay as those of somebody unknown, so totals stay right. Creations go with their buttons, and their files go
    from whatever others made of them; clips that wait for staff go, too. Those in a collection stay until they are
    taken back or removed. What was done in public, under messages that name the member (asking a question,
    starting a poll, voting by name), is cut off from what stays in secret: else one message would name all of it."""
    async with store.transaction() as transaction:
        deleted = await creations.forget_member(transaction, discord_id)
        deleted += await open_answers.forget_member(transaction, discord_id)
        row = await transaction.fetch_one("SELECT id FROM members WHERE discord_id = ?", (discord_id,))
        if row is None:
            return deleted > 0
        member = int(row["id"])
        await transaction.execute(
            "DELETE FROM ballots WHERE member = ? AND trial IN (SELECT trials.id FROM trials"
            " JOIN series ON series.id = trials.series WHERE closed_at IS NULL"
            " AND (closes_at IS NULL OR closes_at > ?))",
            (member, now),
        )
        await transaction.execute("DELETE FROM listeners WHERE member = ?", (member,))
        await transaction.execute("DELETE FROM ears WHERE member = ?", (member,))
        await transaction.execute("DELETE FROM leaderboard WHERE member = ?", (member,))
        await transaction.execute("DELETE FROM submissions WHERE member = ?", (member,))
        # Discord shows above such a message who asked: it would lead from a number without a name back to the person.
        await transaction.execute("UPDATE questions SET message_id = NULL WHERE asked_by = ?", (member,))
        await transaction.execute("UPDATE series SET request = NULL WHERE started_by = ?", (member,))
        await lessons_export.forget(transaction, member)
        for table, column in IN_PUBLIC:
            await transaction.execute(
                f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (await _nobody(transaction), member)
            )
        by_name = "member = ? AND trial IN (SELECT id FROM trials WHERE is_open = 1)"
        if await transaction.fetch_one(f"SELECT 1 FROM ballots WHERE {by_name}", (member,)):
            voter = await _somebody(transaction, now)
            await transaction.execute(f"UPDATE ballots SET member = ? WHERE {by_name}", (voter, member))
        await transaction.execute("UPDATE members SET discord_id = NULL WHERE id = ?", (member,))
        return True


async def _nobody(transaction: Transaction) -> int:
    """The one number that stands for everybody forgotten."""
    row = await transaction.fetch_one("SELECT id FROM members WHERE discord_id IS NULL AND first_seen_at = 0.0")
    return int(row["id"]) if row is not None else await _somebody(transaction, 0.0)


async def _somebody(transaction: Transaction, now: float) -> int:
    """A new number without a person."""
    return await transaction.insert("INSERT INTO members (discord_id, first_seen_at) VALUES (NULL, ?)", (now,))
