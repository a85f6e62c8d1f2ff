"""Measures what `/ask` finds on files of asked questions.

    python -m engine evaluate ask [tests/engine/teach/asked*.toml] [--failures]

A file holds lists of `[question, cards that answer it]` and lists of questions that no card answers. A file with a list
called `spoken` is judged by whole answers, calculations included: its lists are `spoken`, `messages` and `computed`
(with what the answer must contain), each as far as it's there, and `unknown`. Of the others only what is found is
measured. The weights were fitted on the files that `fitting.py` names, so their figures say how well what was asked is
found, and only those of other files how well the next question will be."""

from __future__ import annotations

import argparse
import math
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
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


@dataclass(frozen=True)
class Judged:
    """Counts of one list of questions, by what whoever asks is shown."""

    asked: int
    first: int
    """The right answer stands first, given as the answer or as the nearest card."""
    shown: int
    """It's among the cards that are shown, three at most."""
    right: int
    """It's given as the answer."""
    wrong: int
    """Something else is given as the answer. Of `unknown`, anything at all."""

    def __add__(self, other: Judged) -> Judged:
        return Judged(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))


def judge(library: Library, asked: dict[str, list]) -> tuple[dict[str, Judged], list[str]]:
    """Of each list of a file with `spoken` its counts, and the questions that went wrong."""
    counts, failures = {}, []
    for name, questions in asked.items():
        counted = Judged(0, 0, 0, 0, 0)
        for entry in questions:
            question, wanted = (entry, ()) if isinstance(entry, str) else entry
            reply = library.ask(question)
            first = bool(wanted) and _is_right(reply, wanted)
            shown = first or any(card.id in wanted for card in reply.cards[:3])
            answered = bool(reply.calculation.answer) or reply.known or bool(reply.entries)
            counted += Judged(1, first, shown, first and answered, answered and not first)
            if answered if name == "unknown" else not (first and answered):
                failures.append(f"{question!r}: {'answered' if answered else 'not answered'}, {_shown(reply)}")
        counts[name] = counted
    return counts, failures


def _is_right(reply: pb.AskReply, wanted: str | Sequence[str]) -> bool:
    """Whether a calculation says what it should, or the first card is one of those that it may be."""
    if isinstance(wanted, str):
        return wanted in reply.calculation.answer
    return not reply.calculation.answer and bool(reply.cards) and reply.cards[0].id in wanted


def _shown(reply: pb.AskReply) -> str:
    cards = [card.id for card in reply.cards]
    return reply.calculation.answer or f"shown {cards or [entry.name for entry in reply.entries[:1]]}"


def _judgement(file: str, library: Library, asked: dict[str, list], show: bool) -> str:
    counts, failures = judge(library, asked)
    unknown = counts.pop("unknown", Judged(0, 0, 0, 0, 0))
    lines = []
    for name, count in (*counts.items(), ("all in scope", sum(counts.values(), Judged(0, 0, 0, 0, 0)))):
        n = count.asked
        lines.append(
            f"{file}, {name}: {n} questions: right answer first {_share(count.first, n)}, among those shown "
            f"{_share(count.shown, n)}, answered rightly {_share(count.right, n)}, with a wrong answer "
            f"{_share(count.wrong, n)}\n"
        )
    n = unknown.asked
    lines.append(f"{file}, out of scope: {n} questions: answered {_share(unknown.wrong, n)}\n")
    return "".join(lines + [f"    {failure}\n" for failure in failures if show])


def _share(hits: int, of: int) -> str:
    if not of:
        return "-"
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
            sys.stdout.write(_judgement(path.stem, library, asked, args.failures))
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
        sys.stdout.write(_line("all of these", total, out_of_scope, false_ones))
    return 0


def _line(name: str, figures: Figures, out_of_scope: int, false: int) -> str:
    n = figures.asked
    return (
        f"{name}: {n} questions: right card first {_share(figures.top_1, n)}, "
        f"among three {_share(figures.top_3, n)}, answered rightly {_share(figures.answered, n)}, "
        f"with a wrong card {_share(figures.wrong, n)}; "
        f"{out_of_scope} out of scope: answered {_share(false, out_of_scope)}\n"
    )
