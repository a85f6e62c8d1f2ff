"""A class at once: fifty requests of mixed sizes over the wire, painted by the real network on the CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.engine.serving.fifty_requests import EACH, MEMBERS

WAIT_S = 240.0
MARGIN_BYTES = 18 * 2**20
"""Of resident memory between two moments at rest. Kept for every request, the smallest thing worth keeping by mistake,
a picture as float32, makes 36 MiB in 75 of them; by itself it goes up and down by 10."""


def test_fifty_requests_at_once_all_end_in_fair_order_and_leave_no_memory_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.engine.serving.fifty_requests", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    order, resident = seen["order"], seen["resident"]
    count = EACH * len(MEMBERS)
    assert len(order) == count
    assert {member: [one for one, _ in order].count(member) for member in MEMBERS} == dict.fromkeys(MEMBERS, EACH)
    # Whoever used least is next. As long as all five wait, none is ahead of another by more than two of the longest
    # pictures: one that was ready when somebody else's wasn't, and the one that is being painted.
    longest_s = max(seconds for _, seconds in order)
    used_s = dict.fromkeys(MEMBERS, 0.0)
    left = dict.fromkeys(MEMBERS, EACH)
    for member, seconds in order:
        used_s[member] += seconds
        left[member] -= 1
        if min(left.values()) > 0:
            assert max(used_s.values()) - min(used_s.values()) < 2.5 * longest_s, used_s
    assert resident[-1] - resident[0] < MARGIN_BYTES, [value // 2**20 for value in resident]
