"""How an answer reaches its reader, whatever goes wrong on the way: the rules, without Discord.

A `Delivery` says what to do next and is told how that went, until it ends. Nothing is repeated or sent another way
before it's known whether it has arrived, except where a repetition changes nothing:

    EDIT       the interaction's own answer, through its token (15 min)      the same message again: harmless
    BOT_EDIT   the same message, as the bot                                  harmless
    FOLLOW_UP  a private message through the token                           can't be looked up: sent once
    POST       a new message in the channel, as the bot                      known by its nonce, can be looked up
    DIRECT     a direct message                                              the same

    public   EDIT -> BOT_EDIT -> POST         somebody deleted the answer: FOLLOW_UP
    private  EDIT -> DIRECT                   somebody deleted the answer: FOLLOW_UP
    post     POST                             (polls and their results)

An `Apology` is a sentence for the member alone where the answer would be public: the answer is covered by a few words,
the sentence follows privately, and then the cover goes. It never goes before the sentence is known to be there.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto


class Route(Enum):
    """A way to the reader."""

    EDIT = auto()
    BOT_EDIT = auto()
    FOLLOW_UP = auto()
    POST = auto()
    DIRECT = auto()


class Cargo(Enum):
    """What travels."""

    PARCEL = auto()
    """the result, or the sentence in its place"""
    COVER = auto()
    """a few words over a public answer that has failed"""


class Outcome(Enum):
    """How a step went."""

    ARRIVED = auto()
    ABSENT = auto()
    """looked up: it isn't there"""
    LOST = auto()
    """the connection broke or Discord answered 5xx: nobody knows"""
    LIMITED = auto()
    """429: it has not arrived"""
    GONE = auto()
    """the message that it belongs to was deleted, or the channel"""
    EXPIRED = auto()
    """the interaction's token takes nothing any more, or the message's id isn't known"""
    FORBIDDEN = auto()
    ARCHIVED = auto()
    """the thread is archived or locked"""
    REFUSED = auto()
    """Discord doesn't take what is sent: the same again is useless"""


class Verdict(Enum):
    """How a delivery ended."""

    DELIVERED = auto()
    DOUBTFUL = auto()
    """it may have arrived, and nobody can tell: nothing more may be sent in its place"""
    UNWANTED = auto()
    """somebody deleted the answer, and there's no other way to its reader"""
    FORBIDDEN = auto()
    ARCHIVED = auto()
    GONE = auto()
    REFUSED = auto()
    UNREACHABLE = auto()
    """Discord took nothing until patience ran out; it has not arrived"""


@dataclass(frozen=True)
class Try:
    """Send it."""

    route: Route
    cargo: Cargo = Cargo.PARCEL


@dataclass(frozen=True)
class Look:
    """Look whether it's there: ARRIVED, ABSENT, or how looking failed."""

    route: Route
    cargo: Cargo = Cargo.PARCEL


@dataclass(frozen=True)
class Wait:
    seconds: float


@dataclass(frozen=True)
class Unarchive:
    """Open the thread: ARRIVED when it's open now."""


@dataclass(frozen=True)
class Remove:
    """Take the public answer away; whether that works changes nothing."""


@dataclass(frozen=True)
class End:
    verdict: Verdict


Step = Try | Look | Wait | Unarchive | Remove | End

PUBLIC = (Route.EDIT, Route.BOT_EDIT, Route.POST)
PRIVATE = (Route.EDIT, Route.DIRECT)
AS_BOT = (Route.POST,)
SAME_MESSAGE = frozenset({Route.EDIT, Route.BOT_EDIT})

MOST_OPENINGS = 3
"""A thread that is closed again each time is closed on purpose."""
ENOUGH_FAILURES = 2
"""After this many on one route, the next one to the same message is tried; discord.py has tried each 5xx five times."""
MANY_FAILURES = 5
"""After this many it goes into another message: a direct one, or one of the bot's own."""


@dataclass(frozen=True)
class Patience:
    """How long a result is kept for, and how fast its attempts follow each other; seconds."""

    total_s: float = 600.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 30.0


PATIENT = Patience()


