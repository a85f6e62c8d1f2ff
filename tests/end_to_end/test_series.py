"""A poll as a class would run it: an instructor, two students, three pairs and two singles, a kill in the middle, the
reveal, and every number of it computed anew from the export."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import signal
from pathlib import Path
from typing import Any

from playground.driver import Member
from tests.end_to_end.conftest import until_warm
from tests.end_to_end.house import House, open_house
from tests.end_to_end.test_club import JOB_S, buttons, fields
from tests.waiting import until

TITLE = "Friday's five"


def is_trial(message: dict[str, Any]) -> bool:
    return bool(message["attachments"]) and TITLE in (message["embeds"][0].get("title") or "")


async def trials(member: Member) -> list[dict[str, Any]]:
    return [message for message in await member.messages(TITLE) if message["embeds"] and is_trial(message)]


async def vote(member: Member, message: dict[str, Any], place: int) -> None:
    """Press the first or the second button and read the confirmation."""
    start = await member.newest(TITLE)
    assert (await member.press(message, list(buttons(message).values())[place])).outcome == "answered"
    await member.sees(lambda m: m["flags"] & 64 and m["content"].startswith("Your vote"), channel=TITLE, after=start)


async def test_a_series_as_a_class_runs_it(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        async with house.members() as members:
            await until_warm(members["instructor"])
            await members["instructor"].use(
                "poll start", channel="jazz-club", trials=5, design="mixed", closes_in=60, title=TITLE
            )
            opening = await members["ada"].sees(
                lambda m: m["embeds"] and m["embeds"][0].get("title") == TITLE,
                channel="jazz-club",
                within_s=12 * JOB_S,
            )
            seal = fields(opening)["Sealed"].split("`")[1]
            await members["ada"].sees(
                lambda m: m["embeds"] and "5 of 5" in (m["embeds"][0].get("title") or ""), channel=TITLE
            )
            standing = await trials(members["ada"])
            assert [len(message["attachments"]) for message in standing] == [2, 2, 2, 1, 1]
            sizes = [{file["size"] for file in message["attachments"]} for message in standing]
            assert all(len(of_pair) == 1 for of_pair in sizes), "both sides are files of the same size"
            for place, message in enumerate(standing[:3]):
                await vote(members["ada"], message, place % 2)
        await _kill(house)

    with open_house(tmp_path) as house:
        async with house.members() as members:
            standing = await trials(members["ada"])
            assert len(standing) == 5, "nothing was posted twice"
            for place, message in enumerate(standing):
                await vote(members["ben"], message, 0)
                if place >= 3:
                    await vote(members["ada"], message, 1)
            await members["instructor"].use("poll close", channel="jazz-club")
            reveal = await members["ada"].sees(
                lambda m: m["embeds"] and "The reveal" in (m["embeds"][0].get("title") or ""),
                channel="jazz-club",
                within_s=JOB_S,
            )
            sealed = fields(reveal)["The key to the seal"].split("`")[1]
            assert hashlib.sha256(sealed.encode()).hexdigest() == seal
            files = await _export(members["instructor"])
            _recomputed(files, reveal)


async def _export(member: Member) -> dict[str, bytes]:
    await member.use("poll export", channel="jazz-club", series=1)
    answer = await member.sees(
        lambda m: m["flags"] & 64 and any(file["filename"] == "votes.csv" for file in m["attachments"]),
        channel="jazz-club",
        within_s=JOB_S,
    )
    found = {}
    for file in answer["attachments"]:
        _, content, _ = await member.download(file["url"])
        found[file["filename"]] = content
    return found


def _recomputed(files: dict[str, bytes], reveal: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(files["votes.csv"].decode("utf-8-sig"))))
    assert len(rows) == 10
    right = sum(row["choice"] == row["answer"] for row in rows)
    assert fields(reveal)["All together"].startswith(f"{right} of 10 votes of 2 listeners")
    for line in reveal["embeds"][0]["description"].splitlines():
        number = line.split(".")[0].strip("*")
        votes = [row for row in rows if row["trial"] == number]
        assert f"{sum(row['choice'] == row['answer'] for row in votes)} of {len(votes)} right" in line
    verdict = json.loads(files["verdict.json"])["summary"]
    assert (verdict["share"]["right"], verdict["votes"]) == (right, 10)


async def _kill(house: House) -> None:
    """`kill -9` of the bot; the rest leaves with it."""
    house.one("bot").send_signal(signal.SIGKILL)
    await until(lambda: house.process.poll() is not None, 60.0)
