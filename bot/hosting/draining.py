"""Leaving politely: no new jobs, running ones may finish, and what's left over ends with a sentence."""

from __future__ import annotations

import asyncio

import structlog

from bot.engine.calls import EngineClient
from bot.rules.job_desk import JobDesk

log = structlog.get_logger(__name__)

CLOSED = "I'm being restarted. Please try again in a minute."
CUT_SHORT = "I'm being restarted and had to stop this. Please try again in a minute."
GOODBYE_S = 5.0
"""How long the answers of jobs that were cut short may take to reach Discord."""
STEP_S = 0.05


async def drain(jobs: JobDesk, engine: EngineClient, patience_s: float) -> None:
    """Return once no job is left, after `patience_s` and a moment for goodbyes at the latest."""
    jobs.close(CLOSED)
    if jobs.total:
        log.info("letting jobs finish", jobs=jobs.total, patience_s=patience_s)
    if not await _empty(jobs, patience_s):
        log.warning("jobs cut short", jobs=jobs.total)
        engine.cancel_all(CUT_SHORT)
        if not await _empty(jobs, GOODBYE_S):
            log.error("left without an answer", jobs=jobs.total)


async def _empty(jobs: JobDesk, patience_s: float) -> bool:
    """Whether the last job ends within `patience_s`."""
    try:
        async with asyncio.timeout(patience_s):
            while jobs.total:  # noqa: ASYNC110 -- the desk is a rule, and rules know nothing of event loops
                await asyncio.sleep(STEP_S)
    except TimeoutError:
        return False
    return True
