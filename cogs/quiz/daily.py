"""Posts the question of the day where staff asked for one.

The next moment lies in the store and is moved on before the question is posted: a bot that dies in between leaves out
a day, and never asks twice. A day that was slept through is asked late, if it is still that day's turn.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bot.alarm import Alarm
from bot.answering.parcels import Parcel
from bot.answering.posts import post
from bot.client import Woodshed
from bot.errors import WoodshedError
from bot.rules.daily import astray, next_at
from bot.store import quiz
from bot.store.lessons import daily
from bot.store.lessons.daily import Daily
from cogs.quiz import questions as views
from cogs.quiz.asking import draw_question
from cogs.quiz.kinds import answer_view
from cogs.quiz.taking import Place

log = structlog.get_logger(__name__)

LATE_S = 6 * 3600.0
"""A question that is later than this is left out: the class has gone home."""


class DailyAsker:
    """One alarm, set to the next question."""

    def __init__(self, bot: Woodshed, draw_seed: Callable[[], int]) -> None:
        self.bot = bot
        self.draw_seed = draw_seed
        self._alarm = Alarm("daily-questions", self._ask_due, bot.now)

    def begin(self) -> None:
        self._alarm.ring()

    def changed(self) -> None:
        """A channel was added or changed."""
        self._alarm.ring()

    def stop(self) -> None:
        self._alarm.stop()

    async def _ask_due(self) -> float | None:
        """Ask what is due; returns when the next one is."""
        await self._take_back_what_is_astray()
        for entry in await daily.all_of_them(self.bot.store):
            now = self.bot.now()
            if entry.next_at > now:
                return entry.next_at
            following = next_at(entry.local_time, entry.zone, now)
            if await daily.set_next(self.bot.store, entry, following) and now - entry.next_at < LATE_S:
                await self._ask(entry, now)
        entries = await daily.all_of_them(self.bot.store)
        return entries[0].next_at if entries else None

    async def _take_back_what_is_astray(self) -> None:
        """A clock that stood years ahead for a moment mustn't cost a class its questions for years."""
        for entry in await daily.all_of_them(self.bot.store):
            now = self.bot.now()
            if astray(entry.next_at, entry.local_time, entry.zone, now):
                log.warning("a daily question was planned by a wrong clock", channel=entry.channel_id)
                await daily.set_next(self.bot.store, entry, next_at(entry.local_time, entry.zone, now))

    async def _ask(self, entry: Daily, now: float) -> None:
        try:
            before = await quiz.asked_before(self.bot.store, entry.guild_id, 0, entry.topic)
            question = await draw_question(self.bot, entry.guild_id, entry.topic, self.draw_seed(), before)
            assert self.bot.user is not None
            posted = await quiz.add_question(
                self.bot.store,
                question,
                guild_id=entry.guild_id,
                channel_id=entry.channel_id,
                asked_by=self.bot.user.id,
                now=now,
            )
            embed = views.question_embed(posted)
            embed.title = "Question of the day"
            parcel = Parcel(embeds=[embed], uploads=views.picture_of(question), view=answer_view(Place.CHANNEL, posted))
            message_id = await post(
                self.bot,
                entry.channel_id,
                parcel,
                guild_id=entry.guild_id,
                nonce=f"daily-{posted.id}",
                since=now,
                patience=self.bot.patience,
            )
            await quiz.set_message(self.bot.store, posted.id, message_id)
        except WoodshedError as error:
            log.warning("a daily question was not asked", channel=entry.channel_id, error=str(error))
