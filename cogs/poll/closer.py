"""Closes series at their deadlines, reminds before, and tells what they came to.

The deadlines live in the database. The close is committed first and told after, so a bot that dies in between tells it
on its next start and never closes twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable

import structlog

from bot.alarm import RETRY_S, Alarm
from bot.client import Woodshed
from bot.errors import Undelivered
from bot.hosting.notices import report_database
from bot.rules.blind_poll import reminder_times
from bot.rules.pauses import next_try
from bot.store.polls import series
from bot.store.polls.series import Series

log = structlog.get_logger(__name__)

Announce = Callable[[Series], Awaitable[int]]
"""Tells a result and returns its message's id. Raises Undelivered."""


class Closer:
    """One alarm, set to whatever comes next: a deadline, a reminder, or another try of a result."""

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
        self._alarm = Alarm("close-due-series", self._work, bot.now)
        self._stuck: dict[int, tuple[int, float]] = {}
        """Results that Discord doesn't take: how often they were tried, and when they will be again."""

    def wake(self) -> None:
        """Look now, behind the scenes, what is to be closed and told."""
        self._alarm.ring()

    def stop(self) -> None:
        self._alarm.stop()

    async def _work(self) -> float | None:
        """Close what is overdue, tell what isn't told yet, remind; returns when to look again."""
        store = self.bot.store
        try:
            await series.close_overdue(store, self.bot.now())
        except sqlite3.Error as error:
            report_database(self.bot.notices, "the close of a poll, which I'm trying again", error)
            raise
        due = [await self._tell(found) for found in await series.unannounced(store)]
        due += [await self._remind_of(found) for found in await series.with_deadline(store)]
        due.append(await series.next_deadline(store))
        return min((at for at in due if at is not None), default=None)

    async def _tell(self, found: Series) -> float | None:
        """Tell a result; returns when it is tried again. Trouble that may pass is tried for a day; staff hear once."""
        assert found.closed_at is not None
        failures, again_at = self._stuck.get(found.id, (0, 0.0))
        if self.bot.now() < again_at:
            return again_at
        try:
            message_id = await self._announce(found)
        except Undelivered as error:
            next_at = None if error.final else next_try(found.closed_at, failures + 1, self.bot.now())
            log.warning("a result can't be told", series=found.id, error=str(error), again=next_at is not None)
            if not failures or next_at is None:
                await self._tell_staff(found, _trouble(found, error, is_over=next_at is None))
            if next_at is None:
                self._stuck.pop(found.id, None)
                await series.set_announced(self.bot.store, found.id, None, self.bot.now())
            else:
                self._stuck[found.id] = failures + 1, next_at
            return next_at
        except Exception:  # one result that can't be made must not hold up the others
            log.exception("a result can't be made", series=found.id)
            return self.bot.now() + RETRY_S
        self._stuck.pop(found.id, None)
        await series.set_announced(self.bot.store, found.id, message_id, self.bot.now())
        return None

    async def _remind_of(self, found: Series) -> float | None:
        """Returns when the next reminder is due."""
        assert found.closes_at is not None
        if not self.bot.settings.club.poll_reminders:
            return None
        times = reminder_times(found.prepared_at, found.closes_at)
        due = sum(time <= self.bot.now() for time in times)
        if due > found.reminded and await series.set_reminded(self.bot.store, found.id, due):
            try:
                await self._remind(found)
            except Undelivered as error:
                log.info("a reminder isn't taken", series=found.id, error=str(error))
        return min((time for time in times if time > self.bot.now()), default=None)


def _trouble(found: Series, error: Undelivered, is_over: bool) -> str:
    where = f"the result of series {found.id} in <#{found.channel_id}>"
    again = f"`/poll announce series:{found.id}` posts it again, and `/poll results series:{found.id}` shows it."
    if is_over:
        return f"I can't post {where}. {error} {again}"
    return f"I can't post {where} at the moment. {error} I'll keep trying for a day. {again}"
