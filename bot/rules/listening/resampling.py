"""Intervals over new listeners AND new clips: votes of one person, or on one clip, are not independent of each other.

Source: Owen (2007), The pigeonhole bootstrap, Annals of Applied Statistics 1, 386-411.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.rules.listening.detection import Calls
from bot.rules.listening.intervals import CONFIDENCE, Interval, percentile_interval
from bot.rules.listening.judgements import Design, Judgement

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Counts:
    """What a (re)sample of votes comes to: the confusion matrix of the singles, and the pairs."""

    calls: Calls
    pairs_right: float = 0.0
    pairs: float = 0.0


Statistic = Callable[[Counts], float]
"""Raises ValueError where the counts say nothing of it."""


def counted(judgements: Sequence[Judgement]) -> Counts:
    return _counts(_tally(judgements, [1] * len(judgements)))


def bootstrap_intervals(
    judgements: Sequence[Judgement],
    statistics: Mapping[str, Statistic],
    rng: random.Random,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> dict[str, Interval]:
    """A percentile interval of each statistic (pigeonhole bootstrap, Owen 2007), all from the same resamples.

    Listeners and clips are each drawn with replacement, clips within their own kind (pairs, human singles, the model's
    singles); a judgement weighs as often as its listener times as often as its clip was drawn. Somewhat wide rather
    than too narrow. Left out are statistics that no resample says anything of; and there is none at all with fewer than
    two listeners, or fewer than two clips of a kind that was heard: then there is nothing to generalise from."""
    listeners = sorted({judgement.listener for judgement in judgements})
    kinds: dict[tuple[Design, bool], dict[int, int]] = {}
    place_of_listener = {listener: place for place, listener in enumerate(listeners)}
    cells: list[tuple[int, int]] = []
    clips = 0
    for judgement in judgements:
        of_kind = kinds.setdefault(_kind(judgement), {})
        if judgement.clip not in of_kind:
            of_kind[judgement.clip] = clips
            clips += 1
        cells.append((place_of_listener[judgement.listener], of_kind[judgement.clip]))
    if len(listeners) < 2 or not kinds or any(len(of_kind) < 2 for of_kind in kinds.values()):
        return {}
    everybody = range(len(listeners))
    strata = [list(of_kind.values()) for of_kind in kinds.values()]
    values: dict[str, list[float]] = {name: [] for name in statistics}
    for _ in range(resamples):
        listener_weight = _weights(everybody, len(listeners), rng)
        clip_weight = [0] * clips
        for stratum in strata:
            for drawn in rng.choices(stratum, k=len(stratum)):
                clip_weight[drawn] += 1
        weights = [listener_weight[listener] * clip_weight[clip] for listener, clip in cells]
        counts = _counts(_tally(judgements, weights))
        for name, statistic in statistics.items():
            try:
                values[name].append(statistic(counts))
            except ValueError:
                continue
    return {name: percentile_interval(found, confidence) for name, found in values.items() if found}


def _kind(judgement: Judgement) -> tuple[Design, bool]:
    """Pairs are of one kind, whichever side the human is on."""
    return judgement.design, judgement.is_human or judgement.design is Design.PAIR


def _weights(items: Sequence[int], size: int, rng: random.Random) -> list[int]:
    """How often each of 0 .. size-1 comes up in `size` draws with replacement."""
    weights = [0] * size
    for item in rng.choices(items, k=size):
        weights[item] += 1
    return weights


def _tally(judgements: Sequence[Judgement], weights: Sequence[int]) -> list[int]:
    """Hits, misses, false alarms, correct rejections, pairs wrong, pairs right."""
    counts = [0] * 6
    for judgement, weight in zip(judgements, weights, strict=True):
        if not weight:
            continue
        if judgement.design is Design.PAIR:
            counts[4 + judgement.right] += weight
        else:
            counts[(0 if judgement.is_human else 2) + (not judgement.called_human)] += weight
    return counts


def _counts(tally: Sequence[int]) -> Counts:
    return Counts(Calls(tally[0], tally[1], tally[2], tally[3]), pairs_right=tally[5], pairs=tally[4] + tally[5])
