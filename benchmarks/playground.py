"""`python -m benchmarks.playground`: how the playground bears a class, with a bot that answers at once.

press       from a member's press of a button to the bot's answer, 200 members within some seconds, and all at once.
            At once has no median: server and bot take each step for all 200 before the next one, so that all answers
            come together, at the end of the whole work. The server's part of it is its processor time
first view  of a channel with 1,000 messages: until its newest message is painted, the longest frame of scrolling, and
            by Chromium's own trace the longest task of the page's main thread and what a frame takes of it on average,
            in processor time: on a machine that has other things to do, a frame also waits for those
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks.bot import HOUSE, Figure, child, playground
from playground.driver import Driver, Json, drive

MEMBERS = 200
SPREAD_S = 20.0
MESSAGES = 1000
FRAME_MS = 10.0
"""60 % of a sixtieth of a second: the rest is for the pointer, and for what else the page has to do."""


async def presses(driver: Driver, message: Json, spread_s: float) -> list[float]:
    """One press by every member, at a moment of their own within `spread_s`; the seconds until each was answered."""
    draw = random.Random(1)

    async def press(number: int) -> float:
        await asyncio.sleep(draw.uniform(0.0, spread_s))
        return (await driver.member(f"simulated_{number + 1}").press(message, "press")).took_s

    return await asyncio.gather(*(press(number) for number in range(MEMBERS)))


def cpu_s(pid: int) -> float:
    """Processor time of a process so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


async def measure(with_browser: bool) -> list[Figure]:
    """Starts a playground and the quick bot, measures, stops both."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="woodshed-load-")))
        server, address, login = await stack.enter_async_context(playground(folder))
        driver = await stack.enter_async_context(drive(address))
        command = (
            sys.executable,
            str(HOUSE / "benchmarks/quick_bot.py"),
            login["WOODSHED_DISCORD__API_BASE"],
            login["DISCORD_TOKEN"],
        )
        await stack.enter_async_context(child(command, dict(os.environ), folder / "bot.log"))
        ada = driver.member("ada")
        for _ in range(300):
            if await ada.is_bot_online():
                break
            await asyncio.sleep(0.1)
        await driver.bring_class(MEMBERS)
        await ada.use("ballot")
        message = await ada.sees(lambda m: m["components"])
        figures = []
        for name, spread_s in ((f"within {SPREAD_S:.0f} s", SPREAD_S), ("all at once", 0.0)):
            before_s = cpu_s(server.pid)
            took_s = sorted(await presses(driver, message, spread_s))
            own_ms = (cpu_s(server.pid) - before_s) * 1000
            p99_ms = took_s[int(len(took_s) * 0.99) - 1] * 1000
            if spread_s:
                figures.append(
                    Figure(f"{MEMBERS} presses {name}, median", statistics.median(took_s) * 1000, 100.0, "ms")
                )
            figures.append(Figure(f"{MEMBERS} presses {name}, 99 of 100 within", p99_ms, 300.0, "ms"))
            if not spread_s:  # within some seconds most of it is the pages' other business
                figures.append(Figure(f"{MEMBERS} presses {name}, the server's own work", own_ms, 300.0, "ms"))
        if with_browser:
            for number in range(MESSAGES):
                await ada.say(f"**message {number}**: `x[{number}]` and some words more")
            figures += await first_view(address)
        return figures


async def first_view(address: str) -> list[Figure]:
    """A browser opens the channel and scrolls up through all of it."""
    async with _browser_page() as page:
        await page.goto(f"{address}?member=ada#gallery")
        await page.get_by_text(f"message {MESSAGES - 1}").first.wait_for()
        painted_ms = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        ready_ms = await page.evaluate("performance.now()")
        await page.context.browser.start_tracing(page=page, categories=["toplevel"])
        longest_ms, frames = await page.evaluate(_SCROLL)
        task_ms, all_ms = main_thread(json.loads(await page.context.browser.stop_tracing())["traceEvents"])
    return [
        Figure("first paint of the page", painted_ms, 1000.0, "ms"),
        Figure(f"newest of {MESSAGES} messages shown", ready_ms, 1000.0, "ms"),
        Figure("longest frame while scrolling through all of them", longest_ms, 100.0, "ms"),
        Figure("the longest task of that, processor time", task_ms, 50.0, "ms"),
        Figure("what a frame of that takes on average, processor time", all_ms / frames, FRAME_MS, "ms"),
    ]


def main_thread(events: list[Json]) -> tuple[float, float]:
    """Of a trace: the longest task of a page's main thread, and all of them together, in ms of processor time."""
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [e for e in events if e["name"].endswith("RunTask") and "tdur" in e and (e["pid"], e["tid"]) in main]
    return max(e["tdur"] for e in tasks) / 1000, sum(e["tdur"] for e in tasks) / 1000


_SCROLL = """async () => {
  const scroller = document.querySelector(".scroller");
  let last = performance.now(), longest = 0, still = 0, frames = 0;
  while (still < 30) {
    const before = scroller.scrollTop;
    scroller.scrollTop -= 300;
    still = scroller.scrollTop === before ? still + 1 : 0;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    frames += 1;
  }
  return [longest, frames];
}"""


@contextlib.asynccontextmanager
async def _browser_page() -> AsyncIterator[Any]:
    import shutil

    from playwright.async_api import async_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield await browser.new_page()
        finally:
            await browser.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; the exit code is 0 whatever the figures say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.playground", description=__doc__.split("\n")[0])
    parser.add_argument("--no-browser", action="store_true", help="leave out what needs Chromium")
    options = parser.parse_args(argv)
    figures = asyncio.run(measure(not options.no_browser))
    sys.stdout.write("\n".join(figure.line() for figure in figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
