"""Turns over several engines: nobody takes two of them while somebody else has none, and a full queue says so."""

import asyncio

import pytest

from engine.cluster.turns import Turns
from engine.errors import Cancelled, QueueFull


def at_work(turns):
    return [line.ticket.job_id for line in turns.lines() if line.position == 0]


def waiting(turns):
    return [line.ticket.job_id for line in turns.lines() if line.position]


def test_a_members_jobs_dont_take_two_engines_while_others_wait():
    turns = Turns(10)
    ada = [turns.enter(f"ada{n}", "ada", "play") for n in range(3)]
    turns.enter("ben0", "ben", "stylize")
    turns.enter("cleo0", "cleo", "stylize")
    turns.slots = 2
    assert at_work(turns) == ["ada0", "ben0"]
    turns.leave(ada[0], is_done=True)
    assert at_work(turns) == ["ben0", "cleo0"], "cleo had no turn yet"
    assert waiting(turns) == ["ada1", "ada2"]


def test_an_engine_that_nobody_else_wants_may_be_used_for_a_second_job():
    turns = Turns(10, slots=2)
    for number in range(3):
        turns.enter(f"ada{number}", "ada", "play")
    assert at_work(turns) == ["ada0", "ada1"]
    turns.enter("ben0", "ben", "play")
    assert waiting(turns) == ["ben0", "ada2"]


def test_a_full_queue_refuses_with_a_sentence_and_a_lost_engine_gives_its_slot_back():
    turns = Turns(1, slots=1)
    turns.enter("a", "ada", "play")
    turns.enter("b", "ben", "play")
    with pytest.raises(QueueFull, match="The queue is full: 1 jobs are waiting"):
        turns.enter("c", "cleo", "play")
    turns.slots = 0
    assert at_work(turns) == ["a"], "what runs, runs on"


async def test_a_job_hears_where_it_stands_until_its_turn_comes():
    turns = Turns(10, slots=1)
    first, second, third = (turns.enter(name, name, "play") for name in "abc")

    async def listen():
        return [line.position async for line in turns.positions(third)]

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    turns.leave(first, is_done=True)
    await asyncio.sleep(0)
    turns.leave(second, is_done=False)
    assert await asyncio.wait_for(listening, 15.0) == [2, 1]
    assert at_work(turns) == ["c"]


async def test_a_job_whose_engine_is_gone_before_it_began_is_next_again():
    turns = Turns(10, slots=1)
    first = turns.enter("a", "ada", "play")
    turns.enter("a2", "ada", "play")
    turns.again(first)
    assert at_work(turns) == ["a"]
    assert waiting(turns) == ["a2"]


async def test_only_my_own_job_is_cancelled_wherever_it_is():
    turns, stopped = Turns(10, slots=1), []
    running, waits = turns.enter("a", "ada", "play"), turns.enter("b", "ben", "play")
    running.on_cancel = lambda: stopped.append("a")
    assert not turns.cancel("a", "ben", False)
    assert turns.cancel("a", "grace", True)
    assert turns.cancel("b", "ben", False)
    assert not turns.cancel("nothing", "ben", True)
    assert stopped == ["a"]
    with pytest.raises(Cancelled):
        await anext(turns.positions(waits))
