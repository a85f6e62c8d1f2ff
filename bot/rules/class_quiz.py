"""The class quiz: a run of questions for everybody at once, with a second vote after a discussion where one is wanted.

The second vote is peer instruction: people vote alone, talk it over, and vote again; nobody sees the first
distribution before the second vote has closed, or they would follow the majority.

Sources: Crouch & Mazur, "Peer Instruction: Ten years of experience and results", Am. J. Phys. 69, 2001, p. 970;
Perez et al., "Does displaying the class results affect student discussion during peer instruction?", CBE Life Sci.
Educ. 9, 2010, p. 133.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from bot.errors import Refused
from bot.rules.judging import options_of, right_options, with_what_was_written
from bot.rules.quiz import Kind, Question

DISCUSSION_S = 120.0
"""To talk it over before the second vote; the host may go on earlier."""
READING_S = 30.0
"""To read an answer before the next question comes; the host may go on earlier."""
MIN_ROUNDS, MAX_ROUNDS = 1, 20
MIN_SECONDS, MAX_SECONDS = 10, 600
INSIGHT_POINTS = 0.5
"""For naming the wrong option that most of the others took: knowing what others believe is half of teaching it."""


Who = TypeVar("Who", int, str)


class Phase(StrEnum):
    """What happens with the question at hand. The values are those in the store."""

    VOTE = "vote"
    DISCUSSION = "discussion"
    SECOND_VOTE = "second vote"
    REVEALED = "revealed"


VOTES = {Phase.VOTE: 1, Phase.SECOND_VOTE: 2}
"""The phases in which answers are taken, and the number of the vote that they belong to."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the host asked for. Times in seconds."""

    rounds: int
    seconds: int
    second_vote: bool = False
    teams: bool = False

    def __post_init__(self) -> None:
        if not MIN_ROUNDS <= self.rounds <= MAX_ROUNDS:
            raise Refused(f"A class quiz has {MIN_ROUNDS} to {MAX_ROUNDS} questions.")
        if not MIN_SECONDS <= self.seconds <= MAX_SECONDS:
            raise Refused(f"Give the class {MIN_SECONDS} to {MAX_SECONDS} seconds for a question.")

    def length_s(self, phase: Phase) -> float:
        """How long a phase lasts if nobody hurries it."""
        return {Phase.DISCUSSION: DISCUSSION_S, Phase.REVEALED: READING_S}.get(phase, float(self.seconds))

    def elapsed_s(self, standing: Standing, now: float) -> float:
        """How much of the phase is over, pauses left out; never negative, even when the clock was set back."""
        left_s = standing.left_s if standing.ends_at is None else standing.ends_at - now
        assert left_s is not None
        return max(0.0, self.length_s(standing.phase) - left_s)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a quiz stands. Of `ends_at` and `left_s` exactly one is set: `left_s` while it is paused.

    `ends_at` in seconds since 1970, `left_s` in seconds."""

    position: int
    phase: Phase
    ends_at: float | None
    left_s: float | None = None

    @property
    def paused(self) -> bool:
        return self.ends_at is None

    @property
    def vote(self) -> int | None:
        """The vote that is open, 1 or 2; None when none is. A pause stops the clock and closes nothing."""
        return VOTES.get(self.phase)


def begin(plan: Plan, now: float) -> Standing:
    """The first vote on the first question."""
    return _enter(plan, 0, Phase.VOTE, now)


def advance(plan: Plan, standing: Standing, now: float) -> Standing | None:
    """The phase after this one; None when the quiz is over."""
    match standing.phase:
        case Phase.VOTE if plan.second_vote:
            return _enter(plan, standing.position, Phase.DISCUSSION, now)
        case Phase.DISCUSSION:
            return _enter(plan, standing.position, Phase.SECOND_VOTE, now)
        case Phase.VOTE | Phase.SECOND_VOTE:
            return _enter(plan, standing.position, Phase.REVEALED, now)
    return next_question(plan, standing, now)


def next_question(plan: Plan, standing: Standing, now: float) -> Standing | None:
    """On to the next question, whatever the phase; None when there is none."""
    if standing.position + 1 >= plan.rounds:
        return None
    return _enter(plan, standing.position + 1, Phase.VOTE, now)


def pause(standing: Standing, now: float) -> Standing:
    """Stop the clock. Raises Refused when it is stopped already."""
    if standing.ends_at is None:
        raise Refused("The quiz is already paused.")
    return replace(standing, ends_at=None, left_s=max(0.0, standing.ends_at - now))


def resume(standing: Standing, now: float) -> Standing:
    """Let the clock run on with what was left. Raises Refused when it runs."""
    if standing.left_s is None:
        raise Refused("The quiz isn't paused.")
    return replace(standing, ends_at=now + standing.left_s, left_s=None)


def _enter(plan: Plan, position: int, phase: Phase, now: float) -> Standing:
    return Standing(position, phase, now + plan.length_s(phase))


# ---------------------------------------------------------------- what it came to


@dataclass(frozen=True, slots=True)
class Given:
    """One answer. `member` is the number that the store knows somebody by, `seconds` after the vote opened."""

    position: int
    vote: int
    member: int
    given: str
    """as `bot.rules.judging` writes answers"""
    right: bool
    seconds: float
    team: str = ""
    simulated: bool = False
    """by one of the playground's simulated class"""


