"""A course's own notes: files cut into passages, and the passages that have words of a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.store import members
from bot.store.connection import Store
from engine.contract.course_words import in_course_words, names_for, numbers_in

MOST_FILES = 40
"""Of one server."""
MOST_CANDIDATES = 12
MOST_WORDS = 40
ANSWERS = "Answers by staff"
"""The file that collects what staff answered themselves."""


@dataclass(frozen=True)
class Passage:
    file: str
    heading: str
    text: str


@dataclass(frozen=True)
class Note:
    file: str
    passages: int
    added_at: float


async def put(
    store: Store, guild_id: int, file: str, passages: Sequence[tuple[str, str]], added_by: int, now: float
) -> bool:
    """Keep a file as (heading, text) passages, in the place of one of the same name; False where the server has as
    many as it may."""
    async with store.transaction() as transaction:
        known = await transaction.fetch_all("SELECT file FROM notes WHERE guild_id = ?", (guild_id,))
        names = {str(row["file"]) for row in known}
        if file not in names and len(names) >= MOST_FILES:
            return False
        member = await members.number_of(transaction, added_by, now)
        await transaction.execute("DELETE FROM notes WHERE guild_id = ? AND file = ?", (guild_id, file))
        note = await transaction.insert(
            "INSERT INTO notes (guild_id, file, added_by, added_at) VALUES (?, ?, ?, ?)", (guild_id, file, member, now)
        )
        for heading, text in passages:
            await transaction.execute(
                "INSERT INTO note_passages (note, heading, text) VALUES (?, ?, ?)", (note, heading, text)
            )
    return True


async def add_answer(store: Store, guild_id: int, question: str, text: str, added_by: int, now: float) -> None:
    """What staff answered is quoted from then on, under the question."""
    async with store.transaction() as transaction:
        member = await members.number_of(transaction, added_by, now)
        await transaction.execute(
            "INSERT INTO notes (guild_id, file, added_by, added_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (guild_id, file) DO NOTHING",
            (guild_id, ANSWERS, member, now),
        )
        await transaction.execute(
            "INSERT INTO note_passages (note, heading, text)"
            " SELECT id, ?, ? FROM notes WHERE guild_id = ? AND file = ?",
            (question, text, guild_id, ANSWERS),
        )


async def of_guild(store: Store, guild_id: int) -> list[Note]:
    """By name."""
    rows = await store.fetch_all(
        "SELECT file, added_at, (SELECT count(*) FROM note_passages WHERE note = notes.id) AS passages FROM notes"
        " WHERE guild_id = ? ORDER BY file",
        (guild_id,),
    )
    return [Note(str(row["file"]), int(row["passages"]), float(row["added_at"])) for row in rows]


async def remove(store: Store, guild_id: int, file: str) -> bool:
    """Take a file out; False where there is none of that name."""
    return await store.execute("DELETE FROM notes WHERE guild_id = ? AND file = ?", (guild_id, file)) > 0


async def leave(store: Store, guild_id: int) -> None:
    """Forget everything that a server's staff and members added to /ask."""
    async with store.transaction() as transaction:
        for table in ("notes", "unanswered", "aliases"):
            await transaction.execute(f"DELETE FROM {table} WHERE guild_id = ?", (guild_id,))


async def candidates(store: Store, guild_id: int, question: str) -> list[Passage]:
    """The passages that share most with a question by BM25, best first. Any text may be asked."""
    asked = dict.fromkeys(re.findall(r"\w{2,40}|\d", question.lower()))
    if not asked:
        return []
    meant = [*names_for(question), *numbers_in(in_course_words(question))]
    query = " OR ".join(f'"{word}"' for word in dict.fromkeys([*meant, *asked][: MOST_WORDS + len(meant)]))
    rows = await store.fetch_all(
        "SELECT file, note_passages.heading AS heading, note_passages.text AS text FROM note_words"
        " JOIN note_passages ON note_passages.id = note_words.rowid JOIN notes ON notes.id = note"
        " WHERE note_words MATCH ? AND guild_id = ? ORDER BY bm25(note_words, 2.0, 1.0) LIMIT ?",
        (query, guild_id, MOST_CANDIDATES),
    )
    return [Passage(str(row["file"]), str(row["heading"]), str(row["text"])) for row in rows]
