"""`python -m benchmarks.lives.votes`: a class votes, and the bot is killed (SIGKILL) again and again.

Series after series: members press without a pause, the deadline passes, and at a random moment the bot dies and is
started again. No confirmed vote is lost, none comes after the deadline, and each series has one message of every kind
and one reveal, whose numbers are those of the database."""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing

from benchmarks.lives.host import Host, footers, passing_host
from benchmarks.lives.report import run, tell_broken
from benchmarks.lives.voters import Trial, Voters, open_series

MEMBERS = 12
TRIALS = 2
LATE_S = 15.0
"""So long after its deadline, or after the bot's start if that came later, a series may close."""
_TOLD = re.compile(r"^\*\*(\d+)\.\*\* .* (\d+) of (\d+) right \(", re.MULTILINE)


async def one_series(host: Host, voters: Voters, draw: random.Random) -> list[str]:
    """Start a series, vote, kill, go on voting until it is told; what was broken."""
    number, trials = await open_series(host, TRIALS, draw.choice(["pair", "single"]))
    closes_at = time.time() + draw.uniform(0.8, 2.0)
    with closing(sqlite3.connect(host.store, timeout=10.0)) as connection, connection:
        connection.execute("UPDATE series SET closes_at = ? WHERE id = ?", (closes_at, number))
    pressing = [asyncio.create_task(_press_on(voters, trials, n, draw)) for n in range(len(voters.members))]
    try:
        await asyncio.sleep(draw.uniform(0.0, 2.2))
        host.kill()
        await asyncio.sleep(draw.uniform(0.0, 0.3))
        await host.start()
        started_at = time.time()
        told = "SELECT announced_at, closed_at FROM series WHERE id = ?"
        (row,) = await host.until(lambda: host.rows(told, number), lambda found: found[0][0] is not None)
    finally:
        for task in pressing:
            task.cancel()
        await asyncio.gather(*pressing, return_exceptions=True)
    broken = _broken_series(host, number, trials) + voters.broken_promises()
    if not closes_at <= row[1] <= max(closes_at, started_at) + LATE_S:
        broken.append(f"series {number} closed {row[1] - closes_at:.1f} s after its deadline")
    return broken


async def _press_on(voters: Voters, trials: Sequence[Trial], member: int, draw: random.Random) -> None:
    """One member presses and changes their mind, without a pause."""
    while True:
        trial = draw.choice(trials)
        await voters.press(voters.members[member], trial, draw.choice(trial.choices))
        await asyncio.sleep(draw.uniform(0.0, 0.2))


def _broken_series(host: Host, number: int, trials: Sequence[Trial]) -> list[str]:
    broken = []
    found = host.messages()
    said = footers(found)
    for footer, what in ((f"Series {number}", "opening"), (f"Result of series {number}", "reveal")):
        if said.count(footer) != 1:
            broken.append(f"{said.count(footer)} messages are the {what} of series {number}")
    kept = [host.playground.attachments.get(number) for message in found for number in message.attachment_ids]
    files = [attachment.filename for attachment in kept if attachment is not None]
    for trial in trials:
        copies = files.count(f"clip-{trial.id}A.ogg") + files.count(f"clip-{trial.id}.ogg")
        if copies != 1:
            broken.append(f"{copies} messages are trial {trial.id}")
    late = host.rows(
        "SELECT count(*) FROM ballots JOIN trials ON trials.id = trial JOIN series ON series.id = series"
        " WHERE series.id = ? AND voted_at >= closes_at",
        number,
    )
    if late[0][0]:
        broken.append(f"{late[0][0]} votes of series {number} came after its deadline")
    return broken + _broken_reveal(host, number)


def _broken_reveal(host: Host, number: int) -> list[str]:
    """The reveal's numbers against the database's."""
    counted = host.rows(
        "SELECT number, sum(choice = answer), count(choice) FROM trials LEFT JOIN ballots ON trial = trials.id"
        " WHERE series = ? GROUP BY trials.id HAVING count(choice) > 0 ORDER BY number",
        number,
    )
    shown = [
        embed.get("description", "")
        for message in host.messages()
        for embed in message.embeds
        if footers([message]) == [f"Result of series {number}"]
    ]
    told = [tuple(int(figure) for figure in line) for line in _TOLD.findall(shown[0])] if shown else []
    return [] if told == counted else [f"the reveal of series {number} says {told}, the database {counted}"]


async def measure(kills: int, seed: int) -> int:
    """Prints what came of it; returns how many promises were broken."""
    draw, began, broken = random.Random(seed), time.perf_counter(), []
    async with passing_host() as host:
        voters = Voters(host, MEMBERS)
        for _ in range(kills):
            broken += await one_series(host, voters, draw)
    presses = sum(map(len, voters.presses.values()))
    sys.stdout.write(
        f"votes and kill -9: {kills} kills in {kills} series, {presses} presses, {voters.confirmed()} confirmed,"
        f" {time.perf_counter() - began:.0f} s\n"
    )
    return tell_broken(broken)


def main(argv: Sequence[str] | None = None) -> int:
    return run(measure, __doc__, "kills", 100, argv)


if __name__ == "__main__":
    sys.exit(main())
