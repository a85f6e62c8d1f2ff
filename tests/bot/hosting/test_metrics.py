"""The figures are on this machine alone, say what happened, and nothing of who did it."""

import json
import re
import socket
from pathlib import Path

import aiohttp
import pytest

from bot.hosting.metrics import serve_metrics
from engine.contract.configuration import ConfigurationError
from tests.engine_double import Behaviour, png

HOUSE = Path(__file__).parents[3]


async def scraped(port):
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


async def test_commands_failures_and_the_bots_state_are_counted(club, unused_tcp_port):
    async with serve_metrics(club.bot, unused_tcp_port) as metrics:
        await club.student.slash(club.channel, "stylize", image=("cat.png", png()))
        club.double.misbehave(Behaviour.FAIL)
        await club.student.slash(club.channel, "stylize", image=("cat.png", png()))
        await club.student.slash(club.channel, "styles remove", name="x")
        await metrics.look(club.bot)
        found = await scraped(unused_tcp_port)
    assert found['woodshed_command_seconds_count{command="stylize"}'] == 1
    assert found['woodshed_errors_total{command="stylize",kind="engine"}'] == 1
    assert found['woodshed_errors_total{command="styles remove",kind="refused"}'] == 1
    assert (found["woodshed_servers"], found["woodshed_engine_up"], found["woodshed_jobs"]) == (1, 1, 0)
    assert found["woodshed_database_bytes"] > 0
    assert found['woodshed_stage_seconds_count{kind="stylize",stage="running"}'] == 2
    assert found['woodshed_stage_seconds_sum{kind="stylize",stage="running"}'] == 3
    assert (found["woodshed_device_memory_used_bytes"], found["woodshed_device_memory_bytes"]) == (1e6, 2e6)
    assert not [name for name in found if str(club.student.id) in name or "ada" in name]
    club.refusals()


async def test_only_this_machine_reaches_them_and_they_end_with_the_bot(club, unused_tcp_port):
    async with serve_metrics(club.bot, unused_tcp_port):
        with socket.socket() as probe:
            probe.bind(("127.0.0.2", unused_tcp_port))  # another address of this machine is free
        assert await scraped(unused_tcp_port)
    with pytest.raises(aiohttp.ClientError):
        await scraped(unused_tcp_port)
    assert club.bot.failures == [club.bot.pulse.ended]


async def test_a_port_that_is_taken_is_a_wrong_setting(club):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigurationError, match=r"'hosting\.metrics_port' is \d+, which can't be used: .*\."):
            async with serve_metrics(club.bot, taken.getsockname()[1]):
                pass


async def test_the_board_draws_only_figures_that_there_are(club, unused_tcp_port):
    board = json.loads((HOUSE / "deploy" / "grafana.json").read_text())
    drawn = {name for panel in board["panels"] for name in re.findall(r"woodshed_\w+", str(panel["targets"]))}
    async with serve_metrics(club.bot, unused_tcp_port) as metrics:
        await club.student.slash(club.channel, "stylize", image=("cat.png", png()))
        await club.student.slash(club.channel, "styles remove", name="x")
        await metrics.look(club.bot)
        there = {name.partition("{")[0] for name in await scraped(unused_tcp_port)}
    assert len(drawn) >= 8
    assert drawn <= there
    club.refusals()
