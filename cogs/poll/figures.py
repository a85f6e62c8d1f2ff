"""The figures of a set of votes, computed off the event loop and kept while the votes are the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.rules.listening.judgements import Judgement
from bot.rules.listening.summary import Summary, summarise

KEPT = 16
"""Summaries, the latest asked for."""


class Figures:
    """Closed votes never change, so who, how many and the latest of them name a summary."""

    def __init__(self) -> None:
        self._kept: dict[int, Summary] = {}
        self._lock = asyncio.Lock()

    async def summary(self, judgements: Sequence[Judgement]) -> Summary:
        name = hash(tuple(judgements))
        async with self._lock:
            found = self._kept.pop(name, None)
            if found is None:
                found = await asyncio.to_thread(summarise, judgements)
            self._kept[name] = found
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        return found

    async def close(self) -> None:
        """Nothing runs on."""
