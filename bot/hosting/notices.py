"""What staff should know, in a channel of their own: what went wrong, and what to do about it.

The same trouble is said once; while it goes on, at most once an hour, with how often it happened meanwhile.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from bot.typed import typed

log = structlog.get_logger(__name__)

QUIET_S = 3600.0
LONGEST = 1900
"""Characters of one notice: Discord takes 2000."""
MOST_WAITING = 20

Send = Callable[[str], Awaitable[object]]


@dataclass
class _Topic:
    said_at: float
    unsaid: int = 0


class Notices:
    """Whoever finds trouble calls `report`; it returns at once and never raises.

    What is reported before the bot is logged in waits for `connect`; without a channel, the log is all there is."""

    def __init__(self, clock: Callable[[], float] = time.time, quiet_s: float = QUIET_S) -> None:
        self._send: Send | None = None
        self._clock = clock
        self._quiet_s = quiet_s
        self._topics: dict[tuple[str, int | None], _Topic] = {}
        self._waiting: deque[str] = deque(maxlen=MOST_WAITING)
        self._posting: set[asyncio.Task[None]] = set()

    def connect(self, send: Send) -> None:
        """From now on `send` posts each notice to the staff's channel."""
        self._send = send
        while self._waiting:
            self._start(self._waiting.popleft())

    def report(self, topic: str, sentence: str, *, guild_id: int | None = None) -> None:
        """Tell staff. `topic` says what is the same trouble (on the same server); `sentence` ends with what to do."""
        log.warning("notice for staff", topic=topic, sentence=sentence, guild=guild_id)
        now = self._clock()
        known = self._topics.get((topic, guild_id))
        if known is not None and now - known.said_at < self._quiet_s:
            known.unsaid += 1
            return
        again = ""
        if known is not None and known.unsaid:
            times = "once" if known.unsaid == 1 else f"{known.unsaid} times"
            again = f" (This also happened {times} since <t:{known.said_at:.0f}:t>.)"
        self._topics[topic, guild_id] = _Topic(now)
        self._start(f"⚠️ {sentence}{again}"[:LONGEST])

    def _start(self, text: str) -> None:
        if self._send is None:
            self._waiting.append(text)
            return
        task = asyncio.get_running_loop().create_task(self._post(text), name="notice")
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)

    async def drain(self) -> None:
        """Wait until everything reported so far is posted, or has failed to be."""
        await asyncio.gather(*self._posting)

    async def _post(self, text: str) -> None:
        assert self._send is not None
        try:
            await self._send(text)
        except Exception as error:  # noqa: BLE001 -- a notice that can't be posted must not bring down what reports it
            log.error("a notice could not be posted; check '[hosting] staff_channel'", error=repr(error))


def report_engine_end(notices: Notices, code: int) -> None:
    """The local engine has ended, with this exit code or (negative) by this signal, and another one is starting."""
    why = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    advice = "If that was the system running out of memory, set '[stylize] max_size_px' lower." if code == -9 else ""
    advice = advice or f"If it keeps happening, `{typed('doctor')}` and the log say more."
    notices.report("engine", f"The engine {why} and is being started again; the jobs it had are lost. {advice}")


def report_database(notices: Notices, what: str, error: sqlite3.Error) -> None:
    """Something can't be written: the disk is full, the file is locked for long, or worse."""
    notices.report(
        "database",
        f"The database couldn't save {what} ({error}). Votes and scores may be refused until that's mended: "
        f"`{typed('doctor')}` looks at the disk and the file.",
    )


def report_defect(notices: Notices, error: BaseException, command: str | None, request_id: str) -> None:
    """A command ended in a way that nobody foresaw."""
    if isinstance(error, sqlite3.Error):
        report_database(notices, f"what `{command}` had to keep", error)
    else:
        notices.report(
            f"defect {type(error).__name__}",
            f"`{command}` failed in a way nobody foresaw ({type(error).__name__}). The log says more under "
            f"`request_id` {request_id}; please report it.",
        )
