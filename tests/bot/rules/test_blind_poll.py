"""The blind poll's rules: a fair and repeatable draw, deadlines within bounds, votes counted once and rightly."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.rules.blind_poll import LARGEST_SEED, Candidate, Origin, Vote, closing_time, draw, drawable, tally

candidates = st.lists(
    st.builds(Candidate, clip=st.integers(1, 500), times_drawn=st.integers(0, 5)),
    min_size=1,
    max_size=20,
    unique_by=lambda candidate: candidate.clip,
)
votes = st.lists(st.builds(Vote, choice=st.sampled_from([None, *Origin]), knows=st.booleans()), max_size=80)


@given(st.integers(0, LARGEST_SEED), candidates, st.randoms(use_true_random=False))
def test_a_seed_repeats_the_draw_whatever_the_order(seed: int, clips: list[Candidate], shuffler: random.Random) -> None:
    shuffled = list(clips)
    shuffler.shuffle(shuffled)
    assert draw(seed, clips) == draw(seed, shuffled)


@given(st.integers(0, LARGEST_SEED), candidates)
def test_a_clip_is_drawn_among_those_drawn_least(seed: int, clips: list[Candidate]) -> None:
    drawn = draw(seed, clips)
    drawn_before = {candidate.clip: candidate.times_drawn for candidate in clips}
    assert drawn_before[drawn.human_clip] == min(drawn_before.values())
    assert 0 <= drawn.model_seed <= LARGEST_SEED


def test_the_coin_is_fair_and_knows_nothing_of_the_clip() -> None:
    """4,000 draws: each of 4 clips with each of 2 sides 500 times, within 4 standard deviations."""
    clips = [Candidate(clip, 0) for clip in range(4)]
    seeds = random.Random(11)
    drawn = Counter(
        (found.human_clip, found.origin) for found in (draw(seeds.getrandbits(53), clips) for _ in range(4000))
    )
    assert len(drawn) == 8
    assert all(abs(times - 500) < 4 * (4000 * 1 / 8 * 7 / 8) ** 0.5 for times in drawn.values())


def test_recordings_are_drawn_only_when_asked_for() -> None:
    played, recorded = Candidate(1, 0), Candidate(2, 0, recording=True)
    assert drawable([played, recorded], recordings=False) == [played]
    assert drawable([played, recorded], recordings=True) == [played, recorded]


def test_without_a_human_clip_there_is_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="no human clip"):
        draw(1, [])


@pytest.mark.parametrize("minutes", [0, -5, 7 * 24 * 60 + 1])
def test_a_deadline_out_of_bounds_is_refused(minutes: int) -> None:
    with pytest.raises(Refused, match="between 1 minute and 7 days"):
        closing_time(1000.0, minutes)


def test_a_poll_closes_the_minutes_after_it_starts() -> None:
    assert closing_time(1000.0, 90) == 1000.0 + 90 * 60


@given(votes)
def test_every_vote_is_counted_once_or_left_out(given_votes: list[Vote]) -> None:
    total = tally(given_votes)
    undecided = sum(vote.choice is None and not vote.knows for vote in given_votes)
    assert total.called_human + total.called_ai + total.knew + undecided == len(given_votes)
    assert total.right(Origin.HUMAN) + total.right(Origin.AI) == total.counted


def test_those_who_know_the_piece_are_left_out_of_the_figures() -> None:
    total = tally([Vote(Origin.HUMAN), Vote(Origin.AI), Vote(Origin.HUMAN, knows=True), Vote(None, knows=True)])
    assert (total.called_human, total.called_ai, total.knew) == (1, 1, 2)


def test_it_is_too_early_below_a_hundred_votes() -> None:
    assert tally([Vote(Origin.AI)] * 99).too_early
    assert not tally([Vote(Origin.AI)] * 100).too_early
