"""Series and their trials, once they have begun (`beginning.py`): the posting, the close, and what was said of it.

Times are seconds since 1970, UTC."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.errors import Refused
from bot.rules.blind_poll import Origin
from bot.store import clips
from bot.store.connection import Store

Kind = Literal["listening", "question"]
Pace = Literal["live", "days"]

ONE_AT_A_TIME = "A poll is already open in this channel; one at a time, please."
WITHDRAWN = "The sound of this trial has been withdrawn."


@dataclass(frozen=True, slots=True)
class Series:
    """A series without its answers: those are in its trials."""

    id: int
    kind: Kind
    pace: Pace
    title: str
    guild_id: int
    channel_id: int
    thread_id: int | None
    started_by: int
    """a member's number"""
    draw_seed: int
    recordings: bool
    matched: bool
    salt: str
    seal: str
    plan: Mapping[str, Any]
    prepared_at: float
    closes_at: float | None
    opening_message_id: int | None
    posting_at: float | None
    closed_at: float | None
    voided: bool
    reminded: int
    announcing_at: float | None
    announced_at: float | None
    result_message_id: int | None

    @property
    def closed(self) -> bool:
        return self.closed_at is not None

    @property
    def trials_channel(self) -> int:
        """Where its trials stand."""
        return self.thread_id or self.channel_id

    @property
    def link(self) -> str:
        """Of its opening message, as Discord writes it."""
        return f"https://discord.com/channels/{self.guild_id}/{self.channel_id}/{self.opening_message_id}"


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial with its answer: never show that to anybody before its series is closed."""

    id: int
    series: int
    number: int
    design: Literal["pair", "single", "question"]
    is_catch: bool
    human_clip: int | None
    ai_clip: int | None
    answer: str
    band_seed: int
    question: str
    options: tuple[str, ...]
    most_choices: int
    is_open: bool
    quorum: int
    message_id: int | None
    shown_at: float | None
    withdrawn_at: float | None
    """when the sound of a trial of an open series was deleted"""

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None

    @property
    def heard_clips(self) -> tuple[int, ...]:
        """In the order in which they are posted."""
        assert self.human_clip is not None
        assert self.ai_clip is not None
        match self.answer:
            case "A":
                return self.human_clip, self.ai_clip
            case "B":
                return self.ai_clip, self.human_clip
            case Origin.HUMAN:
                return (self.human_clip,)
        return (self.ai_clip,)


_SERIES = (
    "id, kind, pace, title, guild_id, channel_id, thread_id, started_by, draw_seed, recordings, matched, salt, seal,"
    " plan, prepared_at, closes_at, opening_message_id, posting_at, closed_at, voided, reminded, announcing_at,"
    " announced_at, result_message_id"
)
_TRIAL = (
    "id, series, number, design, is_catch, human_clip, ai_clip, answer, band_seed, question, options, most_choices,"
    " is_open, quorum, message_id, shown_at, withdrawn_at"
)

# ---------------------------------------------------------------- posting


async def set_posting(store: Store, series: int, now: float) -> None:
    """The opening message is about to be sent: from now on it may stand there without our knowing."""
    await store.execute("UPDATE series SET posting_at = ? WHERE id = ? AND posting_at IS NULL", (now, series))


async def set_opened(store: Store, series: int, message_id: int) -> None:
    await store.execute("UPDATE series SET opening_message_id = ? WHERE id = ?", (message_id, series))


async def set_thread(store: Store, series: int, thread_id: int) -> None:
    await store.execute("UPDATE series SET thread_id = ? WHERE id = ?", (thread_id, series))


async def set_shown(store: Store, trial: int, message_id: int, now: float) -> None:
    """A trial's message stands."""
    await store.execute(
        "UPDATE trials SET message_id = ?, shown_at = coalesce(shown_at, ?) WHERE id = ?", (message_id, now, trial)
    )


