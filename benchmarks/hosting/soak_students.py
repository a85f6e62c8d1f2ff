"""Members at work in a soak (soak.py)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from benchmarks.hosting.soak_scene import CHANNEL, EPHEMERAL, QUIZ_CHANNEL, Scene, free_port, until
from playground.driver import Json, Member, Refused, drive

TOLD = re.compile(r"is at (\S+) .*\n.*DISCORD_TOKEN=(\S+) WOODSHED_DISCORD__API_BASE=(\S+)")
OPTIONS = ("trumpet", "tenor", "piano")


class Student:
    """One member at work. Whatever the bot says counts; what it confirms must be kept."""

    def __init__(self, member: Member, discord_id: int, scene: Scene, ballot: Json) -> None:
        self.discord_id = discord_id
        self.member, self.scene, self.tally, self.ballot = member, scene, scene.tally, ballot
        self.draw = random.Random(f"{member.slug}")

    async def work(self, pause_s: float) -> None:
        while True:
            deed = self.draw.choices((self.vote, self.quiz, self.ask, self.order), (4, 3, 1, 2))[0]
            began = time.monotonic()
            try:
                self.tally.ends[f"{deed.__name__}: {await deed()}"] += 1
            except (Refused, LookupError, TimeoutError, aiohttp.ClientError) as error:
                self.tally.ends[f"{deed.__name__}: {type(error).__name__}"] += 1
            self.tally.slowest_s = max(self.tally.slowest_s, time.monotonic() - began)
            await asyncio.sleep(self.draw.uniform(0.2, 1.8) * pause_s)

    async def vote(self) -> str:
        """Press an option; a private answer that names it confirms."""
        place = self.draw.randrange(len(OPTIONS))
        buttons = [item for row in self.ballot["components"] for item in row["components"]]
        before = await self.member.newest(CHANNEL)
        if self.discord_id in self.tally.votes:
            self.tally.votes[self.discord_id].add(place)
        answer = await self.member.press(self.ballot, buttons[place]["custom_id"])
        if answer.outcome == "failed":
            return "the application did not respond"
        said = await self.member.sees(lambda m: m["flags"] & EPHEMERAL, channel=CHANNEL, within_s=8.0, after=before)
        if OPTIONS[place] in str(said):
            self.tally.votes[self.discord_id] = {place}
            return "confirmed"
        return "told why not"

    async def quiz(self) -> str:
        """Ask for a question and answer it."""
        before = await self.member.newest(QUIZ_CHANNEL)
        answer = await self.member.use("quiz question", channel=QUIZ_CHANNEL)
        if answer.outcome == "failed":
            return "the application did not respond"
        asked = await self.member.sees(
            lambda m: m["components"] or m["flags"] & EPHEMERAL, channel=QUIZ_CHANNEL, within_s=30.0, after=before
        )
        if not asked["components"]:
            return "told why not"
        pressed = await self.member.press(asked, asked["components"][0]["components"][0]["custom_id"])
        if pressed.outcome == "failed":
            return "the application did not respond"
        said = await self.member.sees(
            lambda m: m["flags"] & EPHEMERAL, channel=QUIZ_CHANNEL, within_s=8.0, after=int(asked["id"])
        )
        if said["embeds"]:
            self.tally.answers[self.member.slug] += 1
            return "confirmed"
        return "told why not"

    async def ask(self) -> str:
        answer = await self.member.use("ask", channel=CHANNEL, question="how do I sleep?", private=True)
        return "answered" if answer.outcome == "answered" else "the application did not respond"

    async def order(self) -> str:
        answer = await self.member.use("jazz", channel=CHANNEL, bars=4)
        return "answered" if answer.outcome == "answered" else "the application did not respond"


@contextlib.asynccontextmanager
async def opened(folder: Path, members: int, seed: int) -> AsyncIterator[tuple[Scene, list[Student]]]:
    """The scene with everybody in it, a vote open, and the bot warm."""
    scene = Scene(folder, seed)
    async with contextlib.AsyncExitStack() as stack:
        for child in (scene.playground, scene.engine, scene.bot):  # the bot leaves first
            stack.push_async_callback(child.end)
        await scene.playground.start()
        await until(lambda: scene.playground.said(TOLD) is not None)
        told = scene.playground.said(TOLD)
        assert told is not None
        page, token, api_base = told.groups()
        scene.metrics_port = free_port()
        scene.bot._environment.update(
            DISCORD_TOKEN=token,
            WOODSHED_DISCORD__API_BASE=api_base,
            WOODSHED_STORE__PATH=str(scene.database),
            WOODSHED_ENGINE__ADDRESS=scene.address,
            WOODSHED_HOSTING__METRICS_PORT=str(scene.metrics_port),
        )
        await scene.engine.start()
        await scene.bot.start()
        scene.driver = await stack.enter_async_context(drive(page))
        await until(
            lambda: scene.bot.said("logged in") is not None and scene.bot.said("connected to the engine") is not None
        )
        await scene.driver.bring_class(members, pace=1000.0)
        grace = scene.driver.member("thelonia")
        await grace.use("vote", channel=CHANNEL, question="Which horn?", options=" | ".join(OPTIONS))
        ballot = await grace.sees(
            lambda m: any(item["custom_id"].startswith("pick:") for item in _buttons(m)), channel=CHANNEL, within_s=30.0
        )
        students = []
        for number in range(members):
            member = scene.driver.member(f"simulated_{number + 1}")
            students.append(Student(member, int((await member.state())["me"]["id"]), scene, ballot))
        yield scene, students


def _buttons(message: Json) -> list[Json]:
    return [item for row in message["components"] for item in row.get("components", ())]
