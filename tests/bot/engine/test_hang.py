"""An engine that hangs: up, connected, and answering nothing. It has its own sentence, and is soon found out."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.engine.calls import EngineClient
from bot.engine.connection import open_channel
from bot.engine.failures import HUNG
from bot.engine.process import LISTEN_VARIABLE
from bot.errors import EngineHung, JobCancelled
from engine.contract import PARENT_FD_VARIABLE
from engine.contract import engine_pb2 as pb
from tests.engine_double import Behaviour, EngineDouble, serve_double, socket_address
from tests.waiting import until

HOUSE = Path(__file__).resolve().parents[3]
QUICK = {"silence_s": 0.1, "job_silence_s": 0.1, "pulse_s": 0.1}


@pytest.fixture
async def hung(tmp_path: Path) -> AsyncIterator[EngineClient]:
    """A client of an engine in a process of its own, which is stopped (SIGSTOP) once it serves."""
    read_end, write_end = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bot.engine.tiny_engine", "honest"),
        cwd=HOUSE,
        env={**os.environ, LISTEN_VARIABLE: socket_address(tmp_path), PARENT_FD_VARIABLE: str(read_end)},
        pass_fds=(read_end,),
        stderr=asyncio.subprocess.DEVNULL,
    )
    channel = open_channel(socket_address(tmp_path))
    try:
        client = EngineClient(channel, **QUICK)
        await client.wait_serving(20.0)
        process.send_signal(signal.SIGSTOP)
        yield client
    finally:
        await channel.close()
        process.kill()
        await process.wait()
        os.close(read_end)
        os.close(write_end)


@pytest.mark.parametrize("call", ["about", "queue", "ask", "quiz", "list_styles"])
async def test_a_short_call_to_a_hung_engine_ends_soon_with_its_own_sentence(hung: EngineClient, call: str) -> None:
    arguments = ["what?"] if call == "ask" else []
    async with asyncio.timeout(10):
        with pytest.raises(EngineHung, match="isn't answering"):
            await getattr(hung, call)(*arguments)


async def test_a_job_in_a_hung_engine_ends_with_the_same(hung: EngineClient) -> None:
    async with asyncio.timeout(10):
        with pytest.raises(EngineHung):
            await hung.play(pb.PlayRequest())


async def test_an_engine_that_is_only_slow_is_waited_for(tmp_path: Path) -> None:
    double = EngineDouble()
    double.misbehave(Behaviour.SLOW)
    async with serve_double(socket_address(tmp_path), double):
        channel = open_channel(socket_address(tmp_path))
        client = EngineClient(channel, silence_s=0.02, job_silence_s=0.02)
        playing = asyncio.create_task(client.play(pb.PlayRequest()))
        await asyncio.sleep(0.5)
        assert not playing.done()
        double.release.set()
        assert (await playing).audio
        await channel.close()


async def test_a_job_is_cancelled_without_the_engines_help(hung: EngineClient) -> None:
    patient = EngineClient(hung.channel, silence_s=0.1, job_silence_s=60.0, pulse_s=0.1)
    playing = asyncio.create_task(patient.play(pb.PlayRequest(job=pb.Job(job_id="1" * 32, member_key="ada"))))
    await until(lambda: patient.jobs_of("ada"))
    assert patient.jobs_of("ada") == ["1" * 32]
    assert not await patient.cancel("1" * 32, "ben"), "only its owner may"
    assert await patient.cancel("1" * 32, "ada")
    with pytest.raises(JobCancelled):
        await playing


def test_the_sentence_of_a_hang_says_nothing_of_something_smaller() -> None:
    assert "smaller" not in HUNG
