"""Small facts about this database itself: one value per name."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from bot.store.connection import Store

_SECRET = "member_secret"


async def get(store: Store, name: str) -> str | None:
    row = await store.fetch_one("SELECT value FROM meta WHERE name = ?", (name,))
    return None if row is None else str(row["value"])


async def put(store: Store, name: str, value: str) -> None:
    await store.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


async def drop(store: Store, name: str) -> None:
    await store.execute("DELETE FROM meta WHERE name = ?", (name,))


async def names(store: Store, prefix: str) -> list[str]:
    """The names that begin with `prefix`."""
    rows = await store.fetch_all("SELECT name FROM meta WHERE substr(name, 1, ?) = ?", (len(prefix), prefix))
    return [str(row["name"]) for row in rows]


async def member_secret(store: Store) -> bytes:
    """32 random bytes, drawn when the database is first used; what makes member keys opaque."""
    await store.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (_SECRET, secrets.token_hex(32))
    )
    value = await get(store, _SECRET)
    assert value is not None
    return bytes.fromhex(value)


def member_key(secret: bytes, member_id: int) -> str:
    """The name under which the engine knows a member: HMAC-SHA-256 of the Discord id, 128 bits in hex.

    Without the database's secret nobody can tell whose it is, not even by trying every id (RFC 2104)."""
    return hmac.new(secret, str(member_id).encode(), hashlib.sha256).hexdigest()[:32]
