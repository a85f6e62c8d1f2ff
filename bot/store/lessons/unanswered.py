"""Questions that nothing answered: kept where staff switched that on, until staff settle them."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store import members, meta
from bot.store.connection import Store

PREFIX = "keep_unanswered:"
MOST_KEPT = 200
"""Of one server; the oldest go first."""
MOST_ALIASES = 200


@dataclass(frozen=True)
class Unanswered:
    id: int
    channel_id: int
    asked_by: int | None
    """Discord id; None once the member is forgotten."""
    question: str
    asked_at: float


async def is_kept(store: Store, guild_id: int) -> bool:
    return await meta.get(store, f"{PREFIX}{guild_id}") is not None


async def keep(store: Store, guild_id: int, on: bool) -> None:
    """Switch it on; or off, which also forgets what was kept."""
    if on:
        await meta.put(store, f"{PREFIX}{guild_id}", "on")
        return
    await meta.drop(store, f"{PREFIX}{guild_id}")
    await store.execute("DELETE FROM unanswered WHERE guild_id = ?", (guild_id,))


async def add(store: Store, guild_id: int, channel_id: int, asked_by: int, question: str, now: float) -> int:
    """Its number. The same question of the same member is kept once."""
    async with store.transaction() as transaction:
        member = await members.number_of(transaction, asked_by, now)
        await transaction.execute(
            "DELETE FROM unanswered WHERE guild_id = ? AND asked_by = ? AND question = ?", (guild_id, member, question)
        )
        number = await transaction.insert(
            "INSERT INTO unanswered (guild_id, channel_id, asked_by, question, asked_at) VALUES (?, ?, ?, ?, ?)",
            (guild_id, channel_id, member, question, now),
        )
        await transaction.execute(
            "DELETE FROM unanswered WHERE guild_id = ? AND id NOT IN"
            " (SELECT id FROM unanswered WHERE guild_id = ? ORDER BY id DESC LIMIT ?)",
            (guild_id, guild_id, MOST_KEPT),
        )
    return number


async def of_guild(store: Store, guild_id: int) -> list[Unanswered]:
    """Newest first."""
    rows = await store.fetch_all(
        "SELECT unanswered.*, discord_id FROM unanswered JOIN members ON members.id = asked_by WHERE guild_id = ?"
        " ORDER BY unanswered.id DESC",
        (guild_id,),
    )
    return [_unanswered(row) for row in rows]


async def get(store: Store, guild_id: int, number: int) -> Unanswered | None:
    row = await store.fetch_one(
        "SELECT unanswered.*, discord_id FROM unanswered JOIN members ON members.id = asked_by"
        " WHERE guild_id = ? AND unanswered.id = ?",
        (guild_id, number),
    )
    return None if row is None else _unanswered(row)


async def settle(store: Store, guild_id: int, number: int, asked_by: int | None = None) -> bool:
    """Drop it; with `asked_by` only if that member asked it. False where there is none."""
    return (
        await store.execute(
            "DELETE FROM unanswered WHERE guild_id = ? AND id = ?"
            " AND (? IS NULL OR asked_by = (SELECT id FROM members WHERE discord_id = ?))",
            (guild_id, number, asked_by, asked_by),
        )
        > 0
    )


async def add_alias(store: Store, guild_id: int, question: str, card_id: str, now: float) -> None:
    """From now on this card answers this question, and those that are nearly the same."""
    await store.execute(
        "INSERT INTO aliases (guild_id, question, card_id, added_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (guild_id, question) DO UPDATE SET card_id = excluded.card_id, added_at = excluded.added_at",
        (guild_id, question, card_id, now),
    )


async def aliases(store: Store, guild_id: int) -> list[tuple[str, str]]:
    """(question, card), the latest first."""
    rows = await store.fetch_all(
        "SELECT question, card_id FROM aliases WHERE guild_id = ? ORDER BY added_at DESC LIMIT ?",
        (guild_id, MOST_ALIASES),
    )
    return [(str(row["question"]), str(row["card_id"])) for row in rows]


def _unanswered(row: object) -> Unanswered:
    values = dict(row)  # type: ignore[call-overload]
    return Unanswered(values["id"], values["channel_id"], values["discord_id"], values["question"], values["asked_at"])
