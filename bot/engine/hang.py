"""How a call finds out that the engine hangs: up, connected, and answering nothing.

A call that hears nothing for a while feels the engine's pulse meanwhile, by health checks. An engine that misses two in
a row hangs, and the call ends with EngineHung. `process.py` restarts a local engine that hangs, after its own checks.
One job that's stuck in an engine that still answers is `engine/serving/scheduler.py`'s business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bot.engine.failures import HUNG
from bot.errors import EngineHung

MISSED_PULSES = 2


async def wait_with_pulse(
    answer: asyncio.Future[Any], silence_s: float, has_pulse: Callable[[], Awaitable[bool]]
) -> None:
    """Return once there's an answer. Raises EngineHung when the engine gives no other sign of life either."""
    missed = 0
    while not (await asyncio.wait({answer}, timeout=silence_s))[0]:
        missed = 0 if await has_pulse() else missed + 1
        if missed >= MISSED_PULSES and not answer.done():
            raise EngineHung(HUNG)


async def abandon(future: asyncio.Future[Any]) -> None:
    """Cancel what nobody waits for any more, and see it end."""
    if not future.done():
        future.cancel()
        await asyncio.gather(future, return_exceptions=True)
