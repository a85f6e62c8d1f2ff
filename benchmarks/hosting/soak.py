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
import random
import re
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from benchmarks.hosting.soak_scene import CHANNEL, LOADING, QUIZ_CHANNEL, Scene, Tally, only_cancel
from benchmarks.hosting.soak_students import Student, opened
from playground.driver import Refused

CALM_S = 20.0
"""Before the first fault: then the bot is warm."""
PAUSE_S = 4.0
"""Of a member between two deeds, on average."""
QUIET_S = 45.0
"""After the last fault: whatever was begun may still end."""
SIZE_EVERY_S = 120.0
GREW_MB, GREW_TASKS, GREW_FILES = 40.0, 30, 15
"""What the bot may have grown by, from when it was warm: more is a leak."""


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
                if not message["flags"] & LOADING and not only_cancel(message):
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
