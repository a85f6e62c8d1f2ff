"""Two versions of the model play the polls' clips beside each other; the votes say when the new one takes over.

Each version plays half of the trials. What counts is how often listeners take its clip for the human's. Votes on one
trial hang together, so a trial is one observation, the share of its votes that were fooled, and its version's true
share has a Beta posterior to which each trial adds that share (and the rest to the other side). A share varies no more
than a single coin would, so that posterior is never too narrow for votes that hang together.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

REPLACED_FROM = 0.95
"""Posterior probability that the candidate is the better one, from which it takes over."""
FEWEST_TRIALS = 12
"""Of each, before anybody takes over: a lucky start isn't enough."""
DRAWS = 20_000


@dataclass(frozen=True, slots=True)
class Runner:
    """One version in the race. `fooled`: for each of its trials the share of votes that took it for the human."""

    version: str
    fooled: tuple[float, ...]

    @property
    def trials(self) -> int:
        return len(self.fooled)

    @property
    def share(self) -> float:
        """Mean over its trials; 0 without one."""
        return sum(self.fooled) / len(self.fooled) if self.fooled else 0.0


@dataclass(frozen=True, slots=True)
class Race:
    """How it stands. `posterior`: the probability that the candidate fools listeners more often. `taken_over`: the
    champion came as the candidate, and the votes have made the two change places."""

    champion: Runner
    candidate: Runner
    posterior: float
    taken_over: bool = False

    @property
    def decided(self) -> bool:
        """The candidate takes over."""
        enough = min(self.champion.trials, self.candidate.trials) >= FEWEST_TRIALS
        return enough and self.posterior > REPLACED_FROM


def race(champion: Runner, candidate: Runner, rng: random.Random, *, taken_over: bool = False) -> Race:
    """Where it stands after these trials, from a uniform prior. `rng` draws from the two posteriors."""
    ahead = 0
    shapes = [(1 + sum(runner.fooled), 1 + runner.trials - sum(runner.fooled)) for runner in (champion, candidate)]
    for _ in range(DRAWS):
        ahead += rng.betavariate(*shapes[1]) > rng.betavariate(*shapes[0])
    return Race(champion, candidate, ahead / DRAWS, taken_over)


def who_plays(versions: Sequence[str], trials: int, seed: int) -> list[str]:
    """The version for each of so many trials: half of them each, in an order that chance decides; where one is left
    over, chance decides that too. Of one version, or none ("": the engine's own), all."""
    if len(versions) < 2:
        return [*versions, ""][:1] * trials
    rng = random.Random(seed)
    pair = rng.sample(list(versions[:2]), 2)
    drawn = [pair[n % 2] for n in range(trials)]
    rng.shuffle(drawn)
    return drawn
