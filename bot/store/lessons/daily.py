"""The channels that get a question a day."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store import members
from bot.store.connection import Store


@dataclass(frozen=True, slots=True)
class Daily:
    """One channel's question of the day. `next_at` in seconds since 1970."""

    channel_id: int
    guild_id: int
    local_time: str
    zone: str
    topic: str
    next_at: float


async def put(store: Store, daily: Daily, set_by: int, now: float) -> None:
    """Set or change a channel's question of the day."""
    async with store.transaction() as transaction:
        member = await members.number_of(transaction, set_by, now)
        await transaction.execute(
            "INSERT INTO daily_questions (channel_id, guild_id, local_time, zone, topic, next_at, set_by)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (channel_id) DO UPDATE SET local_time = excluded.local_time,"
            " zone = excluded.zone, topic = excluded.topic, next_at = excluded.next_at, set_by = excluded.set_by",
            (daily.channel_id, daily.guild_id, daily.local_time, daily.zone, daily.topic, daily.next_at, member),
        )


async def drop(store: Store, channel_id: int) -> bool:
    """False when the channel had none."""
    return await store.execute("DELETE FROM daily_questions WHERE channel_id = ?", (channel_id,)) > 0


async def all_of_them(store: Store) -> list[Daily]:
    """The next one first."""
    rows = await store.fetch_all(
        "SELECT channel_id, guild_id, local_time, zone, topic, next_at FROM daily_questions ORDER BY next_at"
    )
    return [Daily(**dict(row)) for row in rows]


async def set_next(store: Store, daily: Daily, next_at: float) -> bool:
    """Move on to the next day; False when it was changed or moved on meanwhile, so that no day is asked twice."""
    moved = await store.execute(
        "UPDATE daily_questions SET next_at = ? WHERE channel_id = ? AND next_at = ?",
        (next_at, daily.channel_id, daily.next_at),
    )
    return moved == 1
