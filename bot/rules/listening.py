"""Statistics of listening tests: how well people tell a human's clip from the model's.

Signal detection words, with "human" as the signal: a hit is a human clip called human, a false alarm a model's clip
called human. Votes of one person, or on one clip, are not independent of each other: an interval over several polls
comes from `bootstrap_interval`, never from a formula that takes each vote for a fresh draw.

Sources:
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212.
    Brown, Cai & DasGupta (2001), Interval estimation for a binomial proportion, Statistical Science 16, 101-133.
    Macmillan & Creelman (2005), Detection Theory: A User's Guide, 2nd ed., chapters 1 and 2.
    Hautus (1995), Corrections for extreme proportions ..., Behavior Research Methods 27, 46-51.
    Owen (2007), The pigeonhole bootstrap, Annals of Applied Statistics 1, 386-411.
    Wellek (2010), Testing Statistical Hypotheses of Equivalence and Noninferiority, 2nd ed., chapter 4.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95
ENOUGH_VOTES = 100
"""Below about this many votes the interval around one half is wider than +-10 points: too early to say anything."""
CLEARLY_BETTER_THAN_GUESSING = 0.60
"""Listeners who are right less often than this "can't tell" (the margin of the equivalence test)."""

_STANDARD_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval of a proportion or of a ratio."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def wilson_interval(right: int, total: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval for the proportion `right / total` of independent votes.

    Stays inside [0, 1] and keeps close to its level also for few votes, where p +- 1.96 s does not (Brown, Cai &
    DasGupta 2001). Without votes it is [0, 1]. Raises ValueError unless 0 <= right <= total."""
    _check_counts(right, total)
    if total == 0:
        return Interval(0.0, 1.0)
    z = _STANDARD_NORMAL.inv_cdf(0.5 + confidence / 2)
    share = right / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    # at the ends the formula is exact on paper and misses by a rounding error here
    low = 0.0 if right == 0 else centre - half
    high = 1.0 if right == total else centre + half
    return Interval(low, high)


def at_most(right: int, total: int, share: float) -> float:
    """P(X <= right) for X ~ Binomial(total, share). Raises ValueError unless 0 <= right <= total."""
    _check_counts(right, total)
    if not 0 < share < 1:
        raise ValueError("share must lie between 0 and 1")
    log_ways = math.lgamma(total + 1)
    terms = (
        math.exp(
            log_ways
            - math.lgamma(k + 1)
            - math.lgamma(total - k + 1)
            + k * math.log(share)
            + (total - k) * math.log1p(-share)
        )
        for k in range(right + 1)
    )
    return min(1.0, math.fsum(terms))


def cannot_tell(
    right: int, total: int, margin: float = CLEARLY_BETTER_THAN_GUESSING, confidence: float = CONFIDENCE
) -> bool:
    """Whether the votes show, at one-sided `confidence`, that listeners are right less often than `margin`.

    Not finding a difference shows nothing; this exact binomial equivalence test does (Wellek 2010). It takes at
    most 51 right of 100, 108 of 200 or 165 of 300."""
    return total > 0 and at_most(right, total, margin) <= 1 - confidence


@dataclass(frozen=True, slots=True)
class Calls:
    """How often clips of each kind were called human. Counts may be weighted."""

    hits: float = 0.0
    """human clips called human"""
    misses: float = 0.0
    """human clips called the model's"""
    false_alarms: float = 0.0
    """the model's clips called human"""
    correct_rejections: float = 0.0
    """the model's clips called the model's"""

    @property
    def human(self) -> float:
        return self.hits + self.misses

    @property
    def ai(self) -> float:
        return self.false_alarms + self.correct_rejections

    @property
    def total(self) -> float:
        return self.human + self.ai

    @property
    def both_sides(self) -> bool:
        """Whether clips of both kinds were judged; without that no figure below means anything."""
        return self.human > 0 and self.ai > 0


def balanced_accuracy(calls: Calls) -> float:
    """Mean of the shares of right votes on human clips and on the model's; 0.5 is guessing.

    Raises ValueError unless both kinds were judged."""
    _check_both_sides(calls)
    return (calls.hits / calls.human + calls.correct_rejections / calls.ai) / 2


