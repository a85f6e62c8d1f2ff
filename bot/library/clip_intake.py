"""How a clip gets into the collection: the engine renders it, then it is stored with where it comes from.

Human and model's clips take the same way: same band, same renderer, same codec, same record of conditions.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bot.engine.calls import EngineClient, OnEvent
from bot.errors import EngineFailed, EngineRefused, Refused
from bot.store import Store, clips
from bot.store.clips import Clip, Conditions, Kind, NewClip
from engine.contract import engine_pb2 as pb

log = structlog.get_logger(__name__)

DEFAULT_TEMPO_BPM = 140.0
"""For a model's clip beside a recording whose tempo nobody knows."""


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
    )
    clip = await clips.get(store, await clips.add(store, new, draft.clip.audio, now))
    assert clip is not None
    return clip


async def take_in_pieces(
    engine: EngineClient,
    store: Store,
    *,
    guild_id: int,
    member_key: str,
    draw_seed: Callable[[], int],
    max_bytes: int,
    now: float,
    on_event: OnEvent | None = None,
) -> int:
    """Render and store the human-composed pieces that come with the engine; returns how many were new.

    A piece that the engine cannot play is left out."""
    added = 0
    for piece in (await engine.list_jazz_options()).pieces:
        digest = hashlib.sha256(f"piece:{piece.id}".encode()).hexdigest()
        if await clips.find_source(store, guild_id, digest) is not None:
            continue
        seed = draw_seed()
        request = pb.RenderRequest(
            job=pb.Job(member_key=member_key), piece_id=piece.id, seed=seed, melody_track=-1, max_bytes=max_bytes
        )
        try:
            rendered = await engine.render(request, on_event)
        except (EngineRefused, EngineFailed) as error:
            log.warning("piece left out", piece=piece.id, sentence=error.sentence)
            continue
        new = NewClip(
            guild_id=guild_id,
            kind=Kind.PIECE,
            source_digest=digest,
            title=piece.title,
            performer=piece.composer,
            conditions=conditions_of(rendered, seed),
            year=piece.year,
            source=piece.source,
        )
        await clips.add(store, new, rendered.audio, now)
        added += 1
    return added


async def play_beside(
    engine: EngineClient,
    human: Clip,
    *,
    chords: str,
    job: pb.Job,
    seed: int,
    max_bytes: int,
    on_event: OnEvent | None = None,
) -> tuple[NewClip, bytes]:
    """Let the model play under the conditions of a human clip (or over other `chords`); returns clip and sound."""
    options = await engine.list_jazz_options()
    request = matched_request(human.conditions, options)
    request.job.CopyFrom(job)
    request.chords = chords or human.conditions.chords
    request.seed = seed
    request.max_bytes = max_bytes
    played = await engine.play(request, on_event)
    new = NewClip(
        guild_id=human.guild_id,
        kind=Kind.MODEL,
        source_digest=hashlib.sha256(played.audio).hexdigest(),
        title="Improvisation",
        performer=f"the model {played.model_version}",
        conditions=conditions_of(played, seed),
    )
    return new, played.audio


def matched_request(conditions: Conditions, options: pb.ListJazzOptionsReply) -> pb.PlayRequest:
    """A request for as many bars in the same metre and tempo, on the same instrument with the same feel, within what
    the model can play.

    A recording has no bars: then as many as last as long."""
    tempo_bpm = conditions.tempo_bpm or DEFAULT_TEMPO_BPM
    tempo_bpm = min(max(tempo_bpm, options.min_tempo_bpm), options.max_tempo_bpm)
    beats_per_bar = conditions.beats_per_bar or 4
    bars = conditions.bars or round(conditions.duration_s * tempo_bpm / 60 / beats_per_bar)
    bars = min(max(bars, options.min_bars), options.max_bars)
    instrument = conditions.instrument if conditions.instrument in options.instruments else ""
    feel = conditions.feel if conditions.feel in options.feels else ""
    return pb.PlayRequest(bars=bars, tempo_bpm=tempo_bpm, instrument=instrument, feel=feel, beats_per_bar=beats_per_bar)


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
