"""Measures retrieval on a file of asked questions.

    python -m engine.teach.evaluate tests/engine/teach/asked*.toml [--failures]

The file holds lists of `[question, cards that answer it]` and lists of questions that no card answers. Of `known`,
`strangers` and `unknown` the entries alternate between the half that weights and threshold were chosen on, and the
other one; `fresh_known` and `fresh_unknown` were written afterwards. A file without `strangers` has every
second question kept apart from all tuning, and lists that were written last: their failures aren't listed."""

from __future__ import annotations

import argparse
import math
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.teach.deck import load_deck
from engine.teach.retrieval import Index

Asked = tuple[str, Sequence[str]]


@dataclass(frozen=True)
class Figures:
    """Counts out of `asked`; `wrong` questions were answered with another card, the rest with "I don't know"."""

    asked: int
    top_1: int
    top_3: int
    answered: int
    wrong: int
    failures: tuple[str, ...]


def measure_known(index: Index, questions: Sequence[Asked]) -> Figures:
    top_1 = top_3 = answered = wrong = 0
    failures = []
    for question, right in questions:
        answer = index.search(question)
        found = [match.card.id for match in answer.matches]
        first = bool(found) and found[0] in right
        top_1 += first
        top_3 += any(card in right for card in found)
        answered += first and answer.known
        wrong += answer.known and not first
        if not (first and answer.known):
            failures.append(f"{question!r}: {'answered' if answer.known else 'not answered'}, best {found[:1]}")
    return Figures(len(questions), top_1, top_3, answered, wrong, tuple(failures))


def false_answers(index: Index, questions: Sequence[str]) -> list[str]:
    """The questions that were answered although no card does."""
    return [question for question in questions if index.search(question).known]


def interval(hits: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion."""
    p = hits / of
    centre, half = p + z * z / (2 * of), z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return max(0.0, (centre - half) / (1 + z * z / of)), min(1.0, (centre + half) / (1 + z * z / of))


def halves(asked: dict[str, list]) -> dict[str, tuple[list[Asked], list[str]]]:
    """Name of the part -> (questions that a card answers, questions that none does)."""
    if "strangers" not in asked:
        return {
            "looked at": (asked["known"][::2], asked["unknown"][::2]),
            "kept apart": (asked["known"][1::2], asked["unknown"][1::2]),
            "last": (asked["last_known"], asked["last_unknown"]),
        }
    known, strangers, unknown = asked["known"], asked["strangers"], asked["unknown"]
    return {
        "tuning half": (known[::2] + strangers[::2], unknown[::2]),
        "other half": (known[1::2] + strangers[1::2], unknown[1::2]),
        "fresh": (asked["fresh_known"], asked["fresh_unknown"]),
    }


def _share(hits: int, of: int) -> str:
    low, high = interval(hits, of)
    return f"{100 * hits / of:5.1f} % ({100 * low:.0f}-{100 * high:.0f})"


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.teach.evaluate", description="Measure retrieval.")
    parser.add_argument("asked", type=Path, nargs="+")
    parser.add_argument("--failures", action="store_true", help="list the questions that went wrong")
    args = parser.parse_args(argv)
    index = Index(load_deck())
    files = [tomllib.loads(path.read_text(encoding="utf-8")) for path in args.asked]
    for name, (known, unknown) in (part for asked in files for part in halves(asked).items()):
        figures, false = measure_known(index, known), false_answers(index, unknown)
        n = figures.asked
        sys.stdout.write(
            f"{name}: {n} questions: right card first {_share(figures.top_1, n)}, "
            f"among three {_share(figures.top_3, n)}, answered rightly {_share(figures.answered, n)}, "
            f"with a wrong card {_share(figures.wrong, n)}; "
            f"{len(unknown)} out of scope: answered {_share(len(false), len(unknown))}\n"
        )
        if args.failures and name not in ("kept apart", "last"):
            sys.stdout.writelines(f"    {failure}\n" for failure in (*figures.failures, *map(repr, false)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
