"""How often a member may do something: so many times within a sliding window."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable


class Quota:
    """At most `limit` uses within any `window_s` seconds, for each key by itself.

    Kept in memory: a restart forgives. Times are seconds on any clock that only goes forward."""

    def __init__(self, limit: int, window_s: float) -> None:
        if limit < 1 or window_s <= 0:
            raise ValueError("a quota needs a limit of at least 1 and a window longer than 0 s")
        self.limit = limit
        self.window_s = window_s
        self._uses: dict[Hashable, deque[float]] = {}

    def wait_s(self, key: Hashable, now: float) -> float:
        """Seconds until `key` may use it again; 0 when it may now."""
        recent = [at for at in self._uses.get(key, ()) if at + self.window_s > now]
        return 0.0 if len(recent) < self.limit else recent[0] + self.window_s - now

    def take(self, key: Hashable, now: float) -> float:
        """Use it if that is allowed; returns 0, or the seconds to wait, in which case nothing was used."""
        wait_s = self.wait_s(key, now)
        if wait_s == 0.0:
            self._forget_old_uses(now)
            self._uses.setdefault(key, deque()).append(now)
        return wait_s

    def _forget_old_uses(self, now: float) -> None:
        for key, uses in list(self._uses.items()):
            while uses and uses[0] + self.window_s <= now:
                uses.popleft()
            if not uses:
                del self._uses[key]
