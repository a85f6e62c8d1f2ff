"""`python -m benchmarks.bot`: the bot's own figures, measured from outside over the wire, with the real engine.

It starts a playground and the bot, plays members over the page's interface, and prints a table:
  start       from `python -m bot` to logged in, and its resident memory
  ack         from a member's command to Discord's "thinking ...", idle and while the engine is fully busy
  loop lag    the longest delay of the bot's event loop meanwhile, and with a large upload, as /about tells
  overhead    of bot and contract over the engine's own compute, for a picture of 1 MB
  all in all  what a member waits for /stylize and /jazz
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import re
import statistics
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from cogs.club.about import LONGEST_DELAY
from engine.contract.limits import MIB
from playground.driver import Json, Member, drive

HOUSE = Path(__file__).resolve().parents[1]
MEMBERS = ("ada", "ben", "thelonia")
PICTURE_BYTES = MIB
LARGE_BYTES = 9 * MIB
"""Under the 10 MiB that members may upload without paying."""
WARM_TIMEOUT_S = 180.0
RESULT_TIMEOUT_S = 300.0
_TOLD = re.compile(r"is at (\S+) .*\n.*DISCORD_TOKEN=(\S+) WOODSHED_DISCORD__API_BASE=(\S+)")
"""Where a playground without a bot says that it is, and how a bot logs in."""


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, in `unit`, and what it has to stay under."""

    name: str
    value: float
    target: float
    unit: str

    def line(self) -> str:
        verdict = "ok" if self.value <= self.target else "OVER"
        return f"{self.name:<52} {self.value:>9.1f} {self.unit:<4} (<= {self.target:g}) {verdict}"


async def command(member: Member, name: str, image: bytes | None = None, **options: Any) -> float:
    """Use a slash command; returns the seconds until the bot acknowledged it."""
    files = None
    if image is not None:
        files, options["image"] = {"photo.png": image}, "photo.png"
    answer = await member.use(name, files=files, **options)
    if answer.outcome != "answered":
        raise RuntimeError(f"/{name} was not answered: {answer}")
    return answer.took_s


async def answer_with(events: AsyncIterator[tuple[str, Json]], field: str) -> str:
    """Wait for a message whose embed has a field of this name; returns the field's value."""
    async with asyncio.timeout(RESULT_TIMEOUT_S):
        async for event, body in events:
            if event not in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
                continue
            for embed in body.get("embeds", []):
                for shown in embed.get("fields", []):
                    if shown["name"] == field:
                        return str(shown["value"])
    raise RuntimeError("the page's stream of events ended")


async def measure(rounds: int, engine_address: str) -> list[Figure]:
    """Start everything, measure, stop everything."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="woodshed-bench-")))
        running, address, login = await stack.enter_async_context(playground(folder))
        driver = await stack.enter_async_context(drive(address))
        members = [driver.member(slug) for slug in MEMBERS]
        environment = {
            **os.environ,
            **login,
            "WOODSHED_STORE__PATH": str(folder / "bench.sqlite3"),
            "WOODSHED_CLUB__JOBS_PER_MEMBER": "100",
            "WOODSHED_TEACH__DOCUMENTATION": "false",  # reading it is minutes of work beside what's measured
            "WOODSHED_ENGINE__ADDRESS": engine_address,
        }
        began = time.perf_counter()
        bot = await stack.enter_async_context(child((sys.executable, "-m", "bot"), environment, folder / "bot.log"))
        while not await members[0].is_bot_online():
            if bot.returncode is not None or running.returncode is not None:
                raise RuntimeError((folder / "bot.log").read_text(encoding="utf-8"))
            await asyncio.sleep(0.02)
        figures = [Figure("start, to logged in", time.perf_counter() - began, 3.0, "s")]
        await _engine_is_warm(members[0])
        figures += await _overhead(members[0], rounds)
        figures += await _whole_commands(members[0], rounds)
        figures += await _acknowledgement("idle", members, rounds, busy=False)
        figures += await _large_upload(members[0])
        figures += await _acknowledgement("engine fully busy", members, rounds, busy=True)
        rss_mib = psutil.Process(bot.pid).memory_info().rss / MIB
        figures.append(Figure("resident memory of the bot, after all this", rss_mib, 150.0, "MiB"))
        return figures


async def _engine_is_warm(member: Member) -> None:
    """Wait until /about tells of the engine's device. Raises TimeoutError otherwise."""
    until = time.perf_counter() + WARM_TIMEOUT_S
    while time.perf_counter() < until:
        async with member.watching() as events:
            await command(member, "about")
            if "torch" in await answer_with(events, "Engine"):
                return
        await asyncio.sleep(1.0)
    raise TimeoutError(f"The engine did not get warm within {WARM_TIMEOUT_S:.0f} s.")


async def _overhead(member: Member, rounds: int) -> list[Figure]:
    """From the bot's "thinking ..." to the posted picture, less the engine's own time as the answer names it.

    The clock starts where the acknowledgement ends, so the member's upload to the playground is not counted."""
    picture = noise_png(PICTURE_BYTES, random.Random(1))
    spent_s = []
    for _ in range(rounds):
        took_s, compute_s = await _answered(member, "stylize", picture, size=256, seed=1)
        spent_s.append(took_s - compute_s)
    name = "overhead over the engine's compute, 1 MB picture, median"
    return [Figure(name, statistics.median(spent_s) * 1000, 40.0, "ms")]


