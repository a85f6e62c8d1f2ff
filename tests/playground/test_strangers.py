"""Bots that know nothing of this project log in as they would to Discord: discord.py, and discord.js."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from playground.driver import Driver
from playground.server import Server
from playground.world.state import Options, Playground
from tests.playground.conftest import ANSWER_S, OPENAPI

EXAMPLES = Path(__file__).parents[2] / "playground/examples"
LOGIN_S = 60.0


@contextlib.asynccontextmanager
async def with_bot(folder: Path, *command: str) -> AsyncIterator[Driver]:
    """A playground with one of the examples logged in to it, as a process of its own."""
    playground = Playground(
        Options(folder / "state", openapi=OPENAPI if OPENAPI.is_file() else None, answer_within_s=ANSWER_S)
    )
    async with Server(playground), aiohttp.ClientSession() as session:
        registered = asyncio.Event()
        playground.commands.listeners.append(registered.set)
        process = await asyncio.create_subprocess_exec(
            *command, playground.origin, env=os.environ | {"TOKEN": playground.token}
        )
        try:
            async with asyncio.timeout(LOGIN_S):
                await registered.wait()
                await playground.gateway.connected.wait()
            yield Driver(session, playground.address)
        finally:
            process.terminate()
            await process.wait()
    if playground.description is not None:
        assert list(playground.description.violations) == []


async def greets(playground: Driver, words: str) -> None:
    ada = playground.member("ada")
    await ada.use("hello")
    greeting = await ada.sees(lambda m: m["content"] == words)
    (button,) = greeting["components"][0]["components"]
    await ada.press(greeting, button["custom_id"])
    await ada.sees(lambda m: m["content"] == "Ada waves.")


async def test_a_bot_on_discord_py_needs_three_addresses_and_nothing_else(tmp_path: Path) -> None:
    async with with_bot(tmp_path, sys.executable, str(EXAMPLES / "strangers_bot.py")) as playground:
        await greets(playground, "Hello from discord.py!")


async def test_a_bot_on_discord_js_needs_one_address(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    found = await asyncio.to_thread(
        subprocess.run, [node, "-e", "require.resolve('discord.js')"], cwd=EXAMPLES, capture_output=True, check=False
    )
    if found.returncode:
        pytest.skip("needs discord.js: `npm install discord.js` in playground/examples, or its folder in NODE_PATH")
    async with with_bot(tmp_path, node, str(EXAMPLES / "strangers_bot.cjs")) as playground:
        await greets(playground, "Hello from discord.js!")
