"""A verdict that may be read every day: simulated classes whose votes hang together, watched from the start."""

from __future__ import annotations

import random
from itertools import pairwise
from statistics import mean

import pytest

from bot.rules.listening.confidence_sequence import ALPHA, confidence_sequence, most_capital
from bot.rules.listening.judgements import TrialScore
from bot.rules.listening.verdict import Word, verdict, votes_to_go, word_of
from tests.bot.rules.listening.votes import a_class, a_trial

CLASSES = 2000
DAYS = 30
TRIALS_A_DAY = 2


def watched_classes(accuracy: float, seed: int, clip_spread: float = 0.15) -> list[tuple[float, list[TrialScore]]]:
    """2,000 classes with the true accuracy of each, and all that it votes on in a month."""
    rng = random.Random(seed)
    classes = []
    for _ in range(CLASSES):
        ears = a_class(rng, accuracy, listeners=8)
        scores = [a_trial(rng, ears, clip_spread, number) for number in range(DAYS * TRIALS_A_DAY)]
        classes.append((mean(ears), scores))
    return classes


@pytest.mark.parametrize("accuracy", [0.5, 0.65])
def test_over_a_month_of_daily_looks_the_truth_is_excluded_in_at_most_5_percent(accuracy: float) -> None:
    """Ears that come back, clips that lean, and whoever is there votes: the interval holds at all 60 looks together."""
    wrong = mean(most_capital(scores, truth) >= 1 / ALPHA for truth, scores in watched_classes(accuracy, seed=3))
    assert wrong <= 0.05


def test_a_z_test_read_daily_is_wrong_far_more_often() -> None:
    """The same classes, each vote taken for a fresh draw, and the reader stops as soon as it is significant."""

    def is_ever_significant(truth: float, scores: list[TrialScore]) -> bool:
        right = votes = 0
        for number, score in enumerate(scores, start=1):
            right, votes = right + score.right, votes + score.votes
            if number % TRIALS_A_DAY == 0 and abs(right - truth * votes) > 1.96 * (votes * truth * (1 - truth)) ** 0.5:
                return True
        return False

    assert mean(is_ever_significant(*watched) for watched in watched_classes(0.5, seed=3)) > 0.25


def test_where_nobody_can_tell_hardly_any_class_is_ever_told_that_it_can() -> None:
    """Everybody guesses, but all follow the same lean: right or wrong together, which is the worst for a formula."""
    rng = random.Random(5)
    said = []
    for _ in range(CLASSES):
        scores = [a_trial(rng, [0.5] * 8, 0.35, number) for number in range(60)]
        said.append(word_of(scores) is Word.CAN_TELL)
    assert mean(said) <= 0.05


def test_the_interval_holds_what_the_capital_does_not_exclude() -> None:
    rng = random.Random(1)
    scores = [a_trial(rng, [0.7] * 20, 0.1, number) for number in range(30)]
    interval = confidence_sequence(scores)
    assert 0 < interval.low < 0.7 < interval.high < 1
    for inside in (interval.low + 1e-6, 0.7, interval.high - 1e-6):
        assert most_capital(scores, inside) < 1 / ALPHA
    for outside in (interval.low - 1e-6, interval.high + 1e-6):
        assert most_capital(scores, outside) >= 1 / ALPHA


def test_the_interval_only_narrows() -> None:
    rng = random.Random(2)
    scores = [a_trial(rng, [0.55] * 12, 0.1, number) for number in range(40)]
    intervals = [confidence_sequence(scores[:count]) for count in range(len(scores) + 1)]
    assert (intervals[0].low, intervals[0].high) == (0.0, 1.0)
    for earlier, later in pairwise(intervals):
        assert later.low >= earlier.low - 1e-8
        assert later.high <= earlier.high + 1e-8


@pytest.mark.parametrize(("accuracy", "word"), [(0.5, Word.CANT_TELL), (0.75, Word.CAN_TELL), (0.25, Word.CAN_TELL)])
def test_with_enough_trials_the_verdict_is_right(accuracy: float, word: Word) -> None:
    """A class that is wrong nearly always tells them apart, too."""
    rng = random.Random(4)
    scores = [a_trial(rng, [accuracy] * 20, 0.1, number) for number in range(90)]
    found = verdict(scores)
    assert found.word is word
    assert found.more_votes == 0


def test_a_few_votes_at_chance_do_not_show_that_nobody_can_tell() -> None:
    found = verdict([TrialScore(1, 10, 20), TrialScore(2, 10, 20)])
    assert found.word is Word.TOO_EARLY
    assert found.more_votes is not None
    assert 200 < found.more_votes < 2000


def test_what_is_missing_shrinks_as_votes_come_in_and_is_about_right() -> None:
    rng = random.Random(6)
    scores = [a_trial(rng, [0.8] * 20, 0.1, number) for number in range(60)]
    missing = [votes_to_go(scores[:count]) for count in (2, 8)]
    assert None not in missing
    assert missing[1] < missing[0]
    enough = next(count for count in range(60) if word_of(scores[:count]) is not Word.TOO_EARLY)
    per_trial = mean(score.votes for score in scores)
    assert missing[1] / per_trial + 8 == pytest.approx(enough, abs=6)


def test_the_margin_decides_what_counts_as_not_telling() -> None:
    rng = random.Random(8)
    scores = [a_trial(rng, [0.5] * 20, 0.1, number) for number in range(60)]
    assert word_of(scores, margin=0.60) is Word.CANT_TELL
    assert word_of(scores, margin=0.51) is Word.TOO_EARLY


def test_an_accuracy_that_drifts_far_leaves_no_narrow_interval() -> None:
    scores = [TrialScore(number, 19 if number < 30 else 1, 20) for number in range(60)]
    assert confidence_sequence(scores).low == 0.0
