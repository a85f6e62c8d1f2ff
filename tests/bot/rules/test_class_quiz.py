"""The class quiz's rules: phases in order, a clock that stops, and points that speed alone can't win."""

import pytest

from bot.errors import Refused
from bot.rules import class_quiz as rules
from bot.rules.class_quiz import Distribution, Given, Guess, Phase, Plan
from bot.rules.quiz import Kind, Question

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


def question(right, kind=Kind.ONE, options=("a", "b", "c"), **more):
    return Question("g", 1, "tensors", "?", "", options, (right,), "", "", kind, **more)


QUESTIONS = {0: question("1"), 1: question("0")}


def gave(position, vote, member, choice, seconds, team=""):
    return Given(position, vote, member, str(choice), str(choice) in QUESTIONS[position].accepted, seconds, team)


def counted(counts):
    """Counts of options of which the second is right."""
    return Distribution(tuple(counts), frozenset({1}), sum(counts), counts[1])


def scores(answers, guesses=()):
    return rules.points_of(answers, guesses, QUESTIONS)


def test_the_second_vote_counts_and_the_first_for_whoever_missed_it():
    answers = [gave(0, 1, 7, 0, 5), gave(0, 2, 7, 1, 9), gave(0, 1, 8, 1, 4)]
    assert scores(answers) == {7: (1, 9), 8: (1, 4)}


def test_speed_breaks_ties_and_nothing_else():
    slow_and_right = [gave(0, 1, 1, 1, 59), gave(1, 1, 1, 0, 59)]
    fast_and_half_right = [gave(0, 1, 2, 1, 1), gave(1, 1, 2, 2, 1)]
    fast_and_right = [gave(0, 1, 3, 1, 2), gave(1, 1, 3, 0, 2)]
    places = rules.ranking(scores([*slow_and_right, *fast_and_half_right, *fast_and_right]))
    assert [(place.who, place.place) for place in places] == [(3, 1), (1, 2), (2, 3)]


def test_equals_share_a_place_and_the_next_one_is_skipped():
    places = rules.ranking({1: (2.0, 8.0), 2: (2.0, 8.0), 3: (1.0, 1.0)})
    assert [place.place for place in places] == [1, 1, 3]


def test_knowing_the_commonest_mistake_of_the_others_is_half_a_point():
    answers = [gave(0, 1, 1, 1, 5), gave(0, 1, 2, 2, 5), gave(0, 1, 3, 2, 5), gave(0, 1, 4, 0, 5)]
    assert scores(answers, [Guess(0, 1, 2)])[1] == (1.5, 5)
    assert scores(answers, [Guess(0, 1, 0)])[1] == (1, 5)
    assert scores(answers, [Guess(0, 1, 1)])[1] == (1, 5), "the right option is no mistake"


def test_ones_own_vote_does_not_make_ones_guess_right():
    answers = [gave(0, 1, 1, 2, 5), gave(0, 1, 2, 0, 5)]
    assert scores(answers, [Guess(0, 1, 2)])[1] == (0, 0)


def test_a_skipped_question_counts_for_nobody():
    assert rules.points_of([gave(1, 1, 1, 0, 5)], [Guess(1, 1, 2)], {0: QUESTIONS[0]}) == {}


def test_a_large_team_has_no_advantage():
    answers = [gave(0, 1, 1, 1, 4, "Team red"), gave(0, 1, 2, 1, 4, "Team blue"), gave(0, 1, 3, 1, 4, "Team blue")]
    teams = rules.team_scores(scores(answers), answers)
    assert teams == {"Team red": (1, 4), "Team blue": (1, 4)}


@pytest.mark.parametrize(
    ("before", "after", "gain"),
    [((6, 4), (2, 8), 2 / 3), ((5, 5), (6, 4), -0.2), ((0, 9), (0, 9), None), ((5, 5), (0, 0), None)],
)
def test_the_gain_is_the_share_of_what_was_missing(before, after, gain):
    found = rules.normalised_gain(counted(before), counted(after))
    assert found == (None if gain is None else pytest.approx(gain))


def test_mistakes_that_tie_are_all_the_commonest():
    assert counted((3, 5, 3, 0)).commonest_mistakes == {0, 2}
    assert counted((0, 5, 0)).commonest_mistakes == frozenset()


def test_who_may_choose_several_is_counted_once_and_right_only_with_all_of_them():
    asked = question("0,2", Kind.SEVERAL)
    answers = [Given(0, 1, 1, "0,2", True, 5), Given(0, 1, 2, "0,1", False, 5)]
    found = rules.distribution(answers, 0, 1, asked)
    assert (found.counts, found.voters, found.share_right) == ((2, 1, 1), 2, 0.5)
    assert found.commonest_mistakes == {1}


def test_what_was_typed_is_counted_by_meaning_and_the_answer_comes_first():
    asked = question("(8, 3)", Kind.TYPED, (), slips=(("(3, 8)", "swaps them"),))
    typed = ["8x3", "3x8", "(3, 8)", "[8, 3]", "24", "23", "22", "21", "20"]
    answers = [Given(0, 1, n, text, text in ("8x3", "[8, 3]"), 5) for n, text in enumerate(typed)]
    by = rules.counted_by(answers, 0, asked)
    assert by.options == ("(8, 3)", "3x8", "24", "23", "22", "something else")
    assert by.reasons[1] == "swaps them"
    assert rules.distribution(answers, 0, 1, by).counts == (2, 2, 1, 1, 1, 2)
