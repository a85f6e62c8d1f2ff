"""Pictures and clips that members made, with their requests: what the buttons under an answer work from."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.store.connection import Store, Transaction

Kind = Literal["picture", "clip"]
Role = Literal["image", "style_image", "midi", "lead_sheet", "phrase"]


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


@dataclass(frozen=True)
class File:
    """A file behind buttons: new, by its content, or one that is kept already, by its digest."""

    owner: int
    """Discord id of whoever posted it, or, for what the engine made, asked for it"""
    content: bytes = b""
    digest: str = ""


@dataclass(frozen=True)
class Room:
    """How much may be kept behind buttons: of one member, of all, and how many answers of one member."""

    member_bytes: int
    total_bytes: int
    member_answers: int = 1000


async def add(
    store: Store,
    kind: Kind,
    *,
    member_id: int,
    guild_id: int | None,
    channel_id: int,
    request: bytes,
    result: bytes,
    files: Mapping[Role, File],
    now: float,
    room: Room,
    spoiler: bool = False,
) -> int:
    """Record an answer before it is posted, so that its buttons never point at nothing; returns its number.

    What is older makes room for it. A file that was known by its digest and has been forgotten since isn't kept."""
    # Hashing megabytes takes as long as an answer may be late: off the event loop with it.
    digests = await asyncio.to_thread(
        lambda: {role: file.digest or hashlib.sha256(file.content).hexdigest() for role, file in files.items()}
    )
    async with store.transaction() as transaction:
        creation_id = await transaction.insert(
            "INSERT INTO creations (kind, member_id, guild_id, channel_id, request, result, created_at, spoiler)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (kind, member_id, guild_id, channel_id, request, result, now, spoiler),
        )
        for role, file in files.items():
            if not file.digest:
                await transaction.execute(
                    "INSERT INTO blobs (digest, content, created_at) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING",
                    (digests[role], file.content, now),
                )
            await transaction.execute(
                "INSERT INTO creation_blobs (creation_id, role, digest, owner)"
                " SELECT ?, ?, digest, ? FROM blobs WHERE digest = ?",
                (creation_id, role, file.owner, digests[role]),
            )
        await _make_room(transaction, member_id, room)
    return creation_id


async def _make_room(transaction: Transaction, member_id: int, room: Room) -> None:
    """Let go of what is too much, oldest first: a member's answers, a member's files, everybody's files."""
    dropped = await transaction.execute(
        "DELETE FROM creations WHERE member_id = ? AND id <= (SELECT id FROM creations WHERE member_id = ?"
        " ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (member_id, member_id, room.member_answers),
    )
    dropped += await _drop_beyond(transaction, room.member_bytes, "member_id = ?", (member_id,))
    dropped += await _drop_beyond(transaction, room.total_bytes, "1", ())
    if dropped:
        await _drop_unused_blobs(transaction)


async def _drop_beyond(transaction: Transaction, limit_bytes: int, whose: str, parameters: tuple[int, ...]) -> int:
    """Let go of the oldest files of the creations that `whose` names, until the rest takes at most `limit_bytes`.

    A file that several share takes its room once. Returns how many were let go."""
    rows = await transaction.fetch_all(
        "SELECT creation_id, role, digest, length(content) AS bytes FROM creation_blobs JOIN blobs USING (digest)"
        f" JOIN creations ON creations.id = creation_id WHERE {whose} ORDER BY creation_id DESC, role",
        parameters,
    )
    total, kept, dropped = 0, set[str](), 0
    for row in rows:
        if row["digest"] in kept:
            continue
        total += row["bytes"]
        if total <= limit_bytes:
            kept.add(row["digest"])
            continue
        total = limit_bytes  # whatever is older goes, however small
        dropped += await transaction.execute(
            "DELETE FROM creation_blobs WHERE creation_id = ? AND role = ?", (row["creation_id"], row["role"])
        )
    return dropped


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


async def file(store: Store, creation_id: int, role: Role) -> File | None:
    """One of them, with its owner and its digest."""
    row = await store.fetch_one(
        "SELECT owner, content, digest FROM creation_blobs JOIN blobs USING (digest)"
        " WHERE creation_id = ? AND role = ?",
        (creation_id, role),
    )
    return None if row is None else File(row["owner"], row["content"], row["digest"])


async def shown_by(store: Store, message_id: int) -> int | None:
    """The creation that a message shows."""
    row = await store.fetch_one("SELECT id FROM creations WHERE message_id = ?", (message_id,))
    return None if row is None else int(row["id"])


async def delete(store: Store, creation_id: int) -> None:
    async with store.transaction() as transaction:
        await transaction.execute("DELETE FROM creations WHERE id = ?", (creation_id,))
        await _drop_unused_blobs(transaction)


async def forget_member(transaction: Transaction, member_id: int) -> int:
    """Delete all that a member made, and their files from whatever others made of them, as part of a wider forgetting;
    returns how much that was."""
    deleted = await transaction.execute("DELETE FROM creations WHERE member_id = ?", (member_id,))
    deleted += await transaction.execute("DELETE FROM creation_blobs WHERE owner = ?", (member_id,))
    await _drop_unused_blobs(transaction)
    return deleted


async def forget_pictures_before(store: Store, time: float) -> int:
    """Let go of the posted files behind answers older than `time`; returns how many."""
    async with store.transaction() as transaction:
        dropped = await transaction.execute(
            "DELETE FROM creation_blobs WHERE role IN ('image', 'style_image', 'phrase')"
            " AND creation_id IN (SELECT id FROM creations WHERE created_at < ?)",
            (time,),
        )
        await _drop_unused_blobs(transaction)
    return dropped


async def forget_beyond(store: Store, limit_bytes: int) -> int:
    """Let go of the oldest files behind answers until the rest takes at most `limit_bytes`; returns how many."""
    async with store.transaction() as transaction:
        dropped = await _drop_beyond(transaction, limit_bytes, "1", ())
        await _drop_unused_blobs(transaction)
    return dropped


async def _drop_unused_blobs(transaction: Transaction) -> None:
    await transaction.execute("DELETE FROM blobs WHERE digest NOT IN (SELECT digest FROM creation_blobs)")
