"""Answers that were begun and aren't finished: what the next start of the bot has to see to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot.rules.open_answers import Stage
from bot.store.connection import Store, Transaction


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    """An answer on its way. `payload` is the interaction as Discord sent it."""

    interaction_id: int
    member_id: int
    payload: dict[str, Any]
    message_id: int | None
    private: bool
    stage: Stage
    opened_at: float


async def add(
    store: Store, interaction_id: int, *, member_id: int, payload: dict[str, Any], private: bool, now: float
) -> None:
    """Remember an answer from its first moment; one that is done again starts over."""
    await store.execute(
        "INSERT INTO open_answers (interaction_id, member_id, payload, private, stage, opened_at)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (interaction_id) DO UPDATE SET stage = excluded.stage",
        (interaction_id, member_id, json.dumps(payload), private, Stage.WAITING.value, now),
    )


async def reach(store: Store, interaction_id: int, stage: Stage, message_id: int | None) -> None:
    """It has come so far."""
    await store.execute(
        "UPDATE open_answers SET stage = ?, message_id = coalesce(?, message_id) WHERE interaction_id = ?",
        (stage.value, message_id, interaction_id),
    )


async def close(store: Store, interaction_id: int) -> None:
    """It has arrived, or nobody waits for it any more."""
    await store.execute("DELETE FROM open_answers WHERE interaction_id = ?", (interaction_id,))


async def forget_before(store: Store, time: float) -> int:
    """Let go of what was opened before `time`; returns how many. Where the database was locked or its disk full when an
    answer was done, it stands here still, with what its member wrote."""
    return await store.execute("DELETE FROM open_answers WHERE opened_at < ?", (time,))


async def left_open(store: Store) -> list[OpenAnswer]:
    """All that an earlier process left behind, oldest first."""
    rows = await store.fetch_all("SELECT * FROM open_answers ORDER BY opened_at, interaction_id")
    return [
        OpenAnswer(
            interaction_id=int(row["interaction_id"]),
            member_id=int(row["member_id"]),
            payload=json.loads(row["payload"]),
            message_id=row["message_id"],
            private=bool(row["private"]),
            stage=Stage(row["stage"]),
            opened_at=float(row["opened_at"]),
        )
        for row in rows
    ]


async def forget_member(transaction: Transaction, member_id: int) -> int:
    """Drop what is open for a member, as part of a wider forgetting; returns how much that was."""
    return await transaction.execute("DELETE FROM open_answers WHERE member_id = ?", (member_id,))
