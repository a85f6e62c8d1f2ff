"""`python -m benchmarks.lives.answers`: answers on their way over the wire, from a bot that is killed in between.

Members use commands while connections break before or after a request was taken, Discord limits, fails and refuses,
answers are deleted, rights are withdrawn, and the bot is killed (SIGKILL) in the middle of a request and started
again. At the end of each sequence: one result or one true sentence, one message of a vote and one of its result."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from benchmarks.lives.host import Host, footers, passing_host
from benchmarks.lives.quick_engine import BROKEN, REFUSAL
from benchmarks.lives.report import run, tell_broken
from bot.answering.live_reply import CANCEL_LABEL, NOT_DONE
from bot.answering.open_answers import INTERRUPTED
from playground.driver import Refused as NotTaken
from playground.driver import Route
from playground.world.talk.messages import Message

LOADING = 1 << 7
PICTURE = b"\x89PNG, as far as anybody here looks"
SETTLED_S = 30.0
LOOK_S = 0.03
TOKEN_ROUTES = (Route.FOLLOW_UP, Route.GET_ANSWER, Route.EDIT_ANSWER, Route.DELETE_ANSWER)
ANSWER_ROUTES = (Route.CALLBACK, Route.EDIT_ANSWER, Route.EDIT_ANSWER, Route.GET_ANSWER, Route.FOLLOW_UP)
POST_ROUTES = (Route.SEND, Route.SEND, Route.GET_MESSAGES, Route.EDIT)


class Kind(Enum):
    """What is asked for."""

    PICTURE = auto()
    REFUSED = auto()
    """a picture that can't be read: a sentence for the member alone"""
    PRIVATE = auto()
    VOTE = auto()
    """a vote, closed at once: a message of the bot's own, its result, and two private answers"""


class What(Enum):
    """What happens to a request."""

    CUT = auto()
    ERROR = auto()
    LIMITED = auto()
    BLOCKED = auto()
    """429 of the proxy before Discord"""
    KILLED = auto()
    """the bot is killed while it waits for the answer"""
    DELETED = auto()
    """a moderator deletes the bot's latest message"""
    EXPIRED = auto()
    """50027, from the first request on"""
    FORBIDDEN = auto()
    """the bot may not send messages here, from the first request on"""


@dataclass(frozen=True)
class Mishap:
    """It strikes the request number `skip` (from 0) on a route; `accepted`: the request takes effect all the same."""

    what: What
    route: str
    skip: int
    accepted: bool


def random_mishaps(kind: Kind, draw: random.Random) -> list[Mishap]:
    """Up to five, most of them of the passing kinds, one kill at most in two sequences of three."""
    routes = (*ANSWER_ROUTES, *POST_ROUTES, *POST_ROUTES) if kind is Kind.VOTE else ANSWER_ROUTES
    passing = [What.CUT, What.CUT, What.ERROR, What.LIMITED, What.BLOCKED]
    whats = [draw.choice(passing) for _ in range(draw.randint(0, 4))]
    if draw.random() < 0.6:
        whats.append(What.KILLED)
    if draw.random() < 0.25:
        final = [What.FORBIDDEN] if kind is Kind.VOTE else [What.DELETED, What.EXPIRED]
        whats.append(draw.choice(final))
    draw.shuffle(whats)
    found = [Mishap(what, draw.choice(routes), draw.choice((0, 0, 1)), draw.random() < 0.5) for what in whats]
    # A 5xx is repeated by discord.py itself; a private follow-up can't be looked up, so that one would be there twice.
    return [m for m in found if not (m.what is What.ERROR and m.route == Route.FOLLOW_UP and m.accepted)]


@dataclass
class Ended:
    """How a sequence ended."""

    broken: list[str]
    verdict: str
    kills: int