class Delivery:
    """One parcel on its way. `draw` jitters the pauses; times are seconds on any clock that only goes forward.

    `may_be_there`: an earlier attempt may have arrived, so it's looked up first. `after_all`: a parcel whose message
    was deleted goes to its reader privately."""

    def __init__(
        self,
        routes: Sequence[Route],
        now: float,
        draw: random.Random,
        *,
        cargo: Cargo = Cargo.PARCEL,
        patience: Patience = PATIENT,
        may_be_there: bool = False,
        after_all: bool = True,
    ) -> None:
        self._routes = list(routes)
        self._cargo = cargo
        self._patience = patience
        self._deadline = now + patience.total_s
        self._draw = draw
        self._not_before = now
        self._failures = 0
        self._pauses = 0
        self._doubtful = may_be_there
        self._looks = may_be_there
        self._after_all = after_all
        self._opens = False
        self._openings = 0
        self._verdict: Verdict | None = None

    def next(self, now: float) -> Step:
        """What to do now; its outcome is due by `report` before the next one."""
        if self._verdict is not None:
            return End(self._verdict)
        if now >= self._deadline:
            return End(Verdict.DOUBTFUL if self._doubtful else Verdict.UNREACHABLE)
        if now < self._not_before:
            return Wait(min(self._not_before, self._deadline) - now)
        if self._opens:
            return Unarchive()
        return (Look if self._looks else Try)(self._routes[0], self._cargo)

    def report(self, outcome: Outcome, now: float, retry_after_s: float = 0.0) -> None:
        """How the step went that `next` asked for. Waiting isn't reported."""
        if self._opens and outcome in (Outcome.LOST, Outcome.LIMITED):
            self._pause(now, retry_after_s)
        elif self._opens:
            self._opens = False
            self._openings += 1
            if outcome is not Outcome.ARRIVED:
                self._end(Verdict.ARCHIVED)
        elif outcome is Outcome.ARRIVED:
            self._end(Verdict.DELIVERED)
        elif outcome is Outcome.LIMITED:
            self._pause(now, retry_after_s)
        elif outcome is Outcome.LOST:
            self._lost(now)
        elif outcome is Outcome.ABSENT:
            self._doubtful = self._looks = False
            if len(self._routes) > 1 and self._failures >= self._enough:
                self._advance()
        elif outcome is Outcome.GONE:
            self._gone()
        elif outcome is Outcome.EXPIRED:
            self._advance()
        elif outcome is Outcome.FORBIDDEN and self._looks:
            self._looks = False  # it may not look: then it sends the same again, which changes nothing
        elif outcome is Outcome.FORBIDDEN:
            self._advance(Verdict.FORBIDDEN)
        elif outcome is Outcome.ARCHIVED and self._openings < MOST_OPENINGS:
            self._opens = True
        elif outcome is Outcome.ARCHIVED:
            self._end(Verdict.ARCHIVED)
        else:
            self._end(Verdict.REFUSED)

    def _lost(self, now: float) -> None:
        self._failures += 1
        self._pause(now)
        if not self._looks:
            self._doubtful = True
        if self._routes[0] is Route.FOLLOW_UP:
            self._end(Verdict.DOUBTFUL)
        elif self._failures >= self._enough and set(self._routes[:2]) == SAME_MESSAGE:
            self._advance()
            self._looks = True
        else:
            self._looks = True

    @property
    def _enough(self) -> int:
        """Failures on this route before the next one is tried."""
        return ENOUGH_FAILURES if set(self._routes[:2]) == SAME_MESSAGE else MANY_FAILURES

    def _gone(self) -> None:
        if self._routes[0] is Route.EDIT and self._after_all:
            self._routes = [Route.FOLLOW_UP]
            self._doubtful = self._looks = False
        else:
            self._end(Verdict.UNWANTED if self._routes[0] in SAME_MESSAGE else Verdict.GONE)

    def _advance(self, otherwise: Verdict = Verdict.UNREACHABLE) -> None:
        """Take the next way; to another message only when nothing can have arrived at this one."""
        here, *rest = self._routes
        self._failures = 0
        if not rest:
            self._end(otherwise)
        elif self._doubtful and not {here, rest[0]} <= SAME_MESSAGE:
            self._end(Verdict.DOUBTFUL)
        else:
            self._routes = rest
            self._looks = self._doubtful

    def _pause(self, now: float, at_least_s: float = 0.0) -> None:
        full = min(self._patience.longest_pause_s, self._patience.first_pause_s * 2.0**self._pauses)
        self._pauses += 1
        self._not_before = now + max(at_least_s, full * self._draw.uniform(0.5, 1.0))

    def _end(self, verdict: Verdict) -> None:
        nobody_knows = self._doubtful and verdict not in (Verdict.DELIVERED, Verdict.UNWANTED, Verdict.GONE)
        self._verdict = Verdict.DOUBTFUL if nobody_knows else verdict


class Apology:
    """A sentence for the member alone, where a public answer has begun. Steps like a Delivery."""

    def __init__(self, now: float, draw: random.Random, patience: Patience = PATIENT) -> None:
        self._draw = draw
        self._patience = patience
        self._until = now + patience.total_s
        self._part = "cover"
        self._leg = self._new((Route.EDIT, Route.BOT_EDIT), now, Cargo.COVER)
        self._verdict: Verdict | None = None

    def next(self, now: float) -> Step:
        while self._verdict is None:
            if self._part == "remove":
                return Remove()
            step = self._leg.next(now)
            if not isinstance(step, End):
                return step
            self._turn(step.verdict, now)
        return End(self._verdict)

    def report(self, outcome: Outcome, now: float, retry_after_s: float = 0.0) -> None:
        if self._part == "remove":
            self._verdict = Verdict.DELIVERED
        else:
            self._leg.report(outcome, now, retry_after_s)

    def _turn(self, ended: Verdict, now: float) -> None:
        """From one part to the next."""
        arrived = ended is Verdict.DELIVERED
        match self._part:
            case "cover" if arrived or ended is Verdict.UNWANTED:
                self._begin("follow-up", (Route.FOLLOW_UP,), now)
            case "cover":
                self._begin("direct", (Route.DIRECT,), now)
            case "follow-up" | "direct" if arrived:
                self._part = "remove"
            case "follow-up" if ended is Verdict.DOUBTFUL:
                self._verdict = Verdict.DELIVERED  # the cover stays: it says so, too
            case "follow-up":
                self._begin("direct", (Route.DIRECT,), now)
            case "direct" if ended is Verdict.DOUBTFUL:
                self._begin("last words", (Route.BOT_EDIT,), now, Cargo.COVER)
            case "direct":
                self._begin("last words", (Route.BOT_EDIT, Route.POST), now)
            case _:
                self._verdict = ended

    def _begin(self, part: str, routes: Sequence[Route], now: float, cargo: Cargo = Cargo.PARCEL) -> None:
        self._part = part
        self._leg = self._new(routes, now, cargo)

    def _new(self, routes: Sequence[Route], now: float, cargo: Cargo) -> Delivery:
        patience = replace(self._patience, total_s=max(0.0, self._until - now))
        return Delivery(routes, now, self._draw, cargo=cargo, patience=patience, after_all=False)
