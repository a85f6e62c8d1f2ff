"""What a quiz question is, and how a generator's draft becomes one.

A generator draws numbers from a seeded `random.Random` and returns a `Draft`: a question, Python code whose one
printed line is the right answer, the same answer worked out by hand (formula, not torch), and the mistakes that
people make. `compose` runs the code on torch: what it prints is the right answer, and the hand calculation must agree.
"""

from __future__ import annotations

import enum
import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from engine.errors import Internal
from engine.teach.snippets import run_snippet

MAX_QUESTION, MAX_CODE, MAX_OPTION, MAX_EXPLANATION = 400, 900, 80, 1800
"""Characters; an option becomes the label of a button, at most 80 in Discord."""

MIN_OPTIONS, MAX_OPTIONS = 3, 5
MAX_DRAWS = 200

_ZERO = re.compile(r"^-(0(?:\.0*)?)$")
"""A zero with a sign: nobody writes it."""


class Kind(enum.StrEnum):
    """How a question is answered."""

    ONE = "one"
    """One option is right."""
    SEVERAL = "several"
    """Any number of options are right, at least one."""
    TYPED = "typed"
    """A number, a shape or a word is typed in; `engine.contract.typed` compares it."""
    ORDER = "order"
    """The options are lines of code, to be put in order."""
    BUG = "bug"
    """The code has a planted fault; one option names it."""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer and the misconception that leads to it."""

    answer: str
    why: str
    """What went wrong, without a full stop: "forgets that padding is added on both sides"."""
    holds: bool = True
    """Whether the reason is true of the numbers drawn: "rounds a tie up" is not where there is no tie."""
    instead: Sequence[tuple[str, str]] = ()
    """Pieces of the shown code and what somebody with this misconception takes them for. The changed code is run: if
    it does not print `answer`, the reason does not lead there, and the mistake is left out."""


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
    picture: Callable[[], bytes] | None = None
    """Draws the PNG that belongs to the question; only called when the question is really asked."""
    alt: str = ""
    """What the picture shows, in words."""
    shown: str | None = None
    """The code that is shown, where it isn't the code that is run: in a picture question nothing, or a part."""


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
    """Index of the right option; of the first one where several are right."""
    explanation: str
    kind: Kind = Kind.ONE
    answer: str = ""
    """What the code printed: what a typed answer is compared with."""
    right: tuple[int, ...] = ()
    """Indices of all the right options; for `Kind.ORDER`, the options in the right order."""
    reasons: tuple[str, ...] = ()
    """For each option the misconception that leads to it, without a full stop; empty for a right one."""
    orders: tuple[tuple[int, ...], ...] = ()
    """For `Kind.ORDER`: every order of the options that does the same as the right one, `right` among them."""
    picture: bytes = b""
    """PNG that belongs to the question; empty if none."""
    alt: str = ""
    """What the picture shows, for those who can't see it; it doesn't give the answer away."""
    slips: tuple[tuple[str, str], ...] = ()
    """For `Kind.TYPED`: wrong answers that people give, each with the misconception that leads there."""
    is_fixed: bool = False
    """Whether every seed asks it with the same numbers."""


@dataclass(frozen=True)
class Generator:
    """A family of questions about one concept."""

    name: str
    topic: str
    card_id: str
    draw: Callable[[random.Random], Draft]
    pictured: bool = False
    """Whether its questions show a picture."""


def compose(generator: Generator, seed: int) -> Question:
    """The question that `generator` asks for `seed`: the same one every time.

    A mistake is only an option if its reason holds for the numbers drawn and, where the misconception can be written
    as code, if that code leads to it. A draw whose mistakes coincide with the right answer, or come too close to it,
    is drawn again from the same random stream. Raises `Internal` if the hand calculation contradicts torch: a fault
    of the generator."""
    rng = random.Random(f"{generator.name}:{seed}")
    for _ in range(MAX_DRAWS):
        draft = generator.draw(rng)
        card_id = draft.card_id or generator.card_id
        question = compose_draft(draft, rng, name=generator.name, topic=generator.topic, card_id=card_id, seed=seed)
        if question is not None:
            return question
    raise Internal(f"The question {generator.name} found no {MIN_OPTIONS} different options.")


