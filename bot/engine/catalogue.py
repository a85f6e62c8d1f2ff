"""What the engine has to offer, kept at hand: autocompletion has 3 s and comes with every key that a member presses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

import structlog
from discord import app_commands

from bot.answering.text import MAX_CHOICE, shorten
from bot.engine.calls import EngineClient
from bot.errors import EngineError
from engine.contract import engine_pb2 as pb

log = structlog.get_logger(__name__)

Value = TypeVar("Value")

FRESH_FOR_S = 300.0
FIRST_WAIT_S = 1.5
"""How long an autocompletion waits for a list that was never fetched before it shows an empty one."""
MOST_CHOICES = 25


class Kept(Generic[Value]):
    """A value fetched once and renewed behind the scenes; an engine that is down leaves the last one standing."""

    def __init__(self, fetch: Callable[[], Awaitable[Value]], empty: Value) -> None:
        self._fetch = fetch
        self._value = empty
        self._fetched_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def get(self) -> Value:
        """The value at hand; waits a moment only if there is none yet."""
        if asyncio.get_running_loop().time() - self._fetched_at > FRESH_FOR_S:
            if self._fetching is None or self._fetching.done():
                self._fetching = asyncio.create_task(self._renew())
            if self._fetched_at == float("-inf"):
                await asyncio.wait({self._fetching}, timeout=FIRST_WAIT_S)
        return self._value

    async def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    async def _renew(self) -> None:
        try:
            self._value = await self._fetch()
            self._fetched_at = asyncio.get_running_loop().time()
        except EngineError as error:
            log.info("the engine's lists couldn't be fetched", reason=error.sentence)


class Catalogue:
    """The engine's lists of names."""

    def __init__(self, engine: EngineClient) -> None:
        no_styles: list[pb.Style] = []
        no_topics: list[str] = []
        self.styles = Kept(engine.list_styles, no_styles)
        self.jazz = Kept(engine.list_jazz_options, pb.ListJazzOptionsReply())
        self.topics = Kept(engine.list_topics, no_topics)

    async def close(self) -> None:
        for kept in (self.styles, self.jazz, self.topics):
            await kept.close()


def style_label(style: pb.Style) -> str:
    """A style as a member reads it, at most 100 characters: "The Scream, Edvard Munch (1893)"."""
    label = ", ".join(part for part in (style.title or style.name, style.artist) if part)
    if style.year:
        label += f" ({style.year})"
    return shorten(label, MAX_CHOICE)


def matching(typed: str, named: Iterable[tuple[str, str]]) -> list[app_commands.Choice[str]]:
    """At most 25 choices out of (label, value) pairs that contain every word typed, best first: those that begin so."""
    words = typed.casefold().split()
    found = [
        (label, value)
        for label, value in named
        if all(word in label.casefold() or word in value.casefold() for word in words)
    ]
    start = typed.casefold().strip()
    found.sort(key=lambda pair: not (pair[0].casefold().startswith(start) or pair[1].casefold().startswith(start)))
    return [
        app_commands.Choice(name=shorten(label, MAX_CHOICE), value=value[:MAX_CHOICE])
        for label, value in found[:MOST_CHOICES]
    ]
