"""The blind poll's rules: a fair and repeatable draw, a seal that binds, deadlines in bounds, votes counted once."""

from __future__ import annotations

import hashlib
import random
import subprocess
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.rules.blind_poll import (
    Ballot,
    Candidate,
    Choice,
    closing_time,
    draw_series,
    mixed_designs,
    reminder_times,
    seal,
    sealed_text,
    tally,
)
from bot.rules.listening.judgements import Design
from engine.contract.limits import LARGEST_SEED

candidates = st.lists(
    st.builds(Candidate, key=st.text("abc", min_size=1, max_size=6), times_drawn=st.integers(0, 5)),
    min_size=1,
    max_size=20,
    unique_by=lambda candidate: candidate.key,
)
ballots = st.lists(st.builds(Ballot, choice=st.sampled_from(["", "A", "B"]), knows=st.booleans()), max_size=80)
DAY_S = 24 * 3600.0


@given(st.integers(0, LARGEST_SEED), candidates, st.randoms(use_true_random=False))
def test_a_seed_repeats_the_draw_whatever_the_order(seed: int, clips: list[Candidate], shuffler: random.Random) -> None:
    shuffled = list(clips)
    shuffler.shuffle(shuffled)
    designs = [Design.PAIR, Design.SINGLE, Design.PAIR]
    assert draw_series(seed, clips, designs) == draw_series(seed, shuffled, designs)


@given(st.integers(0, LARGEST_SEED), candidates, st.integers(1, 12))
def test_no_clip_comes_twice_while_others_are_left(seed: int, clips: list[Candidate], trials: int) -> None:
    drawn = draw_series(seed, clips, [Design.PAIR] * trials)
    times = {candidate.key: candidate.times_drawn for candidate in clips}
    for trial in drawn:
        assert times[trial.key] == min(times.values())
        times[trial.key] += 1
        assert 0 <= trial.model_seed <= LARGEST_SEED
        assert 0 <= trial.band_seed <= LARGEST_SEED


def test_the_coin_is_fair_and_knows_nothing_of_the_clip_or_of_the_trial_before() -> None:
    """4,000 series of two trials: each of 2 clips with each of 4 pairs of answers 500 times, within 4 deviations."""
    clips = [Candidate("a", 0), Candidate("b", 0)]
    seeds = random.Random(11)
    drawn: Counter[tuple[str, str, str]] = Counter()
    for _ in range(4000):
        first, second = draw_series(seeds.getrandbits(53), clips, [Design.PAIR, Design.SINGLE])
        drawn[first.key, first.answer, second.answer] += 1
    assert len(drawn) == 8
    assert all(abs(times - 500) < 4 * (4000 * 1 / 8 * 7 / 8) ** 0.5 for times in drawn.values())


def test_each_design_has_its_own_answers() -> None:
    drawn = draw_series(3, [Candidate("a", 0)], [Design.PAIR, Design.SINGLE] * 20)
    assert {trial.answer for trial in drawn if trial.design is Design.PAIR} == {Choice.A, Choice.B}
    assert {trial.answer for trial in drawn if trial.design is Design.SINGLE} == {Choice.HUMAN, Choice.AI}


def test_catch_trials_come_only_where_they_are_switched_on_and_anywhere() -> None:
    clips = [Candidate("a", 0)]
    assert not any(trial.is_catch for trial in draw_series(1, clips, [Design.PAIR] * 12))
    places = set()
    for seed in range(60):
        drawn = draw_series(seed, clips, [Design.SINGLE] * 4, catches=True)
        assert len(drawn) == 5
        (place,) = [place for place, trial in enumerate(drawn) if trial.is_catch]
        assert drawn[place].design is Design.PAIR
        places.add(place)
    assert places == {0, 1, 2, 3, 4}


def test_without_a_human_clip_there_is_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="no human clip"):
        draw_series(1, [], [Design.PAIR])


def test_a_mixed_series_has_three_pairs_and_two_singles_of_five() -> None:
    assert mixed_designs("mixed", 5) == [Design.PAIR] * 3 + [Design.SINGLE] * 2
    assert mixed_designs("pair", 2) == [Design.PAIR] * 2
    assert mixed_designs("single", 1) == [Design.SINGLE]


# ------------------------------------------------------------ the seal


def test_the_seal_is_what_anybodys_sha256sum_says() -> None:
    text = sealed_text(["A", "human", "B"], "5a17")
    assert text == "1=A 2=human 3=B salt=5a17"
    printed = subprocess.run(["sha256sum"], input=text.encode(), capture_output=True, check=True).stdout.decode()
    assert printed.split()[0] == seal(["A", "human", "B"], "5a17") == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("other", [(["B", "human"], "5a17"), (["A", "ai"], "5a17"), (["A", "human"], "5a18")])
def test_other_answers_or_another_salt_break_the_seal(other: tuple[list[str], str]) -> None:
    assert seal(*other) != seal(["A", "human"], "5a17")


# ------------------------------------------------------------ time


@pytest.mark.parametrize("minutes", [0, -5, 14 * 24 * 60 + 1])
def test_a_deadline_out_of_bounds_is_refused(minutes: int) -> None:
    with pytest.raises(Refused, match="anything from 1 minute to 14 days"):
        closing_time(1000.0, minutes)


def test_a_series_closes_the_minutes_after_it_opens() -> None:
    assert closing_time(1000.0, 90) == 1000.0 + 90 * 60


def test_reminders_come_a_day_and_an_hour_before_where_that_leaves_time() -> None:
    assert reminder_times(0.0, 7 * DAY_S) == [6 * DAY_S, 7 * DAY_S - 3600]
    assert reminder_times(0.0, DAY_S) == [DAY_S - 3600]
    assert reminder_times(0.0, 3600.0) == []


# ------------------------------------------------------------ counting


@given(ballots, st.sampled_from(["A", "B"]))
def test_every_ballot_is_counted_once_or_left_out(given_ballots: list[Ballot], answer: str) -> None:
    total = tally(given_ballots, answer)
    undecided = sum(not ballot.choice and not ballot.knows for ballot in given_ballots)
    assert total.counted + total.knew + undecided == len(given_ballots)
    other = tally(given_ballots, "B" if answer == "A" else "A")
    assert total.right + other.right == total.counted


def test_those_who_know_the_piece_are_left_out_of_the_figures() -> None:
    total = tally([Ballot("A"), Ballot("B"), Ballot("A", knows=True), Ballot("", knows=True)], "A")
    assert (total.right, total.counted, total.knew) == (1, 2, 2)
