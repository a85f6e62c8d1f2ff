"""Discord's rate limits, as a switch: off, no answer carries their headers and nobody has to wait.

https://discord.com/developers/docs/topics/rate-limits. The numbers per route are those that Discord was seen to send;
it publishes none but the global 50 requests a second, so a bot has to obey the headers either way.
"""

import collections
import hashlib
import re
import time
from dataclasses import dataclass
from typing import Any

GLOBAL_PER_S = 50
_ROUTE_LIMIT, _ROUTE_WINDOW_S = 5, 5.0
_ID = re.compile(r"/\d{15,}|/@me|/@original")


@dataclass
class _Bucket:
    remaining: int
    resets_at: float


class RateLimits:
    """Counts requests per route and in all."""

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled
        self._buckets: dict[str, _Bucket] = {}
        self._recent: collections.deque[float] = collections.deque()

    def take(self, method: str, path: str) -> tuple[dict[str, str], dict[str, Any] | None]:
        """Counts one request; returns the headers of its answer and, if it comes too soon, the body of a 429."""
        if not self.enabled:
            return {}, None
        now = time.monotonic()
        major = re.match(r"/(?:channels|guilds|webhooks|interactions)/[^/]+(?:/[^/@]{60,})?", path)
        route = f"{method} {_ID.sub('/:id', path)}"
        identity = f"{route} {major[0] if major else ''}"
        bucket = self._buckets.get(identity)
        if bucket is None or bucket.resets_at <= now:
            bucket = self._buckets[identity] = _Bucket(_ROUTE_LIMIT, now + _ROUTE_WINDOW_S)
        wait_s = bucket.resets_at - now
        headers = {
            "X-RateLimit-Limit": str(_ROUTE_LIMIT),
            "X-RateLimit-Remaining": str(max(bucket.remaining - 1, 0)),
            "X-RateLimit-Reset": f"{time.time() + wait_s:.3f}",
            "X-RateLimit-Reset-After": f"{wait_s:.3f}",
            "X-RateLimit-Bucket": hashlib.md5(route.encode(), usedforsecurity=False).hexdigest(),
            # discord.py takes a 429 without it for a ban by the proxy in front of Discord.
            "Via": "1.1 playground",
        }
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if not path.startswith("/interactions") and len(self._recent) >= GLOBAL_PER_S:
            wait_s = self._recent[0] + 1 - now
            headers |= {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global", "Retry-After": f"{wait_s:.3f}"}
            return headers, _too_many(wait_s, is_global=True)
        if bucket.remaining <= 0:
            headers |= {"X-RateLimit-Scope": "user", "Retry-After": f"{wait_s:.3f}"}
            return headers, _too_many(wait_s, is_global=False)
        bucket.remaining -= 1
        self._recent.append(now)
        return headers, None


def _too_many(wait_s: float, *, is_global: bool) -> dict[str, Any]:
    return {"message": "You are being rate limited.", "retry_after": round(wait_s, 3), "global": is_global}
