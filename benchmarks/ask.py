"""`python -m benchmarks ask`: how long `/ask` takes in a warm engine, on one thread, on everything that tests ask it.

Prints the median and the 95th percentile over all asked questions, for those that are computed, and for 4,000
characters; and what share of the promised 60 ms the 95th percentile is, the figure to compare between versions. A
computation runs here in the same process; an engine sends it to a child, which costs about a millisecond more. Fails
where the promise isn't kept."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

PROMISED_MS = 60.0
LONG = "my loss jumps around and I tried torch.cat and a smaller learning rate, then nn.Linear(3, 4) failed. " * 40


def asked_questions() -> dict[str, list[str]]:
    """The questions of the tests' files: those that are computed, and the rest."""
    from engine.teach.evaluate import FILES

    found: dict[str, list[str]] = {"in words": [], "computed": []}
    for path in sorted(FILES.glob("asked*.toml")):
        for name, questions in tomllib.loads(path.read_text(encoding="utf-8")).items():
            kind = "computed" if name == "computed" else "in words"
            found[kind] += [entry if isinstance(entry, str) else entry[0] for entry in questions]
    return found


def milliseconds(ask: Callable[[str], object], questions: Sequence[str], repeats: int) -> list[float]:
    """Of each question the fastest of `repeats`: what the work takes, not what else the machine does."""
    taken = []
    for question in questions:
        times = []
        for _ in range(repeats):
            began = time.perf_counter()
            ask(question)
            times.append(time.perf_counter() - began)
        taken.append(1000 * min(times))
    return taken


def line(name: str, taken: Sequence[float]) -> str:
    p95 = sorted(taken)[min(len(taken) - 1, int(0.95 * len(taken)))]
    return f"{name:12} {len(taken):5} {statistics.median(taken):9.1f} {p95:9.1f} {p95 / PROMISED_MS:9.0%}\n"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks ask", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--documentation", type=Path, help="a folder for PyTorch's documentation, to search that, too")
    asked = parser.parse_args(argv)
    import torch

    from engine.teach.library import Library
    from engine.teach.reference.index import Reference

    torch.set_num_threads(1)
    reference = Reference(asked.documentation)
    if asked.documentation:
        reference.load_or_harvest()
    library = Library(reference=reference)
    library.ask("what is a tensor?")  # the index is built
    sys.stdout.write(f"{'questions':12} {'n':>5} {'median ms':>9} {'95 % ms':>9} {'of 60 ms':>9}\n")
    every: list[float] = []
    for name, questions in asked_questions().items():
        taken = milliseconds(library.ask, questions, asked.repeats)
        every += taken
        sys.stdout.write(line(name, taken))
    sys.stdout.write(line("4,000 signs", milliseconds(library.ask, [LONG[:4000]] * 5, asked.repeats)))
    sys.stdout.write(line("all", every))
    return int(sorted(every)[int(0.95 * len(every))] > PROMISED_MS)


if __name__ == "__main__":
    sys.exit(main())
