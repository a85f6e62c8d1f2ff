"""The house falls down and is built up again: votes, messages and buttons are still there, and no process is left."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil

from tests.end_to_end.conftest import until_warm
from tests.end_to_end.house import WARM_S, House, open_house
from tests.end_to_end.test_club import JOB_S, buttons, quiz_question
from tests.waiting import until


async def test_a_killed_bot_leaves_no_engine_and_loses_no_answer(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        async with house.members() as members:
            await until_warm(members["instructor"])
            question = await quiz_question(members["ada"])
            choices = list(buttons(question).values())
            await members["ada"].press(question, choices[0])
            await members["ada"].sees(lambda m: m["flags"] & 64 and m["embeds"], channel="quiz")
        await _kill_the_bot(house)

    with open_house(tmp_path) as house:
        async with house.members() as members:
            ada, ben = members["ada"], members["ben"]
            kept = await ada.sees(lambda m: m["id"] == question["id"], channel="quiz")
            assert buttons(kept) == buttons(question)
            assert (await ben.press(kept, choices[0])).outcome == "answered", "a button from before the restart"
            await ben.sees(lambda m: m["flags"] & 64 and m["embeds"], channel="quiz")
            await ada.use("quiz score", channel="quiz")
            score = await ada.sees(
                lambda m: m["embeds"] and m["embeds"][0].get("title") == "Your score", channel="quiz"
            )
            assert "of 1** right" in score["embeds"][0]["description"]


async def _kill_the_bot(house: House) -> None:
    """`kill -9`: the engine sees its pipe close, the launcher its child gone; both leave."""
    family = house.processes()
    house.one("bot").send_signal(signal.SIGKILL)
    await until(lambda: not any(_is_alive(process) for process in family), 60.0)
    assert house.process.wait(30) == 128 + signal.SIGKILL


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_killed_engine_is_replaced_and_the_member_is_told(house: House) -> None:
    async with house.members() as members:
        ada = members["ada"]
        await ada.use("jazz", channel="jazz-club", bars=32, seed=1)
        thinking = (await ada.messages("jazz-club"))[-1]
        engine = house.one("engine serve")
        engine.send_signal(signal.SIGKILL)
        answer = await ada.sees(
            lambda m: m["id"] >= thinking["id"] and (m["attachments"] or (m["flags"] & 64 and m["content"])),
            channel="jazz-club",
            within_s=WARM_S,
        )
        assert answer["attachments"] or "engine" in answer["content"].lower()
        await until_warm(members["instructor"])
        assert house.one("engine serve").pid != engine.pid
        await ada.use("jazz", channel="jazz-club", bars=4, seed=1)
        await ada.sees(lambda m: m["id"] > answer["id"] and m["attachments"], channel="jazz-club", within_s=JOB_S)


async def test_everything_is_gone_after_a_signal(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        await until(lambda: len(house.processes()) >= 3)  # the engine comes last
        family = house.processes()
        house.process.send_signal(signal.SIGTERM)
        await until(lambda: not any(_is_alive(process) for process in family), 60.0)
        assert house.process.wait(30) == 0
