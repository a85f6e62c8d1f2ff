"""`python -m benchmarks questions`: 200 seeds of every generator and every fixed question, executed and looked over.

A question is at fault where the hand calculation contradicts torch, where two options are as good as one, where a wrong
option has no reason, or where a wrong answer would be taken for the right one when it's typed. Prints the slowest and
every fault, and fails if there is one."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.processes import process_pool

SHOWN = 5


@dataclass
class Outcome:
    """Of one generator or fixed question."""

    name: str
    asked: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


def look_over(name: str, seeds: int) -> Outcome:
    """Ask one generator, or one fixed question, with so many seeds."""
    import torch

    from engine.errors import Internal
    from engine.teach.library import Library
    from engine.teach.questions.question import Kind

    torch.set_num_threads(1)
    library, outcome, began = Library(cards=()), Outcome(name), time.perf_counter()
    for seed in range(seeds):
        try:
            question = library.question(seed=seed, name=name, kinds=tuple(Kind), pictures=True)
        except Internal as error:
            outcome.faults.append(f"seed {seed}: {error}")
            continue
        outcome.asked += 1
        outcome.faults += [f"seed {seed}: {fault}" for fault in faults_of(question)]
        if question.is_fixed and seed >= 4:
            break  # another seed only shuffles it
    outcome.seconds = time.perf_counter() - began
    return outcome


def faults_of(question: object) -> list[str]:
    """What is wrong with a question, in words."""
    from engine.contract.typed import same_answer
    from engine.teach.questions.question import Kind, Question, clash

    assert isinstance(question, Question)
    found = []
    options = question.options
    for place, option in enumerate(options):
        if any(clash(option, other) for other in options[place + 1 :]):
            found.append(f"{option} is there twice")
    if question.kind not in (Kind.TYPED, Kind.ORDER):
        wrong = [place for place in range(len(options)) if place not in question.right]
        found += [f"{options[place]} has no reason" for place in wrong if not question.reasons[place]]
    found += [f"{slip} would count as right" for slip, _ in question.slips if same_answer(question.answer, slip)]
    if question.kind is Kind.TYPED and not same_answer(question.answer, question.answer):
        found.append("the answer itself would count as wrong")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks questions", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args(argv)
    from engine.teach.library import Library
    from engine.teach.questions.question import Kind

    names = Library(cards=()).names("", tuple(Kind), True)
    began = time.perf_counter()
    with process_pool(asked.processes) as pool:
        outcomes = list(pool.map(look_over, names, [asked.seeds] * len(names)))
    total = sum(outcome.asked for outcome in outcomes)
    sys.stdout.write(
        f"{len(names)} generators and fixed questions, {total} questions in {time.perf_counter() - began:.0f} s; "
        "slowest, ms a question:\n"
    )
    for outcome in sorted(outcomes, key=lambda one: -one.seconds / max(one.asked, 1))[:SHOWN]:
        sys.stdout.write(f"  {1000 * outcome.seconds / max(outcome.asked, 1):8.1f}  {outcome.name}\n")
    faults = [f"{outcome.name}, {fault}" for outcome in outcomes for fault in outcome.faults]
    sys.stdout.write("".join(f"FAULT {fault}\n" for fault in faults) or "no faults\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
