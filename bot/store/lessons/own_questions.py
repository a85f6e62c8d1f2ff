"""The questions that a server's staff wrote."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterable

from bot.rules.judging import as_given
from bot.rules.own_questions import OwnQuestion
from bot.rules.quiz import Kind, Question
from bot.store import members
from bot.store.connection import Store

GENERATOR = "own:"
"""A server's own question number 7 is asked as the generator "own:7"."""


async def add(
    store: Store, guild_id: int, questions: Iterable[OwnQuestion], added_by: int, now: float
) -> tuple[int, int]:
    """Add what isn't there yet, all or nothing; returns how many were added and how many were there already."""
    added = known = 0
    async with store.transaction() as transaction:
        member = await members.number_of(transaction, added_by, now)
        for one in questions:
            new = await transaction.execute(
                "INSERT INTO own_questions (guild_id, topic, question, code, options, correct, explanation, added_by,"
                " added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (guild_id, question, code) DO NOTHING",
                (
                    guild_id,
                    one.topic,
                    one.question,
                    one.code,
                    json.dumps(one.options),
                    one.rights - 1,  # the right ones stand first: this is the place of the last of them
                    one.explanation,
                    member,
                    now,
                ),
            )
            added, known = added + (new == 1), known + (new != 1)
    return added, known


async def of_guild(store: Store, guild_id: int, topic: str = "") -> list[tuple[int, OwnQuestion]]:
    """With their numbers, in the order in which they were added."""
    rows = await store.fetch_all(
        "SELECT * FROM own_questions WHERE guild_id = ? AND ? IN ('', topic) ORDER BY id", (guild_id, topic)
    )
    return [(int(row["id"]), _own(row)) for row in rows]


async def topics(store: Store, guild_id: int) -> list[str]:
    rows = await store.fetch_all(
        "SELECT DISTINCT topic FROM own_questions WHERE guild_id = ? ORDER BY topic", (guild_id,)
    )
    return [str(row["topic"]) for row in rows]


async def remove(store: Store, guild_id: int, number: int) -> OwnQuestion | None:
    """Take one out; returns it, or None where there is none. What was asked of it stays with its answers."""
    async with store.transaction() as transaction:
        row = await transaction.fetch_one(
            "SELECT * FROM own_questions WHERE guild_id = ? AND id = ?", (guild_id, number)
        )
        if row is None:
            return None
        await transaction.execute("DELETE FROM own_questions WHERE id = ?", (number,))
    return _own(row)


def as_asked(number: int, own: OwnQuestion, seed: int) -> Question:
    """The question with its options shuffled by `seed`."""
    places = list(range(len(own.options)))
    random.Random(seed).shuffle(places)
    return Question(
        generator=f"{GENERATOR}{number}",
        seed=seed,
        topic=own.topic,
        text=own.question,
        code=own.code,
        options=tuple(own.options[place] for place in places),
        accepted=(as_given(sorted(places.index(right) for right in range(own.rights))),),
        explanation=own.explanation,
        card_id="",
        kind=Kind.ONE if own.rights == 1 else Kind.SEVERAL,
        is_fixed=True,
    )


def _own(row: sqlite3.Row) -> OwnQuestion:
    return OwnQuestion(
        topic=str(row["topic"]),
        question=str(row["question"]),
        options=tuple(json.loads(row["options"])),
        explanation=str(row["explanation"]),
        code=str(row["code"]),
        rights=int(row["correct"]) + 1,
    )