async def _whole_commands(member: Member, rounds: int) -> list[Figure]:
    """What a member waits for with nobody else about, from the bot's "thinking ..." to the posted answer."""
    picture = noise_png(PICTURE_BYTES // 4, random.Random(3))  # 512 px
    stylize_s = [(await _answered(member, "stylize", picture, size=512, seed=i))[0] for i in range(rounds)]
    jazz_s = [
        (await _answered(member, "jazz", form="blues", bars=12, tempo=180, seed=i))[0]
        for i in range(max(1, rounds // 3))
    ]
    return [
        Figure("/stylize at 512 px, all in all, median", statistics.median(stylize_s), 2.5, "s"),
        Figure("/jazz of 12 bars, all in all, median", statistics.median(jazz_s), 10.0, "s"),
    ]


async def _answered(member: Member, name: str, image: bytes | None = None, **options: Any) -> tuple[float, float]:
    """Use a command; seconds from the acknowledgement to the answer, and the engine's own, as the answer tells them."""
    async with member.watching() as events:
        posting = asyncio.create_task(command(member, name, image, **options))
        await _thinking(events)
        began = time.perf_counter()
        compute = await answer_with(events, "Time")
        took_s = time.perf_counter() - began
        await posting
    return took_s, float(compute.split()[0])


async def _thinking(events: AsyncIterator[tuple[str, Json]]) -> None:
    """Wait for the bot's "thinking ..." (message flag LOADING, 1 << 7)."""
    async with asyncio.timeout(RESULT_TIMEOUT_S):
        async for event, body in events:
            if event == "MESSAGE_CREATE" and body.get("flags", 0) & 1 << 7:
                return
    raise RuntimeError("the page's stream of events ended")


async def _acknowledgement(when: str, members: Sequence[Member], rounds: int, *, busy: bool) -> list[Figure]:
    """Acknowledgements of four commands, with the queue empty or full, and the loop's lag meanwhile."""
    picture = noise_png(PICTURE_BYTES, random.Random(2))
    if busy:
        for member in members:
            for seed in range(3):
                await command(member, "stylize", picture, size=1024, seed=seed)
                await command(member, "jazz", bars=32, seed=seed)
    commands = [(member, name) for member in members for name in ("queue", "about", "help")]
    took_s = [await command(member, name) for member, name in commands * rounds]
    return [
        Figure(f"acknowledged, {when}, median of {len(took_s)}", statistics.median(took_s) * 1000, 100.0, "ms"),
        Figure(f"acknowledged, {when}, slowest of {len(took_s)}", max(took_s) * 1000, 100.0, "ms"),
        Figure(f"loop lag, {when}, longest", await _lag_ms(members[0]), 50.0, "ms"),
    ]


async def _large_upload(member: Member) -> list[Figure]:
    """The loop's lag while a picture of 9 MB goes through; what lies behind its end makes it large, not its pixels."""
    picture = noise_png(PICTURE_BYTES // 16, random.Random(4)) + bytes(LARGE_BYTES)
    await _answered(member, "stylize", picture, size=256, seed=1)
    return [Figure("loop lag, an upload of 9 MB, longest", await _lag_ms(member), 50.0, "ms")]


async def _lag_ms(member: Member) -> float:
    async with member.watching() as events:
        await command(member, "about")
        return float((await answer_with(events, LONGEST_DELAY)).split()[0])


@contextlib.asynccontextmanager
async def child(
    command: Sequence[str], environment: dict[str, str], log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process whose output goes to a file; stopped on leaving."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=HOUSE, env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    except Exception:
        await asyncio.to_thread(_show_end, log)
        raise
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def _show_end(log: Path) -> None:
    sys.stderr.write(log.read_text(encoding="utf-8")[-4000:])


@contextlib.asynccontextmanager
async def playground(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str, dict[str, str]]]:
    """A playground without a bot; yields its process, its address, and what a bot needs to log in."""
    command = (sys.executable, "-m", "playground", "--server-only", "--state", str(folder / "playground"))
    log = folder / "playground.log"
    async with child(command, dict(os.environ), log) as process:
        told = None
        for _ in range(600):
            if told := _TOLD.search(log.read_text()):
                break
            await asyncio.sleep(0.05)
        if told is None:
            raise RuntimeError(log.read_text())
        address, token, api_base = told.groups()
        yield process, address, {"DISCORD_TOKEN": token, "WOODSHED_DISCORD__API_BASE": api_base}


def noise_png(size_bytes: int, draw: random.Random) -> bytes:
    """A square grey PNG of about `size_bytes`: noise does not compress, so the side follows from the size."""
    side = int(size_bytes**0.5)
    rows = b"".join(b"\0" + draw.randbytes(side) for _ in range(side))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 1)),
        (b"IEND", b""),
    )
    framed = (struct.pack(">I", len(c)) + name + c + struct.pack(">I", zlib.crc32(name + c)) for name, c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; the exit code is 0 whatever the figures say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bot", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--rounds", type=int, default=10, help="how often each thing is measured (default: %(default)s)"
    )
    parser.add_argument("--engine", default="local", metavar="ADDRESS", help="an engine that runs already")
    options = parser.parse_args(argv)
    figures = asyncio.run(measure(options.rounds, options.engine))
    sys.stdout.write("\n".join(figure.line() for figure in figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
