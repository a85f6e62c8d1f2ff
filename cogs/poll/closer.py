"""Closes series at their deadlines, reminds before, and tells what they came to.

The deadlines live in the database. The close is committed first and told after, so a bot that dies in between tells it
on its next start and never closes twice. The clock is looked at once a minute at least: a timer stands still while
a laptop sleeps, and time may jump.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import discord
import structlog

from bot.client import Woodshed
from bot.rules.blind_poll import reminder_times
from bot.store.polls import series
from bot.store.polls.series import Series

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 60.0
"""Also the pause before a result that Discord didn't take is tried again."""
TRIED_FOR_S = 24 * 3600.0
"""Rights come back, threads are opened again, Discord recovers: for a day a result is tried again."""
UNKNOWN_CHANNEL = 10003

Announce = Callable[[Series], Awaitable[int]]
"""Tells a result and returns its message's id. Raises discord.HTTPException."""


class Closer:
    """One alarm, set to the next deadline or a minute from now, whichever is sooner."""

    def __init__(
        self,
        bot: Woodshed,
        announce: Announce,
        remind: Callable[[Series], Awaitable[None]],
        tell_staff: Callable[[Series, str], Awaitable[None]],
    ) -> None:
        self.bot = bot
        self._announce = announce
        self._remind = remind
        self._tell_staff = tell_staff
        self._lock = asyncio.Lock()
        self._alarm: asyncio.TimerHandle | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._told: set[int] = set()
        """Series of which staff know that their result is stuck."""

    def wake(self) -> None:
        """Look now, behind the scenes, what is to be closed and told, and set the alarm for what comes next."""
        task = asyncio.create_task(self._work(), name="close-due-series")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def stop(self) -> None:
        self._set_alarm(None)
        for task in self._running:
            task.cancel()

    async def _work(self) -> None:
        async with self._lock:
            wake_at = self.bot.now() + LOOK_EVERY_S
            try:
                deadline = await self._close_due()
                wake_at = wake_at if deadline is None else min(wake_at, deadline)
            except Exception:
                log.exception("closing series failed", retry_s=LOOK_EVERY_S)
            self._set_alarm(wake_at)

    async def _close_due(self) -> float | None:
        """Close what is overdue, tell what isn't told yet, remind; returns the next deadline."""
        store = self.bot.store
        await series.close_overdue(store, self.bot.now())
        for found in await series.unannounced(store):
            await self._tell(found)
        for found in await series.with_deadline(store):
            await self._remind_of(found)
        return await series.next_deadline(store)

    def _set_alarm(self, at: float | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if at is not None:
            self._alarm = asyncio.get_running_loop().call_later(max(0.0, at - self.bot.now()), self.wake)

    async def _tell(self, found: Series) -> None:
        """Tell a result. Trouble that may pass is tried again; staff are told once."""
        assert found.closed_at is not None
        try:
            message_id = await self._announce(found)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            code = error.code if isinstance(error, discord.HTTPException) else 0
            is_over = code == UNKNOWN_CHANNEL or self.bot.now() - found.closed_at > TRIED_FOR_S
            log.warning("a result can't be told", series=found.id, error=str(error), again=not is_over)
            if found.id not in self._told:
                self._told.add(found.id)
                await self._tell_staff(found, _trouble(found, code, is_over))
            if is_over:
                await series.set_announced(self.bot.store, found.id, None, self.bot.now())
            return
        self._told.discard(found.id)
        await series.set_announced(self.bot.store, found.id, message_id, self.bot.now())

    async def _remind_of(self, found: Series) -> None:
        assert found.closes_at is not None
        times = reminder_times(found.prepared_at, found.closes_at)
        due = sum(time <= self.bot.now() for time in times)
        if due <= found.reminded or not self.bot.settings.club.poll_reminders:
            return
        if not await series.set_reminded(self.bot.store, found.id, due):
            return
        try:
            await self._remind(found)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.info("a reminder isn't taken", series=found.id, error=str(error))


def _trouble(found: Series, code: int, is_over: bool) -> str:
    where = f"the result of series {found.id} in <#{found.channel_id}>"
    again = f"`/poll announce series:{found.id}` posts it again, and `/poll results series:{found.id}` shows it."
    if is_over:
        return f"I can't post {where}: Discord won't accept it there (code {code}). {again}"
    return f"I can't post {where} at the moment (code {code}); I'll keep trying for a day. {again}"
