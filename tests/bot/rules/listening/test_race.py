"""The race of the model's versions: sure only when the trials say so, and about the model alone."""

from __future__ import annotations

import random

from bot.rules.listening.judgements import Design, Judgement, Reason, clip_results
from bot.rules.listening.race import DECIDED, race


def votes(version: str, right: list[int], of: int, *, first_trial: int, closed_at: float, human: bool | None = None):
    """Pairs (or, with `human`, singles), with so many right of `of` votes on each trial."""
    design = Design.PAIR if human is None else Design.SINGLE
    return [
        Judgement(
            n, first_trial + t, t, design, human is not False, (n < count) is (human is not False),
            model_version=version, closed_at=closed_at,
        )
        for t, count in enumerate(right)
        for n in range(of)
    ]  # fmt: skip


def test_one_version_runs_no_race():
    assert race([]) is None
    assert race(votes("a", [5, 5, 5], 10, first_trial=1, closed_at=1.0)) is None


def test_a_clearly_better_version_is_ahead_and_the_other_way_round():
    old = votes("old", [9, 8, 9, 10, 8, 9], 10, first_trial=1, closed_at=1.0)
    new = votes("new", [5, 4, 6, 5, 5, 4], 10, first_trial=10, closed_at=2.0)
    found = race(new + old)
    assert (found.newest, found.before, found.trials) == ("new", "old", (6, 6))
    assert found.ahead > DECIDED
    turned = race(
        [
            *votes("new", [9] * 6, 10, first_trial=10, closed_at=2.0),
            *votes("old", [5, 4, 6, 5, 5, 4], 10, first_trial=1, closed_at=1.0),
        ]
    )
    assert turned.ahead < 1 - DECIDED


def test_many_votes_on_two_clips_decide_nothing():
    """Everybody hears the same clip: a hundred votes on it are one trial."""
    old = votes("old", [90, 40], 100, first_trial=1, closed_at=1.0)
    new = votes("new", [50, 30], 100, first_trial=10, closed_at=2.0)
    assert race(old + new).ahead is None


def test_humans_by_themselves_say_nothing_about_the_model():
    model = [
        *votes("old", [5] * 4, 10, first_trial=1, closed_at=1.0),
        *votes("new", [5] * 4, 10, first_trial=10, closed_at=2.0),
    ]
    human = votes("new", [10] * 4, 10, first_trial=20, closed_at=2.0, human=True)
    assert race(model + human) == race(model)


def test_equal_versions_are_rarely_called_decided():
    """A null run: the same ears, the same model, other clips."""
    rng, decided = random.Random(5), 0
    for _ in range(60):
        old, new = (
            [sum(rng.random() < lean for _ in range(15)) for lean in (rng.uniform(0.35, 0.85) for _ in range(12))]
            for _ in "ab"
        )
        ahead = race(
            votes("old", old, 15, first_trial=1, closed_at=1.0) + votes("new", new, 15, first_trial=50, closed_at=2.0)
        ).ahead
        decided += ahead > DECIDED
    assert decided <= 8  # 3 expected of 60; 9 or more come once in 250 runs


def test_clips_are_ordered_by_whom_they_fooled_with_what_the_others_went_by():
    fooling = votes("a", [1], 4, first_trial=1, closed_at=1.0)
    telling = [
        Judgement(n, 2, 2, Design.PAIR, True, True, reasons=(Reason.TIMING,) if n else (Reason.NOTES, Reason.TIMING))
        for n in range(4)
    ]
    first, second = clip_results([*telling, *fooling])
    assert (first.trial, first.fooled, first.votes, first.reasons) == (1, 3, 4, ())
    assert (second.trial, second.share) == (2, 0.0)
    assert second.reasons == ((Reason.TIMING, 4), (Reason.NOTES, 1))