class OneSequence:
    """One command and what happens to it."""

    def __init__(self, host: Host, kind: Kind, mishaps: Sequence[Mishap]) -> None:
        self.host = host
        self.kind = kind
        self.mishaps = mishaps
        self.kills = 0
        self.deleted = False
        self._starting = asyncio.Lock()
        self._is_forbidden = any(mishap.what is What.FORBIDDEN for mishap in mishaps)
        self._after = max((int(m.id) for m in host.messages()), default=0)
        self._first_series = (host.rows("SELECT coalesce(max(id), 0) FROM series")[0][0]) + 1

    async def run(self) -> Ended:
        channel = await self.host.ada.channel()
        killers = [await self._order(mishap, channel["id"]) for mishap in self.mishaps]
        tasks = [asyncio.create_task(self._kill_when_struck(order)) for order in killers if order is not None]
        if any(mishap.what is What.DELETED for mishap in self.mishaps):
            tasks.append(asyncio.create_task(self._delete()))
        try:
            outcome = await self._ask()
            settled = await self._settled()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.host.driver.mend()
            await self.host.driver.bot_permissions(channel["id"], send_messages=True)
        self._is_forbidden = False
        if not settled or not self._is_settled():  # what is left open is left to the next start
            await self._restart()
            settled = await self._settled()
        return Ended(self._broken(outcome, settled), self._verdict(), self.kills)

    # ------------------------------------------------------------ what happens

    async def _order(self, mishap: Mishap, channel_id: str) -> int | None:
        """The order's number where the bot is to be killed."""
        driver, more = self.host.driver, {"skip": mishap.skip, "accepted": mishap.accepted}
        match mishap.what:
            case What.CUT:
                await driver.order(mishap.route, "cut", **more)
            case What.ERROR:
                await driver.order(mishap.route, "server_error", status=502, **more)
            case What.LIMITED:
                await driver.rate_limit(mishap.route, retry_after_s=0.05, skip=mishap.skip)
            case What.BLOCKED:
                await driver.block(mishap.route, retry_after_s=0.05, skip=mishap.skip)
            case What.EXPIRED:
                for route in TOKEN_ROUTES:
                    await driver.order(route, "refuse", code=50027, times=None)
            case What.FORBIDDEN:
                await driver.bot_permissions(channel_id, send_messages=False)
            case What.KILLED if mishap.accepted:
                return await driver.order(mishap.route, "delay", delay_s=60.0, **more)
            case What.KILLED:
                return await driver.order(mishap.route, "cut", **more)
        return None

    async def _kill_when_struck(self, order: int) -> None:
        faults = self.host.playground.faults
        while not any(fault["id"] == order and fault["hits"] for fault in faults.all()):  # noqa: ASYNC110 -- unsignalled
            await asyncio.sleep(0.002)
        self.kills += 1
        self.host.kill()
        await self.host.driver.mend(order)
        await self._restart()

    async def _restart(self) -> None:
        async with self._starting:
            self.host.kill()
            await self.host.start()

    async def _delete(self) -> None:
        while not (found := self.host.messages(self._after)):  # noqa: ASYNC110 -- unsignalled
            await asyncio.sleep(0.005)
        self.deleted = True
        try:
            await self.host.driver.delete_message({"channel_id": found[-1].channel_id, "id": found[-1].id})
        except NotTaken:
            self.deleted = False  # it was gone before

    async def _ask(self) -> str:
        match self.kind:
            case Kind.PICTURE | Kind.REFUSED:
                content = PICTURE if self.kind is Kind.PICTURE else BROKEN
                asked = await self.host.ada.use("stylize", files={"cat.png": content}, image="cat.png", style="scream")
            case Kind.PRIVATE:
                asked = await self.host.ada.use("ask", question="What does backward() do?", private=True)
            case Kind.VOTE:
                asked = await self.host.ada.use("vote", question="Which day?", options="Monday | never", closes_in=60)
                await self._close()
        return asked.outcome

    async def _close(self) -> None:
        """Close the vote as staff would: until the bot has heard it."""
        async with asyncio.timeout(SETTLED_S):
            while True:
                await asyncio.sleep(LOOK_S)
                if self._open_answers():
                    continue
                rows = self._series("closed_at, opening_message_id")
                if not rows or rows[0][0] is not None:
                    return
                if rows[0][1] is not None and self.host.is_alive and not self._starting.locked():
                    number = self._series("id")[0][0]
                    await self.host.staff.use("poll close", series=number)

    # ------------------------------------------------------------ how it ends

    def _open_answers(self) -> int:
        return int(self.host.rows("SELECT count(*) FROM open_answers")[0][0])

    def _series(self, columns: str) -> list[tuple]:
        return self.host.rows(f"SELECT {columns} FROM series WHERE id >= ? ORDER BY id", self._first_series)

    async def _settled(self) -> bool:
        """Whether nothing is open any more, before patience ends."""
        try:
            async with asyncio.timeout(SETTLED_S):
                quiet = 0
                while quiet < 4:
                    await asyncio.sleep(LOOK_S)
                    quiet = quiet + 1 if self._is_settled() else 0
        except TimeoutError:
            return False
        return True

    def _is_settled(self) -> bool:
        if self._starting.locked() or not self.host.is_alive or self._open_answers():
            return False
        told = self._series("voided OR announced_at IS NOT NULL")
        return self._is_forbidden or all(row[0] for row in told)

    def _answers(self) -> tuple[list[Message], list[Message], list[Message]]:
        """Results, sentences, and what is left of progress."""
        found = self.host.messages(self._after)
        own = [m for m in found if not _is_vote(m) and not _is_result(m)]
        unfinished = [m for m in own if _is_thinking(m) or CANCEL_LABEL in str(m.components)]
        said = [m for m in own if m not in unfinished]
        results = [m for m in said if m.attachment_ids or m.embeds]
        return results, [m for m in said if m not in results], unfinished

    def _verdict(self) -> str:
        results, sentences, unfinished = self._answers()
        if self.kind is Kind.VOTE:
            votes = [m for m in self.host.messages(self._after) if _is_vote(m)]
            return "a vote and its result" if votes else "a sentence"
        return "result" if results else "sentence" if sentences else "unfinished" if unfinished else "nothing"

    def _broken(self, outcome: str, settled: bool) -> list[str]:
        results, sentences, unfinished = self._answers()
        whats = {mishap.what for mishap in self.mishaps}
        final = bool(whats & {What.DELETED, What.EXPIRED, What.FORBIDDEN}) or outcome == "failed"
        broken = [] if settled else ["it came to no end"]
        if unfinished and What.EXPIRED not in whats:
            broken.append("dead progress is left behind")
        if self.kind is Kind.VOTE:
            return broken + self._broken_vote(final)
        if len(results) > 1:
            broken.append("the result is there twice")
        if len([m for m in sentences if m.content != NOT_DONE]) > 1:
            broken.append("the sentence is there twice")
        if results and sentences:
            broken.append("a result, and a sentence in its place")
        if not results and not sentences and not final:
            broken.append("neither a result nor a sentence")
        if not results and not final and not self.kills and self.kind is not Kind.REFUSED:
            broken.append("a result was lost, though nothing final happened")
        true = {INTERRUPTED, NOT_DONE, REFUSAL} if self.kind is Kind.REFUSED else {INTERRUPTED}
        if untrue := [m.content for m in sentences if not any(sentence in m.content for sentence in true)]:
            broken.append(f"not a true sentence: {untrue}")
        return broken

    def _broken_vote(self, final: bool) -> list[str]:
        found = self.host.messages(self._after)
        votes, results = [m for m in found if _is_vote(m)], [m for m in found if _is_result(m)]
        recorded = self._series("id, voided, opening_message_id")
        broken = []
        if len(recorded) > 1:
            broken.append("the vote was written down twice")
        if len(votes) > 1:
            broken.append("the vote is there twice")
        if len(results) > 1:
            broken.append("its result is there twice")
        if votes and recorded and str(recorded[0][2]) != votes[0].id and not final:
            broken.append("another message is the vote's")
        if not final and (not votes or not results):
            broken.append("a vote or its result was lost, though nothing final happened")
        return broken


