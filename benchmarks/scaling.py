"""`python -m benchmarks.scaling`: how long members wait, by numbers of members and of engines (docs/scaling.md).

A discrete-event simulation (simpy) of engines behind one queue. Members' jobs arrive at random, as independent people
make them (Poisson); each needs a turn on a device, one job at a time, and then finishing on one of the engine's
processor workers. Who has used least goes first, as in `engine/serving/fairness.py`. What a job takes is measured;
what people do is assumed, and both are options.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import simpy

HOUR_S = 3600.0


@dataclass(frozen=True)
class Kind:
    """A kind of job: its share of all jobs, and seconds on the device and afterwards on one processor core."""

    name: str
    share: float
    turn_s: float
    finishing_s: float


@dataclass(frozen=True)
class Engine:
    """One engine: what a job takes on it, and how many jobs it finishes side by side."""

    name: str
    kinds: tuple[Kind, ...]
    finishers: int
    queue_length: int = 64

    @property
    def mean_turn_s(self) -> float:
        return sum(kind.share * kind.turn_s for kind in self.kinds)


LAPTOP = Engine(
    "two CPU cores",
    (Kind("picture", 0.6, 1.0, 0.2), Kind("clip", 0.4, 1.0, 0.9)),
    finishers=1,
)
"""Measured: 1024 x 768 px takes 1.2 s from reading to writing; twelve bars take 1.9 s, of which about half needs the
device. The mix of jobs is assumed."""


@dataclass(frozen=True)
class Crowd:
    """Who comes: so many members, each with so many jobs a day, and the share of them in the busiest hour."""

    members: int
    jobs_a_day: float = 3.0
    busiest_hour: float = 0.15

    @property
    def jobs_per_s(self) -> float:
        """Jobs a second in the busiest hour."""
        return self.members * self.jobs_a_day * self.busiest_hour / HOUR_S


@dataclass
class Outcome:
    """What came of the jobs of one simulated hour; waits are from handing in to having the result, less the work, s."""

    waits_s: list[float] = field(default_factory=list)
    refused: int = 0
    again: int = 0
    busy_s: float = 0.0

    def quantile(self, share: float) -> float:
        """The wait that `share` of the jobs stay under, s."""
        ordered = sorted(self.waits_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Cluster:
    """Engines behind one queue. A job goes to any engine that is free; when none is, who has used least is next."""

    def __init__(self, env: simpy.Environment, engine: Engine, engines: int, draw: random.Random) -> None:
        self.env = env
        self.engine = engine
        self.draw = draw
        self.outcome = Outcome()
        self._turns = simpy.PreemptiveResource(env, engines)
        self._finishers = simpy.Resource(env, engines * engine.finishers)
        self._used_ms: dict[int, int] = {}
        self._limit = engines * engine.queue_length

    def job(self, member: int) -> Generator[simpy.Event, Any, None]:
        """One job from handing in to its result."""
        if len(self._turns.queue) >= self._limit:
            self.outcome.refused += 1
            return
        kind = self.draw.choices(self.engine.kinds, [kind.share for kind in self.engine.kinds])[0]
        arrived = self.env.now
        turn_s = kind.turn_s * self._spread()
        finishing_s = kind.finishing_s * self._spread()
        done = False
        while not done:
            with self._turns.request(priority=self._used_ms.get(member, 0), preempt=False) as turn:
                yield turn
                try:
                    yield self.env.timeout(turn_s)
                    done = True
                except simpy.Interrupt:  # its engine is gone; the job is handed in again, once more from its beginning
                    self.outcome.again += 1
        self._used_ms[member] = self._used_ms.get(member, 0) + round(turn_s * 1000)
        self.outcome.busy_s += turn_s
        with self._finishers.request() as finisher:
            yield finisher
            yield self.env.timeout(finishing_s)
        self.outcome.waits_s.append(max(0.0, self.env.now - arrived - turn_s - finishing_s))

    def lose_one(self, at_s: float, for_s: float) -> Generator[simpy.Event, Any, None]:
        """One engine is gone from `at_s` on, for `for_s` seconds; whatever it was doing is interrupted."""
        yield self.env.timeout(at_s)
        with self._turns.request(priority=-1, preempt=True) as taken:
            yield taken
            yield self.env.timeout(for_s)

    def _spread(self) -> float:
        """Jobs differ: a factor of mean 1 and standard deviation 0.5."""
        return self.draw.gammavariate(4.0, 0.25)


def busiest_hour(
    engine: Engine, engines: int, crowd: Crowd, seed: int = 1, lost: tuple[float, float] | None = None
) -> Outcome:
    """Simulate the busiest hour. `lost`: when an engine is lost and for how long, s."""
    draw = random.Random(seed)
    env = simpy.Environment()
    cluster = Cluster(env, engine, engines, draw)

    def arrivals() -> Generator[simpy.Event, Any, None]:
        while env.now < HOUR_S:
            yield env.timeout(draw.expovariate(crowd.jobs_per_s))
            env.process(cluster.job(draw.randrange(crowd.members)))

    env.process(arrivals())
    if lost is not None:
        env.process(cluster.lose_one(*lost))
    env.run()
    return cluster.outcome


def all_at_once(engine: Engine, engines: int, members: int, seed: int = 1) -> Outcome:
    """A class presses at the same moment, one job each."""
    env = simpy.Environment()
    cluster = Cluster(env, engine, engines, random.Random(seed))
    for member in range(members):
        env.process(cluster.job(member))
    env.run()
    return cluster.outcome


def engines_for(engine: Engine, crowd: Crowd, longest_s: float = 10.0) -> int:
    """The fewest engines with which 95 of 100 jobs of the busiest hour wait under `longest_s`, and none is refused."""
    engines = max(1, int(crowd.jobs_per_s * engine.mean_turn_s))
    while True:
        outcome = busiest_hour(engine, engines, crowd)
        if outcome.quantile(0.95) < longest_s and not outcome.refused:
            return engines
        engines += max(1, engines // 20)


def commits_per_s(folder: Path, seconds: float = 3.0) -> float:
    """How many votes a second this disk keeps, each in a synced transaction of its own, as the store does it."""
    with closing(sqlite3.connect(folder / "votes.sqlite3", isolation_level=None)) as connection:
        connection.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE votes (poll INTEGER, member INTEGER, choice TEXT, PRIMARY KEY (poll, member)) WITHOUT ROWID;"
        )
        began, votes = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO votes VALUES (1, ?, 'human')", (votes,))
            connection.execute("COMMIT")
            votes += 1
        return votes / (time.perf_counter() - began)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__.splitlines()[0])
    parser.add_argument("--faster", type=float, default=1.0, metavar="TIMES", help="an engine with a faster device")
    parser.add_argument("--finishers", type=int, default=1, help="processor cores that finish results, per engine")
    parser.add_argument("--jobs-a-day", type=float, default=3.0, help="of each member")
    parser.add_argument("--busiest-hour", type=float, default=0.15, help="share of a day's jobs")
    parser.add_argument("--store", type=Path, help="a folder on the database's disk; also measures its commits")
    options = parser.parse_args(arguments)
    kinds = tuple(replace(kind, turn_s=kind.turn_s / options.faster) for kind in LAPTOP.kinds)
    engine = replace(LAPTOP, kinds=kinds, finishers=options.finishers)
    write = sys.stdout.write
    write(f"An engine serves {1 / engine.mean_turn_s:.2f} jobs a second.\n\n")
    write("members   jobs/s at peak   engines   busy   median wait   95 %   longest   one lost for 5 min: 95 %\n")
    for members in (30, 200, 500, 2_000, 10_000, 50_000):
        crowd = Crowd(members, options.jobs_a_day, options.busiest_hour)
        engines = engines_for(engine, crowd)
        calm = busiest_hour(engine, engines, crowd, seed=2)
        lost = busiest_hour(engine, engines, crowd, seed=2, lost=(1200.0, 300.0))
        write(
            f"{members:7,}   {crowd.jobs_per_s:14.2f}   {engines:7}   {calm.busy_s / HOUR_S / engines:4.0%}"
            f"   {calm.quantile(0.5):9.1f} s   {calm.quantile(0.95):4.1f}   {calm.quantile(1.0):7.1f}"
            f"   {lost.quantile(0.95):.1f} s\n"
        )
    write("\nA class of 200 presses at the same moment:\n\nengines   median wait   longest   refused\n")
    for engines in (1, 2, 4, 8, 16, 32, 64):
        outcome = all_at_once(engine, engines, 200)
        write(f"{engines:7}   {outcome.quantile(0.5):9.1f} s   {outcome.quantile(1.0):5.1f} s   {outcome.refused:7}\n")
    if options.store:
        with tempfile.TemporaryDirectory(dir=options.store) as folder:
            write(f"\nThis disk keeps {commits_per_s(Path(folder)):.0f} votes a second, one transaction each.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
