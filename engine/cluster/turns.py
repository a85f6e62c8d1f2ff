"""Whose job goes to an engine next, over all engines: free of Ray, so that it can be tested by itself.

The order is that of `engine.serving.fairness`, with one rule more: as long as anybody without a running job waits,
nobody gets a second engine."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from engine.errors import Cancelled, QueueFull
from engine.serving.fairness import Durations, UsedSeconds, fair_order


@dataclass(eq=False)
class Ticket:
    """One job at the front door. `size` is 1: only an engine can tell how much work a request is."""

    job_id: str
    member_key: str
    kind: str
    size: float = 1.0
    submitted_at: float = field(default_factory=time.monotonic)
    began_at: float | None = None
    fraction: float = 0.0
    is_cancelled: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    on_cancel: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Line:
    """One line of the queue; position 0 is at work."""

    ticket: Ticket
    position: int
    waited_s: float
    eta_s: float


class Turns:
    """The one queue. Everything belongs to the event loop's thread."""

    def __init__(self, queue_length: int, slots: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        """`slots`: jobs that the engines take at a time, all together; may change at any time."""
        self._queue_length, self._slots, self._clock = queue_length, slots, clock
        self._waiting: OrderedDict[str, deque[Ticket]] = OrderedDict()
        self._running: list[Ticket] = []
        self._used, self._durations = UsedSeconds(), Durations()

    @property
    def slots(self) -> int:
        return self._slots

    @slots.setter
    def slots(self, slots: int) -> None:
        self._slots = slots
        self._advance()

    def enter(self, job_id: str, member_key: str, kind: str) -> Ticket:
        """Take a place in the queue. Raises QueueFull."""
        waiting = sum(len(tickets) for tickets in self._waiting.values())
        if waiting >= self._queue_length:
            raise QueueFull(f"The queue is full: {waiting} jobs are waiting. Please try again in a minute.")
        ticket = Ticket(job_id, member_key, kind, submitted_at=self._clock())
        self._waiting.setdefault(member_key, deque()).append(ticket)
        self._advance()
        return ticket

    async def positions(self, ticket: Ticket) -> AsyncIterator[Line]:
        """Where the ticket stands, again at each change, until it's its turn. Raises Cancelled."""
        while True:
            if ticket.is_cancelled:
                raise Cancelled("The job was cancelled.")
            if ticket.began_at is not None:
                return
            ticket.changed.clear()
            line = next((line for line in self.lines() if line.ticket is ticket), None)
            if line is not None:
                yield line
            await ticket.changed.wait()

    def leave(self, ticket: Ticket, *, is_done: bool) -> None:
        """The job is over, wherever it was; `is_done`: with a result, which tells how long such jobs take."""
        if ticket in self._running:
            self._running.remove(ticket)
            assert ticket.began_at is not None
            took_s = self._clock() - ticket.began_at
            self._used.charge(ticket.member_key, took_s, self._clock())
            if is_done:
                self._durations.took(ticket, took_s, 0.0)
        tickets = self._waiting.get(ticket.member_key)
        if tickets and ticket in tickets:
            tickets.remove(ticket)
            if not tickets:
                del self._waiting[ticket.member_key]
        self._advance()

    def again(self, ticket: Ticket) -> None:
        """Its engine is gone before the job began: back to the head of its member's jobs."""
        self._running.remove(ticket)
        ticket.began_at = None
        self._waiting.setdefault(ticket.member_key, deque()).appendleft(ticket)
        self._advance()

    def cancel(self, job_id: str, member_key: str, anyones: bool) -> bool:
        """Cancel a member's own job, or anyone's; False if there is none."""
        for ticket in itertools.chain(self._running, *self._waiting.values()):
            if ticket.job_id == job_id and (anyones or ticket.member_key == member_key):
                ticket.is_cancelled = True
                ticket.changed.set()
                ticket.on_cancel()
                return True
        return False

    def lines(self) -> list[Line]:
        """What's at work, then what waits, in the order in which it will have its turn."""
        now = self._clock()
        lines = []
        for ticket in self._running:
            left = max(0.5, self._durations.whole_s(ticket) - (now - (ticket.began_at or now)))
            known = self._durations.knows(ticket)
            lines.append(Line(ticket, 0, now - ticket.submitted_at, left if known else 0.0))
        before = 0.0
        for position, ticket in enumerate(self._order(), 1):
            turn_s = self._durations.turn_s(ticket)
            eta_s = before / max(1, self._slots) + turn_s if self._durations.knows(ticket) else 0.0
            lines.append(Line(ticket, position, now - ticket.submitted_at, round(eta_s, 1)))
            before += turn_s
        return lines

    def _order(self) -> list[Ticket]:
        running: dict[str, float] = {}
        for ticket in self._running:
            running[ticket.member_key] = running.get(ticket.member_key, 0.0) + self._durations.turn_s(ticket)
        order = fair_order(self._waiting, self._used, running, self._durations, self._clock())
        at_work = {ticket.member_key for ticket in self._running}
        first: list[Ticket] = []
        later: list[Ticket] = []
        for ticket in order:
            (later if ticket.member_key in at_work else first).append(ticket)
            at_work.add(ticket.member_key)
        return [*first, *later]

    def _advance(self) -> None:
        """Give every free slot away, and tell the others where they stand now."""
        while len(self._running) < self._slots and (order := self._order()):
            ticket = order[0]
            tickets = self._waiting[ticket.member_key]
            tickets.remove(ticket)
            if not tickets:
                del self._waiting[ticket.member_key]
            self._used.has_turn(ticket.member_key)
            ticket.began_at = self._clock()
            self._running.append(ticket)
            ticket.changed.set()
        for tickets in self._waiting.values():
            for ticket in tickets:
                ticket.changed.set()
