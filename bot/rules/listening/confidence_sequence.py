"""An interval that holds however often one looks: a confidence sequence for a class's accuracy.

Whoever reads a z-test every day for a month and stops when it pleases is wrong 29 % of the time at a nominal 5 %. A
confidence sequence holds at all times together with 95 %, so it may be read after every series.

One observation is one TRIAL: the share of its votes that was right. Votes on one trial hang together (one clip, one
coin; listeners who prefer the same side are right or wrong together), and votes of one listener do (an ear is good or
not), so no formula may take each vote for a fresh draw. But each trial has a clip of its own and a fair coin of its
own: given all that came before, the share right of the next trial has as its mean the accuracy of those who vote, on
clips drawn this way. That is all that the bound below asks for; how the votes inside a trial hang together doesn't
matter, and that the same listeners come back doesn't either. What it speaks of is therefore this class on new clips,
not other classes; the bootstrap intervals speak of those.

How many people vote on a trial says nothing of whether they are right, so a bet may use it before the outcome is seen.

Source: Waudby-Smith & Ramdas (2024), Estimating means of bounded random variables by betting, JRSS B 86, 1-27: the
hedged capital process (theorem 3) with predictable plug-in bets (equations 26-27).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.rules.listening.intervals import Interval
from bot.rules.listening.judgements import TrialScore

ALPHA = 0.05
MOST_BET = 0.9
"""Of the capital that one trial can lose at most ("c" in the paper, which takes 0.5 or 0.75). Shares of a whole class
hardly ever come near 0 or 1, so more may be dared, and a class has its verdict sooner."""
CLIP_SPREAD = 0.12
"""What the share right varies by from trial to trial besides the chance of few votes, before any trial has been seen.
Only how fast the interval narrows hangs on this guess, never whether it holds."""
_BISECTIONS = 30


@dataclass(frozen=True, slots=True)
class _Bet:
    """What is staked on a trial before its outcome is known, and the outcome."""

    stake: float
    share: float


def confidence_sequence(scores: Sequence[TrialScore], alpha: float = ALPHA) -> Interval:
    """The interval after all of `scores`, in the order in which they became known; [0, 1] without any.

    At every time since the first trial at once it holds the mean accuracy with probability 1 - `alpha`. It never
    widens again: what was excluded once stays excluded."""
    bets = _bets(scores, alpha)
    centre = (0.5 + sum(score.share for score in scores)) / (len(scores) + 1)
    if not bets or _most_capital(bets, centre) >= 1 / alpha:
        return Interval(0.0, 1.0)  # nothing seen yet, or the accuracy has drifted so that no single one fits
    return Interval(_edge(bets, centre, 0.0, alpha), _edge(bets, centre, 1.0, alpha))


def most_capital(scores: Sequence[TrialScore], mean: float, alpha: float = ALPHA) -> float:
    """The most that a gambler ever had who bets against "the accuracy is `mean`", starting with 1.

    If it is, that reaches 1 / alpha with probability alpha at most, at whatever time (Ville's inequality)."""
    return _most_capital(_bets(scores, alpha), mean)


def _bets(scores: Sequence[TrialScore], alpha: float) -> list[_Bet]:
    """Equations 26 and 27 of the paper, with the spread that is to be expected of so many votes."""
    bets = []
    total, squares = 0.5, 0.0
    for place, score in enumerate(scores, start=1):
        before = 0.25 / score.votes + CLIP_SPREAD**2
        variance = (before + squares) / place
        stake = math.sqrt(2 * math.log(2 / alpha) / (variance * place * math.log1p(place)))
        bets.append(_Bet(stake, score.share))
        total += score.share
        squares += (score.share - total / (place + 1)) ** 2
    return bets


def _most_capital(bets: Sequence[_Bet], mean: float) -> float:
    up = down = most = 1.0
    most_up = MOST_BET / mean if mean > 0 else math.inf
    most_down = MOST_BET / (1 - mean) if mean < 1 else math.inf
    for bet in bets:
        away = bet.share - mean
        up *= 1 + min(bet.stake, most_up) * away
        down *= 1 - min(bet.stake, most_down) * away
        most = max(most, up / 2, down / 2)
    return most


def _edge(bets: Sequence[_Bet], inside: float, outside: float, alpha: float) -> float:
    """Where the interval ends between its centre and 0 or 1, by bisection."""
    if _most_capital(bets, outside) < 1 / alpha:
        return outside
    for _ in range(_BISECTIONS):
        middle = (inside + outside) / 2
        if _most_capital(bets, middle) < 1 / alpha:
            inside = middle
        else:
            outside = middle
    return outside
