"""A server's own styles: their codes, the small pictures that codes are renewed from, and who added them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from bot.answering.text import counted
from bot.errors import Refused
from bot.store import members
from bot.store.connection import Store


@dataclass(frozen=True, slots=True)
class OwnStyle:
    """A style without its picture."""

    guild_id: int
    name: str
    code: bytes
    model_version: str
    """of the weights that the code belongs to"""
    added_by: int | None
    """Discord id; None: somebody who has asked to be forgotten"""
    added_at: float


_COLUMNS = "guild_id, name, code, model_version, members.discord_id AS added_by, added_at"
_TABLES = "styles JOIN members ON members.id = styles.added_by"


async def add(
    store: Store,
    guild_id: int,
    name: str,
    *,
    code: bytes,
    model_version: str,
    picture: bytes,
    added_by: int,
    limit: int,
    now: float,
) -> None:
    """Store a style. Raises Refused when the name is taken or the server has `limit` styles already."""
    async with store.transaction() as transaction:
        if await transaction.fetch_one("SELECT 1 FROM styles WHERE guild_id = ? AND name = ?", (guild_id, name)):
            raise Refused(taken(name))
        row = await transaction.fetch_one("SELECT count(*) AS present FROM styles WHERE guild_id = ?", (guild_id,))
        assert row is not None
        if row["present"] >= limit:
            raise Refused(full(limit))
        member = await members.number_of(transaction, added_by, now)
        await transaction.execute(
            "INSERT INTO styles (guild_id, name, code, model_version, picture, added_by, added_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (guild_id, name, code, model_version, picture, member, now),
        )


def taken(name: str) -> str:
    """What whoever wants to add a second style of a name reads."""
    return f"This server already has a style called `{name}`. Please remove it first, or choose another name."


def full(limit: int) -> str:
    """What whoever wants to add one too many reads."""
    return (
        f"This server already has {counted(limit, 'style')} of its own, and that's the limit. Please remove one first."
    )


async def of_guild(store: Store, guild_id: int) -> list[OwnStyle]:
    """A server's own styles, by name."""
    rows = await store.fetch_all(
        f"SELECT {_COLUMNS} FROM {_TABLES} WHERE guild_id = ? ORDER BY name",
        (guild_id,),
    )
    return [_style(row) for row in rows]


async def get(store: Store, guild_id: int, name: str) -> OwnStyle | None:
    row = await store.fetch_one(f"SELECT {_COLUMNS} FROM {_TABLES} WHERE guild_id = ? AND name = ?", (guild_id, name))
    return None if row is None else _style(row)


async def picture(store: Store, style: OwnStyle) -> bytes | None:
    """The small picture, JPEG; None once the style was removed, also when another has its name by now."""
    row = await store.fetch_one(
        "SELECT picture FROM styles WHERE guild_id = ? AND name = ? AND added_at = ?",
        (style.guild_id, style.name, style.added_at),
    )
    return None if row is None else bytes(row["picture"])


async def renew(store: Store, style: OwnStyle, code: bytes, model_version: str) -> None:
    """Put a code of other weights in place of the present one, unless the style was removed meanwhile."""
    await store.execute(
        "UPDATE styles SET code = ?, model_version = ? WHERE guild_id = ? AND name = ? AND added_at = ?",
        (code, model_version, style.guild_id, style.name, style.added_at),
    )


async def remove(store: Store, guild_id: int, name: str) -> bool:
    """Delete a style, picture and all; False when there is none of that name."""
    return bool(await store.execute("DELETE FROM styles WHERE guild_id = ? AND name = ?", (guild_id, name)))


def _style(row: sqlite3.Row) -> OwnStyle:
    return OwnStyle(
        guild_id=int(row["guild_id"]),
        name=str(row["name"]),
        code=bytes(row["code"]),
        model_version=str(row["model_version"]),
        added_by=None if row["added_by"] is None else int(row["added_by"]),
        added_at=float(row["added_at"]),
    )
