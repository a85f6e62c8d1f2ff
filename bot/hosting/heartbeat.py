"""A sign of life in a file, for whoever watches the bot from outside: a container's health check, a systemd timer.

python -m bot.hosting.heartbeat FILE      exit code 0 while the bot is logged in and its event loop runs, else 1
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

SUFFIX = ".alive"
INTERVAL_S = 15.0
LONGEST_S = 60.0
"""A sign older than this means that the bot has lost Discord, or hangs."""


def heartbeat_path(database: Path) -> Path:
    return database.with_name(database.name + SUFFIX)


async def beat(path: Path, is_well: Callable[[], bool], interval_s: float = INTERVAL_S) -> None:
    """Renew the sign while `is_well`, until cancelled; the sign goes when this ends."""
    try:
        while True:
            if is_well():
                try:
                    await asyncio.to_thread(path.touch)
                except OSError as error:  # a full disk shouldn't end a bot that still answers
                    log.warning("the sign of life can't be renewed", path=str(path), reason=error.strerror)
            await asyncio.sleep(interval_s)
    finally:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(path.unlink, missing_ok=True)


def is_alive(path: Path, now: float) -> bool:
    """Whether the sign is there and fresh."""
    try:
        return abs(now - path.stat().st_mtime) < LONGEST_S  # a sign from the future is as old as one from the past
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if is_alive(heartbeat_path(Path(sys.argv[1])), time.time()) else 1)
