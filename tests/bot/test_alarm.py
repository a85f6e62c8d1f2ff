"""An alarm does its work once at a time, and once more however often it rang meanwhile."""

import asyncio

from bot.alarm import Alarm
from tests.waiting import until


async def test_rings_while_it_works_lead_to_one_more_round_and_pile_up_no_tasks():
    may_end, rounds = asyncio.Event(), []

    async def work():
        rounds.append("begun")
        await may_end.wait()

    alarm = Alarm("test", work, lambda: 0.0)
    alarm.ring()
    await until(lambda: rounds)
    for _ in range(100):
        alarm.ring()
    assert len(alarm._running) == 2
    may_end.set()
    await until(lambda: not alarm._running)
    assert len(rounds) == 2
    alarm.ring()
    await until(lambda: len(rounds) == 3)
    alarm.stop()
