"""What a quiz question is, and how a generator's draft becomes one.

A generator draws numbers from a seeded `random.Random` and returns a `Draft`: a question, Python code whose one
printed line is the right answer, the same answer worked out by hand (formula, not torch), and the mistakes that
people make. `compose` runs the code on torch: what it prints is the right answer, and the hand calculation must agree.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.errors import Internal
from engine.teach.snippets import run_snippet

MAX_QUESTION, MAX_CODE, MAX_OPTION, MAX_EXPLANATION = 400, 900, 80, 1800
"""Characters; an option becomes the label of a button, at most 80 in Discord."""

MIN_OPTIONS, MAX_OPTIONS = 3, 5
MAX_DRAWS = 200


@dataclass(frozen=True)
class Mistake:
    """A wrong answer and the misconception that leads to it."""

    answer: str
    why: str
    """What went wrong, without a full stop: "forgets that padding is added on both sides"."""


@dataclass(frozen=True)
class Draft:
    """One draw of a generator, before torch has had its say."""

    text: str
    code: str
    """Prints the right answer on one line."""
    worked: str
    """The right answer, from the formula."""
    because: str
    """Why `worked` is right, with the numbers put in."""
    mistakes: Sequence[Mistake]
    card_id: str = ""
    """The card to read, where it is not the generator's own."""


@dataclass(frozen=True)
class Question:
    generator: str
    topic: str
    card_id: str
    seed: int
    text: str
    code: str
    options: tuple[str, ...]
    correct: int
    explanation: str


@dataclass(frozen=True)
class Generator:
    """A family of questions about one concept."""

    name: str
    topic: str
    card_id: str
    draw: Callable[[random.Random], Draft]


def compose(generator: Generator, seed: int) -> Question:
    """The question that `generator` asks for `seed`: the same one every time.

    A draw whose mistakes coincide with the right answer, or come too close to it, is drawn again from the same
    random stream. Raises `Internal` if the hand calculation contradicts torch: a fault of the generator."""
    rng = random.Random(f"{generator.name}:{seed}")
    for _ in range(MAX_DRAWS):
        draft = generator.draw(rng)
        answer = run_snippet(draft.code)
        if answer != draft.worked:
            if _nearly_equal(answer, draft.worked):
                continue  # a tie of rounding: float32 and the formula fall on different sides of it
            raise Internal(f"The question {generator.name} contradicts itself; it was not asked.")
        mistakes = _distinct(answer, draft.mistakes)
        if len(mistakes) < MIN_OPTIONS - 1:
            continue
        mistakes = rng.sample(mistakes, min(len(mistakes), MAX_OPTIONS - 1))
        options = [answer, *(mistake.answer for mistake in mistakes)]
        rng.shuffle(options)
        return Question(
            generator=generator.name,
            topic=generator.topic,
            card_id=draft.card_id or generator.card_id,
            seed=seed,
            text=draft.text,
            code=draft.code,
            options=tuple(options),
            correct=options.index(answer),
            explanation=_explain(answer, draft.because, mistakes, options),
        )
    raise Internal(f"The question {generator.name} found no {MIN_OPTIONS} different options.")


def _distinct(answer: str, mistakes: Sequence[Mistake]) -> list[Mistake]:
    kept: list[Mistake] = []
    for mistake in mistakes:
        if not any(clash(mistake.answer, other) for other in (answer, *(m.answer for m in kept))):
            kept.append(mistake)
    return kept


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def clash(a: str, b: str) -> bool:
    """Whether two options are the same, or numbers so close that telling them apart is a matter of rounding."""
    x, y = _number(a), _number(b)
    if x is None or y is None or not (math.isfinite(x) and math.isfinite(y)):
        return a == b
    if x.is_integer() and y.is_integer():
        return x == y  # so that -0.0 is 0.0
    return a == b or not abs(x - y) > 0.02 * max(abs(x), abs(y))


def _nearly_equal(a: str, b: str) -> bool:
    x, y = _number(a), _number(b)
    if x is None or y is None or "." not in a:
        return False
    digits = len(a.rpartition(".")[2])
    return abs(x - y) <= 1.01 * 10**-digits


def _explain(answer: str, because: str, mistakes: Sequence[Mistake], options: Sequence[str]) -> str:
    why = {mistake.answer: mistake.why for mistake in mistakes}
    wrong = "\n".join(f"- `{option}`: {why[option]}." for option in options if option in why)
    return f"**`{answer}`**: {because}\n\nThe others:\n{wrong}"
