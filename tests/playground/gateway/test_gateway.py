"""The gateway as other libraries and larger bots use it: compressed streams, shards, two logins."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

import aiohttp
import discord
import pytest
import zstandard
from discord.ext import commands

from playground.gateway.gateway import ACKNOWLEDGE_AFTER_S
from playground.world import cast
from tests.playground.conftest import Course
from tests.waiting import until

INTENTS = 1 | 1 << 9 | 1 << 12


class Connection:
    """A bare gateway connection that unpacks what it gets."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, compression: str = "") -> None:
        self.socket = socket
        unpackers = {
            "zlib-stream": lambda: zlib.decompressobj().decompress,
            "zstd-stream": lambda: zstandard.ZstdDecompressor().decompressobj().decompress,
        }
        self._unpack = unpackers[compression]() if compression else None

    async def frame(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            message = await self.socket.receive()
        if message.type is aiohttp.WSMsgType.CLOSE:
            return {"closed": message.data}
        assert (message.type is aiohttp.WSMsgType.BINARY) == (self._unpack is not None)
        found: dict[str, Any] = json.loads(self._unpack(message.data) if self._unpack else message.data)
        return found

    async def event(self, name: str) -> dict[str, Any]:
        """The next event of that name."""
        while True:
            frame = await self.frame()
            if frame.get("t") == name:
                body: dict[str, Any] = frame["d"]
                return body

    async def identify(self, course: Course, **more: Any) -> None:
        assert (await self.frame())["op"] == 10
        data = {"token": course.playground.token, "intents": INTENTS, "properties": {}} | more
        await self.socket.send_json({"op": 2, "d": data})


@pytest.mark.parametrize("compression", ["zlib-stream", "zstd-stream"])
async def test_a_compressed_stream_says_the_same(course: Course, compression: str) -> None:
    address = f"{course.playground.gateway.url}?v=10&encoding=json&compress={compression}"
    async with course.session.ws_connect(address) as socket:
        line = Connection(socket, compression)
        await line.identify(course)
        assert (await line.event("READY"))["user"]["username"] == "Woodshed"
        assert (await line.event("GUILD_CREATE"))["id"] == cast.GUILD_ID
        for number in range(3):
            await course.ada.say(f"@ {number} <@{cast.BOT.id}>")
            assert (await line.event("MESSAGE_CREATE"))["content"] == f"@ {number} <@{cast.BOT.id}>"


async def test_a_compression_that_is_not_there_is_refused(course: Course) -> None:
    async with course.session.ws_connect(course.playground.gateway.url + "?compress=brotli") as socket:
        assert await Connection(socket).frame() == {"closed": 4002}


@pytest.mark.parametrize("shard", [[4, 4], [-1, 2], [0], "0", [0, 0]])
async def test_a_shard_that_cannot_be_is_refused(course: Course, shard: object) -> None:
    async with course.session.ws_connect(course.playground.gateway.url) as socket:
        line = Connection(socket)
        await line.identify(course, shard=shard)
        assert await line.frame() == {"closed": 4010}


async def test_the_server_is_on_one_shard_and_direct_messages_are_on_the_first(course: Course) -> None:
    count = 5
    home = (int(cast.GUILD_ID) >> 22) % count
    heard: list[list[str]] = [[] for _ in range(count)]

    async def listen(number: int, line: Connection) -> None:
        while True:
            frame = await line.frame()
            heard[number].append(frame.get("t") or "")

    async with asyncio.TaskGroup() as group:
        lines = [Connection(await course.session.ws_connect(course.playground.gateway.url)) for _ in range(count)]
        for number, line in enumerate(lines):
            await line.identify(course, shard=[number, count])
            ready = await line.event("READY")
            assert ready["shard"] == [number, count]
            assert [guild["id"] for guild in ready["guilds"]] == ([cast.GUILD_ID] if number == home else [])
        listening = [group.create_task(listen(number, line)) for number, line in enumerate(lines)]
        await course.ada.use("count")
        direct = course.playground.direct_channel(cast.MEMBERS[0].id)
        await course.ada.request("POST", f"channels/{direct.id}/messages", {"content": "in private"})
        await until(lambda: "INTERACTION_CREATE" in heard[home] and "MESSAGE_CREATE" in heard[0])
        for task in listening:
            task.cancel()
    assert all("INTERACTION_CREATE" not in heard[number] for number in range(count) if number != home)
    for line in lines:
        await line.socket.close()


async def test_an_auto_sharded_bot_comes_in_as_many_shards_as_it_is_told(
    open_course: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(self: object, shard_id: int | None, *, initial: bool = False) -> None:
        """discord.py waits 5 s between two shards."""

    monkeypatch.setattr(discord.AutoShardedClient, "before_identify_hook", at_once)
    async with open_course(shards=4) as course:
        bot = commands.AutoShardedBot("!", intents=discord.Intents(guilds=True), help_command=None)

        @bot.tree.command(description="Says which shard it is on")
        async def where(interaction: discord.Interaction) -> None:
            assert interaction.guild is not None
            await interaction.response.send_message(f"shard {interaction.guild.shard_id} of {bot.shard_count}")

        running = asyncio.create_task(bot.start(course.playground.token))
        try:
            await until(bot.is_ready)
            assert sorted(bot.shards) == [0, 1, 2, 3]
            await bot.tree.sync()
            await course.bot.close()
            await course.ada.use("where")
            home = (int(cast.GUILD_ID) >> 22) % 4
            await course.ada.sees(lambda m: m["content"] == f"shard {home} of 4")
        finally:
            await bot.close()
            await asyncio.wait({running})


async def test_two_logins_both_hear_everything_and_the_first_to_answer_wins(course: Course) -> None:
    """As on Discord, where two sessions of one shard live side by side."""
    async with course.session.ws_connect(course.playground.gateway.url) as socket:
        line = Connection(socket)
        await line.identify(course)
        await line.event("GUILD_CREATE")
        await course.ada.use("count")
        heard = await line.event("INTERACTION_CREATE")
        await course.ada.sees(lambda m: m["content"] == "Counted to 0")
        path = f"/api/v10/interactions/{heard['id']}/{heard['token']}/callback"
        async with course.session.post(path, json={"type": 4, "data": {"content": "me too"}}) as response:
            assert (response.status, (await response.json())["code"]) == (400, 40060)


async def test_a_heartbeat_is_acknowledged_after_a_moment(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py notes when it sent one only afterwards: an answer that is there by then looks 41 s late to it."""
    waits = []
    real_sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        waits.append(seconds)
        await real_sleep(seconds)

    async with course.session.ws_connect(course.playground.gateway.url) as socket:
        line = Connection(socket)
        assert (await line.frame())["op"] == 10
        monkeypatch.setattr(asyncio, "sleep", noted)
        await socket.send_json({"op": 1, "d": None})
        assert (await line.frame())["op"] == 11
    assert ACKNOWLEDGE_AFTER_S in waits
