"""Leaving politely: no new jobs, running ones may finish, and what's left over ends with a sentence."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import structlog

from bot.engine.calls import EngineClient
from bot.errors import Refused
from bot.rules.job_desk import JobDesk

log = structlog.get_logger(__name__)

CLOSED = "I'm being restarted. Please try again in a minute."
CUT_SHORT = "I'm being restarted and had to stop this. Please try again in a minute."
GOODBYE_S = 5.0
"""How long the answers of jobs that were cut short may take to reach Discord."""
LAST_WORD_S = 3.0
"""The same for whoever pressed something at the very last: Discord waits no longer."""
STEP_S = 0.05


class InHand:
    """What is being done now because Discord said something: interactions answered, short ones included, and events."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self.is_closed = False

    def take(self) -> None:
        """The running task answers an interaction, until it ends. Raises Refused once the bot is leaving: that has to
        be said, too, so the task counts all the same."""
        task = asyncio.current_task()
        assert task is not None
        self.add(task)
        if self.is_closed:
            raise Refused(CLOSED)

    def add(self, task: asyncio.Task[Any]) -> None:
        """This task works with the store and the connection, until it ends."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, patience_s: float) -> int:
        """Take no more, and wait for the last ones; returns how many are left after `patience_s`."""
        self.is_closed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while self._tasks:  # whoever comes meanwhile hears that it's too late
                    await asyncio.wait(self._tasks)
        return len(self._tasks)

    async def end(self, patience_s: float) -> None:
        """Nothing comes in any more: let the last words be said, and stop whoever isn't done then. After this nobody
        uses the store or the connection, so both can be closed."""
        if left := await self.close(patience_s):
            log.error("left undone", tasks=left)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def drain(jobs: JobDesk, in_hand: InHand, engine: EngineClient, patience_s: float) -> None:
    """Return once nothing is left, after `patience_s` and a moment for goodbyes at the latest.

    While jobs finish, votes and other short answers are still taken; then nothing is."""
    jobs.close(CLOSED)
    if jobs.total:
        log.info("letting jobs finish", jobs=jobs.total, patience_s=patience_s)
    if not await _empty(jobs, patience_s):
        log.warning("jobs cut short", jobs=jobs.total)
        engine.cancel_all(CUT_SHORT)
    await in_hand.close(GOODBYE_S)


async def _empty(jobs: JobDesk, patience_s: float) -> bool:
    """Whether the last job ends within `patience_s`."""
    try:
        async with asyncio.timeout(patience_s):
            while jobs.total:  # noqa: ASYNC110 -- the desk is a rule, and rules know nothing of event loops
                await asyncio.sleep(STEP_S)
    except TimeoutError:
        return False
    return True
