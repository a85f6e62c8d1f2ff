"""The figures of a listening test, against values worked out elsewhere and against their own promises."""

from __future__ import annotations

import math
import random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.listening import (
    Calls,
    Interval,
    Judgement,
    at_most,
    balanced_accuracy,
    bootstrap_interval,
    cannot_tell,
    count_calls,
    criterion,
    d_prime,
    human_call_ratio,
    wilson_interval,
)

counts = st.integers(0, 400).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_agrees_with_published_values(right: int, total: int, low: float, high: float) -> None:
    interval = wilson_interval(right, total)
    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


@given(counts)
def test_an_interval_holds_the_share_it_is_about_and_stays_within_0_and_1(pair: tuple[int, int]) -> None:
    right, total = pair
    interval = wilson_interval(right, total)
    assert 0 <= interval.low <= interval.high <= 1
    if total:
        assert interval.low - 1e-12 <= right / total <= interval.high + 1e-12


@given(counts)
def test_right_and_wrong_are_mirror_images(pair: tuple[int, int]) -> None:
    right, total = pair
    interval, mirrored = wilson_interval(right, total), wilson_interval(total - right, total)
    assert interval.low == pytest.approx(1 - mirrored.high, abs=1e-12)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.64])
def test_the_95_percent_interval_covers_about_95_percent(share: float) -> None:
    """Exactly: the probability of all outcomes of 60 votes whose interval holds the truth."""
    total = 60
    coverage = sum(
        math.comb(total, right) * share**right * (1 - share) ** (total - right)
        for right in range(total + 1)
        if share in wilson_interval(right, total)
    )
    assert 0.93 <= coverage <= 0.97


@pytest.mark.parametrize(("total", "most"), [(100, 51), (200, 108), (300, 165)])
def test_cant_tell_needs_the_evidence_of_an_equivalence_test(total: int, most: int) -> None:
    assert cannot_tell(most, total)
    assert not cannot_tell(most + 1, total)


def test_a_few_votes_at_chance_do_not_show_that_nobody_can_tell() -> None:
    assert not cannot_tell(5, 10)
    assert not cannot_tell(0, 0)


@given(st.integers(0, 60), st.floats(0.01, 0.99))
def test_the_binomial_tail_agrees_with_its_definition(right: int, share: float) -> None:
    total = 60
    exact = sum(math.comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(right + 1))
    assert at_most(right, total, share) == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize(("right", "total"), [(-1, 5), (6, 5)])
def test_impossible_counts_are_an_error(right: int, total: int) -> None:
    with pytest.raises(ValueError, match="impossible"):
        wilson_interval(right, total)


def test_d_prime_and_criterion_agree_with_a_textbook_case() -> None:
    """20 of 25 hits, 10 of 25 false alarms: uncorrected d' = 0.84 - (-0.25) = 1.09 (Macmillan & Creelman, ch. 1)."""
    calls = Calls(hits=20, misses=5, false_alarms=10, correct_rejections=15)
    assert d_prime(calls) == pytest.approx(1.09, abs=0.06)  # the correction pulls it in a little
    assert d_prime(calls) < 1.0949
    assert criterion(calls) == pytest.approx(-0.294, abs=0.02)


def test_saying_human_to_everything_is_bias_and_not_skill() -> None:
    calls = Calls(hits=30, misses=0, false_alarms=30, correct_rejections=0)
    assert balanced_accuracy(calls) == 0.5
    assert d_prime(calls) == 0
    assert criterion(calls) < -1.5
    assert human_call_ratio(calls) == 1


def test_a_habit_of_saying_human_earns_no_balanced_accuracy() -> None:
    assert balanced_accuracy(Calls(hits=90, misses=0, false_alarms=10, correct_rejections=0)) == 0.5


def test_a_perfect_ear_has_a_finite_d_prime() -> None:
    assert math.isfinite(d_prime(Calls(hits=8, misses=0, false_alarms=0, correct_rejections=8)))


def test_a_model_that_passes_more_often_than_people_has_a_ratio_above_one() -> None:
    assert human_call_ratio(Calls(hits=5, misses=5, false_alarms=6, correct_rejections=4)) == pytest.approx(1.2)
    assert human_call_ratio(Calls(misses=3, false_alarms=1, correct_rejections=1)) == math.inf


@pytest.mark.parametrize("figure", [balanced_accuracy, human_call_ratio, d_prime, criterion])
def test_one_kind_of_clip_alone_gives_no_figure(figure) -> None:
    with pytest.raises(ValueError, match="needs votes"):
        figure(Calls(hits=3, misses=2))


def _listeners(rng: random.Random, listeners: int, clips: int, spread: float) -> list[Judgement]:
    """Guessing listeners; every clip has its own lean of +-`spread` towards being called human."""
    found = []
    for clip in range(clips):
        lean = 0.5 + rng.choice((-spread, spread))
        found += [Judgement(listener, clip, clip % 2 == 0, rng.random() < lean) for listener in range(listeners)]
    return found


def test_the_bootstrap_covers_the_truth_where_clips_differ() -> None:
    """Votes on one clip hang together. Over 60 made-up classes the interval holds the truth in at least 85 %."""
    rng = random.Random(7)
    held = []
    for _ in range(60):
        interval = bootstrap_interval(_listeners(rng, 12, 16, 0.3), balanced_accuracy, rng, resamples=200)
        assert interval is not None
        held.append(0.5 in interval)
    assert mean(held) >= 0.85


def test_treating_those_votes_as_independent_would_be_far_too_sure() -> None:
    rng = random.Random(7)
    held = []
    for _ in range(60):
        calls = count_calls(_listeners(rng, 12, 16, 0.3))
        held.append(0.5 in wilson_interval(int(calls.hits + calls.correct_rejections), int(calls.total)))
    assert mean(held) < 0.75


def test_one_listener_or_one_clip_of_a_kind_is_nothing_to_generalise_from() -> None:
    rng = random.Random(0)
    one_listener = [Judgement(1, clip, clip % 2 == 0, True) for clip in range(8)]
    one_clip = [Judgement(listener, clip, clip == 0, True) for listener in range(8) for clip in range(3)]
    assert bootstrap_interval(one_listener, balanced_accuracy, rng) is None
    assert bootstrap_interval(one_clip, balanced_accuracy, rng) is None


def test_the_same_randomness_gives_the_same_interval() -> None:
    judgements = _listeners(random.Random(3), 6, 8, 0.1)
    intervals = {bootstrap_interval(judgements, balanced_accuracy, random.Random(5), resamples=50) for _ in range(3)}
    assert len(intervals) == 1
    assert isinstance(intervals.pop(), Interval)
