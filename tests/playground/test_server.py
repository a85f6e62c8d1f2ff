"""What staff can do to a server while a bot is in it (roles, boosts), and a client that doesn't wait for its answer."""

from __future__ import annotations

import asyncio
import io
import logging

import aiohttp
import discord
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from playground.driver import Refused
from playground.server import json_errors
from playground.world import cast
from playground.world.attachments import MIB
from tests.playground.conftest import Course, Open
from tests.waiting import until


async def guild_of(course: Course) -> discord.Guild:
    await until(course.bot.is_ready)
    return course.bot.guilds[0]


async def test_a_bot_hears_of_roles_that_come_change_their_names_and_go(course: Course) -> None:
    guild = await guild_of(course)
    role = await course.driver.create_role("Tutors")
    await until(lambda: guild.get_role(int(role["id"])) is not None)
    await course.driver.rename_role(role["id"], "Teaching assistants")
    await until(lambda: discord.utils.get(guild.roles, name="Teaching assistants"))
    await course.driver.delete_role(role["id"])
    await until(lambda: guild.get_role(int(role["id"])) is None)
    assert {found.name for found in await guild.fetch_roles()} == {found.name for found in guild.roles}


async def test_whoever_loses_a_role_loses_what_it_allowed(course: Course) -> None:
    roles = await course.driver.roles()
    ada = next(member for member in cast.MEMBERS if member.slug == "ada")
    await course.driver.set_roles("ada", [roles["Course staff"]])
    assert "poll" in {c["name"] for c in (await course.ada.channel("gallery"))["commands"]}
    await course.driver.delete_role(roles["Course staff"])
    assert "poll" not in {c["name"] for c in (await course.ada.channel("gallery"))["commands"]}
    guild = await guild_of(course)
    assert [role.name for role in (await guild.fetch_member(int(ada.id))).roles] == ["@everyone"]


async def test_roles_are_as_they_were_left_after_a_restart(open_course: Open) -> None:
    async with open_course() as before:
        roles = await before.driver.roles()
        await before.driver.rename_role(roles["Course staff"], "Lecturers")
        await before.driver.delete_role(roles["Students"])
        await before.driver.set_roles("ben", [roles["Course staff"]])
    async with open_course() as after:
        now = await after.driver.roles()
        assert now["Lecturers"] == roles["Course staff"]
        assert "Students" not in now
        assert "poll" in {c["name"] for c in (await after.ben.channel("gallery"))["commands"]}


@pytest.mark.parametrize("name", ["@everyone", "Woodshed"])
async def test_some_roles_cannot_be_deleted(course: Course, name: str) -> None:
    with pytest.raises(Refused) as refused:
        await course.driver.delete_role((await course.driver.roles())[name])
    assert refused.value.code == 50028


async def test_a_boosted_server_takes_larger_files(open_course: Open) -> None:
    async with open_course() as course:
        guild = await guild_of(course)
        channel = guild.text_channels[0]
        large = 30 * MIB
        with pytest.raises(discord.HTTPException) as refused:
            await channel.send(file=discord.File(io.BytesIO(bytes(large)), "large.bin"))
        assert refused.value.code == 40005
        await course.driver.boost(2)
        await until(lambda: guild.premium_tier == 2)
        assert guild.filesize_limit == course.playground.attachment_size_limit == 50 * MIB
        sent = await channel.send(file=discord.File(io.BytesIO(bytes(large)), "large.bin"))
        assert sent.attachments[0].size == large
    async with open_course() as after:
        assert after.playground.attachment_size_limit == 50 * MIB


async def test_a_tab_that_is_gone_before_it_is_connected_leaves_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    left = asyncio.Event()

    async def connect(request: web.Request) -> web.WebSocketResponse:
        assert request.transport is not None
        request.transport.abort()  # the tab is reloaded just now
        left.set()
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        return socket

    application = web.Application(middlewares=[json_errors])
    application.router.add_get("/events", connect)
    with caplog.at_level(logging.WARNING):
        async with TestServer(application) as server, aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientError):
                await session.ws_connect(server.make_url("/events"))
            await left.wait()
    assert caplog.records == []
