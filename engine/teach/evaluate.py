"""Measures what `/ask` finds on files of asked questions.

    python -m engine evaluate ask [tests/engine/teach/asked*.toml] [--failures]

A file holds lists of `[question, cards that answer it]` and lists of questions that no card answers. Weights and
threshold were chosen on all of them but `asked_judged.toml`, so the figures of the others say how well what was asked
is found, and only that one's how well the next question will be. It is judged by whole answers, calculations included:
what its lists mean stands in the file."""

from __future__ import annotations

import argparse
import math
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.contract import engine_pb2 as pb
from engine.teach.deck import load_deck
from engine.teach.library import Library
from engine.teach.retrieval import Index

Asked = tuple[str, Sequence[str]]

FILES = Path(__file__).parents[2] / "tests" / "engine" / "teach"


@dataclass(frozen=True)
class Figures:
    """Counts out of `asked`; `wrong` questions were answered with another card, the rest with "I don't know"."""

    asked: int
    top_1: int
    top_3: int
    answered: int
    wrong: int
    failures: tuple[str, ...]


COUNTED = ("asked", "top_1", "top_3", "answered", "wrong")


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


def judge(library: Library, asked: dict[str, list]) -> tuple[dict[str, tuple[int, int, int, int]], list[str]]:
    """Of each list of `asked_judged.toml` how many were asked, had the right answer first, were answered with it, and
    were answered with another one; with the questions that went wrong. Of `unknown` every answer is another one."""
    counts, failures = {}, []
    for name, questions in asked.items():
        first = right = wrong = 0
        for entry in questions:
            question, wanted = (entry, ()) if name == "unknown" else entry
            reply = library.ask(question)
            is_first = name != "unknown" and _is_right(reply, wanted)
            answered = bool(reply.calculation.answer) or reply.known or bool(reply.entries)
            first += is_first
            right += is_first and answered
            wrong += answered and not is_first
            if answered if name == "unknown" else not (is_first and answered):
                failures.append(f"{question!r}: {'answered' if answered else 'not answered'}, {_shown(reply)}")
        counts[name] = (len(questions), first, right, wrong)
    return counts, failures


def _is_right(reply: pb.AskReply, wanted: str | Sequence[str]) -> bool:
    """Whether a calculation says what it should, or the first card is one of those that it may be."""
    if isinstance(wanted, str):
        return wanted in reply.calculation.answer
    return not reply.calculation.answer and bool(reply.cards) and reply.cards[0].id in wanted


def _shown(reply: pb.AskReply) -> str:
    entries = [entry.name for entry in reply.entries[:1]]
    return reply.calculation.answer or f"best {[card.id for card in reply.cards[:1]] if reply.known else entries}"


def _judgement(library: Library, asked: dict[str, list], show: bool) -> str:
    counts, failures = judge(library, asked)
    within = [count for name, count in counts.items() if name != "unknown"]
    lines = []
    for name, (n, first, right, wrong) in (
        *((name, count) for name, count in counts.items() if name != "unknown"),
        ("all in scope", tuple(map(sum, zip(*within, strict=True)))),
    ):
        lines.append(
            f"judged, {name}: {n} questions: right answer first {_share(first, n)}, answered rightly "
            f"{_share(right, n)}, with a wrong answer {_share(wrong, n)}\n"
        )
    n, _, _, wrong = counts["unknown"]
    lines.append(f"judged, out of scope: {n} questions: answered {_share(wrong, n)}\n")
    return "".join(lines + [f"    {failure}\n" for failure in failures if show])


def _share(hits: int, of: int) -> str:
    low, high = interval(hits, of)
    return f"{100 * hits / of:5.1f} % ({100 * low:.0f}-{100 * high:.0f})"


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m engine evaluate ask", description="Measure what /ask finds.")
    parser.add_argument("asked", type=Path, nargs="*", help="files of questions; without any, the project's own")
    parser.add_argument("--failures", action="store_true", help="list the questions that went wrong")
    args = parser.parse_args(argv)
    cards = load_deck()
    index, library = Index(cards), Library(cards)
    everything = [Figures(0, 0, 0, 0, 0, ())]
    out_of_scope = false_ones = 0
    for path in args.asked or sorted(FILES.glob("asked*.toml")):
        asked = tomllib.loads(path.read_text(encoding="utf-8"))
        if "spoken" in asked:
            sys.stdout.write(_judgement(library, asked, args.failures))
            continue
        for name, (known, unknown) in halves(asked).items():
            figures, false = measure_known(index, known), false_answers(index, unknown)
            everything.append(figures)
            out_of_scope, false_ones = out_of_scope + len(unknown), false_ones + len(false)
            sys.stdout.write(_line(name, figures, len(unknown), len(false)))
            if args.failures:
                sys.stdout.writelines(f"    {failure}\n" for failure in (*figures.failures, *map(repr, false)))
    asked_for, top_1, top_3, answered, wrong = (sum(getattr(one, part) for one in everything) for part in COUNTED)
    total = Figures(asked_for, top_1, top_3, answered, wrong, ())
    if total.asked:
        sys.stdout.write(_line("all but the judged", total, out_of_scope, false_ones))
    return 0


def _line(name: str, figures: Figures, out_of_scope: int, false: int) -> str:
    n = figures.asked
    return (
        f"{name}: {n} questions: right card first {_share(figures.top_1, n)}, "
        f"among three {_share(figures.top_3, n)}, answered rightly {_share(figures.answered, n)}, "
        f"with a wrong card {_share(figures.wrong, n)}; "
        f"{out_of_scope} out of scope: answered {_share(false, out_of_scope)}\n"
    )
