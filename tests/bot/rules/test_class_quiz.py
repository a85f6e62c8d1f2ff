"""The class quiz's rules: phases in order, a clock that stops, and points that speed alone can't win."""

import pytest

from bot.errors import Refused
from bot.rules import class_quiz as rules
from bot.rules.class_quiz import Distribution, Given, Guess, Phase, Plan

PLAN = Plan(rounds=2, seconds=60, second_vote=True)


def walk(plan):
    standing, seen = rules.begin(plan, 0.0), []
    while standing is not None:
        seen.append((standing.position, standing.phase))
        standing = rules.advance(plan, standing, standing.ends_at)
    return seen


def test_a_second_vote_comes_after_a_discussion_and_before_the_answer():
    assert walk(PLAN) == [
        (position, phase)
        for position in (0, 1)
        for phase in (Phase.VOTE, Phase.DISCUSSION, Phase.SECOND_VOTE, Phase.REVEALED)
    ]


def test_without_a_second_vote_the_answer_follows_the_vote():
    assert walk(Plan(1, 60)) == [(0, Phase.VOTE), (0, Phase.REVEALED)]


def test_a_pause_keeps_what_was_left_and_counts_as_nobodys_time():
    standing = rules.begin(PLAN, 100.0)
    paused = rules.pause(standing, 120.0)
    assert paused.paused
    assert paused.left_s == 40.0
    assert PLAN.elapsed_s(paused, 5000.0) == 20.0
    on = rules.resume(paused, 1000.0)
    assert on.ends_at == 1040.0
    assert PLAN.elapsed_s(on, 1010.0) == 30.0
    with pytest.raises(Refused):
        rules.pause(paused, 121.0)
    with pytest.raises(Refused):
        rules.resume(standing, 121.0)


def test_a_clock_that_was_set_back_gives_no_negative_time():
    assert PLAN.elapsed_s(rules.begin(PLAN, 100.0), 50.0) == 0.0


@pytest.mark.parametrize(("rounds", "seconds"), [(0, 60), (21, 60), (5, 9), (5, 601)])
def test_a_quiz_out_of_bounds_is_refused(rounds, seconds):
    with pytest.raises(Refused):
        Plan(rounds, seconds)


CORRECT, OPTIONS = {0: 1, 1: 0}, {0: 3, 1: 3}


def scores(answers, guesses=()):
    return rules.points_of(answers, guesses, CORRECT, OPTIONS)


def test_the_second_vote_counts_and_the_first_for_whoever_missed_it():
    answers = [Given(0, 1, 7, 0, 5), Given(0, 2, 7, 1, 9), Given(0, 1, 8, 1, 4)]
    assert scores(answers) == {7: (1, 9), 8: (1, 4)}


def test_speed_breaks_ties_and_nothing_else():
    slow_and_right = [Given(0, 1, 1, 1, 59), Given(1, 1, 1, 0, 59)]
    fast_and_half_right = [Given(0, 1, 2, 1, 1), Given(1, 1, 2, 2, 1)]
    fast_and_right = [Given(0, 1, 3, 1, 2), Given(1, 1, 3, 0, 2)]
    places = rules.ranking(scores([*slow_and_right, *fast_and_half_right, *fast_and_right]))
    assert [(place.who, place.place) for place in places] == [(3, 1), (1, 2), (2, 3)]


def test_equals_share_a_place_and_the_next_one_is_skipped():
    places = rules.ranking({1: (2.0, 8.0), 2: (2.0, 8.0), 3: (1.0, 1.0)})
    assert [place.place for place in places] == [1, 1, 3]


def test_knowing_the_commonest_mistake_of_the_others_is_half_a_point():
    answers = [Given(0, 1, 1, 1, 5), Given(0, 1, 2, 2, 5), Given(0, 1, 3, 2, 5), Given(0, 1, 4, 0, 5)]
    assert scores(answers, [Guess(0, 1, 2)])[1] == (1.5, 5)
    assert scores(answers, [Guess(0, 1, 0)])[1] == (1, 5)
    assert scores(answers, [Guess(0, 1, 1)])[1] == (1, 5), "the right option is no mistake"


def test_ones_own_vote_does_not_make_ones_guess_right():
    answers = [Given(0, 1, 1, 2, 5), Given(0, 1, 2, 0, 5)]
    assert scores(answers, [Guess(0, 1, 2)])[1] == (0, 0)


def test_a_skipped_question_counts_for_nobody():
    assert rules.points_of([Given(1, 1, 1, 0, 5)], [Guess(1, 1, 2)], {0: 1}, {0: 3}) == {}


def test_a_large_team_has_no_advantage():
    answers = [Given(0, 1, 1, 1, 4, "Team red"), Given(0, 1, 2, 1, 4, "Team blue"), Given(0, 1, 3, 1, 4, "Team blue")]
    teams = rules.team_scores(scores(answers), answers)
    assert teams == {"Team red": (1, 4), "Team blue": (1, 4)}


@pytest.mark.parametrize(
    ("before", "after", "gain"),
    [((6, 4), (2, 8), 2 / 3), ((5, 5), (6, 4), -0.2), ((0, 9), (0, 9), None), ((5, 5), (0, 0), None)],
)
def test_the_gain_is_the_share_of_what_was_missing(before, after, gain):
    found = rules.normalised_gain(Distribution(before, 1), Distribution(after, 1))
    assert found == (None if gain is None else pytest.approx(gain))


def test_mistakes_that_tie_are_all_the_commonest():
    assert Distribution((3, 5, 3, 0), 1).commonest_mistakes == {0, 2}
    assert Distribution((0, 5, 0), 1).commonest_mistakes == frozenset()
