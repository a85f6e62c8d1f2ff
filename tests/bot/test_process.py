"""`python -m bot` as a process: it logs in over the wire, stays light, stops cleanly, and says what is wrong."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.engine_double import EngineDouble, serve_double, socket_address
from tests.waiting import until

HOUSE = Path(__file__).parents[2]


@dataclass
class Child:
    process: asyncio.subprocess.Process
    log: Path
    pid: int = field(init=False)

    def __post_init__(self):
        self.pid = self.process.pid

    def said(self, pattern):
        return re.search(pattern, self.log.read_text())


@contextlib.asynccontextmanager
async def child(log, *command, **environment):
    """A process of its own, its output in a file; killed at the end if it still runs."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *command, cwd=HOUSE, env={**os.environ, **environment}, stdout=output, stderr=output
        )
    try:
        yield Child(process, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
async def login(tmp_path):
    """A playground without a bot; what a bot needs in its environment to log in there."""
    command = ("playground", "--server-only", "--state", str(tmp_path / "playground"))
    async with child(tmp_path / "playground.log", *command) as playground:
        told = r"DISCORD_TOKEN=(\S+) WOODSHED_DISCORD__API_BASE=(\S+)"
        await until(lambda: playground.said(told))
        token, api_base = playground.said(told).groups()
        yield {
            "DISCORD_TOKEN": token,
            "WOODSHED_DISCORD__API_BASE": api_base,
            "WOODSHED_STORE__PATH": str(tmp_path / "woodshed.sqlite3"),
            "WOODSHED_ENGINE__ADDRESS": socket_address(tmp_path),
        }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_bot_logs_in_stays_light_and_stops_cleanly(tmp_path, login, number):
    async with serve_double(socket_address(tmp_path), EngineDouble()), child(tmp_path / "log", "bot", **login) as bot:
        await until(lambda: bot.said("logged in"))
        process = psutil.Process(bot.pid)
        assert process.memory_info().rss < 150 * 2**20
        assert not [m.path for m in process.memory_maps() if "torch" in m.path or "numpy" in m.path]
        bot.process.send_signal(number)
        assert await asyncio.wait_for(bot.process.wait(), 10.0) == 0
        assert not bot.said("Traceback")


async def test_a_refused_token_ends_with_one_sentence_and_exit_code_78(tmp_path, login):
    wrong = login | {"DISCORD_TOKEN": "not-the-t0ken"}
    async with child(tmp_path / "log", "bot", **wrong) as bot:
        assert await asyncio.wait_for(bot.process.wait(), 20.0) == 78
        assert bot.log.read_text().splitlines()[-1] == "DISCORD_TOKEN in the environment was refused by Discord."
        assert not bot.said("t0ken")
        assert not bot.said("Traceback")


async def test_an_address_without_a_discord_ends_with_one_sentence_and_exit_code_78(tmp_path, login):
    async with child(
        tmp_path / "log", "bot", **login | {"WOODSHED_DISCORD__API_BASE": "http://127.0.0.1:9/api/v10"}
    ) as bot:
        assert await asyncio.wait_for(bot.process.wait(), 20.0) == 78
        assert bot.said(r"'discord\.api_base' is http://127\.0\.0\.1:9/api/v10, where no Discord answers")


async def test_a_certificate_that_is_not_there_ends_with_one_sentence_and_exit_code_78(tmp_path, login):
    remote = {
        "WOODSHED_ENGINE__ADDRESS": "dns:///gpu-box:50051",
        "WOODSHED_ENGINE__TOKEN": "s3cret",
        "WOODSHED_ENGINE__TLS_CERTIFICATE": "/nowhere.pem",
    }
    async with child(tmp_path / "log", "bot", **login | remote) as bot:
        assert await asyncio.wait_for(bot.process.wait(), 20.0) == 78
        assert bot.log.read_text().splitlines()[-1].startswith("'engine.tls_certificate' is /nowhere.pem, which can't")
        assert not bot.said("Traceback")


async def test_a_taken_port_for_figures_ends_with_one_sentence_and_exit_code_78(tmp_path, login):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = {"WOODSHED_HOSTING__METRICS_PORT": str(taken.getsockname()[1])}
        async with child(tmp_path / "log", "bot", **login | port) as bot:
            assert await asyncio.wait_for(bot.process.wait(), 20.0) == 78
            assert bot.said(r"'hosting\.metrics_port' is \d+, which can't be used: .* choose another, or 0 for none\.")
            assert not bot.said("Traceback")


async def test_a_newer_database_ends_with_one_sentence(tmp_path, login):
    import sqlite3

    with sqlite3.connect(login["WOODSHED_STORE__PATH"]) as connection:
        connection.execute("PRAGMA user_version = 9999")
    async with child(tmp_path / "log", "bot", **login) as bot:
        assert await asyncio.wait_for(bot.process.wait(), 20.0) == 78
        assert re.fullmatch(
            r"The database \S+ can't be used: a newer Woodshed wrote it \(version 9999; .*\n", bot.log.read_text()
        )


async def test_a_database_that_cannot_be_opened_ends_with_one_sentence(tmp_path, login):
    (tmp_path / "file").write_text("not a folder")
    async with child(tmp_path / "log", "bot", **login | {"WOODSHED_STORE__PATH": f"{tmp_path}/file/db"}) as bot:
        assert await asyncio.wait_for(bot.process.wait(), 20.0) == 78
        assert re.fullmatch(
            r"I can't open the database \S+ \('\[store\] path' in the settings\): .*\n", bot.log.read_text()
        )


async def test_a_wrong_setting_of_the_engine_stops_the_bot_with_the_engines_sentence(tmp_path, login):
    wrong = login | {"WOODSHED_ENGINE__ADDRESS": "local", "WOODSHED_STYLIZE__TILE_PX": "none"}
    async with child(tmp_path / "log", "bot", **wrong) as bot:
        assert await asyncio.wait_for(bot.process.wait(), 60.0) == 78
        assert bot.said(r"'stylize\.tile_px' in the environment variable WOODSHED_STYLIZE__TILE_PX is wrong")


async def test_the_real_engine_does_not_outlive_a_killed_bot(tmp_path, login):
    async with child(tmp_path / "log", "bot", **login | {"WOODSHED_ENGINE__ADDRESS": "local"}) as bot:
        await until(lambda: psutil.Process(bot.pid).children(), 30.0)
        (engine,) = psutil.Process(bot.pid).children()
        await until(lambda: bot.said("engine warming"), 60.0)
        bot.process.kill()
        await bot.process.wait()
        await until(lambda: not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE, 30.0)
