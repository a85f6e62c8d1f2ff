"""Everything of a listening series, made before anything is posted: both sides of each trial, rendered alike.

A human clip is rendered from its score for the very trial, with the code, the SoundFont, the band's seed and the
finishing that the model's clip gets; so a better SoundFont tells nothing, and no file of the collection matches.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bot.engine.calls import EngineClient
from bot.engine.jobs import OnEvent
from bot.errors import Refused
from bot.library import contest
from bot.library.clip_intake import conditions_of, new_piece, piece_digest
from bot.rules.blind_poll import ENOUGH_OWN_CLIPS, Candidate, TrialDraw
from bot.rules.model_race import who_plays
from bot.store import Store, clips
from bot.store.clips import Clip, Conditions, Kind, NewClip
from bot.store.polls.beginning import REMOVED_MEANWHILE, PreparedTrial
from engine.contract import engine_pb2 as pb

DEFAULT_TEMPO_BPM = 140.0
"""For a model's clip beside a recording whose tempo nobody knows."""
FIRST, SECOND = "one clip", "the other clip"
NOTHING_TO_DRAW = "There are no human clips to draw from yet; please add one with `/clips add`."
NO_RECORDINGS = "There are no recordings to draw from yet; please add one with `/clips add`."
SHUFFLED = "the same solo, its pitches shuffled"


@dataclass(frozen=True, slots=True)
class Source:
    """A human clip that may be drawn: of the collection, or a piece that the engine brings along."""

    key: str
    times_drawn: int
    clip: Clip | None = None
    piece: pb.Piece | None = None

    @property
    def candidate(self) -> Candidate:
        return Candidate(self.key, self.times_drawn)


@dataclass(frozen=True, slots=True)
class Collection:
    """What a series is drawn from. `unplayable`: so many clips of an earlier version, stored without their score."""

    sources: dict[str, Source]
    unplayable: int = 0


async def collection(engine: EngineClient, store: Store, guild_id: int, *, recordings: bool) -> Collection:
    """What can be drawn on a server: recordings alone, or everything else.

    A server with few clips of its own also draws from the engine's pieces, but those that staff have removed. Raises
    Refused when there is nothing."""
    kept = await clips.human_clips(store, guild_id)
    if recordings:
        found = {f"clip:{clip.id}": clip for clip in kept if clip.kind is Kind.AUDIO}
        if not found:
            raise Refused(NO_RECORDINGS)
        return Collection({key: Source(key, clip.times_drawn, clip) for key, clip in found.items()})
    own = [clip for clip in kept if clip.kind is Kind.MIDI and clip.has_score]
    sources = {f"clip:{clip.id}": Source(f"clip:{clip.id}", clip.times_drawn, clip) for clip in own}
    known = {await clips.source_digest(store, clip.id): clip for clip in kept if clip.kind is Kind.PIECE}
    enough = len(own) + sum(clip.chosen for clip in known.values()) >= ENOUGH_OWN_CLIPS
    removed = await clips.removed_pieces(store, guild_id)
    for piece in (await engine.list_jazz_options()).pieces:
        key, clip = f"piece:{piece.id}", known.get(piece_digest(piece.id))
        if piece.id not in removed and (not enough or (clip is not None and clip.chosen)):
            sources[key] = Source(key, clip.times_drawn if clip else 0, clip, piece)
    if not sources:
        raise Refused(NOTHING_TO_DRAW)
    return Collection(sources, sum(clip.kind is Kind.MIDI and not clip.has_score for clip in kept))


