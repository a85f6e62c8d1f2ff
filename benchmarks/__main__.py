"""`python -m benchmarks NAME`: one table each. `make bench` runs those that take minutes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

NAMES = ("bot", "votes", "stylize", "jazz", "stages", "ask", "questions", "fuzz", "trials", "taste")
IN_A_ROOM = {"fuzz": "files.fuzz", "trials": "listening.trials", "taste": "listening.taste"}


def main(argv: Sequence[str]) -> int:
    """Run the named benchmark with the remaining options; 2 for a name that isn't one."""
    if not argv or argv[0] not in NAMES:
        sys.stderr.write(f"Say which benchmark to run: python -m benchmarks {'|'.join(NAMES)}.\n")
        return 2
    return int(importlib.import_module(f"benchmarks.{IN_A_ROOM.get(argv[0], argv[0])}").main(list(argv[1:])))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
