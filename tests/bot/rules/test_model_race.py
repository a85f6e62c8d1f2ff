"""Two versions of the model: each plays half, and the new one takes over when the votes say so."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bot.rules.model_race import FEWEST_TRIALS, Runner, race, who_plays


def shares(rng: random.Random, mean: float, trials: int, voters: int = 20) -> tuple[float, ...]:
    """Of made-up trials whose clips differ, so that the votes on one hang together."""
    found = []
    for _ in range(trials):
        clip = rng.betavariate(6 * mean, 6 * (1 - mean))
        found.append(sum(rng.random() < clip for _ in range(voters)) / voters)
    return tuple(found)


def test_each_plays_half_in_an_order_of_chance() -> None:
    for trials in (4, 12):
        assert Counter(who_plays(["old", "new"], trials, 7)) == {"old": trials // 2, "new": trials // 2}
    odd = Counter(who_plays(["old", "new"], 1, seed)[0] for seed in range(200))
    assert 70 < odd["old"] < 130
    orders = {tuple(who_plays(["old", "new"], 6, seed)) for seed in range(50)}
    assert len(orders) > 10


def test_without_a_candidate_the_engine_chooses() -> None:
    assert who_plays([], 3, 0) == [""] * 3
    assert who_plays(["only"], 2, 0) == ["only"] * 2


def test_a_version_that_fools_more_takes_over_and_one_that_fools_less_never() -> None:
    rng = random.Random(3)
    better = race(Runner("old", shares(rng, 0.3, 40)), Runner("new", shares(rng, 0.65, 40)), rng)
    assert better.decided
    worse = race(Runner("old", shares(rng, 0.65, 40)), Runner("new", shares(rng, 0.3, 40)), rng)
    assert not worse.decided
    assert worse.posterior < 0.05


def test_a_lucky_start_is_not_enough() -> None:
    few = FEWEST_TRIALS - 1
    assert not race(Runner("old", (0.0,) * few), Runner("new", (1.0,) * few), random.Random(0)).decided


@pytest.mark.parametrize("looks", [1, 8])
def test_equal_versions_seldom_change_places_even_when_somebody_looks_after_every_series(
    looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated classes with dependent votes: under 5 % change at one look, under 10 % at eight."""
    monkeypatch.setattr("bot.rules.model_race.DRAWS", 400)
    rng = random.Random(1)
    changed = 0
    for _ in range(200):
        old, new = (shares(rng, 0.4, 48) for _ in range(2))
        ends = [48] if looks == 1 else [6 * look for look in range(1, looks + 1)]
        changed += any(race(Runner("old", old[:end]), Runner("new", new[:end]), rng).decided for end in ends)
    assert changed <= (10 if looks == 1 else 20)
