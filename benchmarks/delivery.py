"""`python -m benchmarks.delivery`: answers on their way through a Discord that misbehaves at random.

A model of Discord takes the steps of `bot.answering.delivery.rules` and suffers faults: connections cut before or
after it has taken a request, 429, 5xx, deleted messages, dead tokens, archived threads, missing permissions, and a
bot that is killed and started again. At the end of each sequence: one result or one true sentence, no job lost, none
done twice.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from bot.answering.delivery.rules import (
    AS_BOT,
    MOST_OPENINGS,
    PRIVATE,
    PUBLIC,
    Apology,
    Cargo,
    Delivery,
    End,
    Look,
    Outcome,
    Remove,
    Route,
    Try,
    Unarchive,
    Verdict,
    Wait,
)
from bot.rules.open_answers import Resolution, Sight, Stage, resolution


class Fault(Enum):
    """What happens at a step."""

    NONE = auto()
    CUT_BEFORE = auto()
    CUT_AFTER = auto()
    ERROR_BEFORE = auto()
    """5xx"""
    ERROR_AFTER = auto()
    LIMITED = auto()
    """429"""
    LIMITED_LONG = auto()
    """429 for longer than patience lasts"""
    DELETED = auto()
    """a member deletes the answer: 10008"""
    EXPIRED = auto()
    """50027"""
    ARCHIVED = auto()
    """50083"""
    FORBIDDEN = auto()
    """403, from now on"""
    NO_DIRECT = auto()
    """the member takes no direct messages"""
    KILLED = auto()
    """the bot's process ends and is started again"""


FINAL = frozenset({Fault.LIMITED_LONG, Fault.DELETED, Fault.EXPIRED, Fault.FORBIDDEN, Fault.NO_DIRECT})
"""Faults that may honestly end in less than a delivery; all others pass."""


class Kind(Enum):
    """What is delivered."""

    COMMAND = auto()
    PRIVATE = auto()
    """a private command or button"""
    FAILING = auto()
    """a command whose job fails: a sentence for the member alone"""
    POLL = auto()
    REVEAL = auto()


class Killed(Exception):
    """The bot's process ended."""


