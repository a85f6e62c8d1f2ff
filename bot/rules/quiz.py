"""The quiz: what a question is, how its options are shown, and what a score is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.rules.listening.intervals import Interval, wilson_interval

LABEL_LENGTH = 80
"""Characters on a button, by Discord's rule."""
MAX_OPTIONS = 25
"""Buttons on a message, by Discord's rule: five rows of five."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXY"


class Kind(StrEnum):
    """How a question is answered."""

    ONE = "one"
    BUG = "bug"
    """one option names the fault in the code"""
    SEVERAL = "several"
    TYPED = "typed"
    ORDER = "order"
    """the options are lines, to be put in order"""


ON_BUTTONS = frozenset({Kind.ONE, Kind.BUG})
"""One press answers them."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answer. `generator` and `seed` make it again."""

    generator: str
    seed: int
    topic: str
    text: str
    code: str
    """shown with the question; '' if none"""
    options: tuple[str, ...]
    """empty where the answer is typed"""
    accepted: tuple[str, ...]
    """every answer that counts as right, written as `bot.rules.judging` has it"""
    explanation: str
    card_id: str
    """concept card to read; '' if none"""
    kind: Kind = Kind.ONE
    reasons: tuple[str, ...] = ()
    """for each option the misconception that leads to it, '' for none"""
    slips: tuple[tuple[str, str], ...] = ()
    """of a typed one: wrong answers that people give, each with the misconception that leads there"""
    is_fixed: bool = False
    """whether it always comes with the same numbers"""
    picture: bytes = field(default=b"", repr=False)
    """PNG; empty if none, and once it is posted"""
    alt: str = ""
    """what the picture shows, in words that don't give the answer away"""


def fit_on_buttons(options: Sequence[str]) -> bool:
    """Whether the options can be the buttons' own labels; otherwise they are listed and the buttons carry letters.

    A label is at most 80 characters of one line, and is shown as it is: no Markdown, outer spaces trimmed."""
    return all(
        0 < len(option) <= LABEL_LENGTH and option == option.strip() and "\n" not in option and "`" not in option
        for option in options
    )


@dataclass(frozen=True, slots=True)
class Score:
    """Of a member, or of a member in one topic."""

    answered: int
    right: int

    @property
    def share(self) -> float:
        """Of the answers that are right; 0 without answers."""
        return self.right / self.answered if self.answered else 0.0

    @property
    def interval(self) -> Interval:
        return wilson_interval(self.right, self.answered)


def streak(latest_first: Iterable[bool]) -> int:
    """How many of the latest answers in a row are right."""
    length = 0
    for right in latest_first:
        if not right:
            break
        length += 1
    return length


def streaks(latest_first: Sequence[tuple[str, bool]]) -> dict[str, int]:
    """By topic, how many of the latest answers in a row are right; those that a mistake has just ended are left out."""
    found = {topic: streak(right for of, right in latest_first if of == topic) for topic, _ in latest_first}
    return {topic: length for topic, length in found.items() if length}


def weakest_topic(scores: dict[str, Score], at_least: int = 3) -> str | None:
    """The topic to practise next: the lowest share among those with `at_least` answers and a mistake; ties by name."""
    shaky = [(score.share, topic) for topic, score in scores.items() if at_least <= score.answered > score.right]
    return min(shaky)[1] if shaky else None


@dataclass(frozen=True, slots=True)
class Standing:
    """A line of the leaderboard. Members with the same score share a place."""

    place: int
    member: int
    score: Score


def leaderboard(scores: dict[int, Score]) -> list[Standing]:
    """Most right answers first, then fewest wrong ones: practice counts, guessing doesn't help against equals.

    Places are given as in sports: 1, 2, 2, 4."""

    def rank(score: Score) -> tuple[int, int]:
        return (-score.right, score.answered - score.right)

    order = sorted(scores.items(), key=lambda entry: (*rank(entry[1]), entry[0]))
    standings: list[Standing] = []
    for position, (member, score) in enumerate(order, start=1):
        tied = standings and rank(standings[-1].score) == rank(score)
        standings.append(Standing(standings[-1].place if tied else position, member, score))
    return standings
