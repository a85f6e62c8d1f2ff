"""Blind polls: the draw, the votes, the close, and what all closed polls come to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from bot.errors import Refused
from bot.rules.blind_poll import Draw, Origin, Vote
from bot.rules.listening import Judgement
from bot.store import clips, members
from bot.store.clips import NewClip
from bot.store.connection import Store

ONE_AT_A_TIME = "A poll is open in this channel already; one at a time, please."
CLOSED = "This poll has closed, so votes can no longer be given or changed."


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll with its answer: never show this to anybody before `closed`. Times are seconds since 1970, UTC."""

    id: int
    guild_id: int
    channel_id: int
    message_id: int | None
    human_clip: int
    ai_clip: int
    answer: Origin
    draw_seed: int
    closes_at: float
    closed_at: float | None
    voided: bool
    announced_at: float | None
    result_message_id: int | None

    @property
    def closed(self) -> bool:
        return self.closed_at is not None

    @property
    def posted_clip(self) -> int:
        return self.human_clip if self.answer is Origin.HUMAN else self.ai_clip

    @property
    def link(self) -> str:
        """Of the poll's message, as Discord writes it."""
        return f"https://discord.com/channels/{self.guild_id}/{self.channel_id}/{self.message_id}"


_COLUMNS = (
    "id, guild_id, channel_id, message_id, human_clip, ai_clip, answer, draw_seed, closes_at, closed_at, voided,"
    " announced_at, result_message_id"
)


async def record_draw(
    store: Store,
    draw: Draw,
    model_clip: NewClip,
    model_audio: bytes,
    *,
    channel_id: int,
    started_by: int,
    now: float,
    closes_at: float,
) -> Poll:
    """Write down the model's clip and the draw, before anything is posted. `started_by` is a Discord id.

    Raises Refused when a poll is open in the channel."""
    try:
        async with store.transaction() as transaction:
            ai_clip = await clips.add_within(transaction, model_clip, model_audio, now)
            number = await transaction.insert(
                "INSERT INTO polls (guild_id, channel_id, started_by, human_clip, ai_clip, answer, draw_seed,"
                " drawn_at, closes_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    model_clip.guild_id,
                    channel_id,
                    await members.number_of(transaction, started_by, now),
                    draw.human_clip,
                    ai_clip,
                    draw.origin,
                    draw.seed,
                    now,
                    closes_at,
                ),
            )
    except sqlite3.IntegrityError as error:
        if "polls.channel_id" not in str(error):
            raise
        raise Refused(ONE_AT_A_TIME) from error
    poll = await get(store, number)
    assert poll is not None
    return poll


async def set_message(store: Store, poll: int, message_id: int) -> None:
    """The clip is posted."""
    await store.execute("UPDATE polls SET message_id = ? WHERE id = ?", (message_id, poll))


async def void(store: Store, poll: int, now: float) -> None:
    """Close a poll that never reached its channel; it counts nowhere."""
    await store.execute("UPDATE polls SET closed_at = ?, voided = 1 WHERE id = ? AND closed_at IS NULL", (now, poll))


async def void_unposted(store: Store, before: float) -> int:
    """Void what was drawn before `before` and never posted, because the bot was stopped in between."""
    return await store.execute(
        "UPDATE polls SET closed_at = ?, voided = 1 WHERE message_id IS NULL AND closed_at IS NULL AND drawn_at <= ?",
        (before, before),
    )


async def get(store: Store, poll: int) -> Poll | None:
    row = await store.fetch_one(f"SELECT {_COLUMNS} FROM polls WHERE id = ?", (poll,))
    return None if row is None else _poll(row)


async def open_in_channel(store: Store, channel_id: int) -> Poll | None:
    row = await store.fetch_one(
        f"SELECT {_COLUMNS} FROM polls WHERE channel_id = ? AND closed_at IS NULL", (channel_id,)
    )
    return None if row is None else _poll(row)


async def of_guild(store: Store, guild_id: int, limit: int = 25) -> list[Poll]:
    """The polls of a server that were posted, latest first."""
    rows = await store.fetch_all(
        f"SELECT {_COLUMNS} FROM polls WHERE guild_id = ? AND message_id IS NOT NULL ORDER BY id DESC LIMIT ?",
        (guild_id, limit),
    )
    return [_poll(row) for row in rows]


async def next_deadline(store: Store) -> float | None:
    """When the next open poll closes."""
    row = await store.fetch_one(
        "SELECT min(closes_at) AS next FROM polls WHERE closed_at IS NULL AND message_id IS NOT NULL"
    )
    return None if row is None or row["next"] is None else float(row["next"])


async def close(store: Store, poll: int, now: float) -> bool:
    """Commit the close; False when the poll was closed before, so that only one caller announces it."""
    return await store.execute("UPDATE polls SET closed_at = ? WHERE id = ? AND closed_at IS NULL", (now, poll)) == 1


