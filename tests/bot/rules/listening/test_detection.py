"""Signal detection, against values worked out elsewhere."""

from __future__ import annotations

import math

import pytest

from bot.rules.listening.detection import (
    Calls,
    balanced_accuracy,
    criterion,
    d_prime,
    human_call_ratio,
    pair_d_prime,
)


def test_d_prime_and_criterion_agree_with_a_textbook_case() -> None:
    """20 of 25 hits, 10 of 25 false alarms: uncorrected d' = 0.84 - (-0.25) = 1.09 (Macmillan & Creelman, ch. 1)."""
    calls = Calls(hits=20, misses=5, false_alarms=10, correct_rejections=15)
    assert d_prime(calls) == pytest.approx(1.09, abs=0.06)  # the correction pulls it in a little
    assert d_prime(calls) < 1.0949
    assert criterion(calls) == pytest.approx(-0.294, abs=0.02)


@pytest.mark.parametrize(
    ("share", "expected"),
    # Hacker & Ratcliff (1979), Perception & Psychophysics 26, 168-170, table 1, M = 2
    [(0.5, 0.0), (0.60, 0.36), (0.76, 1.00), (0.90, 1.81)],
)
def test_d_prime_of_pairs_agrees_with_the_published_table(share: float, expected: float) -> None:
    many = 100_000  # so that the correction vanishes
    assert pair_d_prime(share * many, many) == pytest.approx(expected, abs=0.006)


def test_the_same_ear_has_the_same_d_prime_in_pairs_and_in_singles() -> None:
    """d' = 1: without bias 69.1 % of singles and 76.0 % of pairs are right."""
    many = 100_000
    singles = Calls(0.6915 * many, 0.3085 * many, 0.3085 * many, 0.6915 * many)
    assert d_prime(singles) == pytest.approx(pair_d_prime(0.7602 * many, many), abs=0.005)


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
    assert math.isfinite(pair_d_prime(8, 8))


def test_a_model_that_passes_more_often_than_people_has_a_ratio_above_one() -> None:
    assert human_call_ratio(Calls(hits=5, misses=5, false_alarms=6, correct_rejections=4)) == pytest.approx(1.2)
    assert human_call_ratio(Calls(misses=3, false_alarms=1, correct_rejections=1)) == math.inf


@pytest.mark.parametrize("figure", [balanced_accuracy, human_call_ratio, d_prime, criterion])
def test_one_kind_of_clip_alone_gives_no_figure(figure) -> None:
    with pytest.raises(ValueError, match="needs votes"):
        figure(Calls(hits=3, misses=2))
    with pytest.raises(ValueError, match="no votes"):
        pair_d_prime(0, 0)
