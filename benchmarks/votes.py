"""`python -m benchmarks.votes`: a class of 500 votes on 12 trials within a minute, while pictures are being stored.

Each vote takes the way that a press takes inside the bot, from the rules to the commit; Discord's own share of it is
left out. Prints how long a vote waits for its commit, and fails where one was lost, doubled or late."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bot.rules.blind_poll import Choice, TrialDraw
from bot.rules.listening.judgements import Design
from bot.store import Store, clips, creations, open_store
from bot.store.clips import Conditions, Kind, NewClip
from bot.store.polls import ballots, beginning, series
from bot.store.polls.ballots import Change
from bot.store.polls.beginning import NewSeries, PreparedTrial

STAFF = 10**17
PICTURE_BYTES = 8 * 1024 * 1024
TARGET_P99_S = 1.0
CONDITIONS = Conditions("C7", 12, 120.0, "tenor sax", "swing", 1, "", "a.sf2", 20.0, -16.0, -1.0)


async def measure(members: int, trials: int, seconds: float, folder: Path) -> tuple[list[float], int]:
    """Seconds that each vote waited for its commit, and how many pictures were stored meanwhile."""
    async with open_store(folder / "votes.sqlite3") as store:
        numbers = await _open_series(store, trials)
        storing = asyncio.create_task(_store_pictures(store))
        draw = random.Random(1)
        votes = [(member, trial) for member in range(members) for trial in numbers]
        draw.shuffle(votes)
        began = time.perf_counter()
        waits = await asyncio.gather(
            *(_vote(store, began + seconds * place / len(votes), *vote) for place, vote in enumerate(votes))
        )
        storing.cancel()
        await asyncio.gather(storing, return_exceptions=True)
        rows = await store.fetch_all("SELECT count(*) AS votes FROM ballots WHERE choice = 'A'")
        if rows[0]["votes"] != len(votes):
            raise RuntimeError(f"{len(votes)} votes were confirmed and {rows[0]['votes']} are there")
        pictures = await store.fetch_all("SELECT count(*) AS pictures FROM creations")
        return waits, int(pictures[0]["pictures"])


async def _vote(store: Store, at: float, member: int, trial: int) -> float:
    await asyncio.sleep(max(0.0, at - time.perf_counter()))
    began = time.perf_counter()
    await ballots.put(store, trial, member + 1, Change(choice=Choice.A), 10.0)
    return time.perf_counter() - began


async def _store_pictures(store: Store) -> None:
    """One after another, without a pause: the writer is never idle."""
    while True:
        await creations.add(
            store, "picture", member_id=1, guild_id=1, channel_id=1, request=b"", result=b"",
            files={"image": creations.File(1, os.urandom(PICTURE_BYTES))}, now=1.0, room=creations.Room(10**10, 10**10),
        )  # fmt: skip


async def _open_series(store: Store, trials: int) -> list[int]:
    human = await clips.add(store, NewClip(1, Kind.PIECE, "a", "Rag", "X", CONDITIONS, piece_id="rag"), b"sound", 1.0)
    draw = TrialDraw(Design.PAIR, "piece:rag", Choice.A, 1, 2)
    model = NewClip(1, Kind.MODEL, "b", "Improvisation", "the model", CONDITIONS)
    prepared = [PreparedTrial(draw, human, b"sound", model, b"sound")] * trials
    recorded = await beginning.record(store, NewSeries(1, 2, STAFF, None), prepared, "5a17", 1.0)
    return [trial.id for trial in await series.trials(store, recorded.id)]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.votes", description=__doc__)
    parser.add_argument("--members", type=int, default=500)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="woodshed-votes-") as folder:
        waits, pictures = asyncio.run(measure(asked.members, asked.trials, asked.seconds, Path(folder)))
    waits.sort()
    p50, p99, most = waits[len(waits) // 2], waits[len(waits) * 99 // 100], waits[-1]
    sys.stdout.write(
        f"{len(waits)} votes in {asked.seconds:g} s beside {pictures} pictures of {PICTURE_BYTES // 2**20} MiB: "
        f"p50 {1000 * p50:.0f} ms, p99 {1000 * p99:.0f} ms, longest {1000 * most:.0f} ms "
        f"(p99 <= {1000 * TARGET_P99_S:.0f} ms) {'ok' if p99 <= TARGET_P99_S else 'OVER'}\n"
    )
    return 0 if p99 <= TARGET_P99_S else 1


if __name__ == "__main__":
    sys.exit(main())