def compose_draft(
    draft: Draft, rng: random.Random, *, name: str, topic: str, card_id: str, seed: int
) -> Question | None:
    """The question that `draft` makes, its options shuffled by `rng`; None if too few wrong options are left.

    Raises `Internal` if the hand calculation contradicts torch."""
    answer = run_snippet(draft.code)
    if answer != draft.worked:
        if _nearly_equal(answer, draft.worked):
            return None  # a tie of rounding: float32 and the formula fall on different sides of it
        raise Internal(f"The question {name} contradicts itself; it was not asked.")
    if is_rounded_tie(draft.code, answer):
        return None
    mistakes = [mistake for mistake in _distinct(answer, draft.mistakes) if leads_to_its_option(draft, mistake)]
    if len(mistakes) < MIN_OPTIONS - 1:
        return None
    mistakes = rng.sample(mistakes, min(len(mistakes), MAX_OPTIONS - 1))
    options = [answer, *(mistake.answer for mistake in mistakes)]
    rng.shuffle(options)
    whys = {mistake.answer: mistake.why for mistake in mistakes}
    reasons = tuple(whys.get(option, "") for option in options)
    return Question(
        generator=name,
        topic=topic,
        card_id=card_id,
        seed=seed,
        text=draft.text,
        code=draft.code if draft.shown is None else draft.shown,
        options=tuple(options),
        correct=options.index(answer),
        explanation=explain((answer,), draft.because, options, reasons),
        answer=answer,
        right=(options.index(answer),),
        reasons=reasons,
        picture=draft.picture() if draft.picture else b"",
        alt=draft.alt,
    )


def leads_to_its_option(draft: Draft, mistake: Mistake) -> bool:
    """Whether the shown code, read as the misconception reads it, prints the mistake's answer."""
    if not mistake.instead:
        return True
    believed = draft.code
    for shown, taken_for in mistake.instead:
        if shown not in believed:
            raise Internal(f"The mistake {mistake.why!r} changes code that isn't shown.")
        believed = believed.replace(shown, taken_for)
    try:
        printed = run_snippet(believed)
    except (RuntimeError, ValueError, IndexError, TypeError):
        return False
    return printed == mistake.answer or _nearly_equal(printed, mistake.answer)


def is_rounded_tie(code: str, answer: str) -> bool:
    """Whether what `code` prints as `answer` lies halfway between two answers: 0.3125 is 0.312 to Python and 0.313 to
    whoever learnt rounding at school, so that neither should be called wrong."""
    digits = answer.rpartition(".")[2]
    if _number(answer) is None or not digits.isdigit() or f":.{len(digits)}f}}" not in code:
        return False
    return run_snippet(code.replace(f":.{len(digits)}f}}", f":.{len(digits) + 2}f}}")).endswith("50")


def as_typed(question: Question) -> Question:
    """The same question without its options: the answer is typed in, and the options' misconceptions are its slips."""
    head, _, _ = question.explanation.partition("\n\nThe others:")
    slips = tuple((option, why) for option, why in zip(question.options, question.reasons, strict=True) if why)
    return replace(
        question, kind=Kind.TYPED, options=(), correct=0, right=(), reasons=(), explanation=head, slips=slips
    )


def count_of(n: int, noun: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def bracketed(x: float) -> str:
    """`3`, `(-3)`: a number after an operator."""
    return f"({x:g})" if x < 0 else f"{x:g}"


def _distinct(answer: str, mistakes: Sequence[Mistake]) -> list[Mistake]:
    kept: list[Mistake] = []
    for mistake in mistakes:
        if not mistake.holds:
            continue
        if not any(clash(mistake.answer, other) for other in (answer, *(m.answer for m in kept))):
            kept.append(replace(mistake, answer=_ZERO.sub(r"\1", mistake.answer)))
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


def explain(right: Sequence[str], because: str, options: Sequence[str], reasons: Sequence[str]) -> str:
    """The right options and why they are right, then the misconception behind each of the others."""
    names = ", ".join(f"`{answer}`" for answer in right)
    wrong = "\n".join(f"- `{option}`: {why}." for option, why in zip(options, reasons, strict=True) if why)
    return f"**{names}**: {because}" + (f"\n\nThe others:\n{wrong}" if wrong else "")
