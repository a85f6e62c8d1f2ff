"""How the bot is doing: commands, waits and the engine's queue, counted and written down every five minutes.

Kept in the store rather than in memory, because staff look at it after a night in which something restarted."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable
from typing import Any

import discord
import structlog

from bot.errors import EngineError, Refused
from bot.loop_lag import LoopLag
from bot.store import Store, pulses
from bot.store.pulses import Pulse

log = structlog.get_logger(__name__)

PERIOD_S = 300
LOOK_S = 30.0
"""Between two looks at the engine's queue."""


class PulseTaker:
    """Counts what happens in the current five minutes. `queue_length` asks the engine; it may raise EngineError."""

    def __init__(self, store: Store, lag: LoopLag, queue_length: Callable[[], Any], now: Callable[[], float]) -> None:
        self._store, self._lag, self._queue_length, self._now = store, lag, queue_length, now
        self._begin()

    def _begin(self) -> None:
        self._at = int(self._now())
        self._waits: list[float] = []
        self._refused = self._failed = self._queue = self._looks = self._up = 0
        self._lag_s = 0.0

    async def answered(self, interaction: discord.Interaction[Any], command: Any) -> None:
        """A command has run to its end. (discord.py calls it as a listener of `on_app_command_completion`.)"""
        self._waits.append(max(0.0, self._now() - interaction.created_at.timestamp()))

    def ended(self, interaction: discord.Interaction[Any], error: BaseException) -> None:
        """A command has ended with a sentence."""
        if isinstance(error, Refused):
            self._refused += 1
        else:
            self._failed += 1

    def current(self) -> Pulse:
        """These five minutes, as far as they've gone."""
        return Pulse(
            at=self._at,
            answered=len(self._waits),
            refused=self._refused,
            failed=self._failed,
            middle_s=statistics.median(self._waits) if self._waits else None,
            slowest_s=max(self._waits, default=None),
            queue=self._queue,
            lag_s=max(self._lag_s, self._lag.worst_s),
            engine_up=self._up / self._looks if self._looks else 1.0,
        )

    async def look(self) -> None:
        """Look once, and write down the five minutes when they're over."""
        if self._now() >= self._at + PERIOD_S:
            await self.keep()
            self._begin()
        self._looks += 1
        self._lag_s = max(self._lag_s, self._lag.worst_s)
        try:
            self._queue = max(self._queue, await self._queue_length())
            self._up += 1
        except EngineError:
            pass

    async def keep(self) -> None:
        """Write the current five minutes down, as far as they've gone."""
        await pulses.keep(self._store, self.current())

    async def watch(self) -> None:
        """Look again and again, until cancelled; what was counted last is written down then, too."""
        try:
            while True:
                try:
                    await self.look()
                except Exception:
                    log.exception("a pulse wasn't taken")
                await asyncio.sleep(LOOK_S)
        finally:
            await self.keep()
