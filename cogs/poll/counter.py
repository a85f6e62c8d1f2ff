"""Shows how many have voted, seldom enough for Discord: a class that votes within a minute is a few edits."""

from __future__ import annotations

import asyncio

from bot.client import Woodshed
from cogs.poll.posting import Poster

INTERVALS = 3
"""Of progress, between two edits: Discord allows about 5 in 5 s in a channel, for all that is edited there."""


class VoterCounter:
    """At most one edit of a trial's message in some seconds."""

    def __init__(self, bot: Woodshed, poster: Poster) -> None:
        self.bot = bot
        self._poster = poster
        self._waiting: dict[int, asyncio.TimerHandle] = {}
        self._running: set[asyncio.Task[None]] = set()

    def changed(self, number: int, trial: int) -> None:
        """Somebody has voted for the first time."""
        if trial not in self._waiting:
            loop = asyncio.get_running_loop()
            pause_s = INTERVALS * self.bot.settings.discord.progress_interval_s
            self._waiting[trial] = loop.call_later(pause_s, self._due, number, trial)

    def stop(self) -> None:
        for handle in self._waiting.values():
            handle.cancel()
        for task in self._running:
            task.cancel()

    def _due(self, number: int, trial: int) -> None:
        self._waiting.pop(trial, None)
        task = asyncio.create_task(self._poster.refresh(number, trial), name="show-voters")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
