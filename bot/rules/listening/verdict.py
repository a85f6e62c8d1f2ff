"""Three words, which may be read at any time: can tell, can't tell, too early."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.rules.listening.confidence_sequence import ALPHA, CLIP_SPREAD, confidence_sequence, most_capital
from bot.rules.listening.intervals import Interval
from bot.rules.listening.judgements import TrialScore

GUESSING = 0.5
MARGIN = 0.60
"""Listeners who are right less often than this can't tell, for any purpose of ours."""
FURTHEST_TRIALS = 400
"""Nobody plans further."""


class Word(StrEnum):
    CAN_TELL = "can tell"
    CANT_TELL = "can't tell"
    TOO_EARLY = "too early"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`interval`: the confidence sequence of the accuracy. `more_votes`: about how many more make it a verdict; 0 with
    a verdict, None where more than anybody plans for."""

    word: Word
    interval: Interval
    margin: float
    trials: int
    votes: int
    more_votes: int | None = 0


def verdict(scores: Sequence[TrialScore], margin: float = MARGIN, alpha: float = ALPHA) -> Verdict:
    """What all trials so far come to.

    Can tell: the confidence sequence excludes guessing. Can't tell: it excludes everything outside of 1 - margin to
    margin, an equivalence test; not finding a difference shows nothing. `alpha` holds for all looks together."""
    interval = confidence_sequence(scores, alpha)
    votes = sum(score.votes for score in scores)
    word = word_of(scores, margin, alpha)
    more: int | None = 0
    if word is Word.TOO_EARLY:
        more = votes_to_go(scores, margin, alpha)
    return Verdict(word, interval, margin, len(scores), votes, more)


def word_of(scores: Sequence[TrialScore], margin: float = MARGIN, alpha: float = ALPHA) -> Word:
    """The word alone: three capitals instead of a search for the interval's ends."""
    if most_capital(scores, GUESSING, alpha) >= 1 / alpha:
        return Word.CAN_TELL
    if all(most_capital(scores, edge, alpha) >= 1 / alpha for edge in (margin, 1 - margin)):
        return Word.CANT_TELL
    return Word.TOO_EARLY


def votes_to_go(scores: Sequence[TrialScore], margin: float = MARGIN, alpha: float = ALPHA) -> int | None:
    """About how many votes more lead to a verdict if the trials to come are like those so far; None: too many to plan.

    They are continued evenly: above and below the mean in turn, as far as their spread."""
    votes = max(1, round(sum(score.votes for score in scores) / len(scores))) if scores else 20
    shares = [score.share for score in scores]
    mean = (GUESSING * 2 + sum(shares)) / (len(shares) + 2)
    expected = 0.25 / votes + CLIP_SPREAD**2
    spread = math.sqrt((2 * expected + sum((share - mean) ** 2 for share in shares)) / (len(shares) + 2))
    more = [
        TrialScore(-place, round(votes * min(1.0, max(0.0, mean + spread * (-1) ** place))), votes)
        for place in range(FURTHEST_TRIALS)
    ]
    low, high = 0, FURTHEST_TRIALS
    if word_of([*scores, *more], margin, alpha) is Word.TOO_EARLY:
        return None
    while high - low > 1:  # what is excluded stays excluded: there is one place where too early ends
        middle = (low + high) // 2
        if word_of([*scores, *more[:middle]], margin, alpha) is Word.TOO_EARLY:
            low = middle
        else:
            high = middle
    return high * votes
