"""A class at once: fifty requests of mixed sizes over the wire, painted by the real network on the CPU."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

from tests.engine.serving.fifty_requests import EACH, MEMBERS

WAIT_S = 240.0
MARGIN_BYTES = 8 * 2**20
"""Between the halves' medians of resident memory, which in equal runs differ by less than 3 MiB (its peaks swing by
10). Kept for every request, the smallest thing worth keeping by mistake, a picture as float32, makes 25 MiB of it."""


def test_fifty_requests_at_once_all_end_in_fair_order_and_leave_no_memory_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.engine.serving.fifty_requests", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    order, resident = seen["order"], seen["resident"]
    count = EACH * len(MEMBERS)
    assert len(order) == count
    # The first to come was taken at once; from then on all five take turns, until whoever came first has no more.
    rounds = [order[start : start + len(MEMBERS)] for start in range(1, count, len(MEMBERS))]
    assert all(sorted(turn) == sorted(MEMBERS) for turn in rounds[:-1]), order
    assert sorted([order[0], *rounds[-1]]) == sorted(MEMBERS)
    grown = statistics.median(resident[count // 2 :]) - statistics.median(resident[: count // 2])
    assert grown < MARGIN_BYTES, [value // 2**20 for value in resident]
