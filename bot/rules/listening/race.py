"""The race of the model's versions: how sure is it that the newer one is taken for a human more often?"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from bot.rules.listening.judgements import Design, Judgement

DRAWS = 4000
FEWEST_TRIALS = 3
"""Of each version; with fewer there's nothing to draw from."""
DECIDED = 0.95


@dataclass(frozen=True, slots=True)
class Race:
    """The newest version against the one before it. `ahead`: the posterior probability that listeners are right less
    often about the newest; None while there are too few trials."""

    newest: str
    before: str
    ahead: float | None
    trials: tuple[int, int]
    """of the newest, of the one before"""


def race(judgements: Sequence[Judgement]) -> Race | None:
    """Between the two latest versions; None where there is one only.

    The posterior is the Bayesian bootstrap over trials (Rubin 1981, Annals of Statistics 9, 130-134): a trial's
    weight is exponential, and all its votes share it, because everybody hears the same clip. Human clips by themselves
    say nothing about the model, so single trials with a human's clip are left out."""
    heard = [j for j in judgements if j.design is Design.PAIR or not j.is_human]
    trials: dict[str, dict[int, list[int]]] = {}
    for judgement in sorted(heard, key=lambda j: j.closed_at):
        count = trials.setdefault(judgement.model_version, {}).setdefault(judgement.trial, [0, 0])
        count[0] += judgement.right
        count[1] += 1
    if len(trials) < 2:
        return None
    before, newest = list(trials)[-2:]
    old, new = list(trials[before].values()), list(trials[newest].values())
    ahead = None
    if min(len(old), len(new)) >= FEWEST_TRIALS:
        draw = random.Random(0)
        ahead = sum(_share(new, draw) < _share(old, draw) for _ in range(DRAWS)) / DRAWS
    return Race(newest, before, ahead, (len(new), len(old)))


def _share(trials: Sequence[Sequence[int]], draw: random.Random) -> float:
    """A draw from the posterior of the share right."""
    weights = [draw.expovariate(1.0) for _ in trials]
    right = sum(weight * trial[0] for weight, trial in zip(weights, trials, strict=True))
    return right / sum(weight * trial[1] for weight, trial in zip(weights, trials, strict=True))
