"""Copying: how long a run of a solo (intervals and rhythm) stands just so in a training solo.

Lines are compared as they are notated, for time feel would hide a copy from anybody who looks at performed onsets. The
engine ships no solos. It ships 40 bits of a hash of every run of `RUN` notes (so `RUN` - 1 steps of interval and
rhythm) of the training solos, in their order. A longer run is shared where hashes that follow each other in a clip
also do in a solo. What isn't found was certainly not copied; what is found was, but for one run in some millions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from engine.contract.limits import SHORTEST_COPIED_RUN
from engine.jazz.model.tokens import POSITION_BEATS, Events

RUN = SHORTEST_COPIED_RUN
"""Notes of the hashed runs."""
MAX_COPIED_RUN = 12
"""A longer one is redrawn."""
_RHYTHM_GRID = 6
_END_OF_SOLO = -1


def steps_of(line: Events) -> list[tuple[int, int]]:
    """(interval, time between the notated onsets in sixths of a beat, two beats at most) between neighbouring notes;
    anything longer than two beats counts as a rest."""
    grid = np.rint((line.beat + POSITION_BEATS[line.position]) * _RHYTHM_GRID).astype(int)
    gaps = np.minimum(np.diff(grid), 2 * _RHYTHM_GRID + 1)
    return list(zip(np.diff(line.pitch).astype(int).tolist(), gaps.tolist(), strict=True))


def _hash(run: Sequence[tuple[int, int]]) -> int:
    text = ";".join(f"{step},{gap}" for step, gap in run)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=5).digest(), "big")


def hash_runs(line: Events) -> list[int]:
    """Hashes of all runs of `RUN` notes, in order."""
    steps = steps_of(line)
    return [_hash(steps[i : i + RUN - 1]) for i in range(len(steps) - RUN + 2)]


def hashes_of_solos(lines: Sequence[Events]) -> np.ndarray:
    """The hashes (int64) of all solos, one after the other, as they are kept with the weights."""
    hashes: list[int] = []
    for line in lines:
        hashes += [*hash_runs(line), _END_OF_SOLO]
    return np.array(hashes, np.int64)


class KnownRuns:
    """The runs of the training solos, for asking how much of a line is one of theirs."""

    def __init__(self, hashes: np.ndarray) -> None:
        """`hashes` as from `hashes_of_solos`; none: nothing is known."""
        self.hashes = hashes
        self._places = np.argsort(hashes, kind="stable")
        self._sorted = hashes[self._places]

    def longest(self, line: Events) -> int:
        """Notes of the longest run that the line shares with one training solo; 0 if it knows no run of `RUN`."""
        wanted = np.array(hash_runs(line), np.int64)
        first, last = (np.searchsorted(self._sorted, wanted, side) for side in ("left", "right"))
        longest = 0
        ending: dict[int, int] = {}  # place in the solos where a shared run ends -> how many hashes long it is
        for low, high in zip(first.tolist(), last.tolist(), strict=True):
            ending = {place: ending.get(place - 1, 0) + 1 for place in self._places[low:high].tolist()}
            longest = max(longest, *ending.values(), 0)
        return longest + RUN - 1 if longest else 0
