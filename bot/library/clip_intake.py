"""How a clip gets into the collection: the engine renders it, then it is stored with where it comes from.

Human and model's clips take the same way: same band, same renderer, same codec, same record of conditions.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass

import structlog

from bot.attachments.spool import WaitingFile
from bot.engine.calls import EngineClient
from bot.engine.files import FileOnDisk
from bot.engine.jobs import OnEvent
from bot.errors import Refused
from bot.store import Store, clips, submissions
from bot.store.clips import Clip, Conditions, Kind, NewClip
from bot.store.submissions import NewSubmission
from engine.contract import engine_pb2 as pb

log = structlog.get_logger(__name__)

MOST_WAITING = 3
"""Clips of one member that wait for staff."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What staff hand in. `chords` may be empty; `performer` is who played; `track` has the melody (-1: find it)."""

    file: WaitingFile | HandedIn
    title: str
    performer: str
    chords: str
    added_by: int
    """Discord id"""
    track: int = -1
    licence: str = ""
    """of what a member hands in; "" where staff add it themselves"""

    @property
    def by_member(self) -> bool:
        """Staff have to approve it first."""
        return bool(self.licence)


@dataclass(frozen=True, slots=True)
class HandedIn:
    """The file of a submission that waits for staff: it stays in the store until it's needed."""

    store: Store
    number: int

    async def read(self) -> bytes:
        """Raises Refused once it is decided."""
        return (await submissions.files(self.store, self.number)).file


@dataclass(frozen=True, slots=True)
class Draft:
    """A submission as the engine plays it, not stored yet. `consent_at`: when it was said that the performer agrees."""

    submission: Submission
    guild_id: int
    digest: str
    kind: Kind
    seed: int
    clip: pb.Clip
    consent_at: float

    @property
    def file(self) -> WaitingFile:
        """Of one that hasn't been handed over."""
        assert isinstance(self.submission.file, WaitingFile), "it stays in the store"
        return self.submission.file


def is_midi(content: bytes) -> bool:
    """Whether a file says of itself that it is MIDI, bare or in a RIFF wrapper (Standard MIDI Files 1.0, RP-029)."""
    return content[:4] == b"MThd" or (content[:4] == b"RIFF" and content[8:12] == b"RMID")


async def play_submission(
    engine: EngineClient,
    store: Store,
    submission: Submission,
    *,
    guild_id: int,
    job: pb.Job,
    seed: int,
    max_bytes: int,
    now: float,
    on_event: OnEvent | None = None,
) -> Draft:
    """Render a submission. The same file with the same seed, chords and track sounds the same.

    Consent has been given: the caller asks for it. Raises Refused when the file is in the collection already, and
    the engine's errors (bad MIDI, bad audio, bad chords), each with its sentence."""
    digest, kind = await _identify(submission.file)
    known = await clips.find_source(store, guild_id, digest)
    if known is not None:
        raise Refused(f"This file is already in the collection, as clip {known}.")
    request = pb.RenderRequest(
        job=job, chords=submission.chords, seed=seed, melody_track=submission.track, max_bytes=max_bytes
    )
    files = {"midi" if kind is Kind.MIDI else "audio": submission.file}
    return Draft(submission, guild_id, digest, kind, seed, await engine.render(request, on_event, files), now)


async def _identify(file: FileOnDisk) -> tuple[str, Kind]:
    """What a file is recognised by, and what it is. Its bytes, up to 25 MiB, are let go of again."""
    content = await file.read()
    digest = await asyncio.to_thread(lambda: hashlib.sha256(content).hexdigest())
    return digest, Kind.MIDI if is_midi(content) else Kind.AUDIO


async def store_draft(store: Store, draft: Draft, now: float) -> Clip:
    """Put a draft into the collection. Raises Refused when the same file has got there meanwhile."""
    clip = await clips.get(store, await clips.add(store, await new_clip(draft), draft.clip.audio, now))
    assert clip is not None
    return clip