async def void(store: Store, series: int, now: float) -> None:
    """Call a series off; it counts nowhere."""
    await store.execute("UPDATE series SET closed_at = ?, voided = 1 WHERE id = ? AND closed_at IS NULL", (now, series))


async def half_posted(store: Store) -> list[Series]:
    """Open series that don't stand completely yet: the bot was stopped while it posted them."""
    rows = await store.fetch_all(
        f"SELECT {_SERIES} FROM series WHERE closed_at IS NULL AND (opening_message_id IS NULL OR pace = 'days' AND"
        " EXISTS (SELECT 1 FROM trials WHERE trials.series = series.id AND message_id IS NULL"
        " AND withdrawn_at IS NULL)) ORDER BY id"
    )
    return [_series(row) for row in rows]


# ---------------------------------------------------------------- finding


async def get(store: Store, series: int) -> Series | None:
    row = await store.fetch_one(f"SELECT {_SERIES} FROM series WHERE id = ?", (series,))
    return None if row is None else _series(row)


async def of_request(store: Store, request: int) -> Series | None:
    """What an interaction has had written down already."""
    row = await store.fetch_one(f"SELECT {_SERIES} FROM series WHERE request = ?", (request,))
    return None if row is None else _series(row)


async def known(store: Store, series: int) -> Series:
    """One that is there."""
    found = await get(store, series)
    assert found is not None
    return found


async def trials(store: Store, series: int) -> list[Trial]:
    """In order."""
    rows = await store.fetch_all(f"SELECT {_TRIAL} FROM trials WHERE series = ? ORDER BY number", (series,))
    return [_trial(row) for row in rows]


async def trial(store: Store, number: int) -> Trial | None:
    row = await store.fetch_one(f"SELECT {_TRIAL} FROM trials WHERE id = ?", (number,))
    return None if row is None else _trial(row)


async def sounds(store: Store, of: Trial) -> list[bytes]:
    """What is posted, OGG, in order. Raises Refused when it was withdrawn."""
    row = await store.fetch_one("SELECT human_sound FROM trials WHERE id = ?", (of.id,))
    found = []
    for clip in of.heard_clips:
        sound = row["human_sound"] if row is not None and clip == of.human_clip else await clips.audio(store, clip)
        if sound is None:
            raise Refused(WITHDRAWN)
        found.append(bytes(sound))
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trial's message stands."""

    guild_id: int
    channel_id: int
    message_id: int

    @property
    def link(self) -> str:
        return f"https://discord.com/channels/{self.guild_id}/{self.channel_id}/{self.message_id}"


async def messages_with(store: Store, human_clip: int) -> list[Place]:
    """The messages that a human clip's sound was posted in."""
    rows = await store.fetch_all(
        "SELECT guild_id, coalesce(thread_id, channel_id) AS channel_id, message_id FROM trials"
        " JOIN series ON series.id = trials.series WHERE human_clip = ? AND answer <> 'ai' AND message_id IS NOT NULL"
        " ORDER BY trials.id",
        (human_clip,),
    )
    return [Place(**dict(row)) for row in rows]


async def open_in_channel(store: Store, channel_id: int, kind: Kind = "listening") -> Series | None:
    """The latest one that is open in a channel or in its own thread."""
    row = await store.fetch_one(
        f"SELECT {_SERIES} FROM series WHERE ? IN (channel_id, thread_id) AND kind = ? AND closed_at IS NULL"
        " ORDER BY id DESC LIMIT 1",
        (channel_id, kind),
    )
    return None if row is None else _series(row)


async def of_guild(store: Store, guild_id: int, limit: int = 25, kind: Kind = "listening") -> list[Series]:
    """The series of a server that were posted, latest first."""
    rows = await store.fetch_all(
        f"SELECT {_SERIES} FROM series WHERE guild_id = ? AND kind = ? AND opening_message_id IS NOT NULL"
        " AND voided = 0 ORDER BY id DESC LIMIT ?",
        (guild_id, kind, limit),
    )
    return [_series(row) for row in rows]


