"""How a clip gets into the collection: the engine renders it, then it is stored with where it comes from.

Human and model's clips take the same way: same band, same renderer, same codec, same record of conditions.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass

import structlog

from bot.engine.calls import EngineClient, OnEvent
from bot.errors import Refused
from bot.store import Store, clips
from bot.store.clips import Clip, Conditions, Kind, NewClip
from engine.contract import engine_pb2 as pb

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Submission:
    """What staff hand in. `chords` may be empty; `performer` is who played; `track` has the melody (-1: find it)."""

    content: bytes
    title: str
    performer: str
    chords: str
    added_by: int
    """Discord id"""
    track: int = -1


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
    digest = await asyncio.to_thread(lambda: hashlib.sha256(submission.content).hexdigest())  # up to 25 MiB
    known = await clips.find_source(store, guild_id, digest)
    if known is not None:
        raise Refused(f"This file is in the collection already, as clip {known}.")
    kind = Kind.MIDI if is_midi(submission.content) else Kind.AUDIO
    request = pb.RenderRequest(
        job=job, chords=submission.chords, seed=seed, melody_track=submission.track, max_bytes=max_bytes
    )
    if kind is Kind.MIDI:
        request.midi = submission.content
    else:
        request.audio = submission.content
    return Draft(submission, guild_id, digest, kind, seed, await engine.render(request, on_event), now)


async def store_draft(store: Store, draft: Draft, now: float) -> Clip:
    """Put a draft into the collection. Raises Refused when the same file has got there meanwhile."""
    new = NewClip(
        guild_id=draft.guild_id,
        kind=draft.kind,
        source_digest=draft.digest,
        title=draft.submission.title,
        performer=draft.submission.performer,
        conditions=conditions_of(draft.clip, draft.seed),
        added_by=draft.submission.added_by,
        consent_at=draft.consent_at,
        score=draft.submission.content if draft.kind is Kind.MIDI else None,
        melody_track=draft.clip.melody_track if draft.kind is Kind.MIDI else -1,
    )
    clip = await clips.get(store, await clips.add(store, new, draft.clip.audio, now))
    assert clip is not None
    return clip


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
    )
