"""The quiz's rules: what fits on a button, scores, places, and not the same question again."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.quiz import Score, fit_on_buttons, leaderboard, streak, streaks, weakest_topic

scores = st.dictionaries(
    st.integers(1, 40),
    st.integers(0, 30).flatmap(lambda answered: st.builds(Score, st.just(answered), st.integers(0, answered))),
)


@pytest.mark.parametrize(
    ("options", "fits"),
    [
        (["(2, 3)", "(3, 2)"], True),
        (["x" * 80, "y"], True),
        (["x" * 81, "y"], False),
        (["", "y"], False),
        (["two\nlines", "y"], False),
        (["`code`", "y"], False),
        (["  indented", "y"], False),
    ],
)
def test_options_go_on_buttons_only_as_they_are(options: list[str], fits: bool) -> None:
    assert fit_on_buttons(options) is fits


def test_a_streak_ends_at_the_latest_mistake() -> None:
    assert streak([True, True, False, True]) == 2
    assert streak([]) == 0
    assert streak([False, True]) == 0


def test_each_topic_has_a_streak_of_its_own() -> None:
    answers = [("gans", True), ("losses", False), ("gans", True), ("losses", True), ("gans", False)]
    assert streaks(answers) == {"gans": 2}


def test_the_topic_to_practise_is_the_weakest_with_enough_answers() -> None:
    found = {"gans": Score(2, 0), "autograd": Score(4, 1), "losses": Score(5, 3), "tensors": Score(9, 9)}
    assert weakest_topic(found) == "autograd"
    assert weakest_topic({"tensors": Score(9, 9)}) is None


@given(scores)
def test_more_right_answers_never_rank_below_fewer(found: dict[int, Score]) -> None:
    standings = leaderboard(found)
    assert {standing.member for standing in standings} == set(found)
    for above, below in itertools.pairwise(standings):
        assert (above.score.right, -above.score.answered) >= (below.score.right, -below.score.answered)
        same = above.score == below.score
        assert (above.place == below.place) is same


def test_members_with_the_same_score_share_a_place() -> None:
    places = {s.member: s.place for s in leaderboard({1: Score(5, 4), 2: Score(5, 4), 3: Score(9, 5), 4: Score(1, 1)})}
    assert places == {3: 1, 1: 2, 2: 2, 4: 4}
