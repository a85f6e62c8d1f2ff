"""The clips of the blind polls: sound, where it comes from, and under which conditions it was made."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from bot.errors import Refused
from bot.rules.blind_poll import Origin
from bot.store import members
from bot.store.connection import Store, Transaction

NAMELESS = "somebody whose name was removed"


class Kind(StrEnum):
    """What a clip was made from."""

    MIDI = "midi"
    """an uploaded MIDI file, played by the band"""
    AUDIO = "audio"
    """an uploaded recording"""
    PIECE = "piece"
    """a piece that comes with the engine's libraries, played by the band"""
    MODEL = "model"
    """improvised by the model, played by the band"""

    @property
    def origin(self) -> Origin:
        return Origin.AI if self is Kind.MODEL else Origin.HUMAN


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a clip was played and how loud it is: what both sides of a poll should have in common."""

    chords: str
    bars: int
    tempo_bpm: float
    instrument: str
    feel: str
    seed: int
    model_version: str
    soundfont: str
    duration_s: float
    loudness_lufs: float
    true_peak_dbtp: float
    notated: bool = False
    """of a human clip: nobody played it, the model's rendition network performs its notes"""
    beats_per_bar: int = 0
    """3 or 4; 0 when nobody knows: a recording, or a MIDI file stored before this was"""
    takes: int = 0
    """of a model's clip: how many lines its critic chose from; 0 when nobody knows"""


@dataclass(frozen=True, slots=True)
class NewClip:
    """A clip to be stored. `source_digest` is what it is recognised by when it comes a second time."""

    guild_id: int
    kind: Kind
    source_digest: str
    title: str
    performer: str
    conditions: Conditions
    year: str = ""
    source: str = ""
    added_by: int | None = None
    """Discord id; None: the bot itself"""
    consent_at: float | None = None
    score: bytes | None = None
    """the MIDI file that a human clip is rendered from, every time"""
    melody_track: int = -1
    piece_id: str = ""
    """of a piece that comes with the engine"""
    licence: str = ""
    """of a clip that a member handed in"""
    fingerprint: bytes = b""
    """what the same music is found by (`engine/jazz/rendering/fingerprint.py`)"""


@dataclass(frozen=True, slots=True)
class Clip:
    """A stored clip without its sound."""

    id: int
    guild_id: int
    kind: Kind
    title: str
    performer: str
    year: str
    source: str
    removed: bool
    times_drawn: int
    """in how many trials it stood beside the model's clip, whichever was posted"""
    times_heard: int
    """in how many trials of closed series it was heard"""
    conditions: Conditions
    in_open_series: bool = False
    has_score: bool = False
    """can be rendered again; a clip stored by an earlier version can't"""
    melody_track: int = -1
    piece_id: str = ""
    licence: str = ""
    chosen: bool = False
    """somebody has added it; a piece also joins the collection when it is first drawn"""


_COLUMNS = (
    "clips.id, clips.guild_id, kind, title, performer, year, source, removed_at, chords, bars, tempo_bpm, instrument,"
    " feel, seed, model_version, soundfont, duration_s, loudness_lufs, true_peak_dbtp, notated, beats_per_bar, takes,"
    " score IS NOT NULL OR piece_id <> '' AS has_score, melody_track, piece_id,"
    " licence, clips.added_by IS NOT NULL AS chosen,"
    " (SELECT count(*) FROM trials JOIN series ON series.id = trials.series"
    "   WHERE human_clip = clips.id AND voided = 0) AS times_drawn,"
    " (SELECT count(*) FROM trials JOIN series ON series.id = trials.series"
    "   WHERE human_clip = clips.id AND voided = 0 AND answer <> 'ai' AND closed_at IS NOT NULL) AS times_heard,"
    " EXISTS (SELECT 1 FROM trials JOIN series ON series.id = trials.series"
    "   WHERE human_clip = clips.id AND closed_at IS NULL) AS in_open_series"
)


async def add(store: Store, clip: NewClip, audio: bytes, now: float) -> int:
    """Store a clip and return its number; a clip that was removed before comes back under its old one, and so does a
    piece that has only been drawn so far.

    Raises Refused when the same source is stored already."""
    async with store.transaction() as transaction:
        return await add_within(transaction, clip, audio, now)


