"""A lesson as a class has it: a class quiz of two students with a second vote and a kill in the middle, then ten
questions alone on two days."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from playground.driver import Member
from tests.end_to_end.conftest import until_warm
from tests.end_to_end.house import House, open_house
from tests.end_to_end.test_club import JOB_S, buttons
from tests.waiting import until

Json = dict[str, Any]
DAY_S = 86_400
CLOCK = """
import datetime, os, time

AHEAD_S = float(os.environ["AHEAD_S"])
real = time.time
time.time = lambda: real() + AHEAD_S


class Later(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=AHEAD_S)


datetime.datetime = Later
"""
"""Python runs a `sitecustomize` before anything else: with this one, all of the house lives on another day."""


def title(message: Json) -> str:
    return str(message["embeds"][0].get("title", "")) if message["embeds"] else ""


def items(message: Json, prefix: str) -> list[str]:
    """The ids of a message's buttons and menus that begin so."""
    found = [item.get("custom_id", "") for row in message["components"] for item in row["components"]]
    return [custom_id for custom_id in found if custom_id.startswith(prefix)]


async def shown(member: Member, message: Json, text: str) -> Json:
    """The message, once it shows a text."""
    return await member.sees(
        lambda m: m["id"] == message["id"] and text in str(m["embeds"]), channel="quiz", within_s=JOB_S
    )


async def vote(member: Member, message: Json, place: int) -> None:
    """Answers a question in class, whatever its kind; `place` tells answers apart."""
    start = await member.newest("quiz")
    if choices := items(message, "class:"):
        answer = await member.press(message, choices[place])
    elif menus := items(message, "several:"):
        answer = await member.press(message, menus[0], [str(place)])
    else:
        form = await member.press(message, items(message, "type:")[0])
        answer = await member.submit(form, {"answer": str(place)}, channel="quiz")
    assert answer.outcome == "answered"
    told = await member.sees(lambda m: m["flags"] & 64 and "vote closes" in m["content"], channel="quiz", after=start)
    assert told["content"].startswith(("You chose", "You wrote", "Changed", "You'd already"))


async def host(member: Member, message: Json, label: str) -> None:
    assert (await member.press(message, buttons(message)[label])).outcome == "answered"


async def test_a_class_quiz_survives_a_kill_between_its_two_votes(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        async with house.members() as members:
            ada, ben, instructor = members["ada"], members["ben"], members["instructor"]
            await until_warm(instructor)
            await instructor.use("quiz class", channel="quiz", questions=2, seconds=600, second_vote=True)
            asked = await ada.sees(lambda m: "question 1 of 2" in title(m), channel="quiz", within_s=JOB_S)
            await vote(ada, asked, 0)
            await vote(ben, asked, 1)
            counted = await shown(ada, asked, "2 answers so far")
            await host(instructor, counted, "Talk it over")
            discussed = await shown(ada, asked, "Talk it over")
            assert "%" not in str(discussed["embeds"]), "nobody sees the first distribution before the second vote"
            assert not items(discussed, "class:")
        await _kill(house)

    with open_house(tmp_path) as house:
        async with house.members() as members:
            ada, ben, instructor = members["ada"], members["ben"], members["instructor"]
            await until_warm(instructor)
            standing = await shown(ada, asked, "Talk it over")
            await host(instructor, standing, "Open the second vote")
            again = await shown(ada, asked, "Second vote")
            await vote(ada, again, 0)
            await vote(ben, again, 0)
            await host(instructor, await shown(ada, asked, "2 answers so far"), "Reveal")
            revealed = await shown(ada, asked, "before you talked it over")
            assert {"Why", "The class"} <= {field["name"] for field in revealed["embeds"][0]["fields"]}
            questions = [m for m in await ada.messages("quiz") if "Class quiz: question" in title(m)]
            assert len(questions) == 1, "nothing was posted twice"
            await host(instructor, revealed, "Next question")
            second = await ada.sees(lambda m: "question 2 of 2" in title(m), channel="quiz", within_s=JOB_S)
            await vote(ben, second, 0)
            await host(instructor, await shown(ada, second, "1 answer so far"), "End quiz")
            ranking = await ada.sees(lambda m: "the ranking after 1 question" in title(m), channel="quiz")
            assert ranking["embeds"][0]["description"].count("<@") == 2
            await instructor.use("quiz report", channel="quiz")
            report = await instructor.sees(
                lambda m: m["flags"] & 64 and title(m).startswith("The class in"), channel="quiz", within_s=JOB_S
            )
            assert report["embeds"][0]["description"] == "2 answers of 2 students to 1 question."
            assert {"questions.csv", "students.csv"} <= {file["filename"] for file in report["attachments"]}


async def test_ten_questions_alone_on_two_days_and_what_was_wrong_comes_back(tmp_path: Path) -> None:
    first = await _practise(tmp_path, 0)
    later = await _practise(tmp_path, 2 * DAY_S)
    assert len(first) == len(later) == 5
    wrong = sum(told == "Not this time" for _, told in first)
    assert wrong, "five guesses in a row were right: that happens once in thousands of runs"
    assert later[0][0].startswith("Practice:")
    assert later[0][0].endswith("to go over again")


async def _practise(folder: Path, ahead_s: int) -> list[tuple[str, str]]:
    """Five questions on a day that is so far ahead: how each was announced, and what came of it."""
    (folder / "sitecustomize.py").write_text(CLOCK)
    found = []
    with open_house(folder, PYTHONPATH=str(folder), AHEAD_S=str(ahead_s)) as house:
        async with house.members() as members:
            ada = members["ada"]
            await until_warm(members["instructor"])
            told: Json | None = None
            for _ in range(5):
                start = await ada.newest("quiz")
                if told is None:
                    await ada.use("quiz me", channel="quiz")
                else:
                    await ada.press(told, buttons(told)["Next question"])
                asked = await ada.sees(
                    lambda m: m["flags"] & 64 and title(m).startswith("Practice"),
                    channel="quiz",
                    within_s=JOB_S,
                    after=start,
                )
                announced = title(asked)
                told = await _answer(ada, asked)
                found.append((announced, title(told)))
    return found


async def _answer(member: Member, message: Json) -> Json:
    """Guesses the last option, whatever the kind; returns what came of it."""
    while not title(message).startswith(("Right", "Not this time")):
        before = message
        if ready := items(message, "hand-in:"):
            await member.press(message, ready[0])
        elif choices := items(message, "practice:"):
            await member.press(message, choices[-1])
        elif menus := items(message, "several:"):
            await member.press(message, menus[0], ["0", "1"])
        elif lines := items(message, "order:"):
            await member.press(message, lines[0])
        else:
            form = await member.press(message, items(message, "type:")[0])
            await member.submit(form, {"answer": "17.17"}, channel="quiz")
        message = await member.sees(
            lambda m, seen=before: m["id"] == seen["id"] and m != seen, channel="quiz", within_s=JOB_S
        )
    return message


async def _kill(house: House) -> None:
    """`kill -9` of the bot; the rest leaves with it."""
    house.one("bot").send_signal(signal.SIGKILL)
    await until(lambda: house.process.poll() is not None, 60.0)