@dataclass(frozen=True, slots=True)
class Guess:
    """Which wrong option a member expects most of the others to take."""

    position: int
    member: int
    choice: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many took each option, in one vote on one question; where several may be taken, that is more than voted."""

    counts: tuple[int, ...]
    right: frozenset[int]
    """places of the right options"""
    voters: int
    right_votes: int
    simulated: int = 0
    """how many of the voters are simulated"""

    @property
    def share_right(self) -> float:
        """0..1; 0 when nobody voted."""
        return self.right_votes / self.voters if self.voters else 0.0

    @property
    def commonest_mistakes(self) -> frozenset[int]:
        """The wrong options that most took, more than one when they tie; empty when nobody was wrong."""
        wrong = {option: count for option, count in enumerate(self.counts) if option not in self.right and count}
        most = max(wrong.values(), default=0)
        return frozenset(option for option, count in wrong.items() if count == most)


def counted_by(answers: Iterable[Given], position: int, question: Question) -> Question:
    """The question with the options that its answers are counted by: what was typed, where it was typed."""
    return with_what_was_written(
        question, [given.given for given in answers if given.position == position and not given.right]
    )


def distribution(answers: Iterable[Given], position: int, vote: int, question: Question) -> Distribution:
    """The distribution of one vote; a typed question comes from `counted_by`."""
    cast = [given for given in answers if (given.position, given.vote) == (position, vote)]
    chosen = Counter(place for given in cast for place in options_of(question, given.given, given.right))
    right = frozenset({0}) if question.kind is Kind.TYPED else right_options(question)
    counts = tuple(chosen[option] for option in range(len(question.options)))
    simulated = sum(given.simulated for given in cast)
    return Distribution(counts, right, len(cast), sum(given.right for given in cast), simulated)


def normalised_gain(before: Distribution, after: Distribution) -> float | None:
    """Hake's gain: the share of what was missing that the discussion brought, (post - pre) / (1 - pre).

    Negative when it led people astray; None when nobody voted twice or everybody was right at once (Hake,
    "Interactive-engagement versus traditional methods", Am. J. Phys. 66, 1998, p. 64)."""
    if not before.voters or not after.voters or before.share_right == 1:
        return None
    return (after.share_right - before.share_right) / (1 - before.share_right)


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the ranking. Those with the same points and time share a place."""

    place: int
    who: int | str
    """a member's number, or a team's name"""
    points: float
    seconds: float
    """spent on the right answers, in all; of a team the mean of its members"""


def points_of(
    answers: Sequence[Given], guesses: Iterable[Guess], questions: Mapping[int, Question]
) -> dict[int, tuple[float, float]]:
    """Points and seconds by member. `questions` are by position; a position that is not in them was skipped and
    counts for nobody.

    A right answer is a point; where there were two votes the second counts, and the first for whoever missed the
    second. Naming the commonest mistake of the others (in the first vote) is `INSIGHT_POINTS`."""
    last: dict[tuple[int, int], Given] = {}
    for given in sorted(answers, key=lambda given: given.vote):
        if given.position in questions:
            last[given.position, given.member] = given
    points: defaultdict[int, float] = defaultdict(float)
    seconds: defaultdict[int, float] = defaultdict(float)
    for (_, member), given in last.items():
        points[member] += given.right
        seconds[member] += given.seconds if given.right else 0.0
    for guess in guesses:
        if guess.position not in questions:
            continue
        others = [given for given in answers if given.member != guess.member]
        seen = distribution(others, guess.position, 1, questions[guess.position])
        if guess.choice in seen.commonest_mistakes:
            points[guess.member] += INSIGHT_POINTS
    return {member: (points[member], seconds[member]) for member in points}


def ranking(scores: Mapping[Who, tuple[float, float]]) -> list[Place]:
    """Most points first; speed only breaks ties. Places as in sports: 1, 2, 2, 4."""
    order = sorted(scores.items(), key=lambda entry: (-entry[1][0], entry[1][1], str(entry[0])))
    places: list[Place] = []
    for number, (who, (points, seconds)) in enumerate(order, start=1):
        tied = places and (places[-1].points, places[-1].seconds) == (points, seconds)
        places.append(Place(places[-1].place if tied else number, who, points, seconds))
    return places


def team_scores(scores: Mapping[int, tuple[float, float]], answers: Iterable[Given]) -> dict[str, tuple[float, float]]:
    """Means of points and seconds over each team's members, so that a large team has no advantage.

    A member belongs to the team of their latest answer; whoever has none is left out."""
    team_of = {given.member: given.team for given in answers}
    members: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for member, score in scores.items():
        if team_of.get(member):
            members[team_of[member]].append(score)
    return {
        team: (sum(points for points, _ in own) / len(own), sum(seconds for _, seconds in own) / len(own))
        for team, own in members.items()
    }
