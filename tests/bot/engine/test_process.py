"""The local engine: started, watched, restarted, and never outliving the bot."""

import asyncio
import contextlib
import os
import random
import signal
import sys
from pathlib import Path

import psutil
import pytest

from bot.engine.calls import open_engine_client
from bot.engine.process import (
    AT_ONCE,
    LISTEN_VARIABLE,
    Backoff,
    EngineProcess,
    Probe,
    Supervision,
    private_address,
)
from engine.contract.configuration import ConfigurationError
from engine.contract.process_settings import ProcessSettings
from tests.waiting import until

HOUSE = Path(__file__).parents[3]
QUICK = Supervision(
    start_timeout_s=8.0,
    check_interval_s=0.1,
    missed_checks=2,
    first_backoff_s=0.05,
    longest_backoff_s=0.2,
    stable_after_s=60.0,
    stop_grace_s=0.5,
)


@contextlib.asynccontextmanager
async def supervised(mode, supervision=QUICK, draw=None):
    """An EngineProcess around a tiny engine; yields it, a client for it, and its task."""
    async with private_address() as address, open_engine_client(ProcessSettings(), address) as client:

        async def alive():
            async with asyncio.timeout(0.5):
                return await client.is_alive()

        async def is_alive():
            try:
                return await alive()
            except TimeoutError:
                return False

        process = EngineProcess(
            (sys.executable, "-m", "tests.bot.engine.tiny_engine", mode),
            {**os.environ, LISTEN_VARIABLE: address, "PYTHONPATH": str(HOUSE)},
            Probe(client.is_serving, is_alive),
            supervision,
            draw or random.Random(1),
        )
        task = asyncio.create_task(process.run())
        try:
            yield process, client, task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_an_engine_is_started_serves_and_stops_with_the_bot():
    async with supervised("honest") as (process, client, _):
        await client.wait_serving(15.0)
        pid = process.pid
        assert len(await client.list_styles()) == 3
    assert gone(pid)


async def test_a_killed_engine_comes_back_on_the_same_address():
    async with supervised("honest") as (process, client, _):
        await client.wait_serving(15.0)
        first = process.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: process.starts == 2)
        assert (await client.about()).device == "cpu (2 threads)"
        assert process.pid != first


async def test_an_engine_that_ignores_sigterm_is_killed_after_the_grace():
    async with supervised("deaf") as (process, client, _):
        await client.wait_serving(15.0)
        pid = process.pid
    assert gone(pid)


async def test_an_engine_that_no_longer_answers_is_replaced():
    async with supervised("stunned") as (process, _, _):
        await until(lambda: process.starts >= 2)


async def test_an_engine_that_never_gets_warm_is_replaced():
    patience = Supervision(
        start_timeout_s=1.5, check_interval_s=0.1, first_backoff_s=0.05, longest_backoff_s=0.1, stop_grace_s=0.5
    )
    async with supervised("cold", patience) as (process, _, _):
        await until(lambda: process.starts >= 2)


async def test_an_engine_that_keeps_dying_is_started_again_and_again():
    async with supervised("short") as (process, _, task):
        await until(lambda: process.starts >= 3)
        assert not task.done()


class Pauses(random.Random):
    """Counts the pauses that were drawn."""

    drawn = 0

    def uniform(self, low, high):
        self.drawn += 1
        return high


async def test_an_engine_that_gives_itself_up_is_started_again_at_once_but_not_for_ever():
    """Exit code 75: a job hung or the device was lost. Whoever waits shouldn't wait for a pause on top of that."""
    pauses, patience = Pauses(), Supervision(first_backoff_s=600.0, longest_backoff_s=600.0, stop_grace_s=0.5)
    async with supervised("gives up", patience, pauses) as (process, _, task):
        await until(lambda: pauses.drawn == 1)
        assert process.starts == 1 + AT_ONCE
        assert not task.done()


async def test_a_wrong_setting_ends_the_bot_with_the_engines_own_sentence():
    async with supervised("misset") as (process, _, task):
        with pytest.raises(ConfigurationError, match=r"'engine\.threads' in config\.toml is wrong"):
            await asyncio.wait_for(task, 15.0)
        assert process.starts == 1


def test_pauses_double_up_to_a_bound_are_never_equal_for_all_and_start_anew():
    backoff = Backoff(0.5, 60.0, random.Random(3))
    pauses = [backoff.next_s() for _ in range(12)]
    for i, pause in enumerate(pauses):
        full = min(60.0, 0.5 * 2**i)
        assert full / 2 <= pause <= full
    backoff.reset()
    assert backoff.next_s() <= 0.5
    assert Backoff(0.5, 60.0, random.Random(4)).next_s() != pauses[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_no_engine_outlives_its_bot(tmp_path, number):
    """The parent here is a process of its own, so that it can be killed."""
    script = f"""
import asyncio, sys
sys.path.insert(0, {str(HOUSE)!r})
import signal
from bot.engine.process import run_local_engine, private_address
from engine.contract.process_settings import ProcessSettings
async def main():
    stop = asyncio.Event()
    for n in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(n, stop.set)
    command = (sys.executable, "-m", "tests.bot.engine.tiny_engine", "honest")
    async with private_address() as address, run_local_engine(ProcessSettings(), address, command):
        await stop.wait()
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, cwd=HOUSE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    children = []

    def engine_is_up():
        children[:] = psutil.Process(parent.pid).children()
        return bool(children) and any(c.net_connections("unix") for c in children)

    try:
        await until(engine_is_up)
        os.kill(parent.pid, number)
        await asyncio.wait_for(parent.wait(), 15.0)
        await until(lambda: all(gone(child.pid) for child in children))
    finally:  # a test that fails on a busy machine must not leave them behind
        for process in [parent, *children]:
            with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
                process.kill()
        await parent.wait()
