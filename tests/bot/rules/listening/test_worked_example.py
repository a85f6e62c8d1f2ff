"""docs/club.md takes a student through an example. Each of its numbers is computed anew, and has to stand there."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bot.rules.listening.confidence_sequence import most_capital
from bot.rules.listening.detection import (
    Calls,
    balanced_accuracy,
    criterion,
    d_prime,
    human_call_ratio,
    pair_d_prime,
)
from bot.rules.listening.intervals import Interval, wilson_interval
from bot.rules.listening.judgements import Design, Judgement, TrialScore
from bot.rules.listening.planning import make_plan
from bot.rules.listening.summary import best_ears
from bot.rules.listening.verdict import MARGIN, Word, verdict

RIGHT = (13, 8, 12, 12, 17, 14, 15, 12, 13, 12, 15, 11, 14, 13, 12, 16, 10, 13, 14, 12)
TRIALS = [TrialScore(number, right, 20) for number, right in enumerate(RIGHT)]
CALLS = Calls(hits=30, misses=10, false_alarms=22, correct_rejections=18)


@pytest.fixture(scope="module")
def page() -> str:
    """The section, in one line, as it is read."""
    text = (Path(__file__).resolve().parents[4] / "docs/club.md").read_text(encoding="utf-8")
    section = text.split("## The figures, and what they're worth")[1].split("\n## ")[0]
    return " ".join(section.split())


def reach(interval: Interval) -> str:
    return f"{100 * interval.low:.0f} to {100 * interval.high:.0f} %"


def minus(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def test_the_five_pairs_are_those_that_are_told(page: str) -> None:
    five = RIGHT[:5]
    assert f"Right are {', '.join(map(str, five[:-1]))} and {five[-1]} of 20" in page
    assert f"together {sum(five)} of 100 votes, so {sum(five)} %" in page
    assert f"the 95 % interval would reach from {reach(wilson_interval(sum(five), 100))} (Wilson" in page


def test_the_verdict_comes_too_early_after_five_pairs_and_after_twenty_the_class_can_tell(page: str) -> None:
    early, late = verdict(TRIALS[:5]), verdict(TRIALS)
    assert (early.word, late.word) == (Word.TOO_EARLY, Word.CAN_TELL)
    assert f"lies within {100 * (1 - MARGIN):.0f} to {100 * MARGIN:.0f} %" in page
    assert f"the interval reaches from {reach(early.interval)}" in page
    assert f"about {early.more_votes} more votes are needed" in page
    assert f"{sum(RIGHT)} of {20 * len(RIGHT)} right in all, narrow it to {reach(late.interval)}." in page


def test_the_gamblers_coin_is_worth_twenty_after_the_sixteenth_pair(page: str) -> None:
    coins = [most_capital(TRIALS[:n], 0.5) for n in range(1, 21)]
    assert f"at most {coins[4]:.2f} coins, after fifteen {coins[14]:.2f}, after the sixteenth {coins[15]:.2f}" in page
    assert coins[14] < 20 <= coins[15]


def test_skill_and_habit_are_told_apart_as_the_page_says(page: str) -> None:
    assert f"H = {CALLS.hits / CALLS.human:.2f}" in page
    assert f"F = {CALLS.false_alarms / CALLS.ai:.2f}" in page
    assert f"1 − 0.55: {100 * balanced_accuracy(CALLS):.0f} %" in page
    assert f"z(H) − z(F) = {d_prime(CALLS):.2f}" in page
    assert f"(z(H) + z(F)) / 2 = {minus(criterion(CALLS))}" in page
    assert f"F / H = {human_call_ratio(CALLS):.2f}" in page
    assert f"√2 × z(0.62) = {pair_d_prime(62, 100):.2f}" in page
    assert d_prime(Calls(6900, 3100, 3100, 6900)) == pytest.approx(1, abs=0.02), "69 % in singles"
    assert pair_d_prime(7600, 10000) == pytest.approx(1, abs=0.02), "76 % in pairs"


def test_the_board_ranks_the_two_ears_as_the_page_says(page: str) -> None:
    def votes(listener: int, right: int, wrong: int) -> list[Judgement]:
        return [
            Judgement(listener, n, n, Design.PAIR, is_human=True, called_human=n < right) for n in range(right + wrong)
        ]

    # the rest of the class makes its accuracy that of the example: 62 % of 1,000 votes
    found = best_ears([*votes(1, 9, 1), *votes(2, 40, 8), *votes(3, 571, 371)], [1, 2])
    assert [ear.listener for ear in found] == [2, 1]
    first, second = found
    told = f"9 of 10 right count as {100 * second.shrunken:.0f} %, and 40 of 48 as {100 * first.shrunken:.0f} %"
    assert told in page


def test_five_pairs_never_reach_a_verdict_and_the_page_says_what_does(page: str) -> None:
    plan = make_plan([], 5, 20, random.Random(1))
    assert (plan.reached_if_none_can, plan.reached_if_good) == (0.0, 0.0)
    assert f"that takes about {plan.votes_needed} votes" in page
