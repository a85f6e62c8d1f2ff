"""`python -m benchmarks.hosting.cluster`: one engine against two on a local Ray (needs `make cluster`).

throughput   clips a second with 1 and 2 engines whose turn takes 0.25 s and no processor, for a class of 12
proxy        a short call and a whole job, through the proxy and to an engine alone
lost         one of two engines killed under load: how many jobs ended in a clip, and how many in a sentence
update       both engines replaced under load, as for a new version, counted likewise
autoscaling  how long until a second engine comes under load, and goes again without
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
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
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
ENVIRONMENT = {"WOODSHED_ENGINE__TOKEN": TOKEN, "WOODSHED_ENGINE__INTAKE_PROCESSES": "1"}
UP_WITHIN_S = 400.0
MEMBERS = 12
ENGINE_PROCESS = "ServeReplica:woodshed:EngineDeployment"


@contextlib.asynccontextmanager
async def engine_command(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command of the engine's in a process of its own, ended politely on leaving. Raises RuntimeError with the end of
    its log when it ends by itself, or not well."""
    environment = {**os.environ, **ENVIRONMENT}
    with tempfile.TemporaryFile() as output:
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "engine", *arguments, cwd=HOUSE, env=environment, stdout=output, stderr=output
        )
        try:
            yield started
        finally:
            by_itself = started.returncode is not None
            if not by_itself:
                started.send_signal(signal.SIGTERM)
                try:
                    await asyncio.wait_for(started.wait(), 60.0)
                except TimeoutError:
                    started.kill()
            if by_itself or started.returncode != 0:
                output.seek(0)
                raise RuntimeError(output.read().decode(errors="replace")[-2000:])


@dataclass
class Cluster:
    """Sleeping engines on a Ray of its own, and a bot's client to its proxy."""

    client: EngineClient
    deploying: asyncio.subprocess.Process
    options: tuple[str, ...]

    @property
    def engines(self) -> list[psutil.Process]:
        return engines_of(self.deploying.pid)


@contextlib.asynccontextmanager
async def cluster(replicas: int, *more: str) -> AsyncIterator[Cluster]:
    """So many sleeping engines; `more` options for `python -m engine deploy`."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    options = ("deploy", "--replicas", str(replicas), "--cpus", "0.5", "--port", str(port), "--rooms", ROOMS, *more)
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
            yield Cluster(client, deploying, options)
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


async def ordering(client: EngineClient, done: asyncio.Event) -> tuple[int, int]:
    """A class orders until `done`: how many orders ended in a clip, and how many in a sentence."""
    ended = [0, 0]

    async def orders(member: int) -> None:
        number = 0
        while not done.is_set():
            number += 1
            ended[not await clip(client, member, number)] += 1

    await asyncio.gather(*(orders(member) for member in range(MEMBERS)))
    return ended[0], ended[1]


async def update(running: Cluster) -> tuple[int, int, float]:
    """Deploy the same again while a class orders, as a host does for a new version. Returns once every engine is
    another process: clips, sentences, and seconds that it took."""
    before, began, done = {engine.pid for engine in running.engines}, time.perf_counter(), asyncio.Event()
    class_at_work = asyncio.create_task(ordering(running.client, done))
    command = [sys.executable, "-m", "engine", *running.options, "--address", "auto"]
    again = await asyncio.create_subprocess_exec(
        *command, cwd=HOUSE, env={**os.environ, **ENVIRONMENT}, stdout=DEVNULL, stderr=DEVNULL
    )
    assert await again.wait() == 0
    while before & {engine.pid for engine in running.engines} or len(running.engines) < len(before):  # noqa: ASYNC110
        await asyncio.sleep(0.5)
    took_s = time.perf_counter() - began
    done.set()
    return *await class_at_work, took_s


async def grow_and_shrink(running: Cluster, most: int) -> tuple[float, float]:
    """Seconds of a class's orders until there are `most` engines, and seconds of rest until there's one again."""
    done, began = asyncio.Event(), time.perf_counter()
    class_at_work = asyncio.create_task(ordering(running.client, done))
    while len(running.engines) < most:  # noqa: ASYNC110 -- another process's children
        await asyncio.sleep(0.5)
    grown_s = time.perf_counter() - began
    done.set()
    _, sentences = await class_at_work
    assert not sentences
    began = time.perf_counter()
    while len(running.engines) > 1:  # noqa: ASYNC110
        await asyncio.sleep(0.5)
    assert await clip(running.client, 1, 1)
    return grown_s, time.perf_counter() - began


async def measure() -> None:
    """Print every figure."""
    write = sys.stdout.write
    async with alone() as client:
        write(f"an engine alone: {await throughput(client):.2f} clips/s, ")
        write(f"a short call {await median_ms(client.list_topics):.1f} ms, ")
        write(f"a clip {await median_ms(partial(clip, client, 1, 1), 12):.0f} ms\n")
    for replicas in (1, 2):
        async with cluster(replicas) as running:
            client = running.client
            write(f"{replicas} behind Ray: {await throughput(client):.2f} clips/s, ")
            write(f"a short call {await median_ms(client.list_topics):.1f} ms, ")
            write(f"a clip {await median_ms(partial(clip, client, 1, 1), 12):.0f} ms\n")
            if replicas == 2:
                clips, sentences = await lose_one(client, running.engines)
                write(f"one of two killed under load: {clips} clips, {sentences} sentences, nothing else\n")
                clips, sentences, took_s = await update(running)
                write(f"both replaced under load in {took_s:.0f} s: {clips} clips, {sentences} sentences\n")
            sys.stdout.flush()
    async with cluster(1, "--most", "2", "--idle", "0.5") as running:
        grown_s, shrunk_s = await grow_and_shrink(running, 2)
        write(f"a second engine came after {grown_s:.0f} s of load, and went after {shrunk_s:.0f} s of rest\n")


if __name__ == "__main__":
    asyncio.run(measure())
