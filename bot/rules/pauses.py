"""When something that Discord didn't take is tried again: soon at first, then less and less often, for a day."""

from __future__ import annotations

FIRST_S = 60.0
LONGEST_S = 3600.0
GIVE_UP_S = 24 * 3600.0


def next_try(first_at: float, failures: int, now: float) -> float | None:
    """The time of the next attempt after so many `failures` (at least one), the first of them at `first_at`.

    None when a day of it is enough. Times in seconds."""
    if failures < 1:
        raise ValueError("nothing has failed yet")
    if now - first_at >= GIVE_UP_S:
        return None
    return now + min(LONGEST_S, FIRST_S * 2.0 ** min(failures - 1, 10))
