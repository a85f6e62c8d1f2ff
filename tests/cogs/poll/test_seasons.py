"""The model's versions: how each did, and the race of the two that play, in words that need no explanation."""

from __future__ import annotations

import random

import pytest

from bot.rules.model_race import FEWEST_TRIALS, Runner, race
from cogs.poll.results import race_text

EARLY = (
    "The new version `new` plays beside the old one, `old`. It's too early to say which is ahead: 1 trial of the new "
    "version and 3 of the old one so far, and each needs 12."
)
OPEN = (
    "The new version `new` plays beside the old one, `old`. In 12 trials of the new version and 14 of the old one, it "
    "passed for the human with 60 % of its listeners, the old one with 50 %."
)
OVER = (
    "The new version `new` has taken over from the old one, `old`: it passed for the human with 100 % of its "
    "listeners, the old one with 0 %, in 12 trials of the new version and 12 of the old one."
)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ((0.5,) * 3, (0.5,), EARLY),
        ((0.5,) * 14, (0.6,) * FEWEST_TRIALS, OPEN),
        ((0.0,) * FEWEST_TRIALS, (1.0,) * FEWEST_TRIALS, OVER),
    ],
)
def test_the_race_says_which_version_it_speaks_of(old: tuple[float, ...], new: tuple[float, ...], told: str) -> None:
    assert race_text(race(Runner("old", old), Runner("new", new), random.Random(1))).startswith(told)


def test_once_the_new_version_has_taken_over_it_is_still_called_the_new_one() -> None:
    """The two have changed places by then: the newer one is the champion."""
    changed = race(Runner("new", (1.0,) * 12), Runner("old", (0.0,) * 12), random.Random(1), taken_over=True)
    assert race_text(changed) == OVER


def test_where_one_version_plays_there_is_no_race() -> None:
    assert race_text(None) == ""
