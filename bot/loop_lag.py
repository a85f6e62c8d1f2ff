"""How late the event loop is: whatever blocks it delays every answer, and Discord's heartbeat with them."""

from __future__ import annotations

import asyncio
from collections import deque

import structlog

log = structlog.get_logger(__name__)

INTERVAL_S = 0.05
WINDOW_S = 60.0
ALARM_S = 0.5
"""A lag that a member begins to feel."""


class LoopLag:
    """Sleeps for a moment again and again, and notes how much later than asked it wakes up."""

    def __init__(self, interval_s: float = INTERVAL_S, window_s: float = WINDOW_S) -> None:
        self._interval_s = interval_s
        self._window_s = window_s
        self._lags: deque[tuple[float, float]] = deque()  # (when, lag), both in seconds

    @property
    def worst_s(self) -> float:
        """The longest lag in the window, in seconds."""
        return max((lag for _, lag in self._lags), default=0.0)

    async def watch(self) -> None:
        """Runs until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._interval_s
            await asyncio.sleep(self._interval_s)
            now = loop.time()
            lag = max(0.0, now - due)
            self._lags.append((now, lag))
            while self._lags[0][0] < now - self._window_s:
                self._lags.popleft()
            if lag > ALARM_S:
                log.warning("the event loop was blocked", lag_ms=round(lag * 1000))
