"""Staff hear of trouble once, with what to do; while it goes on, once an hour and how often."""

import asyncio
import contextlib
import sqlite3

from bot.hosting.notices import LONGEST, MOST_WAITING, Notices, report_engine_end
from tests.engine_double import png


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


async def told(notices, posted):
    await notices.drain()
    texts, posted[:] = list(posted), []
    return texts


def connected():
    clock, posted = Clock(), []
    notices = Notices(clock)

    async def send(text):
        posted.append(text)

    notices.connect(send)
    return notices, clock, posted


async def test_the_same_trouble_is_said_once_an_hour_with_its_number():
    notices, clock, posted = connected()
    for _ in range(5):
        notices.report("disk", "The disk is full. Make room.")
    assert await told(notices, posted) == ["⚠️ The disk is full. Make room."]
    clock.now += 3601
    notices.report("disk", "The disk is full. Make room.")
    assert await told(notices, posted) == [
        "⚠️ The disk is full. Make room. (This also happened 4 times since <t:1000:t>.)"
    ]


async def test_other_trouble_and_other_servers_are_said_at_once():
    notices, _, posted = connected()
    notices.report("result", "A result couldn't be posted.", guild_id=1)
    notices.report("result", "A result couldn't be posted.", guild_id=2)
    notices.report("disk", "The disk is full.")
    assert len(await told(notices, posted)) == 3


async def test_what_is_reported_before_the_bot_is_in_is_said_when_it_is():
    notices, posted = Notices(Clock()), []

    async def send(text):
        posted.append(text)

    for number in range(MOST_WAITING + 5):
        notices.report(f"trouble {number}", f"Trouble {number}.")
    notices.connect(send)
    texts = await told(notices, posted)
    assert len(texts) == MOST_WAITING
    assert texts[-1] == f"⚠️ Trouble {MOST_WAITING + 4}."


async def test_a_notice_that_cant_be_posted_hurts_nobody():
    notices = Notices(Clock())

    async def send(text):
        raise OSError("no such channel")

    notices.connect(send)
    notices.report("disk", "x" * 5000)
    await notices.drain()


async def test_a_notice_fits_into_a_message():
    notices, _, posted = connected()
    notices.report("disk", "x" * 5000)
    (text,) = await told(notices, posted)
    assert len(text) == LONGEST


async def test_staff_hear_that_the_engine_was_restarted_and_what_to_do():
    notices, clock, posted = connected()
    report_engine_end(notices, -9)
    clock.now += 7200
    report_engine_end(notices, 75)
    killed, ended = await told(notices, posted)
    assert "signal 9" in killed
    assert "max_size_px" in killed
    assert "exit code 75" in ended
    assert "doctor" in ended


async def test_staff_hear_of_a_database_that_takes_nothing(club, monkeypatch):
    said = []
    club.bot.notices.connect(lambda text: said.append(text) or asyncio.sleep(0))
    error = sqlite3.OperationalError("database or disk is full")
    monkeypatch.setattr(club.store, "transaction", lambda: raising(error))
    await club.student.slash(club.channel, "stylize", image=("cat.png", png()))
    await club.bot.notices.drain()
    club.forgiven += club.env.errors
    (text,) = said
    assert "couldn't save what `stylize` had to keep (database or disk is full)" in text
    assert "doctor" in text


@contextlib.asynccontextmanager
async def raising(error):
    raise error
    yield