async def new_clip(draft: Draft) -> NewClip:
    """What is stored of a draft, besides its sound."""
    score = await draft.submission.file.read() if draft.kind is Kind.MIDI else None
    return NewClip(
        guild_id=draft.guild_id,
        kind=draft.kind,
        source_digest=draft.digest,
        title=draft.submission.title,
        performer=draft.submission.performer,
        conditions=conditions_of(draft.clip, draft.seed),
        added_by=draft.submission.added_by,
        consent_at=draft.consent_at,
        score=score,
        melody_track=draft.clip.melody_track if draft.kind is Kind.MIDI else -1,
        licence=draft.submission.licence,
        fingerprint=draft.clip.fingerprint,
    )


def conditions_of(clip: pb.Clip, seed: int) -> Conditions:
    """What the engine says of a clip. `seed` is the one it was asked to use."""
    return Conditions(
        chords=clip.chords,
        bars=clip.bars,
        tempo_bpm=clip.tempo_bpm,
        instrument=clip.instrument,
        feel=clip.feel,
        seed=seed,
        model_version=clip.model_version,
        soundfont=clip.soundfont,
        duration_s=clip.duration_s,
        loudness_lufs=clip.loudness_lufs,
        true_peak_dbtp=clip.true_peak_dbtp,
        notated=clip.notated,
        beats_per_bar=clip.beats_per_bar,
        takes=clip.takes,
    )


async def hand_over(store: Store, draft: Draft, now: float) -> int:
    """Leave a member's draft with staff; returns its number. Raises Refused when the same file waits already, or the
    member has too many waiting."""
    played = pb.Clip()
    played.CopyFrom(draft.clip)
    for name in ("audio", "midi", "roll", "lead_sheet"):
        played.ClearField(name)
    new = NewSubmission(
        guild_id=draft.guild_id,
        member=draft.submission.added_by,
        title=draft.submission.title,
        performer=draft.submission.performer,
        licence=draft.submission.licence,
        chords=draft.submission.chords,
        melody_track=draft.submission.track,
        kind=draft.kind,
        seed=draft.seed,
        source_digest=draft.digest,
        file=await draft.submission.file.read(),
        sound=draft.clip.audio,
        played=played.SerializeToString(),
        consent_at=draft.consent_at,
    )
    return await submissions.add(store, new, MOST_WAITING, now)


async def handed_over(store: Store, found: submissions.Submission) -> Draft:
    """The draft that a member has left with staff. Raises Refused once it is decided, or its member is forgotten."""
    if found.member is None:
        raise Refused(submissions.DECIDED)
    files = await submissions.files(store, found.id)
    clip = pb.Clip.FromString(files.played)
    clip.audio = files.sound
    submission = Submission(
        file=HandedIn(store, found.id),
        title=found.title,
        performer=found.performer,
        chords=files.chords,
        added_by=found.member,
        track=files.melody_track,
        licence=found.licence,
    )
    return Draft(submission, found.guild_id, files.source_digest, Kind(found.kind), files.seed, clip, found.consent_at)


async def piece_clip(
    engine: EngineClient, guild_id: int, piece: pb.Piece, *, job: pb.Job, seed: int, max_bytes: int,
    added_by: int, on_event: OnEvent | None = None,
) -> tuple[NewClip, bytes]:  # fmt: skip
    """A piece that comes with the engine, as a clip that somebody adds, and its sound."""
    request = pb.RenderRequest(job=job, piece_id=piece.id, seed=seed, melody_track=-1, max_bytes=max_bytes)
    rendered = await engine.render(request, on_event)
    return new_piece(guild_id, piece, conditions_of(rendered, seed), added_by), rendered.audio


def new_piece(guild_id: int, piece: pb.Piece, conditions: Conditions, added_by: int | None = None) -> NewClip:
    """A piece that comes with the engine as a clip of the collection."""
    return NewClip(
        guild_id=guild_id,
        kind=Kind.PIECE,
        source_digest=piece_digest(piece.id),
        title=piece.title,
        performer=piece.composer,
        conditions=conditions,
        year=piece.year,
        source=piece.source,
        added_by=added_by,
        piece_id=piece.id,
    )


def piece_digest(piece_id: str) -> str:
    """What a piece is recognised by in a collection."""
    return hashlib.sha256(f"piece:{piece_id}".encode()).hexdigest()