@dataclass
class World:
    """Discord as far as one answer goes, the bot's store, and what its jobs did."""

    faults: Iterator[Fault]
    kind: Kind
    now: float = 0.0
    shown: str = "thinking"
    """by the answer's own message: thinking, result, sentence, cover, deleted"""
    posts: list[str] = field(default_factory=list)
    directs: list[str] = field(default_factory=list)
    follow_ups: list[str] = field(default_factory=list)
    token_lives: bool = True
    archived: bool = False
    forbidden: bool = False
    takes_directs: bool = True
    deleted_by_member: bool = False
    stage: Stage | None = None
    begun: int = 0
    steps: int = 0
    met: Counter[Fault] = field(default_factory=Counter)

    def fault(self) -> Fault:
        """The next fault, and what it changes for good."""
        fault = next(self.faults, Fault.NONE)
        self.met[fault] += 1
        match fault:
            case Fault.KILLED:
                raise Killed
            case Fault.DELETED if self.shown != "deleted" and self.kind not in (Kind.POLL, Kind.REVEAL):
                self.shown, self.deleted_by_member = "deleted", True
            case Fault.EXPIRED:
                self.token_lives = False
            case Fault.ARCHIVED:
                self.archived = True
            case Fault.FORBIDDEN:
                self.forbidden = True
            case Fault.NO_DIRECT:
                self.takes_directs = False
        return fault

    def take(self, step: Try | Look | Unarchive | Remove, text: str) -> tuple[Outcome, float]:
        """One request."""
        self.steps += 1
        fault = self.fault()
        if fault in (Fault.CUT_BEFORE, Fault.ERROR_BEFORE):
            return Outcome.LOST, 0.0
        if fault is Fault.LIMITED:
            return Outcome.LIMITED, 2.0
        if fault is Fault.LIMITED_LONG:
            return Outcome.LIMITED, 5_000.0
        outcome = self._handled(step, text)
        return (Outcome.LOST if fault in (Fault.CUT_AFTER, Fault.ERROR_AFTER) else outcome), 0.0

    def _handled(self, step: Try | Look | Unarchive | Remove, text: str) -> Outcome:
        match step:
            case Unarchive():
                self.archived = self.archived and self.forbidden
                return Outcome.FORBIDDEN if self.archived else Outcome.ARRIVED
            case Remove():
                self.shown = "deleted"
                return Outcome.ARRIVED
            case Look(route, cargo):
                return self._looked(route, "cover" if cargo is Cargo.COVER else text)
            case Try(route, cargo):
                return self._sent(route, "cover" if cargo is Cargo.COVER else text)

    def _looked(self, route: Route, text: str) -> Outcome:
        match route:
            case Route.EDIT if not self.token_lives:
                return Outcome.EXPIRED
            case Route.BOT_EDIT if self.forbidden:
                return Outcome.FORBIDDEN
            case Route.EDIT | Route.BOT_EDIT:
                if self.shown == "deleted":
                    return Outcome.GONE
                return Outcome.ARRIVED if self.shown == text else Outcome.ABSENT
            case Route.POST if self.forbidden:
                return Outcome.FORBIDDEN
            case Route.POST:
                return Outcome.ARRIVED if text in self.posts else Outcome.ABSENT
            case Route.DIRECT:
                return Outcome.ARRIVED if text in self.directs else Outcome.ABSENT
        raise AssertionError("a follow-up can't be looked up")

    def _sent(self, route: Route, text: str) -> Outcome:
        if route in (Route.EDIT, Route.FOLLOW_UP) and not self.token_lives:
            return Outcome.EXPIRED
        match route:
            case Route.EDIT | Route.BOT_EDIT if self.shown == "deleted":
                return Outcome.GONE
            case Route.BOT_EDIT | Route.POST if self.archived:
                return Outcome.ARCHIVED
            case Route.POST if self.forbidden:
                return Outcome.FORBIDDEN
            case Route.EDIT | Route.BOT_EDIT:
                self.shown = text
            case Route.FOLLOW_UP:
                self.follow_ups.append(text)
            case Route.POST if text not in self.posts:  # a nonce that is known is the same message
                self.posts.append(text)
            case Route.DIRECT if not self.takes_directs:
                return Outcome.FORBIDDEN
            case Route.DIRECT if text not in self.directs:
                self.directs.append(text)
        return Outcome.ARRIVED

    def copies(self, text: str) -> int:
        """How many readable messages say it."""
        own = int(self.shown == text)
        return own + sum(where.count(text) for where in (self.posts, self.directs, self.follow_ups))


def deliver(world: World, delivery: Delivery | Apology, text: str) -> Verdict:
    """Step a delivery to its end."""
    while True:
        match delivery.next(world.now):
            case End(verdict):
                return verdict
            case Wait(seconds):
                world.now += seconds
            case step:
                outcome, retry_after_s = world.take(step, text)
                world.now += 0.1
                delivery.report(outcome, world.now, retry_after_s)


def live(world: World, draw: random.Random, text: str | None = None) -> Verdict:
    """One life of the bot: it does what is asked, or what the store says was left open. Raises Killed."""
    if world.kind in (Kind.POLL, Kind.REVEAL):
        again, world.stage = world.stage is not None, Stage.DELIVERING
        return deliver(world, Delivery(AS_BOT, world.now, draw, may_be_there=again), "result")
    if world.stage is None:
        world.stage = Stage.WAITING
        return _work(world, draw)
    sight = _sight(world)
    match resolution(world.stage, sight, world.token_lives):
        case Resolution.AGAIN:
            return _work(world, draw)
        case Resolution.SENTENCE:
            routes = PRIVATE if world.kind is Kind.PRIVATE else PUBLIC
            return deliver(world, Delivery(routes, world.now, draw, may_be_there=True), "sentence")
    return Verdict.DOUBTFUL if sight is Sight.UNKNOWN else Verdict.DELIVERED