# ---------------------------------------------------------------- the close


async def next_deadline(store: Store) -> float | None:
    """When the next open series closes."""
    row = await store.fetch_one(
        "SELECT min(closes_at) AS next FROM series WHERE closed_at IS NULL AND opening_message_id IS NOT NULL"
    )
    return None if row is None or row["next"] is None else float(row["next"])


async def close(store: Store, series: int, now: float) -> bool:
    """Commit the close; False when it was closed before, so that only one caller announces it."""
    return await store.execute("UPDATE series SET closed_at = ? WHERE id = ? AND closed_at IS NULL", (now, series)) == 1


async def close_overdue(store: Store, now: float) -> int:
    """Commit the close of every series whose deadline has passed; one that is just being posted can wait."""
    return await store.execute(
        "UPDATE series SET closed_at = ? WHERE closed_at IS NULL AND opening_message_id IS NOT NULL AND closes_at <= ?",
        (now, now),
    )


async def with_deadline(store: Store) -> list[Series]:
    """Open ones that have a deadline, for their reminders."""
    rows = await store.fetch_all(
        f"SELECT {_SERIES} FROM series WHERE closed_at IS NULL AND opening_message_id IS NOT NULL"
        " AND closes_at IS NOT NULL AND kind = 'listening' ORDER BY id"
    )
    return [_series(row) for row in rows]


async def set_reminded(store: Store, series: int, reminders: int) -> bool:
    """Claim all reminders up to this one; False when somebody has before."""
    changed = await store.execute(
        "UPDATE series SET reminded = ?1 WHERE id = ?2 AND reminded < ?1", (reminders, series)
    )
    return changed == 1


async def unannounced(store: Store) -> list[Series]:
    """Closed series whose result hasn't been told yet, oldest first."""
    rows = await store.fetch_all(
        f"SELECT {_SERIES} FROM series WHERE closed_at IS NOT NULL AND announced_at IS NULL AND voided = 0 ORDER BY id"
    )
    return [_series(row) for row in rows]


async def set_announcing(store: Store, series: int, now: float) -> None:
    """The result is about to be sent for the first time: from now on it may stand there without our knowing."""
    await store.execute("UPDATE series SET announcing_at = ? WHERE id = ? AND announcing_at IS NULL", (now, series))


async def set_announced(store: Store, series: int, message_id: int | None, now: float) -> None:
    """The result was told in `message_id`; None: nobody can be told. The human clips' sounds are let go."""
    async with store.transaction() as transaction:
        await transaction.execute(
            "UPDATE series SET announced_at = ?, result_message_id = ? WHERE id = ?", (now, message_id, series)
        )
        await transaction.execute("UPDATE trials SET human_sound = NULL WHERE series = ?", (series,))


async def leave(store: Store, guild_id: int, now: float) -> int:
    """The bot was thrown out of a server: nothing more can be posted there. What is closed can still be asked for."""
    async with store.transaction() as transaction:
        changed = await transaction.execute(
            "UPDATE series SET closed_at = ? WHERE guild_id = ? AND closed_at IS NULL", (now, guild_id)
        )
        await transaction.execute(
            "UPDATE series SET announced_at = ? WHERE guild_id = ? AND announced_at IS NULL", (now, guild_id)
        )
    return changed


def _series(row: sqlite3.Row) -> Series:
    values = dict(row)
    values["plan"] = json.loads(values["plan"])
    for name in ("recordings", "matched", "voided"):
        values[name] = bool(values[name])
    return Series(**values)


def _trial(row: sqlite3.Row) -> Trial:
    values = dict(row)
    values["options"] = tuple(json.loads(values["options"]))
    for name in ("is_catch", "is_open"):
        values[name] = bool(values[name])
    return Trial(**values)