def _is_thinking(message: Message) -> bool:
    """The flag stays when the bot edits the message as any other; then it says something."""
    return bool(message.flags & LOADING) and not (message.content or message.embeds or message.attachment_ids)


def _is_vote(message: Message) -> bool:
    return any(footer.startswith("Vote ") for footer in footers([message])) or any(
        embed.get("description") == "This vote has closed." for embed in message.embeds
    )


def _is_result(message: Message) -> bool:
    return any(footer.startswith("Result of ") for footer in footers([message]))


async def run_sequences(host: Host, number: int, seed: int) -> list[tuple[Kind, list[Mishap], Ended]]:
    """So many random ones, one after another."""
    draw = random.Random(seed)
    ended = []
    for _ in range(number):
        kind = draw.choice(list(Kind))
        mishaps = random_mishaps(kind, draw)
        ended.append((kind, mishaps, await OneSequence(host, kind, mishaps).run()))
    return ended


async def measure(sequences: int, seed: int) -> int:
    """Prints a table; returns how many promises were broken."""
    began = time.perf_counter()
    async with passing_host() as host:
        ended = await run_sequences(host, sequences, seed)
    verdicts: Counter[str] = Counter(result.verdict for _, _, result in ended)
    kills = sum(result.kills for _, _, result in ended)
    broken = [f"{promise}: {kind.name} {mishaps}" for kind, mishaps, result in ended for promise in result.broken]
    took_s = time.perf_counter() - began
    sys.stdout.write(f"delivery over the wire: {sequences} sequences, {kills} kills, {took_s:.0f} s\n")
    sys.stdout.write("  " + ", ".join(f"{verdict} {count}" for verdict, count in verdicts.most_common()) + "\n")
    return tell_broken(broken)


def main(argv: Sequence[str] | None = None) -> int:
    return run(measure, __doc__, "sequences", 300, argv)


if __name__ == "__main__":
    sys.exit(main())
