"""Signal detection: skill and habit told apart.

With "human" as the signal, a hit is a human clip called human, a false alarm a model's clip called human. In a pair
(two-alternative forced choice) no habit of saying "human" can help, and d' = sqrt(2) z(share right).

Sources:
    Macmillan & Creelman (2005), Detection Theory: A User's Guide, 2nd ed., chapters 1, 2 and 7.
    Hautus (1995), Corrections for extreme proportions ..., Behavior Research Methods 27, 46-51.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bot.rules.listening.intervals import STANDARD_NORMAL
from bot.rules.listening.judgements import Design, Judgement


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


def count_calls(judgements: Iterable[Judgement]) -> Calls:
    """The confusion matrix of the single trials among the judgements."""
    counts = {(is_human, called): 0 for is_human in (True, False) for called in (True, False)}
    for judgement in judgements:
        if judgement.design is Design.SINGLE:
            counts[judgement.is_human, judgement.called_human] += 1
    return Calls(
        hits=counts[True, True],
        misses=counts[True, False],
        false_alarms=counts[False, True],
        correct_rejections=counts[False, False],
    )


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


def pair_d_prime(right: float, total: float) -> float:
    """Sensitivity from pairs: d' = sqrt(2) z(share right) (Macmillan & Creelman 2005, equation 7.2).

    The share is (right + 0.5) / (total + 1), so that 0 and 1 stay finite. Raises ValueError without votes."""
    if total <= 0:
        raise ValueError("no votes")
    return math.sqrt(2) * STANDARD_NORMAL.inv_cdf((right + 0.5) / (total + 1))


def criterion(calls: Calls) -> float:
    """Response bias c = -(z(hit rate) + z(false alarm rate)) / 2; negative: leans to "human" whatever is played.

    Same correction as `d_prime`. Raises ValueError unless both kinds were judged."""
    hit_z, false_alarm_z = _z_rates(calls)
    return -(hit_z + false_alarm_z) / 2


def _z_rates(calls: Calls) -> tuple[float, float]:
    _check_both_sides(calls)
    hit_rate = (calls.hits + 0.5) / (calls.human + 1)
    false_alarm_rate = (calls.false_alarms + 0.5) / (calls.ai + 1)
    return STANDARD_NORMAL.inv_cdf(hit_rate), STANDARD_NORMAL.inv_cdf(false_alarm_rate)


def _check_both_sides(calls: Calls) -> None:
    if not calls.both_sides:
        raise ValueError("needs votes on human clips and on the model's")
