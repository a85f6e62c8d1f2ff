"""The rules of delivery: one result or one true sentence, whatever happens on the way, in whatever order."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.delivery import Fault, Kind, broken_promises, run
from bot.answering.delivery.rules import (
    AS_BOT,
    PRIVATE,
    PUBLIC,
    Apology,
    Cargo,
    Delivery,
    End,
    Look,
    Outcome,
    Patience,
    Remove,
    Route,
    Try,
    Unarchive,
    Verdict,
    Wait,
)
from bot.rules.open_answers import Resolution, Sight, Stage, resolution
from bot.rules.pauses import next_try


@settings(max_examples=200)
@given(st.sampled_from(Kind), st.lists(st.sampled_from(Fault), max_size=14), st.integers(0, 2**32))
def test_whatever_discord_does_there_is_one_result_or_one_true_sentence(kind, faults, seed):
    world, verdict = run(kind, faults, seed)
    assert broken_promises(world, verdict) == []


class Steps:
    """A delivery with a clock that jumps over every pause."""

    def __init__(self, routes=PUBLIC, **more):
        self.now = 0.0
        self.waited = []
        self.delivery = Delivery(routes, self.now, random.Random(0), **more)

    def next(self):
        while isinstance(step := self.delivery.next(self.now), Wait):
            self.waited.append(step.seconds)
            self.now += step.seconds
        return step

    def report(self, outcome, retry_after_s=0.0):
        self.delivery.report(outcome, self.now, retry_after_s)
        return self.next()


def test_what_may_have_arrived_is_looked_up_before_it_is_sent_again():
    steps = Steps()
    assert steps.next() == Try(Route.EDIT)
    assert steps.report(Outcome.LOST) == Look(Route.EDIT)
    assert steps.report(Outcome.ARRIVED) == End(Verdict.DELIVERED)


def test_what_is_not_there_is_sent_again():
    steps = Steps()
    steps.next()
    steps.report(Outcome.LOST)
    assert steps.report(Outcome.ABSENT) == Try(Route.EDIT)


def test_a_limit_is_waited_for_however_long_it_says():
    steps = Steps()
    steps.next()
    assert steps.report(Outcome.LIMITED, retry_after_s=42.0) == Try(Route.EDIT)
    assert sum(steps.waited) == pytest.approx(42.0)


def test_pauses_grow_and_are_jittered():
    steps = Steps(AS_BOT)
    steps.next()
    for _ in range(5):
        steps.report(Outcome.LOST)
    assert all(later > earlier for earlier, later in zip(steps.waited[:3], steps.waited[1:4], strict=True))
    assert steps.waited[0] not in (0.5, 1.0)


def test_an_answer_whose_token_has_died_is_edited_by_the_bot():
    steps = Steps()
    steps.next()
    assert steps.report(Outcome.EXPIRED) == Try(Route.BOT_EDIT)


def test_another_message_is_sent_only_when_nothing_can_be_in_the_first():
    steps = Steps(PRIVATE)
    steps.next()
    steps.report(Outcome.LOST)
    assert steps.report(Outcome.EXPIRED) == End(Verdict.DOUBTFUL)


def test_patience_ends_and_says_whether_it_may_have_arrived():
    for outcome, verdict in ((Outcome.LOST, Verdict.DOUBTFUL), (Outcome.LIMITED, Verdict.UNREACHABLE)):
        steps = Steps(AS_BOT, patience=Patience(total_s=60.0))
        step = steps.next()
        while not isinstance(step, End):
            step = steps.report(outcome)
        assert step == End(verdict)
        assert steps.now == pytest.approx(60.0)


def test_an_archived_thread_is_opened_and_a_locked_one_is_said_to_be_so():
    steps = Steps(AS_BOT)
    steps.next()
    assert steps.report(Outcome.ARCHIVED) == Unarchive()
    assert steps.report(Outcome.ARRIVED) == Try(Route.POST)
    assert steps.report(Outcome.ARCHIVED) == Unarchive()
    assert steps.report(Outcome.FORBIDDEN) == End(Verdict.ARCHIVED)


def test_an_apology_is_covered_told_and_only_then_taken_away():
    apology = Apology(0.0, random.Random(0))
    seen = []
    for outcome in (Outcome.ARRIVED, Outcome.ARRIVED, Outcome.ARRIVED):
        seen.append(apology.next(0.0))
        apology.report(outcome, 0.0)
    assert seen == [Try(Route.EDIT, Cargo.COVER), Try(Route.FOLLOW_UP), Remove()]
    assert apology.next(0.0) == End(Verdict.DELIVERED)


def test_the_cover_stays_when_nobody_knows_whether_the_sentence_arrived():
    apology = Apology(0.0, random.Random(0))
    apology.next(0.0)
    apology.report(Outcome.ARRIVED, 0.0)
    apology.next(0.0)
    apology.report(Outcome.LOST, 0.0)
    assert apology.next(100.0) == End(Verdict.DELIVERED)


@pytest.mark.parametrize(
    ("stage", "sight", "token_lives", "todo"),
    [
        (Stage.WAITING, Sight.UNFINISHED, True, Resolution.AGAIN),
        (Stage.WAITING, Sight.UNFINISHED, False, Resolution.SENTENCE),
        (Stage.STARTED, Sight.UNFINISHED, True, Resolution.SENTENCE),
        (Stage.DELIVERING, Sight.UNFINISHED, True, Resolution.SENTENCE),
        (Stage.DELIVERING, Sight.FINISHED, True, Resolution.NOTHING),
        (Stage.DELIVERING, Sight.UNKNOWN, False, Resolution.NOTHING),
        (Stage.STARTED, Sight.DELETED, True, Resolution.NOTHING),
    ],
)
def test_the_next_start_does_again_only_what_never_began(stage, sight, token_lives, todo):
    assert resolution(stage, sight, token_lives) is todo


def test_a_post_is_tried_for_a_day_less_and_less_often():
    now = first = 1000.0
    pauses = []
    while (at := next_try(first, len(pauses) + 1, now)) is not None:
        pauses.append(at - now)
        now = at
    assert pauses[:4] == [60.0, 120.0, 240.0, 480.0]
    assert max(pauses) == 3600.0
    assert 24 * 3600.0 <= now - first <= 25 * 3600.0
