"""Brier score, calibration and ROC, against cases that can be worked out by hand."""

from __future__ import annotations

import random

import pytest

from bot.rules.listening.confidence import area_under_roc, brier_score, calibration, roc
from bot.rules.listening.judgements import Design, Judgement


def said(is_human: bool, called_human: bool, confidence: int | None) -> Judgement:
    return Judgement(1, 1, 1, Design.SINGLE, is_human, called_human, confidence=confidence)


def test_the_brier_score_of_three_votes() -> None:
    votes = [said(True, True, 100), said(True, False, 80), said(False, False, 50), said(True, True, None)]
    assert brier_score(votes) == pytest.approx((0 + 0.64 + 0.25) / 3)
    assert brier_score(votes[3:]) is None


def test_always_saying_fifty_percent_earns_a_quarter() -> None:
    assert brier_score([said(True, True, 50), said(False, True, 50)]) == 0.25


def test_calibration_counts_how_often_each_level_was_right() -> None:
    rows = calibration([said(True, True, 80), said(True, False, 80), said(False, False, 60), said(True, True, None)])
    assert [(row.confidence, row.right, row.votes) for row in rows] == [(60, 1, 1), (80, 1, 2)]


def test_the_roc_of_four_votes() -> None:
    """P(human) as stated: humans 90 and 40, the model's 60 and 20: three of four pairs in the right order."""
    votes = [said(True, True, 90), said(True, False, 60), said(False, True, 60), said(False, False, 80)]
    assert roc(votes) == [(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)]
    assert area_under_roc(votes) == 0.75


def test_the_area_agrees_with_counting_pairs() -> None:
    rng = random.Random(1)
    votes = [said(rng.random() < 0.5, rng.random() < 0.5, rng.choice((50, 60, 70, 80, 90, 100))) for _ in range(60)]
    rated = [(v.confidence if v.called_human else 100 - v.confidence, v.is_human) for v in votes]
    pairs = [(h > m) + 0.5 * (h == m) for h, human in rated if human for m, other in rated if not other]
    assert area_under_roc(votes) == pytest.approx(sum(pairs) / len(pairs))


def test_one_kind_alone_has_no_roc() -> None:
    assert roc([said(True, True, 80)]) == []
    assert area_under_roc([]) is None
