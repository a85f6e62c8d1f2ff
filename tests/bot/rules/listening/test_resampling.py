"""The bootstrap over listeners and clips covers what it says, where a formula for independent votes does not."""

from __future__ import annotations

import random
from statistics import mean

from bot.rules.listening.detection import balanced_accuracy, count_calls
from bot.rules.listening.intervals import Interval, wilson_interval
from bot.rules.listening.judgements import Design, Judgement
from bot.rules.listening.resampling import bootstrap_intervals, counted
from tests.bot.rules.listening.votes import guessing_listeners

BALANCED = {"balanced": lambda counts: balanced_accuracy(counts.calls)}


def test_the_bootstrap_covers_the_truth_where_clips_differ() -> None:
    """Votes on one clip hang together. Over 60 made-up classes the interval holds the truth in at least 85 %."""
    rng = random.Random(7)
    held = []
    for _ in range(60):
        votes = guessing_listeners(rng, 12, 16, 0.3)
        held.append(0.5 in bootstrap_intervals(votes, BALANCED, rng, resamples=200)["balanced"])
    assert mean(held) >= 0.85


def test_treating_those_votes_as_independent_would_be_far_too_sure() -> None:
    rng = random.Random(7)
    held = []
    for _ in range(60):
        calls = count_calls(guessing_listeners(rng, 12, 16, 0.3))
        held.append(0.5 in wilson_interval(int(calls.hits + calls.correct_rejections), int(calls.total)))
    assert mean(held) < 0.75


def test_one_listener_or_one_clip_of_a_kind_is_nothing_to_generalise_from() -> None:
    rng = random.Random(0)
    one_listener = [Judgement(1, clip, clip, Design.SINGLE, clip % 2 == 0, True) for clip in range(8)]
    one_clip = [
        Judgement(listener, clip, clip, Design.SINGLE, clip == 0, True) for listener in range(8) for clip in range(3)
    ]
    one_pair = [Judgement(listener, 1, 1, Design.PAIR, True, True) for listener in range(8)]
    for judgements in (one_listener, one_clip, one_pair, []):
        assert bootstrap_intervals(judgements, BALANCED, rng) == {}


def test_a_figure_that_the_votes_say_nothing_of_has_no_interval() -> None:
    pairs = [Judgement(listener, pair, pair, Design.PAIR, True, True) for listener in range(4) for pair in range(4)]
    found = bootstrap_intervals(
        pairs, BALANCED | {"pairs": lambda counts: counts.pairs_right / counts.pairs}, random.Random(1), resamples=20
    )
    assert found == {"pairs": Interval(1.0, 1.0)}


def test_the_same_randomness_gives_the_same_interval() -> None:
    votes = guessing_listeners(random.Random(3), 6, 8, 0.1)
    intervals = {bootstrap_intervals(votes, BALANCED, random.Random(5), resamples=50)["balanced"] for _ in range(3)}
    assert len(intervals) == 1


def test_each_vote_is_counted_on_its_own_kind_of_trial() -> None:
    counts = counted(
        [
            Judgement(1, 1, 1, Design.PAIR, True, True),
            Judgement(1, 2, 2, Design.PAIR, False, True),
            Judgement(1, 3, 3, Design.SINGLE, True, False),
            Judgement(1, 4, 4, Design.SINGLE, False, True),
        ]
    )
    assert (counts.pairs_right, counts.pairs) == (1, 2)
    assert (counts.calls.misses, counts.calls.false_alarms, counts.calls.total) == (1, 1, 2)
