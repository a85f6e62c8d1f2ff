"""What listeners say of themselves, and who wants to stand on the board of best ears."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store import members
from bot.store.connection import Store


@dataclass(frozen=True, slots=True)
class Listener:
    """All of it optional: "" and None mean not said."""

    instrument: str = ""
    years: int | None = None
    hearing_aid: bool | None = None


async def get(store: Store, discord_id: int) -> Listener | None:
    row = await store.fetch_one(
        "SELECT instrument, years, hearing_aid FROM listeners JOIN members ON members.id = listeners.member"
        " WHERE discord_id = ?",
        (discord_id,),
    )
    if row is None:
        return None
    aid = row["hearing_aid"]
    return Listener(row["instrument"], row["years"], None if aid is None else bool(aid))


async def put(store: Store, discord_id: int, listener: Listener, now: float) -> None:
    async with store.transaction() as transaction:
        member = await members.number_of(transaction, discord_id, now)
        await transaction.execute(
            "INSERT INTO listeners (member, instrument, years, hearing_aid, said_at) VALUES (?1, ?2, ?3, ?4, ?5)"
            " ON CONFLICT (member) DO UPDATE SET instrument = ?2, years = ?3, hearing_aid = ?4, said_at = ?5",
            (member, listener.instrument, listener.years, listener.hearing_aid, now),
        )


async def drop(store: Store, discord_id: int) -> bool:
    """Delete what a listener has said; the votes stay. False when nothing was kept."""
    changed = await store.execute(
        "DELETE FROM listeners WHERE member = (SELECT id FROM members WHERE discord_id = ?)", (discord_id,)
    )
    return changed > 0


async def show_ears(store: Store, guild_id: int, discord_id: int, shown: bool, now: float) -> None:
    """Join or leave a server's board of best ears."""
    async with store.transaction() as transaction:
        member = await members.number_of(transaction, discord_id, now)
        if shown:
            await transaction.execute(
                "INSERT INTO ears (guild_id, member, joined_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (guild_id, member, now),
            )
        else:
            await transaction.execute("DELETE FROM ears WHERE guild_id = ? AND member = ?", (guild_id, member))


async def shown_ears(store: Store, guild_id: int) -> dict[int, int]:
    """Members' numbers with their Discord ids, of those who want to be shown."""
    rows = await store.fetch_all(
        "SELECT member, discord_id FROM ears JOIN members ON members.id = ears.member"
        " WHERE guild_id = ? AND discord_id IS NOT NULL",
        (guild_id,),
    )
    return {int(row["member"]): int(row["discord_id"]) for row in rows}
