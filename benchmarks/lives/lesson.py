"""`python -m benchmarks.lives.lesson`: 500 members vote on 12 trials within a minute, over the wire, while the real
engine makes clips.

Prints how long a press waits for its confirmation, and fails where one wasn't confirmed, isn't stored, or was late."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import time
from collections.abc import Sequence
from functools import partial
from operator import lt

from benchmarks.lives.host import Host, passing_host
from benchmarks.lives.voters import Trial, Voters, open_series

TARGET_P99_S = 1.0
WARM_S = 300.0
ASK_AGAIN_S = 10.0
CONFIRMED_WITHIN_S = 60.0
LOCAL = "local"


async def vote(
    host: Host, voters: Voters, trials: Sequence[Trial], seconds: float, draw: random.Random
) -> list[float | None]:
    """Everybody votes once on everything, spread over so many seconds; the seconds until each confirmation."""
    began = time.perf_counter()

    async def press(member: int, trial: Trial) -> None:
        await asyncio.sleep(max(0.0, began + draw.uniform(0.0, seconds) - time.perf_counter()))
        await voters.press(voters.members[member], trial, draw.choice(trial.choices))

    await asyncio.gather(*(press(member, trial) for member in range(len(voters.members)) for trial in trials))
    presses = [press for made in voters.presses.values() for press in made]
    with contextlib.suppress(TimeoutError):
        await host.until(voters.confirmed, lambda confirmed: confirmed == len(presses), CONFIRMED_WITHIN_S)
    return [None if press.confirmed_at is None else press.confirmed_at - press.pressed_at for press in presses]


async def _make_clips(host: Host) -> None:
    """One after another, without a pause. Whoever is told to wait, for the engine warms up or has enough to do, asks
    again."""
    for seed in range(10**6):
        made = partial(lt, _clips(host))
        await host.ada.use("jazz", channel="gallery", bars=12, seed=seed)
        with contextlib.suppress(TimeoutError):
            await host.until(lambda: _clips(host), made, ASK_AGAIN_S)


def _clips(host: Host) -> int:
    return int(host.rows("SELECT count(*) FROM creations")[0][0])


async def measure(members: int, trials: int, seconds: float, *, real_engine: bool) -> int:
    """Prints the figures; 0 where everything kept its promise."""
    async with passing_host() as host:
        voters = Voters(host, members)
        _, standing = await open_series(host, trials)
        if real_engine:
            host.kill()
            host.environment["WOODSHED_ENGINE__ADDRESS"] = LOCAL
            await host.start()
            making = asyncio.create_task(_make_clips(host))
            await host.until(lambda: _clips(host), lambda clips: clips > 0, WARM_S)
        before = _clips(host)
        waits = await vote(host, voters, standing, seconds, random.Random(1))
        clips = _clips(host) - before
        if real_engine:
            making.cancel()
        broken = voters.broken_promises()
        stored = host.rows("SELECT count(*) FROM ballots WHERE choice IS NOT NULL")[0][0]
    confirmed = sorted(wait for wait in waits if wait is not None)
    p50, p99 = confirmed[len(confirmed) // 2], confirmed[len(confirmed) * 99 // 100]
    kept = len(confirmed) == len(waits) == stored and not broken and p99 <= TARGET_P99_S
    sys.stdout.write(
        f"{len(waits)} presses of {members} members on {trials} trials in {seconds:g} s over the wire, "
        f"beside {clips} clips:\n"
        f"  {len(confirmed)} confirmed, {stored} stored, {len(broken)} otherwise than told\n"
        f"  p50 {1000 * p50:.0f} ms, p99 {1000 * p99:.0f} ms, longest {1000 * confirmed[-1]:.0f} ms "
        f"(p99 <= {1000 * TARGET_P99_S:.0f} ms) {'ok' if kept else 'NOT KEPT'}\n"
    )
    return 0 if kept else 1


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lives.lesson", description=__doc__)
    parser.add_argument("--members", type=int, default=500)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--no-clips", action="store_true", help="without the real engine")
    asked = parser.parse_args(argv)
    return asyncio.run(measure(asked.members, asked.trials, asked.seconds, real_engine=not asked.no_clips))


if __name__ == "__main__":
    sys.exit(main())
