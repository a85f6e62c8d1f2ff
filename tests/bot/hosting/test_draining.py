"""A bot that is stopped lets jobs finish, takes no new ones, and leaves nobody with "thinking ..."."""

import asyncio
import re
import signal

import pytest

from bot.errors import Refused
from bot.hosting.draining import CLOSED, CUT_SHORT, InHand
from playground.driver import drive
from tests.bot.test_process import child
from tests.engine_double import Behaviour, EngineDouble, png, serve_double, socket_address
from tests.waiting import until


@pytest.fixture
async def playground(tmp_path):
    """A playground without a bot: its page's address, and what a bot needs in its environment to log in there."""
    command = ("playground", "--server-only", "--state", str(tmp_path / "playground"))
    async with child(tmp_path / "playground.log", *command) as server:
        told = r"DISCORD_TOKEN=(\S+) WOODSHED_DISCORD__API_BASE=(\S+)"
        await until(lambda: server.said(told))
        token, api_base = server.said(told).groups()
        page = re.search(r"http://127\.0\.0\.1:\d+/(?!api)\S*", server.log.read_text())[0]
        yield (
            page,
            {
                "DISCORD_TOKEN": token,
                "WOODSHED_DISCORD__API_BASE": api_base,
                "WOODSHED_STORE__PATH": str(tmp_path / "woodshed.sqlite3"),
                "WOODSHED_ENGINE__ADDRESS": socket_address(tmp_path),
            },
        )


async def started(ada, double, bot):
    """Ada has a job that is under way, and the bot has just been told to stop."""
    double.misbehave(Behaviour.SLOW)
    await until(lambda: bot.said("logged in"))
    await ada.use("stylize", image="cat.png", files={"cat.png": png()})
    await until(lambda: double.requests)
    bot.process.send_signal(signal.SIGTERM)
    await until(lambda: bot.said("letting jobs finish"))


async def test_a_job_under_way_is_finished_and_a_new_one_refused(tmp_path, playground):
    page, login = playground
    double = EngineDouble()
    async with (
        serve_double(socket_address(tmp_path), double),
        child(tmp_path / "log", "bot", **login) as bot,
        drive(page) as driver,
    ):
        ada, ben = driver.member("ada"), driver.member("ben")
        await started(ada, double, bot)
        await ben.use("stylize", image="dog.png", files={"dog.png": png()})
        await ben.sees(lambda message: message["content"] == CLOSED)
        double.release.set()
        await ada.sees(lambda message: message["attachments"])
        assert await asyncio.wait_for(bot.process.wait(), 10.0) == 0
        assert not bot.said("Traceback")


async def test_a_job_that_doesnt_finish_in_time_ends_with_a_sentence(tmp_path, playground):
    page, login = playground
    double = EngineDouble()
    async with (
        serve_double(socket_address(tmp_path), double),
        child(tmp_path / "log", "bot", **login | {"WOODSHED_HOSTING__DRAIN_S": "1"}) as bot,
        drive(page) as driver,
    ):
        ada = driver.member("ada")
        await started(ada, double, bot)
        await ada.sees(lambda message: message["content"] == CUT_SHORT)
        assert await asyncio.wait_for(bot.process.wait(), 15.0) == 0
        assert not bot.said("Traceback")
        double.release.set()


async def test_who_presses_at_the_very_last_hears_that_its_too_late_before_anything_is_closed():
    in_hand, said = InHand(), []

    async def press():
        try:
            in_hand.take()
        except Refused as leaving:
            await asyncio.sleep(0.05)  # on its way to Discord
            said.append(str(leaving))

    await in_hand.close(1.0)
    pressing = asyncio.create_task(press())
    await asyncio.sleep(0)
    await in_hand.end(1.0)
    assert pressing.done()
    assert said == [CLOSED]


async def test_who_isnt_done_in_time_is_stopped_before_the_store_is_closed():
    in_hand, is_open, used_too_late = InHand(), True, []

    async def answer():
        in_hand.take()
        try:
            await asyncio.sleep(60.0)
        finally:
            if not is_open:
                used_too_late.append("the store")

    answering = asyncio.create_task(answer())
    await asyncio.sleep(0)
    await in_hand.end(0.01)
    is_open = False
    assert answering.cancelled()
    assert not used_too_late


async def test_an_event_that_is_still_being_handled_is_stopped_before_the_store_is_closed(club):
    began, stopped = asyncio.Event(), asyncio.Event()

    async def on_news():
        began.set()
        try:
            await asyncio.sleep(60.0)
        finally:
            stopped.set()

    club.bot.add_listener(on_news)
    club.bot.dispatch("news")
    await began.wait()
    await club.bot.in_hand.end(0.01)
    assert stopped.is_set()
