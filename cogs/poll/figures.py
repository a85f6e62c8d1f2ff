"""The figures and charts of a set of votes, kept while the votes are the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import discord

from bot.answering.parcels import Upload
from bot.charts import Chart, Drawn, figures
from bot.rules.listening.judgements import Judgement

KEPT = 16
"""The latest asked for."""


class Figures:
    """Closed votes never change, so the votes themselves name what was computed from them. One at a time: results of
    a whole class's series are asked for by the whole class at once."""

    def __init__(self) -> None:
        self._kept: dict[int, Drawn] = {}
        self._lock = asyncio.Lock()

    async def of(self, judgements: Sequence[Judgement], chart: Chart) -> Drawn:
        name = hash((chart, tuple(judgements)))
        async with self._lock:
            found = self._kept.pop(name, None)
            if found is None:
                found = await figures(judgements, chart)
            self._kept[name] = found
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        return found


def with_chart(embed: discord.Embed, drawn: Drawn, name: str) -> list[Upload]:
    """Show a chart in an embed; the files to post with it."""
    if not drawn.png:
        return []
    embed.set_image(url=f"attachment://{name}.png")
    return [Upload(f"{name}.png", drawn.png, drawn.alt[:1000])]
