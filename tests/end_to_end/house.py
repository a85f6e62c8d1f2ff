"""The whole house as a newcomer starts it: `python -m playground`, with the real bot, engine and networks."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from playground.driver import Member, drive
from tests.playground.evidence import fetched

REPOSITORY = Path(__file__).parents[2]
LOGS = REPOSITORY / "var" / "end_to_end"
START_S = 180.0
ANSWER_S = 30.0
"""Discord gives a bot 3 s, which a machine that other work holds up may stand still for."""
OPENAPI = REPOSITORY.parent / "shared/data/discord/openapi.json"
"""Discord's own description. Where it lies, everything that the bot sends is held against it."""
WARM_S = 600.0
STOP_S = 40.0
SLUGS = {"ada": "ada", "ben": "ben", "instructor": "thelonia"}


@dataclass
class House:
    """A running house, and where its files are."""

    process: subprocess.Popen[bytes]
    address: str
    folder: Path

    @contextlib.asynccontextmanager
    async def members(self) -> AsyncIterator[dict[str, Member]]:
        """Ada, Ben and the instructor, without a browser."""
        async with drive(self.address) as playground:
            yield {name: playground.member(slug) for name, slug in SLUGS.items()}

    def violations(self) -> list[str]:
        """What didn't fit Discord's description so far, on either side."""
        if not OPENAPI.is_file():
            return []
        with urllib.request.urlopen(f"{self.address}control/violations", timeout=10) as answer:
            found: list[str] = json.load(answer)["violations"]
        return found

    def processes(self) -> list[psutil.Process]:
        """Launcher, bot, engine, and whatever these started."""
        launcher = psutil.Process(self.process.pid)
        return [launcher, *launcher.children(recursive=True)]

    def one(self, module: str) -> psutil.Process:
        """The process of `python -m <module>`."""
        wanted = ["-m", *module.split()]
        return next(p for p in self.processes() if _command(p)[1 : 1 + len(wanted)] == wanted)


def _command(process: psutil.Process) -> list[str]:
    """Its command line; an empty one where it has just ended."""
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []


@contextlib.contextmanager
def open_house(folder: Path, **more: str) -> Iterator[House]:
    """Starts the house on its files in `folder`, with `more` in its environment; whatever it started is gone at the
    end, or the test fails."""
    environment = os.environ | {
        "WOODSHED_TEACH__DOCUMENTATION": "false",  # reading it is minutes of work beside the test's own
        "WOODSHED_STORE__PATH": str(folder / "woodshed.sqlite3"),
        "PYTHONUNBUFFERED": "1",
        **more,
    }
    environment.pop("DISCORD_TOKEN", None)
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{folder.name}.log"
    if not (folder / "playground").exists():
        log.unlink(missing_ok=True)  # of an earlier run
    seen = log.stat().st_size if log.exists() else 0
    described = ["--openapi", str(OPENAPI)] if OPENAPI.is_file() else []
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "playground", "--port", "0", "--state", str(folder / "playground")),
                *("--answer-within", f"{ANSWER_S:g}", *described),
            ],
            cwd=REPOSITORY,
            env=environment,
            stdout=output,
            stderr=output,
        )
    house = House(process, "", folder)
    try:
        house.address = _address(process, log, seen)
        yield house
        if process.poll() is None:  # unless the test has killed it
            assert house.violations() == [], "what was sent or answered doesn't fit Discord's description"
    except BaseException:
        sys.stdout.write(fetched(house.address) + "\n")
        raise
    finally:
        family = house.processes() if process.poll() is None else []
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _, left = psutil.wait_procs(family, timeout=STOP_S)
        for orphan in left:
            orphan.kill()
        assert not left, f"left behind: {left}"


def _address(process: subprocess.Popen[bytes], log: Path, seen: int) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        text = log.read_bytes()[seen:].decode()
        if match := re.search(r"Open this in your browser: (http://\S+)", text):
            return match[1]
        assert process.poll() is None, text
        time.sleep(0.1)
    raise AssertionError(f"the bot did not log in within {START_S:.0f} s: {log.read_text()}")
