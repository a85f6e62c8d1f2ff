"""Whose turn it is to write: a lock at which what can't wait goes first."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType


class Turns:
    """Like asyncio.Lock, in two lines: whoever stands in the urgent one is served before the other one moves on."""

    def __init__(self) -> None:
        self._taken = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._patient: deque[asyncio.Future[None]] = deque()

    async def take(self, *, urgent: bool = False) -> None:
        """Wait for the turn. Pair it with `give`."""
        if not self._taken:
            self._taken = True
            return
        waiting = asyncio.get_running_loop().create_future()
        line = self._urgent if urgent else self._patient
        line.append(waiting)
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():  # the turn came at the same moment: pass it on
                self.give()
            else:
                line.remove(waiting)
            raise

    def give(self) -> None:
        """Pass the turn on."""
        for line in (self._urgent, self._patient):
            while line:
                waiting = line.popleft()
                if not waiting.done():
                    waiting.set_result(None)
                    return
        self._taken = False

    async def __aenter__(self) -> None:
        await self.take()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give()
