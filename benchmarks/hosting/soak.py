"""`python -m benchmarks.hosting.soak`: a class at work for twenty minutes, while something breaks every five seconds.

A playground, the real bot, and an engine that sleeps instead of painting. Fifty members vote, answer questions, ask,
and order clips; one after the other the engine is killed, hung, slow, out of memory, talking rubbish or of another
version, the database is locked or its disk full, and Discord has every bad day that the playground knows. At the end:
no vote or answer that was confirmed is lost, nobody is left with "thinking ...", and the bot hasn't grown.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import re
import resource
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from playground.driver import Driver, Json, Member, Refused, Route, drive

HOUSE = Path(__file__).resolve().parents[2]
TOLD = re.compile(r"is at (\S+) .*\n.*DISCORD_TOKEN=(\S+) WOODSHED_DISCORD__API_BASE=(\S+)")
OPTIONS = ("trumpet", "tenor", "piano")
CHANNEL, QUIZ_CHANNEL = "gallery", "quiz"
CALM_S = 20.0
"""Before the first fault: then the bot is warm."""
PAUSE_S = 4.0
"""Of a member between two deeds, on average."""
QUIET_S = 45.0
"""After the last fault: whatever was begun may still end."""
LOADING, EPHEMERAL = 1 << 7, 1 << 6
DISCORD_EPOCH_S = 1420070400.0
MOVED_S = 16 * 60.0
"""More than the 15 minutes that an interaction's token lives."""
LONG_JOB_S = 30.0
SIZE_EVERY_S = 120.0
GREW_MB, GREW_TASKS, GREW_FILES = 40.0, 30, 15
"""What the bot may have grown by, from when it was warm: more is a leak."""


@dataclass
class Tally:
    """What happened, and what members were told."""

    votes: dict[int, set[int]] = field(default_factory=dict)
    """What each member's vote may be: the last confirmed one, and whatever was pressed since without an answer."""
    answers: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    moves: list[float] = field(default_factory=list)
    """When Discord's clock was moved, in our own seconds since 1970."""

    def written_at(self, message_id: int) -> float:
        """When a message was written, in our own time."""
        shown = (message_id >> 22) / 1000 + DISCORD_EPOCH_S
        passed = sum(shown >= at + number * MOVED_S for number, at in enumerate(self.moves, 1))
        return shown - passed * MOVED_S

    def is_cut_off(self, message: Json) -> bool:
        """Whether a private answer's 15 minutes were over, because the clock was moved, before it could be given.
        Nobody can change it then; Discord's own app says after that time that the application didn't respond."""
        written_at = self.written_at(int(message["id"]))
        return bool(message["flags"] & EPHEMERAL) and any(-5.0 < at - written_at < LONG_JOB_S for at in self.moves)


