"""Whether an answer is right, and what led to it where it isn't.

An answer is kept as text: the option's place ("2"), the places of several ("0,3"), those of lines in the order that was
chosen ("2,0,1"), or what was typed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.errors import Refused
from bot.rules.quiz import Kind, Question
from engine.contract.typed import same_answer

LONGEST_TYPED = 200
MOST_WRITTEN = 4
"""Wrong answers that are shown by themselves when many people typed theirs."""
SOMETHING_ELSE = "something else"
UNKNOWN = "That isn't one of this question's answers; please choose again."


def as_given(places: Iterable[int]) -> str:
    """Places as an answer is kept."""
    return ",".join(map(str, places))


def places_of(given: str) -> tuple[int, ...]:
    """The reverse of `as_given`."""
    return tuple(int(place) for place in given.split(",") if place)


def judge(question: Question, given: str) -> bool:
    """Whether an answer is right. Raises Refused for one that the question doesn't offer."""
    if question.kind is Kind.TYPED:
        return any(same_answer(accepted, given) for accepted in question.accepted)
    places = places_of(given)
    wanted = len(question.options) if question.kind is Kind.ORDER else 1
    known = all(0 <= place < len(question.options) for place in places)
    if not known or len(places) < wanted or len(set(places)) < len(places):
        raise Refused(UNKNOWN)
    return given in question.accepted


def right_options(question: Question) -> frozenset[int]:
    """The places of the right options; none where the answer is typed or an order."""
    if question.kind in (Kind.TYPED, Kind.ORDER):
        return frozenset()
    return frozenset(places_of(question.accepted[0]))


@dataclass(frozen=True, slots=True)
class Slip:
    """A wrong choice, and the misconception that leads to it ("" where none is known)."""

    chosen: str
    reason: str


def slips_of(question: Question, given: str) -> list[Slip]:
    """What was wrong in a wrong answer, choice by choice. An order is wrong as a whole."""
    match question.kind:
        case Kind.TYPED:
            reasons = [why for answer, why in question.slips if same_answer(answer, given)]
            return [Slip(given, reasons[0] if reasons else "")]
        case Kind.ORDER:
            return []
    wrong = [place for place in places_of(given) if place not in right_options(question)]
    return [Slip(question.options[place], reason_of(question, place)) for place in wrong]


def missed(question: Question, given: str) -> list[str]:
    """The right options that were left out of an answer which may have several."""
    if question.kind is not Kind.SEVERAL:
        return []
    return [question.options[place] for place in sorted(right_options(question) - set(places_of(given)))]


def reason_of(question: Question, place: int) -> str:
    return question.reasons[place] if place < len(question.reasons) else ""


def with_what_was_written(question: Question, wrong_answers: Iterable[str]) -> Question:
    """A typed question as one with options, to count it by: the answer, then the commonest wrong ones."""
    if question.kind is not Kind.TYPED:
        return question
    wrong: Counter[str] = Counter()
    for given in wrong_answers:
        alike = next((other for other in wrong if same_answer(other, given)), given)
        wrong[alike] += 1
    shown = [answer for answer, _ in wrong.most_common(MOST_WRITTEN)]
    more = [SOMETHING_ELSE] if len(wrong) > len(shown) else []
    reasons = [slips_of(question, answer)[0].reason for answer in shown]
    return replace(
        question,
        options=(question.accepted[0], *shown, *more),
        reasons=("", *reasons, *("" for _ in more)),
    )


def options_of(question: Question, given: str, right: bool) -> tuple[int, ...]:
    """The places that an answer falls on; of a typed one, among the options of `with_what_was_written`."""
    if question.kind is not Kind.TYPED:
        return places_of(given)
    if right:
        return (0,)
    found = (place for place, text in enumerate(question.options) if place and same_answer(text, given))
    return (next(found, len(question.options) - 1),)
