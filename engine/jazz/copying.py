"""Copying: how long a run of a solo (intervals and rhythm) was played just so in a training solo.

The engine ships no solos. It ships a set of hashes: 40 bits of a hash of every run of `RUN` notes (so `RUN` - 1 steps
of interval and rhythm) in the training solos, sorted. A run of a clip that isn't in the set was certainly not copied;
one that is was, but for one in some millions. Longer shared runs show as consecutive hits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from engine.jazz.score import Note

RUN = 6
"""Notes of the hashed runs. Runs shorter than this are everybody's."""
MAX_COPIED_RUN = 12
"""A longer one is redrawn."""
_RHYTHM_GRID = 6


def steps_of(onset_beats: np.ndarray, pitch: np.ndarray) -> list[tuple[int, int]]:
    """(interval, time between the onsets in sixths of a beat, two beats at most) between neighbouring notes.

    Onsets are rounded first, so that time feel doesn't hide a copy; anything longer than two beats counts as a rest."""
    grid = np.rint(np.asarray(onset_beats) * _RHYTHM_GRID).astype(int)
    gaps = np.minimum(np.diff(grid), 2 * _RHYTHM_GRID + 1)
    return list(zip(np.diff(np.asarray(pitch)).astype(int).tolist(), gaps.tolist(), strict=True))


def _hash(run: Sequence[tuple[int, int]]) -> int:
    text = ";".join(f"{step},{gap}" for step, gap in run)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=5).digest(), "big")


def hash_runs(steps: Sequence[tuple[int, int]]) -> list[int]:
    """Hashes of all runs of `RUN` notes, in order."""
    return [_hash(steps[i : i + RUN - 1]) for i in range(len(steps) - RUN + 2)]


def build_index(solos: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Sorted hashes (int64) of solos given as (onsets in beats, pitches)."""
    hashes: set[int] = set()
    for onset, pitch in solos:
        hashes.update(hash_runs(steps_of(onset, pitch)))
    return np.array(sorted(hashes), np.int64)


def longest_copied_run(notes: Sequence[Note], index: np.ndarray) -> int:
    """`longest_run` of notes as performed."""
    return longest_run(np.array([note.onset for note in notes]), np.array([note.pitch for note in notes]), index)


def longest_run(onset_beats: np.ndarray, pitch: np.ndarray, index: np.ndarray) -> int:
    """Upper bound of the longest run of notes shared with one training solo: consecutive hits, which may stem from
    different solos, so it never says less than the truth. 0 if no run of `RUN` notes is known."""
    if len(pitch) < RUN or not len(index):
        return 0
    hashes = np.array(hash_runs(steps_of(onset_beats, pitch)), np.int64)
    known = index[np.searchsorted(index, hashes).clip(max=len(index) - 1)] == hashes
    longest = current = 0
    for hit in known:
        current = current + 1 if hit else 0
        longest = max(longest, current)
    return longest + RUN - 1 if longest else 0