@dataclass(frozen=True)
class Preparation:
    """How the trials of one series are made."""

    engine: EngineClient
    store: Store
    guild_id: int
    job: pb.Job
    """all of it is one job of a member's"""
    max_bytes: int
    """of one message: a pair shares it"""
    matched: bool = True
    on_event: OnEvent | None = None

    async def trials(self, draws: Sequence[TrialDraw], found: Collection) -> list[PreparedTrial]:
        """Both sides of every trial, one after another. Raises the engine's errors, and Refused when a clip was removed
        meanwhile; nothing is stored or posted by then."""
        options = await self.engine.list_jazz_options()
        versions = who_plays(
            await contest.versions(options, self.store), len(draws), sum(draw.band_seed for draw in draws)
        )
        prepared = []
        for number, (draw, version) in enumerate(zip(draws, versions, strict=True), start=1):
            source = found.sources[draw.key]
            prepared.append(await self._trial(draw, source, options, version, f"trial {number} of {len(draws)}"))
        return prepared

    async def _trial(
        self, draw: TrialDraw, source: Source, options: pb.ListJazzOptionsReply, version: str, place: str
    ) -> PreparedTrial:
        human, heard, conditions = await self._human(draw, source, place)
        if draw.is_catch:
            model, played = await self._shuffled(draw, source, conditions, place)
        else:
            model, played = await self._model(draw, conditions, options, version, place)
        return PreparedTrial(draw, human, heard.audio, model, played.audio, heard.midi, played.midi)

    async def _human(self, draw: TrialDraw, source: Source, place: str) -> tuple[int | NewClip, pb.Clip, Conditions]:
        clip, piece = source.clip, source.piece
        if clip is not None and clip.kind is Kind.AUDIO:
            sound = await clips.audio(self.store, clip.id)
            if sound is None:
                raise Refused(REMOVED_MEANWHILE)
            return clip.id, pb.Clip(audio=sound), clip.conditions
        rendered = await self.engine.render(await self._score_request(draw, source), self._shown(place, FIRST))
        conditions = conditions_of(rendered, draw.band_seed)
        if clip is not None:
            return clip.id, rendered, conditions
        assert piece is not None
        return new_piece(self.guild_id, piece, conditions), rendered, conditions

    async def _score_request(self, draw: TrialDraw, source: Source) -> pb.RenderRequest:
        request = pb.RenderRequest(
            job=self.job, seed=draw.band_seed, melody_track=-1, max_bytes=self._most_bytes(draw), for_trial=True
        )
        if source.piece is not None:
            request.piece_id = source.piece.id
            return request
        clip = source.clip
        assert clip is not None
        score = await clips.score(self.store, clip.id)
        if score is None:
            raise Refused(REMOVED_MEANWHILE)
        request.midi = score
        request.melody_track = clip.melody_track
        request.chords = clip.conditions.chords
        request.tempo_bpm = clip.conditions.tempo_bpm
        request.instrument = clip.conditions.instrument
        return request

    async def _model(
        self, draw: TrialDraw, conditions: Conditions, options: pb.ListJazzOptionsReply, version: str, place: str
    ) -> tuple[NewClip, pb.Clip]:
        request = matched_request(conditions, options)
        if self.matched:
            request.chords = conditions.chords
        else:
            request = pb.PlayRequest(bars=request.bars)
        request.job.CopyFrom(self.job)
        request.seed, request.solo_seed = draw.band_seed, draw.model_seed
        request.max_bytes = self._most_bytes(draw)
        request.for_trial = True
        request.model_version = version
        played = await self.engine.play(request, self._shown(place, SECOND))
        new = NewClip(
            guild_id=self.guild_id,
            kind=Kind.MODEL,
            source_digest=await _digest(played.audio),
            title="Improvisation",
            performer=f"the model {played.model_version}",
            conditions=conditions_of(played, draw.model_seed),
        )
        return new, played

    async def _shuffled(
        self, draw: TrialDraw, source: Source, conditions: Conditions, place: str
    ) -> tuple[NewClip, pb.Clip]:
        clip = source.clip
        if clip is not None and clip.kind is Kind.AUDIO:
            raise Refused("Catch trials need scores; a series of recordings has none.")
        request = await self._score_request(draw, source)
        request.shuffle_seed = draw.model_seed
        rendered = await self.engine.render(request, self._shown(place, SECOND))
        new = NewClip(
            guild_id=self.guild_id,
            kind=Kind.MODEL,
            source_digest=await _digest(rendered.audio),
            title="Catch",
            performer=SHUFFLED,
            conditions=conditions,
        )
        return new, rendered

    def _most_bytes(self, draw: TrialDraw) -> int:
        return self.max_bytes // 2 if draw.design == "pair" else self.max_bytes

    def _shown(self, place: str, side: str) -> OnEvent | None:
        """The engine's progress with the trial's place, and nothing of what is being made: whoever starts a series
        mustn't learn which of its trials is the catch."""
        on_event = self.on_event
        if on_event is None:
            return None

        async def show(event: pb.PlayEvent) -> None:
            if event.WhichOneof("event") == "progress":
                shown = pb.PlayEvent()
                shown.CopyFrom(event)
                shown.progress.stage = f"{place}, {side}"
                event = shown
            await on_event(event)

        return show


async def _digest(sound: bytes) -> str:
    return await asyncio.to_thread(lambda: hashlib.sha256(sound).hexdigest())


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
