"""Windows of eight bars: what the judge looks at, cut alike from human and from generated solos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.jazz.corpus.solos import Solo
from engine.jazz.model.changes import NO_ROOT, Changes
from engine.jazz.model.tokens import POSITION_BEATS, REFERENCE_VELOCITY, Events, velocity_of
from engine.jazz.theory.score import Note

WINDOW_BARS = 8
MIN_WINDOW_NOTES = 8


@dataclass(frozen=True)
class Window:
    """Notes of eight bars as arrays in time order: onset and duration in beats from the window's start (performed),
    MIDI pitch, velocity. `group` keeps windows of one tune, or of one clip, on one side of a split. `belonging`
    says how the notes stand to their chords (`Columns`)."""

    onset: np.ndarray
    duration: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray
    belonging: np.ndarray
    tempo_bpm: float
    beats: int
    group: str


def notes_of_solo(solo: Solo) -> tuple[Note, ...]:
    """A human solo as performed, durations in beats of the length they had there, loudness around its own median."""
    level = solo.notes["loudness_db"]
    known = np.isfinite(level)
    level = np.where(known, level - (np.nanmedian(level) if known.any() else 0.0), 0.0)
    return tuple(
        Note(
            float(note["onset_beats"]),
            float(beats),
            int(note["pitch"]),
            velocity_of(float(db)),
        )
        for note, beats, db in zip(solo.notes, solo.duration_beats(), level, strict=True)
    )


def cut(
    notes: Sequence[Note],
    tempo_bpm: float,
    group: str,
    *,
    beats_per_bar: int = 4,
    first_beat: float = 0.0,
    last_beat: float | None = None,
    bars: int = WINDOW_BARS,
) -> list[Window]:
    """Consecutive windows that lie wholly before `last_beat`; nearly empty ones are left out."""
    if not notes:
        return []
    columns = columns_of(notes)
    size = bars * beats_per_bar
    end = last_beat if last_beat is not None else float(columns.onset[-1]) + 1.0
    windows = []
    start = first_beat
    while start + size <= end + 1e-6:
        window = window_at(columns, start, size, tempo_bpm, group)
        if len(window.pitch) >= MIN_WINDOW_NOTES:
            windows.append(window)
        start += size
    return windows


class Columns(NamedTuple):
    """Some notes as arrays: onsets and durations in beats, MIDI pitches, velocities; and whether each is a tone of the
    chord under it (2), another tone of that chord's scale (1) or neither (0); -1 where no chord is known."""

    onset: np.ndarray
    duration: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray
    belonging: np.ndarray


def columns_of(notes: Sequence[Note]) -> Columns:
    """Performed notes as arrays; over which chords isn't asked."""
    return Columns(
        np.array([note.onset for note in notes]),
        np.array([note.duration for note in notes]),
        np.array([note.pitch for note in notes], int),
        np.array([note.velocity for note in notes]),
        np.full(len(notes), -1),
    )


def window_at(columns: Columns, start: float, beats: int, tempo_bpm: float, group: str = "") -> Window:
    """The notes that begin between beat `start` and `beats` later; one that anticipates the first beat by less than
    an eighth of a beat counts as on it."""
    onset = columns.onset
    inside = (onset >= start - 0.125) & (onset < start + beats - 0.125)
    here = Columns(*(column[inside] for column in columns))
    return Window(here.onset - start, here.duration, here.pitch, here.velocity, here.belonging, tempo_bpm, beats, group)


def notated_columns(events: Events, changes: Changes) -> Columns:
    """Notes of a line as they stand in the score over its chords: nobody has performed them yet."""
    onset = events.beat + POSITION_BEATS[events.position]
    duration = np.diff(onset, append=onset[-1:] + 1.0)
    velocity = np.full(len(onset), float(REFERENCE_VELOCITY))
    beat = np.clip(events.beat, 0, len(changes) - 1)
    root = changes.root[beat]
    degree = (events.pitch - root) % 12
    in_chord, in_scale = (changes.tones[beat, degree + first] > 0 for first in (0, 12))
    belonging = np.where(in_chord, 2, np.where(in_scale, 1, 0))
    return Columns(onset, duration, events.pitch, velocity, np.where(root != NO_ROOT, belonging, -1))


def first_bar(solo: Solo) -> float | None:
    """Beat of the first whole bar in which a solo plays; None if it has none."""
    starts = np.flatnonzero(solo.beats["beat_in_bar"] == 0)
    later = starts[starts >= int(solo.notes["beat"][0]) - 3]
    return float(later[0]) if len(later) else None


def windows_of_solo(solo: Solo) -> list[Window]:
    """The windows of a human solo in 4/4, from its first whole bar on."""
    start = first_bar(solo)
    if solo.beats_per_bar != 4 or start is None:
        return []
    return cut(notes_of_solo(solo), solo.tempo_bpm, f"human {solo.tune}", first_beat=start)
