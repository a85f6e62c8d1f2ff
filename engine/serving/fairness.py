"""Whose turn it is, by the seconds that each member used, and how long jobs take, by those before them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

HALF_LIFE_S = 600.0
"""After ten minutes half of what a member used is forgotten."""
LEAST_CHARGE_S = 0.1
"""Every turn costs something: else a hundred tiny jobs would pass everybody else's."""
STEP_S = 0.05
"""Smaller differences in use don't decide; then it's whoever had the last turn longest ago."""
WEIGHT_OF_NEWEST = 0.3
"""Of the newest measurement in the running mean of how long jobs take."""
USUAL_S = 3.0
"""Of a job of whose kind none has run yet, for the order only: nobody is told."""


class UsedSeconds:
    """How many seconds of the device each member used lately, and in which order they came to have turns."""

    def __init__(self) -> None:
        self._used: dict[str, tuple[float, float]] = {}
        self._last_turn: dict[str, int] = {}
        self._turns = 0

    def of(self, member: str, now: float) -> float:
        used_s, at = self._used.get(member, (0.0, now))
        return used_s * 0.5 ** ((now - at) / HALF_LIFE_S)

    def has_turn(self, member: str) -> None:
        self._turns += 1
        self._last_turn[member] = self._turns

    def last_turn(self, member: str) -> int:
        return self._last_turn.get(member, 0)

    def charge(self, member: str, seconds: float, now: float) -> None:
        self._used[member] = (self.of(member, now) + max(LEAST_CHARGE_S, seconds), now)
        if len(self._used) > 10_000:  # whoever used least is as good as new
            for least in heapq.nsmallest(5_000, self._used, key=lambda one: self._used[one][0]):
                del self._used[least]
                self._last_turn.pop(least, None)


class Waiting(Protocol):
    """What the order needs to know of a job."""

    @property
    def kind(self) -> str: ...
    @property
    def size(self) -> float: ...


Job = TypeVar("Job", bound=Waiting)


class Durations:
    """Running means of what jobs of each kind took, in s a unit of size."""

    def __init__(self) -> None:
        self._turn: dict[str, float] = {}
        self._all: dict[str, float] = {}

    def took(self, job: Waiting, turn_s: float, other_s: float) -> None:
        """`other_s`: reading and finishing, which others don't wait for."""
        for means, seconds in ((self._turn, turn_s), (self._all, turn_s + other_s)):
            before = means.get(job.kind)
            each = seconds / max(job.size, 1e-9)
            means[job.kind] = each if before is None else before + WEIGHT_OF_NEWEST * (each - before)

    def knows(self, job: Waiting) -> bool:
        return job.kind in self._turn

    def turn_s(self, job: Waiting) -> float:
        return self._turn[job.kind] * job.size if self.knows(job) else USUAL_S

    def whole_s(self, job: Waiting) -> float:
        return self._all[job.kind] * job.size if self.knows(job) else USUAL_S


def fair_order(
    waiting: Mapping[str, Iterable[Job]],
    used: UsedSeconds,
    running: Mapping[str, float],
    durations: Durations,
    now: float,
) -> list[Job]:
    """Waiting jobs in the order in which they will run: always the first job of whoever will have used least by then.

    `waiting`: each member's jobs, first come first; members in the order in which they came. `running`: seconds that
    each member's running jobs are expected to take."""
    queues: dict[str, Sequence[Job]] = {member: list(jobs) for member, jobs in waiting.items()}
    places = {member: place for place, member in enumerate(queues)}
    heap = [
        (_steps(used.of(member, now) + running.get(member, 0.0)), used.last_turn(member), places[member], 0, member)
        for member, jobs in queues.items()
        if jobs
    ]
    heapq.heapify(heap)
    spent = {member: used.of(member, now) + running.get(member, 0.0) for member in queues}
    turn = max((used.last_turn(member) for member in queues), default=0)
    order: list[Job] = []
    while heap:
        *_, number, member = heapq.heappop(heap)
        job = queues[member][number]
        order.append(job)
        turn += 1
        spent[member] += max(LEAST_CHARGE_S, durations.turn_s(job))
        if number + 1 < len(queues[member]):
            heapq.heappush(heap, (_steps(spent[member]), turn, places[member], number + 1, member))
    return order


def _steps(seconds: float) -> int:
    return round(seconds / STEP_S)
