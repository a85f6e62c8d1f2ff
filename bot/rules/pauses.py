"""How long to wait before something that failed is tried again: soon at first, then less and less often."""

from __future__ import annotations

import random

FIRST_S = 60.0
LONGEST_S = 3600.0
GIVE_UP_S = 24 * 3600.0


class Backoff:
    """Pauses that double from `first_s` up to `longest_s`, each drawn between half and all of it, so that many bots
    whose engines died together don't come back together."""

    def __init__(self, first_s: float, longest_s: float, draw: random.Random) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._draw = draw
        self._failures = 0

    def next_s(self) -> float:
        """The pause before the next attempt, in seconds."""
        full = min(self._longest_s, self._first_s * 2.0**self._failures)
        self._failures += 1
        return full * self._draw.uniform(0.5, 1.0)

    def reset(self) -> None:
        self._failures = 0


def next_try(first_at: float, failures: int, now: float) -> float | None:
    """When Discord is asked again to take a post, after so many `failures` (at least one; the first at `first_at`).

    None when a day of it was enough. Times in seconds."""
    if failures < 1:
        raise ValueError("nothing has failed yet")
    if now - first_at >= GIVE_UP_S:
        return None
    return now + min(LONGEST_S, FIRST_S * 2.0 ** min(failures - 1, 10))
