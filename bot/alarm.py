"""An alarm: work that is due at a moment the store knows, done once at a time, and looked at again after a failure.

The wall clock decides and may be moved, and a machine may sleep; so an alarm looks at it at least once in `LOOK_S`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)

LOOK_S = 60.0
RETRY_S = 30.0


class Alarm:
    """Runs `work` now and whenever it is due; `work` returns when (in seconds since 1970), or None for never.

    What `work` raises is logged, and it is tried again after `RETRY_S`."""

    def __init__(self, name: str, work: Callable[[], Awaitable[float | None]], now: Callable[[], float]) -> None:
        self._name = name
        self._work = work
        self._now = now
        self._lock = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._is_due = False

    def ring(self) -> None:
        """Look now, behind the scenes; once, however often it rings before the work begins."""
        if self._is_due:
            return
        self._is_due = True
        task = asyncio.create_task(self._ring(), name=self._name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def ring_within(self, seconds: float) -> None:
        """Look no later than that."""
        loop = asyncio.get_running_loop()
        if self._timer is None or self._timer.when() > loop.time() + seconds:
            self._set(seconds)

    def stop(self) -> None:
        self._set(None)
        self._is_due = False
        for task in self._running:
            task.cancel()

    async def _ring(self) -> None:
        async with self._lock:
            self._is_due = False
            self._set(None)
            try:
                due_at = await self._work()
            except Exception:
                log.exception("an alarm's work failed", alarm=self._name, retry_s=RETRY_S)
                due_at = self._now() + RETRY_S
            if due_at is not None:
                self.ring_within(min(max(0.0, due_at - self._now()), LOOK_S))

    def _set(self, delay_s: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if delay_s is not None:
            self._timer = asyncio.get_running_loop().call_later(delay_s, self.ring)
