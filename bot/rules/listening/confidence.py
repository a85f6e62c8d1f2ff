"""Stated confidence, 50 to 100 %: how far it can be trusted, and what it adds to a bare vote.

Sources:
    Brier (1950), Verification of forecasts expressed in terms of probability, Monthly Weather Review 78, 1-3.
    Macmillan & Creelman (2005), Detection Theory: A User's Guide, 2nd ed., chapter 3 (ROC from ratings).
    Mann & Whitney (1947), Annals of Mathematical Statistics 18, 50-60 (area under the curve).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.rules.listening.judgements import Judgement

LEVELS = (50, 60, 70, 80, 90, 100)
"""What a ballot offers, in percent."""
GUESSERS_BRIER = 0.25
"""Whoever always says 50 %."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of all votes that stated `confidence` percent, so many were right."""

    confidence: int
    right: int
    votes: int


def brier_score(judgements: Sequence[Judgement]) -> float | None:
    """Mean of (stated probability - outcome)^2: 0 is perfect, saying 50 % earns 0.25. None without confidences."""
    losses = [
        (judgement.confidence / 100 - judgement.right) ** 2
        for judgement in judgements
        if judgement.confidence is not None
    ]
    return sum(losses) / len(losses) if losses else None


def calibration(judgements: Sequence[Judgement]) -> list[Calibration]:
    """One row for each level that was stated. A well calibrated class is right in 80 % where it says 80 %."""
    rows = []
    for level in LEVELS:
        stated = [j for j in judgements if j.confidence is not None and _level(j.confidence) == level]
        if stated:
            rows.append(Calibration(level, sum(j.right for j in stated), len(stated)))
    return rows


def roc(judgements: Sequence[Judgement]) -> list[tuple[float, float]]:
    """Points (false alarm rate, hit rate) from the strictest criterion to the laxest, (0, 0) and (1, 1) included.

    The signal is "the human is here": in a single the clip, in a pair side A. Empty without both kinds."""
    rated = _rated(judgements)
    signals = sum(is_human for _, is_human in rated)
    noises = len(rated) - signals
    if not signals or not noises:
        return []
    points, hits, false_alarms = [(0.0, 0.0)], 0, 0
    for level in sorted({rating for rating, _ in rated}, reverse=True):
        hits += sum(is_human for rating, is_human in rated if rating == level)
        false_alarms += sum(not is_human for rating, is_human in rated if rating == level)
        points.append((false_alarms / noises, hits / signals))
    return points


def area_under_roc(judgements: Sequence[Judgement]) -> float | None:
    """0.5: guessing; 1: every human clip was rated above every one of the model's. None without both kinds."""
    points = roc(judgements)
    if not points:
        return None
    return sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(points))


def _level(confidence: int) -> int:
    return min(LEVELS, key=lambda level: abs(level - confidence))


def _rated(judgements: Sequence[Judgement]) -> list[tuple[int, bool]]:
    """P(human) as stated, in percent, and whether it was one."""
    return [
        (j.confidence if j.called_human else 100 - j.confidence, j.is_human)
        for j in judgements
        if j.confidence is not None
    ]
