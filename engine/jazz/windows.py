"""Windows of eight bars: what the judge looks at, cut alike from human and from generated solos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.jazz.corpus import Solo
from engine.jazz.score import Note
from engine.jazz.tokens import velocity_of

WINDOW_BARS = 8
MIN_WINDOW_NOTES = 8


@dataclass(frozen=True)
class Window:
    """Notes of eight bars as arrays in time order: onset and duration in beats from the window's start (performed),
    MIDI pitch, velocity. `group` keeps windows of one tune, or of one clip, on one side of a split."""

    onset: np.ndarray
    duration: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray
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
    onset = np.array([note.onset for note in notes])
    columns = (onset, np.array([note.duration for note in notes]), np.array([note.pitch for note in notes]),
               np.array([note.velocity for note in notes]))  # fmt: skip
    size = bars * beats_per_bar
    end = last_beat if last_beat is not None else float(onset[-1]) + 1.0
    windows = []
    start = first_beat
    while start + size <= end + 1e-6:
        inside = (onset >= start - 0.125) & (onset < start + size - 0.125)
        if inside.sum() >= MIN_WINDOW_NOTES:
            here, duration, pitch, velocity = (column[inside] for column in columns)
            windows.append(Window(here - start, duration, pitch, velocity, tempo_bpm, size, group))
        start += size
    return windows


def windows_of_solo(solo: Solo) -> list[Window]:
    """The windows of a human solo in 4/4, from its first whole bar on."""
    if solo.beats_per_bar != 4:
        return []
    first_note = int(solo.notes["beat"][0])
    bar_starts = np.flatnonzero(solo.beats["beat_in_bar"] == 0)
    later = bar_starts[bar_starts >= first_note - 3]
    if not len(later):
        return []
    return cut(notes_of_solo(solo), solo.tempo_bpm, f"human {solo.tune}", first_beat=float(later[0]))