async def close_overdue(store: Store, now: float) -> int:
    """Commit the close of every poll whose deadline has passed; one that is just being posted can wait."""
    return await store.execute(
        "UPDATE polls SET closed_at = ? WHERE closed_at IS NULL AND message_id IS NOT NULL AND closes_at <= ?",
        (now, now),
    )


async def unannounced(store: Store) -> list[Poll]:
    """Closed polls whose result has not been told yet, oldest first."""
    rows = await store.fetch_all(
        f"SELECT {_COLUMNS} FROM polls WHERE closed_at IS NOT NULL AND announced_at IS NULL AND voided = 0 ORDER BY id"
    )
    return [_poll(row) for row in rows]


async def set_announced(store: Store, poll: int, message_id: int | None, now: float) -> None:
    """The result was told in `message_id`; None: its channel is gone, and nobody can be told."""
    await store.execute(
        "UPDATE polls SET announced_at = ?, result_message_id = ? WHERE id = ?", (now, message_id, poll)
    )


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a member has said now, and had said before."""

    before: Vote | None
    vote: Vote


async def choose(store: Store, poll: int, discord_id: int, choice: Origin, now: float) -> Ballot:
    """Give or change a vote; returns once it is committed. Raises Refused after the close."""
    return await _put(
        store,
        poll,
        discord_id,
        "INSERT INTO votes (poll, member, choice, voted_at) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (poll, member) DO UPDATE SET choice = ?3, voted_at = ?4",
        lambda before: choice,
        now,
    )


async def toggle_knows(store: Store, poll: int, discord_id: int, now: float) -> Ballot:
    """Say that the piece is known, or take that back; returns once it is committed. Raises Refused after the close."""
    return await _put(
        store,
        poll,
        discord_id,
        "INSERT INTO votes (poll, member, knows, voted_at) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (poll, member) DO UPDATE SET knows = ?3, voted_at = ?4",
        lambda before: int(before is None or not before.knows),
        now,
    )


async def _put(
    store: Store, poll: int, discord_id: int, sql: str, value: Callable[[Vote | None], str | int], now: float
) -> Ballot:
    """Write what `value` makes of the vote so far, in one transaction with reading it."""
    mine = "SELECT choice, knows FROM votes WHERE poll = ? AND member = ?"
    try:
        async with store.transaction() as transaction:
            member = await members.number_of(transaction, discord_id, now)
            row = await transaction.fetch_one(mine, (poll, member))
            before = None if row is None else _vote(row)
            await transaction.execute(sql, (poll, member, value(before), now))
            row = await transaction.fetch_one(mine, (poll, member))
    except sqlite3.IntegrityError as error:
        if "the poll is closed" not in str(error):
            raise
        raise Refused(CLOSED) from error
    assert row is not None
    return Ballot(before, _vote(row))


async def votes(store: Store, poll: int) -> list[Vote]:
    rows = await store.fetch_all("SELECT choice, knows FROM votes WHERE poll = ?", (poll,))
    return [_vote(row) for row in rows]


async def judgements(store: Store, guild_id: int, discord_id: int | None = None) -> list[Judgement]:
    """The votes of all closed polls that count in the statistics; of one member if given."""
    rows = await store.fetch_all(
        "SELECT votes.member, CASE answer WHEN 'human' THEN human_clip ELSE ai_clip END AS clip,"
        " answer = 'human' AS is_human, choice = 'human' AS called_human"
        " FROM votes JOIN polls ON polls.id = votes.poll JOIN members ON members.id = votes.member"
        " WHERE guild_id = ?1 AND closed_at IS NOT NULL AND voided = 0 AND choice IS NOT NULL AND knows = 0"
        " AND (?2 IS NULL OR discord_id = ?2) ORDER BY polls.id, votes.member",
        (guild_id, discord_id),
    )
    return [
        Judgement(int(row["member"]), int(row["clip"]), bool(row["is_human"]), bool(row["called_human"]))
        for row in rows
    ]


def _vote(row: sqlite3.Row) -> Vote:
    return Vote(None if row["choice"] is None else Origin(row["choice"]), bool(row["knows"]))


def _poll(row: sqlite3.Row) -> Poll:
    return Poll(
        id=int(row["id"]),
        guild_id=int(row["guild_id"]),
        channel_id=int(row["channel_id"]),
        message_id=None if row["message_id"] is None else int(row["message_id"]),
        human_clip=int(row["human_clip"]),
        ai_clip=int(row["ai_clip"]),
        answer=Origin(row["answer"]),
        draw_seed=int(row["draw_seed"]),
        closes_at=float(row["closes_at"]),
        closed_at=None if row["closed_at"] is None else float(row["closed_at"]),
        voided=bool(row["voided"]),
        announced_at=None if row["announced_at"] is None else float(row["announced_at"]),
        result_message_id=None if row["result_message_id"] is None else int(row["result_message_id"]),
    )
