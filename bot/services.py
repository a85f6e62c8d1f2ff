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


class Services:
    """The cogs' services, typed."""

    series: SeriesService
    staff_questions: Quota
    """How often a member may have staff pinged; `cogs/ask` has it."""
    practice: PracticeService
