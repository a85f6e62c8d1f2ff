"""A bot that is updated again and again, while members vote, loses no vote that it has confirmed."""

import asyncio
import signal
import sqlite3
from contextlib import closing

from playground.driver import Refused, drive
from tests.bot.hosting.test_draining import playground  # noqa: F401 -- a fixture
from tests.bot.test_process import child
from tests.engine_double import EngineDouble, serve_double, socket_address
from tests.waiting import until

RESTARTS = 3


async def answer_for_ever(member, answered):
    """Ask for a question and answer it, again and again; keeps what the bot has confirmed."""
    while True:
        try:
            start = await member.newest("quiz")
            await member.use("quiz question", channel="quiz")
            asked = await member.sees(lambda m: m["components"], channel="quiz", within_s=5, after=start)
            button = asked["components"][0]["components"][0]["custom_id"]
            await member.press(asked, button)
            # A bot that is leaving answers, too: with a sentence, and without the embed that confirms.
            await member.sees(
                lambda m: m["flags"] & 64 and m["embeds"], channel="quiz", within_s=2, after=int(asked["id"])
            )
            answered.append(button)
        except (LookupError, TimeoutError, Refused):
            await asyncio.sleep(0.1)  # the bot is away for the moment


async def test_no_confirmed_answer_is_lost_by_restarts_under_load(tmp_path, playground):  # noqa: F811
    page, login = playground
    answered = []
    async with serve_double(socket_address(tmp_path), EngineDouble()), drive(page) as driver:
        members = [driver.member(name) for name in ("ada", "ben", "thelonia")]
        answering = [asyncio.create_task(answer_for_ever(member, answered)) for member in members]
        for number in range(RESTARTS):
            before = len(answered)
            async with child(tmp_path / f"log{number}", "bot", **login) as bot:
                await until(lambda bot=bot: bot.said("logged in"), 30.0)
                await until(lambda before=before: len(answered) > before + 3, 30.0)
                bot.process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(bot.process.wait(), 30.0) == 0
                assert not bot.said("Traceback"), bot.log.read_text()
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)
    with closing(sqlite3.connect(login["WOODSHED_STORE__PATH"])) as connection:
        kept = connection.execute("SELECT count(*) FROM answers").fetchone()[0]
    assert kept >= len(answered) > RESTARTS * 3
