"""Intervals of proportions.

Sources:
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212.
    Brown, Cai & DasGupta (2001), Interval estimation for a binomial proportion, Statistical Science 16, 101-133.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95
STANDARD_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval of a proportion, a ratio or a d'."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def wilson_interval(right: int, total: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval for the proportion `right / total` of independent votes.

    Stays inside [0, 1] and keeps close to its level also for few votes, where p +- 1.96 s does not (Brown, Cai &
    DasGupta 2001). Without votes it is [0, 1]. Raises ValueError unless 0 <= right <= total."""
    if not 0 <= right <= total:
        raise ValueError(f"{right} right of {total} is impossible")
    if total == 0:
        return Interval(0.0, 1.0)
    z = STANDARD_NORMAL.inv_cdf(0.5 + confidence / 2)
    share = right / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    # at the ends the formula is exact on paper and misses by a rounding error here
    low = 0.0 if right == 0 else centre - half
    high = 1.0 if right == total else centre + half
    return Interval(low, high)


def percentile_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """The middle `confidence` of a bootstrap's values. Raises ValueError without values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    tail = (1 - confidence) / 2
    return Interval(quantile(ordered, tail), quantile(ordered, 1 - tail))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value with at least `share` of the values at or below it."""
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]
