"""Clips that members have handed in: waiting with their file until staff decide, afterwards what came of them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from enum import StrEnum

from bot.errors import Refused
from bot.store import clips, members
from bot.store.clips import NewClip
from bot.store.connection import Store, Transaction

DECIDED = "This one has already been decided."


class State(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class NewSubmission:
    """`played`: what the engine says of it, serialized, without its files. `member`: Discord id."""

    guild_id: int
    member: int
    title: str
    performer: str
    licence: str
    chords: str
    melody_track: int
    kind: str
    seed: int
    source_digest: str
    file: bytes
    sound: bytes
    played: bytes
    consent_at: float


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission without its files. `member`: Discord id; None: asked to be forgotten."""

    id: int
    guild_id: int
    member: int | None
    title: str
    performer: str
    licence: str
    kind: str
    consent_at: float
    state: State
    reason: str
    clip: int | None


@dataclass(frozen=True, slots=True)
class Files:
    """What lies here of a waiting one."""

    file: bytes
    sound: bytes
    played: bytes
    chords: str
    melody_track: int
    seed: int
    source_digest: str


_COLUMNS = (
    "submissions.id, guild_id, discord_id AS member, title, performer, licence, kind, consent_at, state, reason, clip"
    " FROM submissions JOIN members ON members.id = submissions.member"
)


async def add(store: Store, new: NewSubmission, most_waiting: int, now: float) -> int:
    """Returns its number. Raises Refused when the same file waits already, or the member has `most_waiting`."""
    async with store.transaction() as transaction:
        member = await members.number_of(transaction, new.member, now)
        row = await transaction.fetch_one(
            "SELECT count(*) AS waiting FROM submissions WHERE member = ? AND guild_id = ? AND state = 'waiting'",
            (member, new.guild_id),
        )
        assert row is not None
        if row["waiting"] >= most_waiting:
            raise Refused(
                f"You already have {row['waiting']} clips waiting, and that's the limit. Wait until staff have decided "
                "on one, or take one back with `/clips mine`."
            )
        try:
            return await transaction.insert(
                "INSERT INTO submissions (guild_id, member, title, performer, licence, chords, melody_track, kind,"
                " seed, source_digest, file, sound, played, consent_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    new.guild_id,
                    member,
                    new.title,
                    new.performer,
                    new.licence,
                    new.chords,
                    new.melody_track,
                    new.kind,
                    new.seed,
                    new.source_digest,
                    new.file,
                    new.sound,
                    new.played,
                    new.consent_at,
                ),
            )
        except sqlite3.IntegrityError as error:
            raise Refused("This file has already been handed in and is waiting for staff.") from error


async def get(store: Store, number: int) -> Submission | None:
    row = await store.fetch_one(f"SELECT {_COLUMNS} WHERE submissions.id = ?", (number,))
    return None if row is None else _submission(row)


async def files(store: Store, number: int) -> Files:
    """Of a waiting one. Raises Refused once it is decided."""
    row = await store.fetch_one(
        "SELECT file, sound, played, chords, melody_track, seed, source_digest FROM submissions"
        " WHERE id = ? AND state = 'waiting'",
        (number,),
    )
    if row is None:
        raise Refused(DECIDED)
    return Files(**dict(row))


async def waiting(store: Store, guild_id: int) -> list[Submission]:
    """Oldest first."""
    rows = await store.fetch_all(
        f"SELECT {_COLUMNS} WHERE guild_id = ? AND state = 'waiting' ORDER BY submissions.id", (guild_id,)
    )
    return [_submission(row) for row in rows]


async def of_member(store: Store, guild_id: int, discord_id: int, limit: int = 20) -> list[Submission]:
    """Latest first."""
    rows = await store.fetch_all(
        f"SELECT {_COLUMNS} WHERE guild_id = ? AND discord_id = ? ORDER BY submissions.id DESC LIMIT ?",
        (guild_id, discord_id, limit),
    )
    return [_submission(row) for row in rows]


async def accept(store: Store, number: int, clip: NewClip, audio: bytes, decided_by: int, now: float) -> int:
    """Into the collection with it; returns the clip's number. Raises Refused when it is decided already, or the same
    file is in the collection."""
    async with store.transaction() as transaction:
        stored = await clips.add_within(transaction, clip, audio, now)
        await _decide(transaction, number, State.ACCEPTED, decided_by, now, clip=stored)
    return stored


async def decline(store: Store, number: int, reason: str, decided_by: int, now: float) -> None:
    """Raises Refused when it is decided already."""
    async with store.transaction() as transaction:
        await _decide(transaction, number, State.DECLINED, decided_by, now, reason=reason)


async def _decide(
    transaction: Transaction,
    number: int,
    state: State,
    decided_by: int,
    now: float,
    *,
    clip: int | None = None,
    reason: str = "",
) -> None:
    staff = await members.number_of(transaction, decided_by, now)
    changed = await transaction.execute(
        "UPDATE submissions SET state = ?, decided_at = ?, decided_by = ?, clip = ?, reason = ?,"
        " file = NULL, sound = NULL, played = NULL WHERE id = ? AND state = 'waiting'",
        (state, now, staff, clip, reason, number),
    )
    if not changed:
        raise Refused(DECIDED)


async def withdraw(store: Store, number: int, discord_id: int, now: float) -> Submission | None:
    """Take one's own back, whatever has come of it; returns what it was, or None where there is nothing to take back.

    Its file and its names go from here. A clip of the collection made from it has to be removed besides."""
    found = await get(store, number)
    if found is None or found.member != discord_id or found.state in (State.DECLINED, State.WITHDRAWN):
        return None
    changed = await store.execute(
        "UPDATE submissions SET state = 'withdrawn', decided_at = ?, decided_by = NULL, title = '', performer = '',"
        " told_at = ?, file = NULL, sound = NULL, played = NULL WHERE id = ? AND state = ?",
        (now, now, number, found.state),
    )
    return found if changed else None


async def untold(store: Store) -> list[Submission]:
    """Decided ones whose member hasn't been told."""
    rows = await store.fetch_all(
        f"SELECT {_COLUMNS} WHERE state IN ('accepted', 'declined') AND told_at IS NULL ORDER BY submissions.id"
    )
    return [_submission(row) for row in rows]


async def set_told(store: Store, number: int, now: float) -> None:
    await store.execute("UPDATE submissions SET told_at = ? WHERE id = ?", (now, number))


def _submission(row: sqlite3.Row) -> Submission:
    return Submission(**{**dict(row), "state": State(row["state"])})
