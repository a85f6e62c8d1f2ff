"""What a series is likely to show, before it starts: the plan that is stored and shown with it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.rules.listening.confidence_sequence import ALPHA, CLIP_SPREAD
from bot.rules.listening.judgements import TrialScore
from bot.rules.listening.verdict import FURTHEST_TRIALS, GUESSING, MARGIN, Word, word_of

HYPOTHESIS = (
    "Listeners can't tell the model's solos from a human's: they're right about as often as if they were guessing."
)
GOOD_EARS = 0.70
"""The accuracy of a class that can tell, in the plan."""
TYPICAL_CLASS = 20
CLASSES = 60
"""Made up for the plan: enough to say "about 60 %"."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Hypothesis, margin and looks are fixed before the first vote; the rest is a forecast.

    `reached_if_none_can` and `reached_if_good`: how likely this series, with all trials before it, ends in a verdict
    where nobody can tell and where the class is right in `good` of all cases. `votes_needed`: the median that a verdict
    takes, of the slower of the two cases; None: more than anybody plans for."""

    hypothesis: str
    margin: float
    alpha: float
    good: float
    trials: int
    voters: int
    trials_before: int
    reached_if_none_can: float
    reached_if_good: float
    votes_needed: int | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def make_plan(
    before: Sequence[TrialScore], trials: int, voters: int, rng: random.Random, margin: float = MARGIN
) -> Plan:
    """The plan of a series of `trials` counted trials with about `voters` votes each, after the trials `before`.

    Simulated: listeners of a class share their ears and each clip leans one way, so votes hang together."""
    reached = {
        accuracy: sum(
            word_of([*before, *_imagined(trials, voters, accuracy, rng)], margin) is not Word.TOO_EARLY
            for _ in range(CLASSES)
        )
        / CLASSES
        for accuracy in (GUESSING, GOOD_EARS)
    }
    needed = [_votes_needed(voters, accuracy, rng, margin) for accuracy in (GUESSING, GOOD_EARS)]
    return Plan(
        hypothesis=HYPOTHESIS,
        margin=margin,
        alpha=ALPHA,
        good=GOOD_EARS,
        trials=trials,
        voters=voters,
        trials_before=len(before),
        reached_if_none_can=reached[GUESSING],
        reached_if_good=reached[GOOD_EARS],
        votes_needed=max(found for found in needed if found is not None) if None not in needed else None,
    )


def _imagined(trials: int, voters: int, accuracy: float, rng: random.Random) -> list[TrialScore]:
    scores = []
    for trial in range(trials):
        share = min(1.0, max(0.0, accuracy + rng.gauss(0.0, CLIP_SPREAD)))
        scores.append(TrialScore(trial, sum(rng.random() < share for _ in range(voters)), voters))
    return scores


def _votes_needed(voters: int, accuracy: float, rng: random.Random, margin: float) -> int | None:
    """Median over a few classes, each continued until it has a verdict."""
    found = []
    for _ in range(9):
        scores = _imagined(FURTHEST_TRIALS, voters, accuracy, rng)
        low, high = 0, FURTHEST_TRIALS
        if word_of(scores, margin) is Word.TOO_EARLY:
            low = high
        while high - low > 1:
            middle = (low + high) // 2
            if word_of(scores[:middle], margin) is Word.TOO_EARLY:
                low = middle
            else:
                high = middle
        found.append(high * voters if low < high else FURTHEST_TRIALS * voters + 1)
    median = sorted(found)[len(found) // 2]
    return None if median > FURTHEST_TRIALS * voters else median
