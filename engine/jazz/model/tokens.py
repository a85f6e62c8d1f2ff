"""Notes as the networks read and write them: one compound event per note.

The *score* half of an event says what is played where: whether a phrase begins, how many beats later than the last
note's beat it starts (`advance`), where in the beat (`position`: every simple fraction that soloists use), and which
`pitch`. The *rendition* half says how: `offset` from the notated place in steps of 8 ms, `loudness` in dB around
the solo's own level, `length` in steps of 8 ms (growing from 0.4 s on), tied to the next onset, or so many ms short
of it.

A round trip moves an onset by less than 5 ms and a length below half a second by less than 5 ms (beyond that by less
than 3 %), and never a pitch.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from engine.jazz.corpus.solos import Solo
from engine.jazz.theory.score import Note

POSITIONS: tuple[Fraction, ...] = tuple(
    sorted({Fraction(t, d) for d in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12) for t in range(d)})
)
POSITION_BEATS = np.array([float(place) for place in POSITIONS])
ADVANCES = 32
"""`advance` 0..31 beats; a longer rest ends the excerpt in training."""
PITCHES = 128

OFFSET_STEP_MS = 8.0
OFFSET_LIMIT = 21
OFFSETS = 2 * OFFSET_LIMIT + 1

LOUDNESS_MIN_DB, LOUDNESS_MAX_DB = -16, 12
LOUDNESSES = LOUDNESS_MAX_DB - LOUDNESS_MIN_DB + 1
REFERENCE_VELOCITY = 88

_SHORT = np.arange(4.0, 400.0, 8.0)
_LONG = 400.0 * 1.045 ** (np.arange(71) + 0.5)
LENGTH_MS = np.concatenate([_SHORT, _LONG])
"""Centres of the length classes 0..; the class after the last, `LEGATO`, reaches exactly to the next onset, and those
after that end a little before it."""
LEGATO = len(LENGTH_MS)
SILENCE_EDGES_MS = np.array([0.5, 3.0, 6.0, 9.0, 12.0, 16.0, 20.0, 25.0, 30.0, 36.0, 43.0, 51.0])
"""Players end most notes just before the next one: there the silence between both is what they control, and its classes
are finer than those of length."""
SILENCES = len(SILENCE_EDGES_MS) - 1
LENGTHS = LEGATO + 1 + SILENCES
TIED_MS = 0.5
"""A note that ends this near to the next onset is tied to it."""
IGNORE = -100
"""Target that no loss counts (as in torch's cross-entropy)."""


@dataclass(frozen=True)
class Events:
    """A solo in tokens, arrays over its notes. `beat` is the notated beat, an index into `Changes`."""

    beat: np.ndarray
    phrase: np.ndarray
    advance: np.ndarray  # of note 0: from beat 0
    position: np.ndarray
    pitch: np.ndarray
    offset: np.ndarray
    loudness: np.ndarray  # IGNORE where not annotated
    length: np.ndarray  # of the last note: never LEGATO or a silence

    def __len__(self) -> int:
        return len(self.beat)

    def since(self, first: int) -> Events:
        """The events from number `first` on; the first `advance` then counts from beat 0 again."""
        if first == 0:
            return self
        columns = {name: getattr(self, name)[first:] for name in self.__dataclass_fields__}
        if len(columns["beat"]):
            columns["advance"] = np.diff(columns["beat"], prepend=0)
        return Events(**columns)


def encode(solo: Solo) -> Events:
    """The notes of a solo as events. Onsets are taken at the solo's mean tempo, so that beats stay beats."""
    notes = solo.notes
    loudness = notes["loudness_db"] - np.nanmedian(notes["loudness_db"]) if _has_loudness(notes) else None
    return encode_notes(
        notes["onset_beats"],
        solo.duration_beats() * 60_000.0 / solo.tempo_bpm,
        notes["pitch"],
        loudness,
        beat_ms=60_000.0 / solo.tempo_bpm,
        notated=(notes["beat"], notes["tatum"], notes["division"]),
        phrase_begin=notes["phrase_begin"],
    )


def _has_loudness(notes: np.ndarray) -> bool:
    return bool(np.isfinite(notes["loudness_db"]).any())


def encode_notes(
    onset_beats: np.ndarray,
    duration_ms: np.ndarray,
    pitch: np.ndarray,
    loudness_db: np.ndarray | None,
    *,
    beat_ms: float,
    notated: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
    phrase_begin: np.ndarray | None = None,
) -> Events:
    """Events of notes in time order. `notated` is (beat, tatum, division) where a score is known; otherwise the
    nearest eighth, triplet or sixteenth is taken, or the nearest `POSITIONS` where that is too far away."""
    count = len(onset_beats)
    beat, position = np.zeros(count, int), np.zeros(count, int)
    offset = np.zeros(count, int)
    simple = [i for i, place in enumerate(POSITIONS) if place.denominator in (1, 2, 3, 4, 6)]
    for i in range(count):
        if notated is not None:
            beat[i] = notated[0][i]
            position[i] = _nearest_position(float(Fraction(int(notated[1][i]), int(notated[2][i]))), None)
        else:
            beat[i], position[i] = _nearest_place(float(onset_beats[i]), simple)
        offset_ms = (onset_beats[i] - beat[i] - POSITION_BEATS[position[i]]) * beat_ms
        if abs(offset_ms) > OFFSET_STEP_MS * (OFFSET_LIMIT + 0.5):
            beat[i], position[i] = _nearest_place(float(onset_beats[i]), None)
            offset_ms = (onset_beats[i] - beat[i] - POSITION_BEATS[position[i]]) * beat_ms
        offset[i] = np.clip(round(offset_ms / OFFSET_STEP_MS), -OFFSET_LIMIT, OFFSET_LIMIT) + OFFSET_LIMIT
    if count and beat[0] < 0:
        beat[0], position[0] = 0, 0
    beat = np.maximum.accumulate(beat)
    advance = np.diff(beat, prepend=0)
    gap_ms = np.append(np.diff(onset_beats) * beat_ms, np.inf)
    length = np.array([nearest_length(float(d), float(g)) for d, g in zip(duration_ms, gap_ms, strict=True)], int)
    if loudness_db is None:
        loudness = np.full(count, IGNORE)
    else:
        known = np.isfinite(loudness_db)
        steps = np.clip(np.rint(np.nan_to_num(loudness_db)), LOUDNESS_MIN_DB, LOUDNESS_MAX_DB).astype(int)
        loudness = np.where(known, steps - LOUDNESS_MIN_DB, IGNORE)
    phrase = phrase_begin.astype(int) if phrase_begin is not None else (gap_before(onset_beats) > 1.5).astype(int)
    return Events(beat, phrase, advance, position, pitch.astype(int), offset, loudness, length)


def gap_before(onset_beats: np.ndarray) -> np.ndarray:
    """Beats since the note before; infinite for the first."""
    return np.diff(onset_beats, prepend=-np.inf)


def _nearest_position(place: float, among: list[int] | None) -> int:
    if among is None:
        return int(np.argmin(np.abs(POSITION_BEATS - place)))
    return among[int(np.argmin(np.abs(POSITION_BEATS[among] - place)))]


def _nearest_place(onset: float, among: list[int] | None) -> tuple[int, int]:
    """Beat and position class nearest to an onset in beats; what lies next to the next beat belongs to that."""
    beat = int(np.floor(onset))
    position = _nearest_position(onset - beat, among)
    if abs(onset - beat - 1.0) < abs(onset - beat - POSITION_BEATS[position]):
        return beat + 1, 0
    return beat, position


def nearest_length(duration_ms: float, gap_ms: float) -> int:
    """Length class of a note that lasts `duration_ms` and is followed by an onset after `gap_ms`."""
    silence_ms = gap_ms - duration_ms
    if silence_ms < TIED_MS:
        return LEGATO
    if silence_ms < min(SILENCE_EDGES_MS[-1], duration_ms):
        return LEGATO + int(np.searchsorted(SILENCE_EDGES_MS, silence_ms, side="right"))
    if duration_ms < 400.0:
        return int(np.clip(duration_ms // 8.0, 0, len(_SHORT) - 1))
    return min(int(np.log(duration_ms / 400.0) / np.log(1.045)) + len(_SHORT), LEGATO - 1)


def velocity_of(loudness_db: float) -> int:
    """MIDI velocity of a level around the solo's median. A synthesiser's level grows with 40 log10 of the velocity
    (DLS Level 1, General MIDI 2)."""
    return int(np.clip(round(REFERENCE_VELOCITY * 10.0 ** (loudness_db / 40.0)), 12, 127))


def loudness_of(velocity: int) -> float:
    """The inverse of `velocity_of`, in dB."""
    return float(40.0 * np.log10(max(velocity, 1) / REFERENCE_VELOCITY))


def onsets_of(events: Events, beat_ms: float) -> np.ndarray:
    """Performed onsets in beats; a note never starts before the one that precedes it."""
    onsets = events.beat + POSITION_BEATS[events.position] + (events.offset - OFFSET_LIMIT) * OFFSET_STEP_MS / beat_ms
    return np.maximum.accumulate(onsets)


def decode(
    events: Events, tempo_bpm: float, end_beat: float | None = None, dither: np.random.Generator | None = None
) -> tuple[Note, ...]:
    """Events as notes; onsets and durations in beats at `tempo_bpm`. No note sounds into the next, nor over `end_beat`.

    A class stands for a span of 8 ms (or 1 dB); `dither` draws where in that span the value lies instead of always
    its middle."""
    beat_ms = 60_000.0 / tempo_bpm
    count = len(events)
    if not count:
        return ()

    def within() -> np.ndarray:
        return dither.uniform(-0.5, 0.5, count) if dither is not None else np.zeros(count)

    onsets = np.maximum.accumulate(onsets_of(events, beat_ms) + within() * OFFSET_STEP_MS / beat_ms)
    limit = np.append(np.diff(onsets), np.inf if end_beat is None else max(end_beat - onsets[-1], 0.25))
    duration = _lengths_within(events.length, limit * beat_ms, within()) / beat_ms
    level = np.where(events.loudness == IGNORE, 0.0, events.loudness + LOUDNESS_MIN_DB + within())
    return tuple(
        Note(float(onsets[i]), float(max(duration[i], 1e-3)), int(events.pitch[i]), velocity_of(float(level[i])))
        for i in range(count)
    )


def _lengths_within(length: np.ndarray, limit_ms: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Lengths in ms: `place` (-.5 .. .5) within the span of each class, or within what is left of it before the next
    onset, which comes after `limit_ms`."""
    centre = LENGTH_MS[np.minimum(length, LEGATO - 1)]
    half = np.maximum(4.0, 0.0225 * centre)
    low, high = centre - half, np.minimum(centre + half, limit_ms - TIED_MS)
    inside = np.where(high > low, 0.5 * (low + high) + place * (high - low), np.minimum(centre, 0.97 * limit_ms))
    edge = np.clip(length - LEGATO - 1, 0, SILENCES - 1)
    silence = SILENCE_EDGES_MS[edge] + (place + 0.5) * np.diff(SILENCE_EDGES_MS)[edge]
    silence = np.where(length == LEGATO, 0.0, np.minimum(silence, 0.5 * limit_ms))
    return np.where((length >= LEGATO) & np.isfinite(limit_ms), limit_ms - silence, inside)


def events_of_notes(notes: tuple[Note, ...], tempo_bpm: float) -> Events:
    """Events of notes that somebody played (a primer, a MIDI file)."""
    beat_ms = 60_000.0 / tempo_bpm
    ordered = sorted(notes, key=lambda note: note.onset)
    return encode_notes(
        np.array([note.onset for note in ordered]),
        np.array([note.duration for note in ordered]) * beat_ms,
        np.array([note.pitch for note in ordered]),
        np.array([loudness_of(note.velocity) for note in ordered]),
        beat_ms=beat_ms,
    )
