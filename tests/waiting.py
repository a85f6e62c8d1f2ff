"""Waiting for what another process or task brings about."""

import asyncio
import time


async def until(condition, timeout_s=30.0):
    """Return once `condition()` holds; fail the test when that takes longer than `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        await asyncio.sleep(0.02)