async def add_within(transaction: Transaction, clip: NewClip, audio: bytes, now: float) -> int:
    """`add` as part of a larger transaction."""
    known = None
    if clip.kind.origin is Origin.HUMAN:
        known = await transaction.fetch_one(
            "SELECT id, removed_at, piece_id, added_by FROM clips"
            " WHERE guild_id = ? AND source_digest = ? AND origin = 'human'",
            (clip.guild_id, clip.source_digest),
        )
    if known is not None and known["removed_at"] is None and not (known["piece_id"] and known["added_by"] is None):
        raise Refused(f"This is already in the collection, as clip {known['id']}.")
    added_by = None if clip.added_by is None else await members.number_of(transaction, clip.added_by, now)
    conditions = clip.conditions
    values = {
        "guild_id": clip.guild_id,
        "origin": clip.kind.origin,
        "kind": clip.kind,
        "source_digest": clip.source_digest,
        "title": clip.title,
        "performer": clip.performer,
        "year": clip.year,
        "source": clip.source,
        "added_by": added_by,
        "consent_at": clip.consent_at,
        "added_at": now,
        "removed_at": None,
        "audio": audio,
        "chords": conditions.chords,
        "bars": conditions.bars,
        "tempo_bpm": conditions.tempo_bpm,
        "instrument": conditions.instrument,
        "feel": conditions.feel,
        "seed": conditions.seed,
        "model_version": conditions.model_version,
        "soundfont": conditions.soundfont,
        "duration_s": conditions.duration_s,
        "loudness_lufs": conditions.loudness_lufs,
        "true_peak_dbtp": conditions.true_peak_dbtp,
        "notated": conditions.notated,
        "beats_per_bar": conditions.beats_per_bar,
        "takes": conditions.takes,
        "score": clip.score,
        "melody_track": clip.melody_track,
        "piece_id": clip.piece_id,
        "licence": clip.licence,
        "fingerprint": clip.fingerprint or None,
    }
    if known is not None:
        assignments = ", ".join(f"{column} = ?" for column in values)
        await transaction.execute(f"UPDATE clips SET {assignments} WHERE id = ?", (*values.values(), known["id"]))
        return int(known["id"])
    columns, places = ", ".join(values), ", ".join("?" for _ in values)
    return await transaction.insert(f"INSERT INTO clips ({columns}) VALUES ({places})", tuple(values.values()))


async def known_or_new(transaction: Transaction, clip: NewClip, audio: bytes, now: float) -> int:
    """The number of a human clip that somebody may have stored meanwhile, else stored now."""
    known = await transaction.fetch_one(
        "SELECT id FROM clips WHERE guild_id = ? AND source_digest = ? AND origin = 'human' AND removed_at IS NULL",
        (clip.guild_id, clip.source_digest),
    )
    return await add_within(transaction, clip, audio, now) if known is None else int(known["id"])


async def is_removed(transaction: Transaction, clip: int) -> bool:
    row = await transaction.fetch_one("SELECT removed_at FROM clips WHERE id = ?", (clip,))
    return row is not None and row["removed_at"] is not None


async def find_source(store: Store, guild_id: int, source_digest: str) -> int | None:
    """The number of the human clip that was made from this source and is still there."""
    row = await store.fetch_one(
        "SELECT id FROM clips WHERE guild_id = ? AND source_digest = ? AND origin = 'human' AND removed_at IS NULL",
        (guild_id, source_digest),
    )
    return None if row is None else int(row["id"])


async def get(store: Store, clip: int) -> Clip | None:
    row = await store.fetch_one(f"SELECT {_COLUMNS} FROM clips WHERE id = ?", (clip,))
    return None if row is None else _clip(row)


async def audio(store: Store, clip: int) -> bytes | None:
    """The sound, OGG; None when there is no such clip or it was removed."""
    row = await store.fetch_one("SELECT audio FROM clips WHERE id = ?", (clip,))
    return None if row is None or row["audio"] is None else bytes(row["audio"])


async def source_digest(store: Store, clip: int) -> str:
    """What a clip is recognised by; "" when there is none."""
    row = await store.fetch_one("SELECT source_digest FROM clips WHERE id = ?", (clip,))
    return "" if row is None else str(row["source_digest"])


async def score(store: Store, clip: int) -> bytes | None:
    """The MIDI file that a human clip is rendered from; None for pieces, recordings, and what was removed."""
    row = await store.fetch_one("SELECT score FROM clips WHERE id = ?", (clip,))
    return None if row is None or row["score"] is None else bytes(row["score"])


