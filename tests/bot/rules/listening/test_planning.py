"""The plan of a series: a forecast that bears out."""

from __future__ import annotations

import random
from statistics import mean

from bot.rules.listening.planning import make_plan
from bot.rules.listening.verdict import Word, word_of
from tests.bot.rules.listening.votes import a_trial


def test_five_trials_decide_nothing_and_the_plan_says_so() -> None:
    plan = make_plan([], trials=5, voters=20, rng=random.Random(1))
    assert plan.reached_if_none_can == 0
    assert plan.reached_if_good < 0.2
    assert plan.votes_needed is not None
    assert plan.votes_needed > 5 * 20


def test_what_the_plan_asks_for_is_about_what_a_verdict_takes() -> None:
    plan = make_plan([], trials=12, voters=20, rng=random.Random(1))
    assert plan.votes_needed is not None
    rng = random.Random(2)
    trials = round(plan.votes_needed / 20 / 0.7)  # of this class seven in ten vote
    reached = mean(
        word_of([a_trial(rng, [0.5] * 20, 0.12, n) for n in range(trials)]) is Word.CANT_TELL for _ in range(60)
    )
    assert reached > 0.4


def test_evidence_of_earlier_series_counts() -> None:
    rng = random.Random(3)
    before = [a_trial(rng, [0.7] * 20, 0.1, number) for number in range(14)]
    assert (
        make_plan(before, 6, 20, random.Random(1)).reached_if_good
        > make_plan([], 6, 20, random.Random(1)).reached_if_good
    )


def test_a_plan_repeats_itself() -> None:
    assert make_plan([], 6, 15, random.Random(9)) == make_plan([], 6, 15, random.Random(9))
