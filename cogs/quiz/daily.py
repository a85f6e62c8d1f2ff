"""Posts the question of the day where staff asked for one.

The next moment lies in the store and is moved on before the question is posted: a bot that dies in between leaves out
a day, and never asks twice. A day that was slept through is asked late, if it is still that day's turn.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import aiohttp
import discord
import structlog

from bot.client import Woodshed
from bot.errors import WoodshedError
from bot.rules.daily import next_at
from bot.store import daily, quiz
from bot.store.daily import Daily
from cogs.quiz import question as views
from cogs.quiz.asking import draw_question

log = structlog.get_logger(__name__)

LOOK_S = 60.0
"""The wall clock decides, and it may be moved or the machine suspended: longer than this nobody sleeps on."""
LATE_S = 6 * 3600.0
"""A question that is later than this is left out: the class has gone home."""
RECENT = 30


class DailyAsker:
    """One task for all channels."""

    def __init__(self, bot: Woodshed, draw_seed: Callable[[], int], clock: Callable[[], float]) -> None:
        self.bot = bot
        self.draw_seed = draw_seed
        self.clock = clock
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="daily-questions")

    def changed(self) -> None:
        """A channel was added or changed."""
        self._changed.set()

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _watch(self) -> None:
        await self.bot.wait_until_ready()
        while True:
            self._changed.clear()
            wait_s = LOOK_S
            try:
                wait_s = await self._ask_due()
            except Exception:
                log.exception("daily questions failed", retry_s=LOOK_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()

    async def _ask_due(self) -> float:
        """Ask what is due; returns how long to sleep."""
        for entry in await daily.all_of_them(self.bot.store):
            now = self.clock()
            if entry.next_at > now:
                return min(entry.next_at - now, LOOK_S)
            following = next_at(entry.local_time, entry.zone, now)
            if await daily.set_next(self.bot.store, entry, following) and now - entry.next_at < LATE_S:
                await self._ask(entry, now)
        return LOOK_S

    async def _ask(self, entry: Daily, now: float) -> None:
        try:
            recent = await quiz.recent_generators(self.bot.store, entry.guild_id, 0, entry.topic, RECENT)
            question = await draw_question(self.bot, entry.guild_id, entry.topic, self.draw_seed(), recent)
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
            channel = self.bot.get_partial_messageable(entry.channel_id, guild_id=entry.guild_id)
            message = await channel.send(embed=embed, view=views.question_view(posted), nonce=f"daily-{posted.id}")
            await quiz.set_message(self.bot.store, posted.id, message.id)
        except (WoodshedError, discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.warning("a daily question was not asked", channel=entry.channel_id, error=str(error))
