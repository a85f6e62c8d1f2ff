"""Improvised solos as training sees them: notes with a performed and a notated onset, over beats with chords.

A `Solo` is what every reader (`corpus_readers`) yields. The list of them is kept as one memory-mapped shard per
split (`write_shards`, `open_shard`), so that training processes share the pages and start at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

INSTRUMENTS = ("alto sax", "baritone sax", "bass clarinet", "clarinet", "cornet", "guitar", "piano", "soprano sax",
               "tenor sax", "trombone", "trumpet", "vibraphone")  # fmt: skip
STYLES = ("bebop", "cool", "free", "fusion", "hard bop", "postbop", "swing", "traditional")
FEELS = ("ballad", "funk", "latin", "swing", "two-beat")
UNKNOWN = ""

MIN_NOTES = 24
"""A solo with fewer notes teaches nothing about phrases."""

NOTE_FIELDS = np.dtype([
    ("onset_beats", "f8"),  # performed, in beats from the first annotated beat, beats as the musicians played them
    ("onset_s", "f8"),
    ("duration_s", "f4"),
    ("beat_s", "f4"),  # how long the beat lasted that the note starts in
    ("beat", "i4"),  # index of the notated beat
    ("tatum", "i2"),  # the notated onset is tatum / division of the beat
    ("division", "i2"),
    ("pitch", "i2"),
    ("phrase_begin", "?"),
    ("loudness_db", "f4"),  # NaN where not annotated
])  # fmt: skip
BEAT_FIELDS = np.dtype([
    ("beat_in_bar", "i2"),
    ("bar_in_section", "i2"),
    ("chord", "i4"),  # index into the corpus's list of symbols
])  # fmt: skip


class DroppedSolo(Exception):
    """A solo that can't be used; the message is the reason for the report."""


@dataclass(frozen=True)
class Solo:
    """One solo. `notes` is a record array of `NOTE_FIELDS` in time order, `beats` one of `BEAT_FIELDS`;
    `chords[beats["chord"][i]]` is the symbol over beat i. `tune` keeps versions of a piece on one side of a split."""

    name: str
    tune: str
    performer: str
    instrument: str
    style: str
    feel: str
    tempo_bpm: float
    beats_per_bar: int
    notes: np.ndarray
    beats: np.ndarray
    chords: tuple[str, ...]
    split: str = "train"

    def duration_beats(self) -> np.ndarray:
        """How long each note sounds, in beats as the musicians played them. Up to the next onset the beat is taken to
        run as fast as between the two onsets, so that what is tied in seconds stays tied in beats."""
        gap_s, gap_beats = np.diff(self.notes["onset_s"]), np.diff(self.notes["onset_beats"])
        rate = 1.0 / self.notes["beat_s"].astype(float)
        inside = (self.notes["duration_s"][:-1] <= gap_s + 0.005) & (gap_s > 0.02) & (gap_beats < 4.0)
        rate[:-1] = np.where(inside, gap_beats / np.maximum(gap_s, 0.02), rate[:-1])
        return np.asarray(self.notes["duration_s"] * rate)

    def symbols(self) -> list[str]:
        """The chord symbol over each beat."""
        return [self.chords[i] for i in self.beats["chord"]]


@dataclass
class Report:
    """What was read, and what was dropped for which reason."""

    solos: int = 0
    notes: int = 0
    dropped: list[tuple[str, str]] = field(default_factory=list)
    notices: Counter[str] = field(default_factory=Counter)

    def drop(self, name: str, reason: str) -> None:
        self.dropped.append((name, reason))

    def text(self) -> str:
        """A few lines for the console."""
        lines = [f"{self.solos} solos, {self.notes} notes"]
        lines += [f"  {count} x {what}" for what, count in sorted(self.notices.items())]
        lines += [f"  dropped {name}: {reason}" for name, reason in self.dropped]
        return "\n".join(lines)


def check(solo: Solo) -> Solo:
    """The solo, or `DroppedSolo` when it is too short, not in 3/4 or 4/4, out of order or without beats."""
    notes = solo.notes
    if len(notes) < MIN_NOTES:
        raise DroppedSolo(f"only {len(notes)} notes")
    if solo.beats_per_bar not in (3, 4):
        raise DroppedSolo(f"{solo.beats_per_bar} beats to the bar")
    if not np.isfinite(notes["onset_beats"]).all() or (np.diff(notes["onset_s"]) < 0).any():
        raise DroppedSolo("onsets out of order")
    if len(solo.beats) == 0 or notes["beat"].min() < 0 or notes["beat"].max() >= len(solo.beats):
        raise DroppedSolo("notes outside the annotated beats")
    if notes["pitch"].min() < 21 or notes["pitch"].max() > 108:
        raise DroppedSolo("pitches outside a piano")
    return solo


def bars_in_section(bars: Sequence[int], labels: Sequence[object]) -> np.ndarray:
    """For each beat the number of its bar within its section; a section starts where the label changes."""
    result = np.zeros(len(bars), np.int16)
    start = 0
    for i in range(len(bars)):
        if i and labels[i] != labels[i - 1]:
            start = i
        result[i] = min(bars[i] - bars[start], np.iinfo(np.int16).max)
    return result