def human_call_ratio(calls: Calls) -> float:
    """P("human" | model) / P("human" | human): 1 when the model passes as often as people do.

    Infinite when human clips were never called human. Raises ValueError unless both kinds were judged."""
    _check_both_sides(calls)
    if calls.hits == 0:
        return math.inf
    return (calls.false_alarms / calls.ai) / (calls.hits / calls.human)


def d_prime(calls: Calls) -> float:
    """Sensitivity d' = z(hit rate) - z(false alarm rate); 0 is guessing, about 1 is 69 % right without bias.

    Rates are (count + 0.5) / (n + 1), so that 0 and 1 stay finite (the log-linear correction, Hautus 1995).
    Raises ValueError unless both kinds were judged."""
    hit_z, false_alarm_z = _z_rates(calls)
    return hit_z - false_alarm_z


def criterion(calls: Calls) -> float:
    """Response bias c = -(z(hit rate) + z(false alarm rate)) / 2; negative: leans to "human" whatever is played.

    Same correction as `d_prime`. Raises ValueError unless both kinds were judged."""
    hit_z, false_alarm_z = _z_rates(calls)
    return -(hit_z + false_alarm_z) / 2


@dataclass(frozen=True, slots=True)
class Judgement:
    """One counted vote on a closed poll: who, on which clip, what it was, and what it was called."""

    listener: int
    clip: int
    is_human: bool
    called_human: bool


def count_calls(judgements: Iterable[Judgement]) -> Calls:
    return _weighted_calls((judgement, 1.0) for judgement in judgements)


def bootstrap_interval(
    judgements: Sequence[Judgement],
    statistic: Callable[[Calls], float],
    rng: random.Random,
    resamples: int = 1000,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Percentile interval of `statistic` over new listeners AND new clips (pigeonhole bootstrap, Owen 2007).

    Listeners and clips are each drawn with replacement, clips within their own kind; a judgement weighs as often as
    its listener times as often as its clip was drawn. Somewhat wide rather than too narrow. None where there are
    fewer than two listeners, or fewer than two clips of a kind: then there is nothing to generalise from."""
    listeners = sorted({judgement.listener for judgement in judgements})
    clips = {
        kind: sorted({judgement.clip for judgement in judgements if judgement.is_human is kind})
        for kind in (True, False)
    }
    if len(listeners) < 2 or any(len(of_kind) < 2 for of_kind in clips.values()):
        return None
    values: list[float] = []
    for _ in range(resamples):
        listener_weight = _draw_weights(listeners, rng)
        clip_weight = _draw_weights(clips[True], rng) | _draw_weights(clips[False], rng)
        calls = _weighted_calls(
            (judgement, listener_weight.get(judgement.listener, 0) * clip_weight.get(judgement.clip, 0))
            for judgement in judgements
        )
        if calls.both_sides:
            values.append(statistic(calls))
    if not values:
        return None
    values.sort()
    tail = (1 - confidence) / 2
    return Interval(_quantile(values, tail), _quantile(values, 1 - tail))


def _draw_weights(items: Sequence[int], rng: random.Random) -> dict[int, int]:
    """How often each item comes up in len(items) draws with replacement."""
    weights: dict[int, int] = {}
    for item in rng.choices(items, k=len(items)):
        weights[item] = weights.get(item, 0) + 1
    return weights


def _weighted_calls(weighted: Iterable[tuple[Judgement, float]]) -> Calls:
    counts = {(is_human, called): 0.0 for is_human in (True, False) for called in (True, False)}
    for judgement, weight in weighted:
        counts[judgement.is_human, judgement.called_human] += weight
    return Calls(
        hits=counts[True, True],
        misses=counts[True, False],
        false_alarms=counts[False, True],
        correct_rejections=counts[False, False],
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value with at least `share` of the values at or below it."""
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def _z_rates(calls: Calls) -> tuple[float, float]:
    _check_both_sides(calls)
    hit_rate = (calls.hits + 0.5) / (calls.human + 1)
    false_alarm_rate = (calls.false_alarms + 0.5) / (calls.ai + 1)
    return _STANDARD_NORMAL.inv_cdf(hit_rate), _STANDARD_NORMAL.inv_cdf(false_alarm_rate)


def _check_counts(right: int, total: int) -> None:
    if not 0 <= right <= total:
        raise ValueError(f"{right} right of {total} is impossible")


def _check_both_sides(calls: Calls) -> None:
    if not calls.both_sides:
        raise ValueError("needs votes on human clips and on the model's")
