"""Wilson's interval, against published values and against its own promise."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.listening.intervals import wilson_interval

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


@pytest.mark.parametrize(("right", "total"), [(-1, 5), (6, 5)])
def test_impossible_counts_are_an_error(right: int, total: int) -> None:
    with pytest.raises(ValueError, match="impossible"):
        wilson_interval(right, total)
