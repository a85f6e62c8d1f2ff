"""What members remember of each generator, and when it is due again."""

from __future__ import annotations

from bot.rules.practice import Memory, review
from bot.store import members
from bot.store.connection import Store


async def memories(store: Store, discord_id: int, topic: str = "") -> list[Memory]:
    """All of a member's memories, of one topic if given."""
    rows = await store.fetch_all(
        "SELECT generator, topic, memory, due_at FROM practice JOIN members ON members.id = member"
        " WHERE discord_id = ? AND ? IN ('', topic) ORDER BY due_at",
        (discord_id, topic),
    )
    return [Memory(str(row["generator"]), str(row["topic"]), str(row["memory"]), float(row["due_at"])) for row in rows]


async def remember(store: Store, discord_id: int, generator: str, topic: str, right: bool, now: float) -> Memory:
    """Count one more answer; returns the memory after it."""
    async with store.transaction() as transaction:
        member = await members.number_of(transaction, discord_id, now)
        row = await transaction.fetch_one(
            "SELECT memory, due_at FROM practice WHERE member = ? AND generator = ?", (member, generator)
        )
        before = None if row is None else Memory(generator, topic, str(row["memory"]), float(row["due_at"]))
        after = review(before, generator, topic, right, now)
        await transaction.execute(
            "INSERT INTO practice (member, generator, topic, memory, due_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (member, generator) DO UPDATE SET topic = excluded.topic, memory = excluded.memory,"
            " due_at = excluded.due_at",
            (member, generator, topic, after.state, after.due_at),
        )
    return after


async def forget(store: Store, discord_id: int, generator: str) -> None:
    """Drop the memory of a question that no longer exists."""
    await store.execute(
        "DELETE FROM practice WHERE generator = ? AND member = (SELECT id FROM members WHERE discord_id = ?)",
        (generator, discord_id),
    )
