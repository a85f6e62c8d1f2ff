"""Pictures and clips that members made, with their requests: what the buttons under an answer work from."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.store.connection import Store, Transaction

Kind = Literal["picture", "clip"]
Role = Literal["image", "style_image", "midi", "lead_sheet"]


@dataclass(frozen=True)
class Creation:
    """One answer. `request` and `result` are protobuf messages of the contract without their files."""

    id: int
    kind: Kind
    member_id: int
    guild_id: int | None
    channel_id: int
    message_id: int | None
    request: bytes
    result: bytes
    created_at: float
    spoiler: bool = False
    """made from a picture that was hidden as a spoiler, so hidden, too"""


async def add(
    store: Store,
    kind: Kind,
    *,
    member_id: int,
    guild_id: int | None,
    channel_id: int,
    request: bytes,
    result: bytes,
    files: Mapping[Role, bytes],
    now: float,
    spoiler: bool = False,
) -> int:
    """Record an answer before it is posted, so that its buttons never point at nothing; returns its number."""
    # Hashing 25 MiB takes as long as an answer may be late: off the event loop with it.
    digests = await asyncio.to_thread(
        lambda: {role: hashlib.sha256(content).hexdigest() for role, content in files.items()}
    )
    async with store.transaction() as transaction:
        creation_id = await transaction.insert(
            "INSERT INTO creations (kind, member_id, guild_id, channel_id, request, result, created_at, spoiler)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (kind, member_id, guild_id, channel_id, request, result, now, spoiler),
        )
        for role, content in files.items():
            await transaction.execute(
                "INSERT INTO blobs (digest, content, created_at) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING",
                (digests[role], content, now),
            )
            await transaction.execute(
                "INSERT INTO creation_blobs (creation_id, role, digest) VALUES (?, ?, ?)",
                (creation_id, role, digests[role]),
            )
    return creation_id


async def posted(store: Store, creation_id: int, message_id: int) -> None:
    """Remember the message that shows it."""
    await store.execute("UPDATE creations SET message_id = ? WHERE id = ?", (message_id, creation_id))


async def get(store: Store, creation_id: int) -> Creation | None:
    row = await store.fetch_one(
        "SELECT id, kind, member_id, guild_id, channel_id, message_id, request, result, created_at, spoiler"
        " FROM creations WHERE id = ?",
        (creation_id,),
    )
    return None if row is None else Creation(**{**dict(row), "spoiler": bool(row["spoiler"])})


async def files(store: Store, creation_id: int) -> dict[Role, bytes]:
    """The files that are still kept for it."""
    rows = await store.fetch_all(
        "SELECT role, content FROM creation_blobs JOIN blobs USING (digest) WHERE creation_id = ?", (creation_id,)
    )
    return {row["role"]: row["content"] for row in rows}


async def delete(store: Store, creation_id: int) -> None:
    async with store.transaction() as transaction:
        await transaction.execute("DELETE FROM creations WHERE id = ?", (creation_id,))
        await _drop_unused_blobs(transaction)


async def forget_member(transaction: Transaction, member_id: int) -> int:
    """Delete all that a member made, as part of a wider forgetting; returns how much that was."""
    deleted = await transaction.execute("DELETE FROM creations WHERE member_id = ?", (member_id,))
    await _drop_unused_blobs(transaction)
    return deleted


async def forget_pictures_before(store: Store, time: float) -> int:
    """Let go of the posted pictures behind answers older than `time`; returns of how many answers."""
    async with store.transaction() as transaction:
        dropped = await transaction.execute(
            "DELETE FROM creation_blobs WHERE role IN ('image', 'style_image')"
            " AND creation_id IN (SELECT id FROM creations WHERE created_at < ?)",
            (time,),
        )
        await _drop_unused_blobs(transaction)
    return dropped


async def forget_pictures_beyond(store: Store, limit_bytes: int) -> int:
    """Let go of the oldest posted pictures until the rest take at most `limit_bytes`; returns of how many answers."""
    rows = await store.fetch_all(
        "SELECT creation_id, sum(length(content)) AS bytes FROM creation_blobs JOIN blobs USING (digest)"
        " WHERE role IN ('image', 'style_image') GROUP BY creation_id ORDER BY creation_id DESC"
    )
    total, dropped = 0, []
    for row in rows:
        total += row["bytes"]
        if total > limit_bytes:
            dropped.append((row["creation_id"],))
    if dropped:
        async with store.transaction() as transaction:
            for key in dropped:
                await transaction.execute(
                    "DELETE FROM creation_blobs WHERE role IN ('image', 'style_image') AND creation_id = ?", key
                )
            await _drop_unused_blobs(transaction)
    return len(dropped)


async def _drop_unused_blobs(transaction: Transaction) -> None:
    await transaction.execute("DELETE FROM blobs WHERE digest NOT IN (SELECT digest FROM creation_blobs)")
