"""The jobs that wait: who comes next, with whom, and how long until then.

Members are served by the seconds that they used lately (`fairness`). Jobs that say so share a turn: the next member's
job takes along the first ready job of each other member, if that one is of the same kind and shape. So nobody gets two
jobs into one turn, and whoever is passed over waits for one shared turn at most.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from typing import Any

from engine.serving.fairness import Durations, UsedSeconds, fair_order
from engine.serving.jobs import Job, Stage

MOST_TOGETHER = 8
"""Jobs in one turn: enough to fill a GPU, few enough that the first doesn't wait long for the last."""


class WaitingLine:
    """Every job that has had no turn yet; `order` says which comes when. All times are `time.monotonic`'s."""

    def __init__(self) -> None:
        self.used, self.durations = UsedSeconds(), Durations()
        self._waiting: OrderedDict[str, deque[Job]] = OrderedDict()  # by member key

    def __len__(self) -> int:
        return sum(len(jobs) for jobs in self._waiting.values())

    def __iter__(self) -> Iterator[Job]:
        return (job for jobs in self._waiting.values() for job in jobs)

    def add(self, job: Job) -> None:
        """Behind its member's other jobs."""
        self._waiting.setdefault(job.member_key, deque()).append(job)

    def remove(self, job: Job) -> None:
        """Take a job out, if it waits here."""
        jobs = self._waiting.get(job.member_key)
        if jobs and job in jobs:
            jobs.remove(job)
            if not jobs:
                del self._waiting[job.member_key]

    def order(self, running: Sequence[Job], now: float) -> list[Job]:
        """Who waits, in the order in which they will run after those that are `running`."""
        seconds: dict[str, float] = {}
        for job in running:
            seconds[job.member_key] = seconds.get(job.member_key, 0.0) + self.durations.turn_s(job) / len(running)
        return fair_order(self._waiting, self.used, seconds, self.durations, now)

    def etas(self, running: Sequence[Job], finishing: Sequence[Job], now: float) -> dict[Job, float]:
        """Seconds until the results of all jobs whose kinds are known."""
        etas: dict[Job, float] = {}
        for job in [*finishing, *running]:
            if self.durations.knows(job):
                already = job.turn_s if job.stage is Stage.FINISHING else 0.0
                etas[job] = max(0.5, self.durations.whole_s(job) - already - (now - job.began_at))
        before = max((self.durations.turn_s(job) - (now - job.began_at) for job in running), default=0.0)
        before = max(0.0, before)
        for job in self.order(running, now):
            if self.durations.knows(job):
                etas[job] = before + self.durations.whole_s(job)
            before += self.durations.turn_s(job)
        return etas

    def take_turn(self, running: Sequence[Job], now: float) -> list[Job]:
        """Take the first ready job out, and with it the first job of each other member that shares its turn."""
        order = self.order(running, now)
        first = next((job for job in order if job.stage is Stage.READY), None)
        if first is None:
            return []
        turn, key, members = [first], _shared_key(first), {first.member_key}
        for job in order if key is not None else ():
            if job.member_key not in members and len(turn) < MOST_TOGETHER:
                members.add(job.member_key)
                if job.stage is Stage.READY and _shared_key(job) == key:
                    turn.append(job)
        for job in turn:
            self.remove(job)
            self.used.has_turn(job.member_key)
            job.enter(Stage.RUNNING)
        return turn


def _shared_key(job: Job) -> Any:
    """(kind, key) of what may share a turn with its like; None for what goes alone."""
    shared = job.stages.shared
    key = shared.key(job.work) if shared is not None else None
    return None if key is None else (job.kind, key)
