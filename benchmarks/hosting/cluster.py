"""`python -m benchmarks.hosting.cluster`: one engine against two on a local Ray (needs `make cluster`).

throughput   clips a second with 1 and 2 engines whose turn takes 0.25 s and no processor, for a class of 12
proxy        a short call and a whole job, through the proxy and to an engine alone
lost         one of two engines killed under load: how many jobs ended in a clip, and how many in a sentence
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import psutil

from benchmarks.hosting.sleeping_rooms import SleepingRooms
from bot.engine.calls import EngineClient
from bot.engine.connection import open_channel
from bot.errors import EngineError
from engine.contract import engine_pb2 as pb
from engine.contract.process_settings import ProcessSettings
from engine.serving.server import serve
from engine.settings import EngineSettings

HOUSE = Path(__file__).resolve().parents[2]
ROOMS = f"{SleepingRooms.__module__}:{SleepingRooms.__name__}"
TOKEN = "for-this-run"
UP_WITHIN_S = 400.0
MEMBERS = 12
ENGINE_PROCESS = "ServeReplica:woodshed:EngineDeployment"


@contextlib.asynccontextmanager
async def engine_command(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command of the engine's in a process of its own, ended politely on leaving. Raises RuntimeError with the end of
    its log when it ends by itself."""
    environment = {**os.environ, "WOODSHED_ENGINE__TOKEN": TOKEN, "WOODSHED_ENGINE__INTAKE_PROCESSES": "1"}
    with tempfile.TemporaryFile() as output:
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "engine", *arguments, cwd=HOUSE, env=environment, stdout=output, stderr=output
        )
        try:
            yield started
        finally:
            if started.returncode is not None:
                output.seek(0)
                raise RuntimeError(output.read().decode(errors="replace")[-2000:])
            started.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(started.wait(), 60.0)
            except TimeoutError:
                started.kill()


@contextlib.asynccontextmanager
async def cluster(replicas: int) -> AsyncIterator[tuple[EngineClient, list[psutil.Process]]]:
    """So many sleeping engines on a Ray of its own: a bot's client to its proxy, and their processes."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    options = ("deploy", "--replicas", str(replicas), "--cpus", "0.5", "--port", str(port), "--rooms", ROOMS)
    async with engine_command(*options) as deploying:
        channel = open_channel(f"localhost:{port}")
        client = EngineClient(channel, token=TOKEN)
        try:
            up = asyncio.ensure_future(client.wait_serving(UP_WITHIN_S))
            ended = asyncio.ensure_future(deploying.wait())
            await asyncio.wait({up, ended}, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            if not up.done():
                up.cancel()
                raise RuntimeError("the engines didn't come up")
            await up
            while len(engines_of(deploying.pid)) < replicas:  # noqa: ASYNC110 -- another process's children
                await asyncio.sleep(0.2)
            await asyncio.sleep(2.0)  # the front door counts them twice a second
            yield client, engines_of(deploying.pid)
        finally:
            await channel.close()


def engines_of(pid: int) -> list[psutil.Process]:
    """The processes of the engines on the Ray that this process has started."""
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(ENGINE_PROCESS in word for word in child.cmdline()):
                found.append(child)
    return found


async def clip(client: EngineClient, member: int, number: int) -> bool:
    """Order a clip; False for one that ended with a sentence instead."""
    request = pb.PlayRequest(seed=number, job=pb.Job(member_key=f"member {member}"))
    try:
        return (await client.play(request)).seed == number
    except EngineError:
        return False


async def throughput(client: EngineClient, each: int = 8) -> float:
    """Clips a second while a class orders, everybody the next as soon as the last is there."""

    async def orders(member: int) -> None:
        for number in range(each):
            assert await clip(client, member, number)

    began = time.perf_counter()
    await asyncio.gather(*(orders(member) for member in range(MEMBERS)))
    return MEMBERS * each / (time.perf_counter() - began)


async def median_ms(call: Callable[[], Awaitable[object]], times: int = 40) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await call()
        took.append(time.perf_counter() - began)
    return 1000 * statistics.median(took)


@contextlib.asynccontextmanager
async def alone() -> AsyncIterator[EngineClient]:
    """One sleeping engine without Ray, and a bot's client to it."""
    stop = asyncio.Event()
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{folder}/engine.sock"
        settings = EngineSettings(engine=ProcessSettings(listen=address, device="cpu", intake_processes=1))
        serving = asyncio.create_task(serve(settings, SleepingRooms, stop))
        channel = open_channel(address)
        client = EngineClient(channel)
        try:
            await client.wait_serving(UP_WITHIN_S)
            yield client
        finally:
            await channel.close()
            stop.set()
            await serving


async def lose_one(client: EngineClient, engines: Sequence[psutil.Process], each: int = 8) -> tuple[int, int]:
    """Kill one engine while a class orders: how many orders ended in a clip, and how many in a sentence."""

    async def orders(member: int) -> list[bool]:
        return [await clip(client, member, number) for number in range(each)]

    ordering = asyncio.ensure_future(asyncio.gather(*(orders(member) for member in range(MEMBERS))))
    await asyncio.sleep(3.0)
    engines[0].kill()
    ended = [one for member in await ordering for one in member]
    return sum(ended), len(ended) - sum(ended)


async def measure() -> None:
    """Print every figure."""
    write = sys.stdout.write
    async with alone() as client:
        write(f"an engine alone: {await throughput(client):.2f} clips/s, ")
        write(f"a short call {await median_ms(client.list_topics):.1f} ms, ")
        write(f"a clip {await median_ms(lambda: clip(client, 1, 1), 12):.0f} ms\n")
    for replicas in (1, 2):
        async with cluster(replicas) as (client, engines):
            write(f"{replicas} behind Ray: {await throughput(client):.2f} clips/s, ")
            write(f"a short call {await median_ms(client.list_topics):.1f} ms, ")
            write(f"a clip {await median_ms(lambda: clip(client, 1, 1), 12):.0f} ms\n")
            if replicas == 2:
                clips, sentences = await lose_one(client, engines)
                write(f"one of two killed under load: {clips} clips, {sentences} sentences, nothing else\n")


if __name__ == "__main__":
    asyncio.run(measure())
