"""How a benchmark of this room is started, and how it tells what it found."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence

SHOWN = 10


def tell_broken(broken: Sequence[str]) -> int:
    """Print the first promises that were broken, and how many; returns that."""
    for promise in broken[:SHOWN]:
        sys.stdout.write(f"  BROKEN: {promise}\n")
    sys.stdout.write(f"  promises broken: {len(broken)}\n")
    return len(broken)


def run(
    measure: Callable[[int, int], Awaitable[int]], doc: str | None, what: str, times: int, argv: Sequence[str] | None
) -> int:
    """The command line: `--what` how many times, `--seed`. 1 where `measure` found a broken promise."""
    assert doc is not None
    parser = argparse.ArgumentParser(prog=doc.split("`")[1], description=doc)
    parser.add_argument(f"--{what}", type=int, default=times, dest="times")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(argv)

    async def measured() -> int:
        return await measure(asked.times, asked.seed)

    return 1 if asyncio.run(measured()) else 0
