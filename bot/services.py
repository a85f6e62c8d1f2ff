"""What one cog offers to others, and to buttons, which only know the client. A cog signs in when it loads."""

from __future__ import annotations

from typing import Any, Protocol

import discord

from bot.rules.quotas import Quota
from bot.store.polls.series import Series


class SeriesService(Protocol):
    """Series of trials and votes; `cogs/poll` has it. Each returns what to say to whoever asked, or raises Refused."""

    async def post(self, found: Series) -> str:
        """Post what was written down."""

    async def show_next(self, number: int, place: int) -> str:
        """Live: post the trial at `place`."""

    async def close_series(self, number: int) -> str:
        """Close now."""


class PracticeService(Protocol):
    """Questions to practise with alone; `cogs/quiz` has it."""

    async def practise_now(self, interaction: discord.Interaction[Any], topic: str, card: str = "") -> None:
        """Ask whoever pressed one question."""


class RecentQuestions:
    """The whole of long questions, by the message that answers them: a button's id holds only the beginning.

    In memory and few, because nobody agreed to have their question kept; after a restart there's the beginning."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._questions: dict[int, str] = {}

    def keep(self, message_id: int, question: str) -> None:
        """Nothing where a message has no number that is known (0)."""
        if message_id:
            self._questions[message_id] = question
            while len(self._questions) > self._most:
                del self._questions[next(iter(self._questions))]

    def of(self, message: discord.Message | None, beginning: str) -> str:
        """The question that a message answers, or its `beginning` where no more is known."""
        return self._questions.get(message.id, beginning) if message else beginning


class Services:
    """The cogs' services, typed."""

    series: SeriesService
    staff_questions: Quota
    """How often a member may have staff pinged; `cogs/ask` has it."""
    asked: RecentQuestions
    """What the answers of today answer; `cogs/ask` has it."""
    practice: PracticeService