async def fingerprints(store: Store, guild_id: int) -> dict[int, bytes]:
    """Of the clips of a server's collection, by number."""
    rows = await store.fetch_all(
        "SELECT id, fingerprint FROM clips WHERE guild_id = ? AND fingerprint IS NOT NULL AND removed_at IS NULL",
        (guild_id,),
    )
    return {int(row["id"]): bytes(row["fingerprint"]) for row in rows}


async def removed_pieces(store: Store, guild_id: int) -> set[str]:
    """The engine's pieces that staff have taken out of a server's collection."""
    rows = await store.fetch_all(
        "SELECT piece_id FROM clips WHERE guild_id = ? AND piece_id <> '' AND removed_at IS NOT NULL", (guild_id,)
    )
    return {str(row["piece_id"]) for row in rows}


async def human_clips(store: Store, guild_id: int) -> list[Clip]:
    """The collection of a server: human clips that were not removed, oldest first."""
    rows = await store.fetch_all(
        f"SELECT {_COLUMNS} FROM clips WHERE clips.guild_id = ? AND origin = 'human' AND removed_at IS NULL"
        " ORDER BY clips.id",
        (guild_id,),
    )
    return [_clip(row) for row in rows]


async def remove(store: Store, guild_id: int, clip: int, now: float, *, forget_name: bool = False) -> Clip | None:
    """Delete the sound and the notes of a clip of this server's collection, also those rendered for its trials; keep
    the row. Trials of open series that play it are withdrawn. None when there is no such clip.

    `forget_name`: whoever played an upload is not named any more, also when its sound was deleted before."""
    async with store.transaction() as transaction:
        changed = await transaction.execute(
            "UPDATE clips SET audio = NULL, score = NULL, fingerprint = NULL, removed_at = ?"
            " WHERE id = ? AND guild_id = ? AND origin = 'human' AND removed_at IS NULL",
            (now, clip, guild_id),
        )
        if changed:
            await transaction.execute(
                "UPDATE trials SET human_sound = NULL, human_midi = NULL WHERE human_clip = ?", (clip,)
            )
            await transaction.execute(
                "UPDATE trials SET withdrawn_at = ? WHERE human_clip = ? AND answer <> 'ai' AND EXISTS"
                " (SELECT 1 FROM series WHERE series.id = series AND closed_at IS NULL)",
                (now, clip),
            )
        if forget_name:
            changed += await transaction.execute(
                "UPDATE clips SET performer = ? WHERE id = ? AND guild_id = ? AND kind IN ('midi', 'audio')",
                (NAMELESS, clip, guild_id),
            )
    return await get(store, clip) if changed else None


async def named(store: Store, guild_id: int, names: Collection[str]) -> int:
    """How many uploads of a server, removed ones too, name a performer who is called one of `names`."""
    wanted = {name.strip().casefold() for name in names}
    rows = await store.fetch_all(
        "SELECT performer FROM clips WHERE guild_id = ? AND kind IN ('midi', 'audio')", (guild_id,)
    )
    return sum(str(row["performer"]).strip().casefold() in wanted for row in rows)


def _clip(row: sqlite3.Row) -> Clip:
    return Clip(
        id=int(row["id"]),
        guild_id=int(row["guild_id"]),
        kind=Kind(row["kind"]),
        title=str(row["title"]),
        performer=str(row["performer"]),
        year=str(row["year"]),
        source=str(row["source"]),
        removed=row["removed_at"] is not None,
        times_drawn=int(row["times_drawn"]),
        times_heard=int(row["times_heard"]),
        in_open_series=bool(row["in_open_series"]),
        has_score=bool(row["has_score"]),
        melody_track=int(row["melody_track"]),
        piece_id=str(row["piece_id"]),
        licence=str(row["licence"]),
        chosen=bool(row["chosen"]),
        conditions=Conditions(
            chords=str(row["chords"]),
            bars=int(row["bars"]),
            tempo_bpm=float(row["tempo_bpm"]),
            instrument=str(row["instrument"]),
            feel=str(row["feel"]),
            seed=int(row["seed"]),
            model_version=str(row["model_version"]),
            soundfont=str(row["soundfont"]),
            duration_s=float(row["duration_s"]),
            loudness_lufs=float(row["loudness_lufs"]),
            true_peak_dbtp=float(row["true_peak_dbtp"]),
            notated=bool(row["notated"]),
            beats_per_bar=int(row["beats_per_bar"]),
            takes=int(row["takes"]),
        ),
    )