def _work(world: World, draw: random.Random) -> Verdict:
    if world.fault() is not Fault.NONE and world.shown == "deleted":
        return Verdict.UNWANTED  # its progress met 10008: the job is cancelled before it begins
    world.begun += 1
    world.stage = Stage.STARTED
    world.fault()
    world.stage = Stage.DELIVERING
    if world.kind is Kind.FAILING:
        return deliver(world, Apology(world.now, draw), "sentence")
    return deliver(world, Delivery(PRIVATE if world.kind is Kind.PRIVATE else PUBLIC, world.now, draw), "result")


def _sight(world: World) -> Sight:
    if world.kind is Kind.PRIVATE and not world.token_lives:
        return Sight.UNKNOWN
    match world.shown:
        case "thinking":
            return Sight.UNFINISHED
        case "deleted":
            return Sight.DELETED
    return Sight.FINISHED


def run(kind: Kind, faults: Iterable[Fault], seed: int) -> tuple[World, Verdict]:
    """One sequence, through as many lives of the bot as it takes."""
    world, draw = World(iter(faults), kind), random.Random(seed)
    while True:
        try:
            return world, live(world, draw)
        except Killed:
            world.now += 5.0


def broken_promises(world: World, verdict: Verdict) -> list[str]:
    """What should have been true of how a sequence ended, and isn't."""
    results, sentences = world.copies("result"), world.copies("sentence") + world.copies("cover")
    broken = []
    if world.begun > 1:
        broken.append("a job was done twice")
    if results > 1:
        broken.append("the result is there twice")
    if results and sentences:
        broken.append("a result, and a sentence that there is none")
    if verdict is Verdict.DELIVERED and not results + sentences and not world.deleted_by_member:
        broken.append("called delivered, and nothing is there")
    if results and verdict not in (Verdict.DELIVERED, Verdict.DOUBTFUL):
        broken.append("called undelivered, and the result is there")
    # A thread that somebody archives each time it's opened is final, too.
    is_final = bool(FINAL & world.met.keys()) or world.met[Fault.ARCHIVED] > MOST_OPENINGS
    if not is_final and (verdict is not Verdict.DELIVERED or results + sentences == 0):
        broken.append("nothing final happened, and it didn't arrive")
    if world.copies("sentence") > 1:
        broken.append("the sentence is there twice")
    return broken


SOMETIMES = [fault for fault in Fault if fault is not Fault.NONE]


def random_faults(rng: random.Random) -> list[Fault]:
    """Up to twelve steps, about half of them undisturbed."""
    return [rng.choice(SOMETIMES) if rng.random() < 0.5 else Fault.NONE for _ in range(rng.randint(0, 12))]


def write(line: str) -> None:
    sys.stdout.write(line + "\n")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivery", description=__doc__)
    parser.add_argument("--sequences", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    rng = random.Random(options.seed)
    ends: Counter[str] = Counter()
    steps = 0
    failures = []
    began = time.perf_counter()
    for number in range(options.sequences):
        kind, faults = rng.choice(list(Kind)), random_faults(rng)
        world, verdict = run(kind, faults, number)
        ends[verdict.name.lower()] += 1
        steps += world.steps
        failures += [
            (promise, kind.name, [fault.name for fault in faults]) for promise in broken_promises(world, verdict)
        ]
    took_s = time.perf_counter() - began
    write(f"delivery: {options.sequences} sequences, {steps} requests, {took_s:.1f} s")
    write("  " + ", ".join(f"{verdict} {count}" for verdict, count in ends.most_common()))
    for promise, name, sequence in failures[:10]:
        write(f"  BROKEN: {promise}: {name} {sequence}")
    write(f"  promises broken: {len(failures)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