class Child:
    """A process of the soak's, restarted at will; its log in a file."""

    def __init__(self, log: Path, command: Sequence[str], environment: dict[str, str]) -> None:
        self._log, self._command, self._environment = log, command, environment
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self._command, cwd=HOUSE, env={**os.environ, **self._environment},
                stdout=output, stderr=output,
            )  # fmt: skip

    async def end(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
            try:
                await asyncio.wait_for(self.process.wait(), 40.0)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def said(self, pattern: re.Pattern[str] | str) -> re.Match[str] | None:
        return re.search(pattern, self._log.read_text(errors="replace"))


class Engines:
    """The nursery of engines (soak_engine.py), and the one that lives now."""

    def __init__(self, log: Path, address: str, mode: Path) -> None:
        self._log, self._command = log, ("-m", "benchmarks.hosting.soak_engine", address, str(mode))
        self._nursery: asyncio.subprocess.Process | None = None
        self.pid = 0

    async def start(self) -> None:
        """Another engine, in the place of the one that's there."""
        if self._nursery is None:
            with self._log.open("ab") as output:
                self._nursery = await asyncio.create_subprocess_exec(
                    sys.executable, *self._command, cwd=HOUSE, stderr=output,
                    stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                )  # fmt: skip
        self.kill()
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(b"\n")
        self.pid = int(await self._nursery.stdout.readline())

    def kill(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def end(self) -> None:
        self.kill()
        if self._nursery is not None:
            self._nursery.kill()
            await self._nursery.wait()


class Scene:
    """Everything that runs, and what can go wrong with it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.draw = folder, random.Random(seed)
        self.mode = folder / "mode"
        self.mode.write_text("well")
        self.address = f"unix:{folder}/engine.sock"
        self.database = folder / "woodshed.sqlite3"
        self.engine = Engines(folder / "engine.log", self.address, self.mode)
        self.playground = Child(
            folder / "playground.log", ("playground", "--server-only", "--state", str(folder / "state")), {}
        )
        self.bot = Child(folder / "bot.log", ("bot",), {})
        self.tally = Tally()
        self.metrics_port = 0
        self.driver: Driver

    async def restart_engine(self, mode: str = "well") -> None:
        self.mode.write_text(mode)
        await self.engine.start()

    async def restart_bot(self, number: int = signal.SIGTERM) -> None:
        await self.bot.end(number)
        await self.bot.start()

    # ------------------------------------------------------------ faults

    async def engine_killed(self) -> None:
        await self.restart_engine()

    async def engine_hung(self) -> None:
        psutil.Process(self.engine.pid).suspend()
        await asyncio.sleep(6.0)
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(self.engine.pid).resume()

    async def engine_in_mode(self, mode: str) -> None:
        self.mode.write_text(mode)
        await asyncio.sleep(4.0)
        self.mode.write_text("well")

    async def engine_is_another(self, mode: str) -> None:
        await self.restart_engine(mode)
        await asyncio.sleep(4.0)
        await self.restart_engine()

    async def database_locked(self) -> None:
        def lock() -> None:
            with contextlib.closing(sqlite3.connect(self.database, timeout=2.0)) as connection:
                try:
                    connection.execute("BEGIN EXCLUSIVE")
                    time.sleep(self.draw.choice((2.0, 6.5)))  # the bot waits for 5 s
                    connection.rollback()
                except sqlite3.OperationalError:
                    return

        await asyncio.to_thread(lock)

    async def disk_full(self) -> None:
        """No file of the bot's may grow any more: writing beyond fails as on a full disk."""
        bot = psutil.Process(self.bot.pid)
        bot.rlimit(psutil.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        await asyncio.sleep(2.0)
        bot.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    async def answer_deleted(self) -> None:
        grace = self.driver.member("thelonia")
        for message in reversed(await grace.messages(CHANNEL)):
            if message["flags"] & LOADING or _only_cancel(message):
                await self.driver.delete_message(message)
                return

    async def thread_deleted(self) -> None:
        channel = await self.driver.member("thelonia").channel(CHANNEL)
        thread = await self.driver.create_thread(channel["id"], "for a moment")
        ordering = asyncio.create_task(self.driver.member("ada").use("jazz", channel="for a moment", bars=4))
        await asyncio.sleep(0.3)
        await self.driver.delete_channel(thread["id"])
        await asyncio.gather(ordering, return_exceptions=True)

    async def forbidden(self) -> None:
        channel = await self.driver.member("thelonia").channel(CHANNEL)
        await self.driver.bot_permissions(channel["id"], send_messages=False, attach_files=False)
        await asyncio.sleep(3.0)
        await self.driver.bot_permissions(channel["id"], send_messages=True, attach_files=True)

    async def clock_moved(self) -> None:
        self.tally.moves.append(time.time())
        await self.driver.advance_clock(MOVED_S)

    def kinds(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        """Every kind of fault, by its name."""
        driver, routes = self.driver, (Route.CALLBACK, Route.EDIT_ANSWER, Route.FOLLOW_UP, Route.SEND)
        on = self.draw.choice
        return {
            "engine killed": self.engine_killed,
            "engine hung": self.engine_hung,
            "engine slow": lambda: self.engine_in_mode("slow"),
            "engine out of memory": lambda: self.engine_in_mode("memory"),
            "engine has a defect": lambda: self.engine_in_mode("defect"),
            "engine answers rubbish": lambda: self.engine_in_mode("rubbish"),
            "no engine but garbage": lambda: self.engine_is_another("garbage"),
            "engine of another contract": lambda: self.engine_is_another("contract"),
            "database locked": self.database_locked,
            "disk full": self.disk_full,
            "gateway dropped": lambda: driver.drop_gateway(resumable=True),
            "session lost": lambda: driver.drop_gateway(resumable=False),
            "asked to reconnect": driver.ask_to_reconnect,
            "connection cut": lambda: driver.cut(on(routes), times=3),
            "cut after it arrived": lambda: driver.cut(on(routes), accepted=True, times=3),
            "429": lambda: driver.rate_limit(on(routes), 1.5, times=3),
            "429 for everything": lambda: driver.rate_limit(Route.ANY, 1.0, is_global=True, times=2),
            "500": lambda: driver.server_error(on(routes), times=3),
            "500 after it arrived": lambda: driver.server_error(on(routes), accepted=True, times=3),
            "403": self.forbidden,
            "answer deleted": self.answer_deleted,
            "channel deleted": self.thread_deleted,
            "clock moved": self.clock_moved,
        }


def _only_cancel(message: Json) -> bool:
    """Whether a message still shows progress: its one button is "Cancel"."""
    labels = [item.get("label") for row in message["components"] for item in row.get("components", ())]
    return labels == ["Cancel"]


# ---------------------------------------------------------------- members


class Student:
    """One member at work. Whatever the bot says counts; what it confirms must be kept."""

    def __init__(self, member: Member, discord_id: int, scene: Scene, ballot: Json) -> None:
        self.discord_id = discord_id
        self.member, self.scene, self.tally, self.ballot = member, scene, scene.tally, ballot
        self.draw = random.Random(f"{member.slug}")

    async def work(self, pause_s: float) -> None:
        while True:
            deed = self.draw.choices((self.vote, self.quiz, self.ask, self.order), (4, 3, 1, 2))[0]
            began = time.monotonic()
            try:
                self.tally.ends[f"{deed.__name__}: {await deed()}"] += 1
            except (Refused, LookupError, TimeoutError, aiohttp.ClientError) as error:
                self.tally.ends[f"{deed.__name__}: {type(error).__name__}"] += 1
            self.tally.slowest_s = max(self.tally.slowest_s, time.monotonic() - began)
            await asyncio.sleep(self.draw.uniform(0.2, 1.8) * pause_s)

    async def vote(self) -> str:
        """Press an option; a private answer that names it confirms."""
        place = self.draw.randrange(len(OPTIONS))
        buttons = [item for row in self.ballot["components"] for item in row["components"]]
        before = await self.member.newest(CHANNEL)
        if self.discord_id in self.tally.votes:
            self.tally.votes[self.discord_id].add(place)
        answer = await self.member.press(self.ballot, buttons[place]["custom_id"])
        if answer.outcome == "failed":
            return "the application did not respond"
        said = await self.member.sees(lambda m: m["flags"] & EPHEMERAL, channel=CHANNEL, within_s=8.0, after=before)
        if OPTIONS[place] in str(said):
            self.tally.votes[self.discord_id] = {place}
            return "confirmed"
        return "told why not"

    async def quiz(self) -> str:
        """Ask for a question and answer it."""
        before = await self.member.newest(QUIZ_CHANNEL)
        answer = await self.member.use("quiz question", channel=QUIZ_CHANNEL)
        if answer.outcome == "failed":
            return "the application did not respond"
        asked = await self.member.sees(
            lambda m: m["components"] or m["flags"] & EPHEMERAL, channel=QUIZ_CHANNEL, within_s=30.0, after=before
        )
        if not asked["components"]:
            return "told why not"
        pressed = await self.member.press(asked, asked["components"][0]["components"][0]["custom_id"])
        if pressed.outcome == "failed":
            return "the application did not respond"
        said = await self.member.sees(
            lambda m: m["flags"] & EPHEMERAL, channel=QUIZ_CHANNEL, within_s=8.0, after=int(asked["id"])
        )
        if said["embeds"]:
            self.tally.answers[self.member.slug] += 1
            return "confirmed"
        return "told why not"

    async def ask(self) -> str:
        answer = await self.member.use("ask", channel=CHANNEL, question="how do I sleep?", private=True)
        return "answered" if answer.outcome == "answered" else "the application did not respond"

    async def order(self) -> str:
        answer = await self.member.use("jazz", channel=CHANNEL, bars=4)
        return "answered" if answer.outcome == "answered" else "the application did not respond"


# ---------------------------------------------------------------- the bot's size


@dataclass(frozen=True)
class Size:
    """Of the bot's process."""

    memory_mb: float
    files: int
    tasks: Counter[str]
    processes: int

    @classmethod
    async def of(cls, scene: Scene) -> Size:
        bot = psutil.Process(scene.bot.pid)
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{scene.metrics_port}/metrics") as told,
        ):
            kinds = re.findall(r'^woodshed_tasks\{what="([^"]*)"\} (\S+)', await told.text(), re.MULTILINE)
        tasks = Counter({what: int(float(count)) for what, count in kinds})
        return cls(bot.memory_info().rss / 1e6, bot.num_fds(), tasks, len(bot.children(recursive=True)))

    def __str__(self) -> str:
        most = ", ".join(f"{count} {what}" for what, count in self.tasks.most_common(3))
        return (
            f"{self.memory_mb:.0f} MB, {self.files} files, {self.processes} processes, "
            f"{self.tasks.total()} tasks (most: {most})"
        )


# ---------------------------------------------------------------- the whole


@contextlib.asynccontextmanager
async def opened(folder: Path, members: int, seed: int) -> AsyncIterator[tuple[Scene, list[Student]]]:
    """The scene with everybody in it, a vote open, and the bot warm."""
    scene = Scene(folder, seed)
    async with contextlib.AsyncExitStack() as stack:
        for child in (scene.playground, scene.engine, scene.bot):  # the bot leaves first
            stack.push_async_callback(child.end)
        await scene.playground.start()
        await _until(lambda: scene.playground.said(TOLD) is not None)
        told = scene.playground.said(TOLD)
        assert told is not None
        page, token, api_base = told.groups()
        scene.metrics_port = _free_port()
        scene.bot._environment.update(
            DISCORD_TOKEN=token,
            WOODSHED_DISCORD__API_BASE=api_base,
            WOODSHED_STORE__PATH=str(scene.database),
            WOODSHED_ENGINE__ADDRESS=scene.address,
            WOODSHED_HOSTING__METRICS_PORT=str(scene.metrics_port),
        )
        await scene.engine.start()
        await scene.bot.start()
        scene.driver = await stack.enter_async_context(drive(page))
        await _until(
            lambda: scene.bot.said("logged in") is not None and scene.bot.said("connected to the engine") is not None
        )
        await scene.driver.bring_class(members, pace=1000.0)
        grace = scene.driver.member("thelonia")
        await grace.use("vote", channel=CHANNEL, question="Which horn?", options=" | ".join(OPTIONS))
        ballot = await grace.sees(
            lambda m: any(item["custom_id"].startswith("pick:") for item in _buttons(m)), channel=CHANNEL, within_s=30.0
        )
        students = []
        for number in range(members):
            member = scene.driver.member(f"simulated_{number + 1}")
            students.append(Student(member, int((await member.state())["me"]["id"]), scene, ballot))
        yield scene, students


def _buttons(message: Json) -> list[Json]:
    return [item for row in message["components"] for item in row.get("components", ())]


async def soak(
    folder: Path,
    seconds: float,
    members: int,
    every_s: float,
    only: str = "",
    *,
    calm_s: float = CALM_S,
    quiet_s: float = QUIET_S,
    pause_s: float = PAUSE_S,
    seed: int = 1,
) -> list[str]:
    """Run, print the figures, and return what's wrong; empty if nothing is."""
    async with opened(folder, members, seed) as (scene, students):
        working = [asyncio.create_task(student.work(pause_s)) for student in students]
        kinds = scene.kinds() | {"bot restarted": scene.restart_bot}
        names = [name for name in kinds if (name == only if only else name != "bot restarted")]
        await asyncio.sleep(calm_s)
        warm = await Size.of(scene)
        watching = asyncio.create_task(_watch_size(scene))
        faults: set[asyncio.Task[None]] = set()
        until = time.monotonic() + seconds
        for name in _shuffled_for_ever(names, scene.draw):
            if time.monotonic() > until:
                break
            scene.tally.faults[name] += 1
            sys.stderr.write(f"{until - time.monotonic():6.0f} s left: {name}\n")
            faults.add(asyncio.create_task(_strike(scene, name, kinds[name])))
            await asyncio.sleep(every_s)
        await asyncio.gather(*faults)
        for task in (*working, watching):
            task.cancel()
        await asyncio.gather(*working, watching, return_exceptions=True)
        await scene.driver.mend()
        if only != "bot restarted":
            await scene.restart_engine()
        await asyncio.sleep(quiet_s)
        return await _verdict(scene, students, warm, bot_restarted=only == "bot restarted")


async def _watch_size(scene: Scene) -> None:
    """Say every two minutes how large the bot is: what only grows at first isn't a leak."""
    while True:
        with contextlib.suppress(psutil.NoSuchProcess, aiohttp.ClientError):  # it may be starting again just now
            sys.stdout.write(f"{time.strftime('%H:%M')}: the bot has {await Size.of(scene)}\n")
            sys.stdout.flush()
        await asyncio.sleep(SIZE_EVERY_S)


async def _strike(scene: Scene, name: str, fault: Callable[[], Awaitable[Any]]) -> None:
    try:
        await fault()
    except (Refused, psutil.NoSuchProcess, LookupError, aiohttp.ClientError) as error:
        scene.tally.faults[f"{name}: not possible ({type(error).__name__})"] += 1


def _shuffled_for_ever(names: Sequence[str], draw: random.Random) -> Any:
    while True:
        yield from draw.sample(names, len(names))


async def _verdict(scene: Scene, students: Sequence[Student], warm: Size, *, bot_restarted: bool) -> list[str]:
    wrong, tally, write = [], scene.tally, sys.stdout.write
    left: dict[str, str] = {}
    cut_off: set[str] = set()
    for student in students:
        for channel in (CHANNEL, QUIZ_CHANNEL):
            for message in await student.member.messages(channel):
                if not message["flags"] & LOADING and not _only_cancel(message):
                    continue
                if tally.is_cut_off(message):
                    cut_off.add(message["id"])
                else:
                    left[message["id"]] = message["content"] or "thinking ..."
    size = await Size.of(scene)
    lost_votes, lost_answers = _lost(scene.database, tally)
    write(f"faults: {sum(tally.faults.values())}\n")
    for name, count in sorted(tally.faults.items()):
        write(f"  {count:4} {name}\n")
    write(f"deeds: {sum(tally.ends.values())}, the slowest {tally.slowest_s:.1f} s\n")
    for name, count in sorted(tally.ends.items()):
        write(f"  {count:4} {name}\n")
    write(f"votes confirmed by {len(tally.votes)} members, lost: {lost_votes}\n")
    write(f"answers confirmed: {sum(tally.answers.values())}, lost: {lost_answers}\n")
    write(f"left with 'thinking ...' or progress: {len(left)}\n")
    write("".join(f"  {message}: {content[:100]}\n" for message, content in left.items()))
    if cut_off:
        write(f"private answers whose time ran out when Discord's clock was moved: {len(cut_off)}\n")
    write(f"the bot when warm: {warm}\nand at the end:    {size}\n")
    if lost_votes or lost_answers:
        wrong.append("something that was confirmed is lost")
    if left:
        wrong.append("somebody is left without an answer")
    if not bot_restarted:
        if size.memory_mb > warm.memory_mb + GREW_MB or size.tasks.total() > warm.tasks.total() + GREW_TASKS:
            wrong.append("the bot has grown")
        if size.files > warm.files + GREW_FILES or size.processes > warm.processes + 1:
            wrong.append("files or processes stay open")
    write("".join(f"WRONG: {sentence}\n" for sentence in wrong) or "Nothing is wrong.\n")
    return wrong


def _lost(database: Path, tally: Tally) -> tuple[int, int]:
    """Confirmed votes that the database doesn't have, and confirmed answers likewise."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        kept = connection.execute("SELECT count(*) FROM answers").fetchone()[0]
        votes = dict(
            connection.execute("SELECT discord_id, choice FROM ballots JOIN members ON members.id = ballots.member")
        )
    lost = [member for member, places in tally.votes.items() if votes.get(member) not in {str(n) for n in places}]
    return len(lost), max(0, sum(tally.answers.values()) - kept)


async def _until(is_so: Callable[[], bool], within_s: float = 90.0) -> None:
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110 -- another process's log
            await asyncio.sleep(0.1)


def _free_port() -> int:
    import socket

    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hosting.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1200.0)
    parser.add_argument("--members", type=int, default=50)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two faults")
    parser.add_argument("--only", default="", help="one kind of fault, such as 'bot restarted'")
    parser.add_argument("--keep", type=Path, help="a folder for the logs, instead of a temporary one")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        place = options.keep or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that whatever was started ends with this
        wrong = asyncio.run(soak(place, options.seconds, options.members, options.every, options.only))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
