"""The cluster in Ray Serve's terms: what is deployed, with what it needs, and `python -m engine deploy`.

Checked with Ray 2.60. Its proxy serves our own gRPC service to an unchanged stub
(https://docs.ray.io/en/latest/serve/advanced-guides/grpc-guide.html)."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import math
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import structlog
from ray import serve
from ray.exceptions import GetTimeoutError, RayError
from ray.serve.config import AutoscalingConfig, HTTPOptions, gRPCOptions
from ray.serve.exceptions import RayServeException

from engine import BEFORE_TORCH
from engine.cluster.front import JOBS, REPLIES, EngineGone, FrontDoor
from engine.cluster.replica import Answer, Replica
from engine.cluster.turns import Turns
from engine.command_line import Parser
from engine.contract.configuration import ConfigurationError
from engine.logs import configure_logs
from engine.settings import EngineSettings, load_engine_settings

log = structlog.get_logger(__name__)

HOUSE = Path(__file__).resolve().parents[2]
APPLICATION = "woodshed"
REAL_ROOMS = "engine.serving.server:LoadedRooms"
SLOTS = 3
"""Jobs an engine has at a time: one on the device, one being read, one being finished."""
WANTED_ONGOING = 2.0
"""Fewer than `SLOTS`: while jobs wait, every engine is over it, so Ray adds engines; idle ones are taken away."""
LIGHT_ROOM = 32
"""Short calls that an engine takes beside its jobs."""
LEAVE_S = 120.0
"""How long an engine that is replaced may finish what it has."""
COUNT_EVERY_S = 0.5
SERVICES = (
    "engine.contract.engine_pb2_grpc.add_EngineServicer_to_server",
    "grpc_health.v1.health_pb2_grpc.add_HealthServicer_to_server",
)


@dataclass(frozen=True)
class Plan:
    """How many engines, and what each one gets."""

    least: int = 1
    most: int = 1
    cpus: float = 1.0
    gpus: float = 0.0
    """A share of a GPU, such as 0.5 for two engines on one; 0: none."""
    port: int = 50051
    idle_s: float = 600.0
    """How long an engine beyond the least may have nothing to do before it's taken away."""
    rooms: str = REAL_ROOMS
    """`module:name` of what loads the rooms."""


class EngineDeployment(Replica):
    """An engine as Ray starts it: loaded when its `__init__` returns, which is when Ray sends it the first call."""

    async def __init__(self, settings: EngineSettings, rooms: str) -> None:  # type: ignore[misc]  # Ray awaits it
        super().__init__()
        configure_logs()
        module, _, name = rooms.partition(":")
        await self.start(settings, getattr(importlib.import_module(module), name))

    def check_health(self) -> None:
        """Ray asks every few seconds, and replaces the process when this raises."""
        self.check()

    async def __del__(self) -> None:
        await self.stop()


class RayEngines:
    """All engines of the cluster, behind Ray's own choice of the least busy one."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def answer(self, method: str, content: bytes, request_id: str) -> Answer:
        try:
            answer: Answer = await self._handle.answer.remote(method, content, request_id)
        except (RayError, RayServeException) as error:
            raise EngineGone(str(error)) from error
        return answer

    async def stream(self, method: str, content: bytes, request_id: str) -> AsyncGenerator[Answer, None]:
        if method not in JOBS:  # a job with one reply
            yield await self.answer(method, content, request_id)
            return
        response = self._handle.options(stream=True).stream.remote(method, content, request_id)
        try:
            async for answer in response:
                yield answer
        except (RayError, RayServeException) as error:
            raise EngineGone(str(error)) from error
        finally:
            response.cancel()


class FrontDeployment:
    """The ingress: one process without a device, to which Ray's proxy passes every call."""

    async def __init__(self, engines: Any, settings: EngineSettings, most: int) -> None:  # type: ignore[misc]
        configure_logs()
        turns = Turns(settings.engine.queue_length * most)
        self._door = FrontDoor(RayEngines(engines), turns, settings.engine.token)
        self._counting = asyncio.get_running_loop().create_task(self._count())

    async def _count(self) -> None:
        """Keep as many slots as there are engines that run."""
        while True:
            with contextlib.suppress(Exception):
                status = await asyncio.to_thread(serve.status)
                states = status.applications[APPLICATION].deployments[EngineDeployment.__name__].replica_states
                self._door.turns.slots = SLOTS * int(states.get("RUNNING", 0))
            await asyncio.sleep(COUNT_EVERY_S)

    async def Check(self, request: Any) -> Any:
        return self._door.health()

    async def Watch(self, request: Any) -> AsyncIterator[Any]:
        async for health in self._door.watch():
            yield health


def _streamed(method: str) -> Any:
    async def call(self: Any, request: Any, grpc_context: Any) -> AsyncIterator[Any]:
        async with contextlib.aclosing(self._door.job(method, request, grpc_context)) as events:
            async for event in events:
                yield event

    call.__name__ = method
    return call


def _replied(method: str) -> Any:
    async def call(self: Any, request: Any, grpc_context: Any) -> Any:
        return await self._door.reply(method, request, grpc_context)

    call.__name__ = method
    return call


for _method in JOBS:
    setattr(FrontDeployment, _method, _streamed(_method))
for _method in REPLIES:
    setattr(FrontDeployment, _method, _replied(_method))


def application(settings: EngineSettings, plan: Plan) -> Any:
    """What Ray Serve runs."""
    engine = settings.engine
    engines: Any = serve.deployment(EngineDeployment)
    engines = engines.options(
        autoscaling_config=AutoscalingConfig(
            min_replicas=plan.least,
            max_replicas=plan.most,
            initial_replicas=plan.least,
            target_ongoing_requests=WANTED_ONGOING,
            upscale_delay_s=10.0,
            downscale_delay_s=plan.idle_s,
        ),
        max_ongoing_requests=SLOTS + LIGHT_ROOM,
        max_queued_requests=4 * (SLOTS + LIGHT_ROOM),
        ray_actor_options={"num_cpus": plan.cpus, "num_gpus": plan.gpus},
        # The children that read members' files are processes of the engine's, on its machine, but on cores of their
        # own: so a hostile film can't slow the device's thread down.
        placement_group_bundles=[
            {"CPU": plan.cpus, **({"GPU": plan.gpus} if plan.gpus else {})},
            {"CPU": float(engine.intake_processes)},
        ],
        placement_group_strategy="STRICT_PACK",
        health_check_period_s=5.0,
        health_check_timeout_s=30.0,
        graceful_shutdown_timeout_s=LEAVE_S,
    ).bind(settings, plan.rooms)
    front: Any = serve.deployment(FrontDeployment)
    return front.options(
        num_replicas=1,
        ray_actor_options={"num_cpus": 0},
        max_ongoing_requests=10_000,
        graceful_shutdown_timeout_s=LEAVE_S,
    ).bind(engines, settings, plan.most)


def deploy(settings: EngineSettings, plan: Plan, address: str | None = None) -> None:
    """Start, or update in place, the engines on the Ray cluster at `address`, or on one that's started here.

    Returns once they answer. Raises ConfigurationError for an engine without a token, or a port that's taken."""
    if not settings.engine.token:
        raise ConfigurationError(
            "'engine.token' is empty, and Ray's proxy listens to the network; set the same token for bot and engines."
        )
    environment = {"PYTHONPATH": str(HOUSE), **BEFORE_TORCH}
    if plan.gpus == 0:
        environment["CUDA_VISIBLE_DEVICES"] = ""
    if address is None:
        _require_free(plan.port)
        needed = plan.most * (plan.cpus + settings.engine.intake_processes)
        _start_ray(max(os.cpu_count() or 1, math.ceil(needed)), environment)
    else:
        ray.init(address, runtime_env={"env_vars": environment})
    options = {
        "http_options": HTTPOptions(host="127.0.0.1", port=_free_port()),
        "grpc_options": gRPCOptions(port=plan.port, grpc_servicer_functions=list(SERVICES), enable_reflection=False),
    }
    for last in (False, False, True):
        try:
            serve.start(**options)
            break
        except GetTimeoutError:  # a busy machine needs more than Ray's minute for the proxy; asked again, it waits on
            if last:
                raise
    serve.run(application(settings, plan), name=APPLICATION)


def _start_ray(cpus: int, environment: dict[str, str]) -> None:
    """A Ray of our own. Where its processes don't start in time on a busy machine, it gives up; the next attempt finds
    their files in memory."""
    for last in (False, False, True):
        try:
            ray.init(num_cpus=cpus, include_dashboard=False, runtime_env={"env_vars": environment})
            return
        except Exception as error:
            log.warning("Ray didn't start", error=repr(error), again=not last)
            ray.shutdown()
            if last:
                raise


def _require_free(port: int) -> None:
    with socket.socket() as trial:
        try:
            trial.bind(("", port))
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} can't be used ({error.strerror}); choose another with --port."
            ) from error


def _free_port() -> int:
    """For Ray's HTTP proxy, which nobody uses and which can't be left out."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def main(arguments: Sequence[str]) -> int:
    """`python -m engine deploy`. On a cluster of its own it stays until SIGTERM; elsewhere it ends once all is up."""
    parser = Parser(prog="python -m engine deploy", description="Run engines on a Ray cluster, behind one address.")
    parser.add_argument("--replicas", type=_count, default=1, metavar="N", help="engines")
    parser.add_argument("--most", type=_count, metavar="N", help="let Ray add engines, up to so many, while jobs wait")
    parser.add_argument("--idle", type=float, default=10.0, metavar="MINUTES", help="before an added engine goes again")
    parser.add_argument("--cpus", type=float, default=1.0, help="processor cores of each engine, beside its intake's")
    parser.add_argument("--gpus", type=float, default=0.0, help="GPUs of each engine; 0.5: two engines share one")
    parser.add_argument("--port", type=int, default=50051, help="of the address that the bot calls")
    parser.add_argument(
        "--address", help="of a Ray cluster that's running ('auto': on this machine); else one is started"
    )
    parser.add_argument("--rooms", default=REAL_ROOMS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    plan = Plan(
        options.replicas,
        max(options.replicas, options.most or options.replicas),
        options.cpus,
        options.gpus,
        options.port,
        60.0 * options.idle,
        options.rooms,
    )
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    stop = threading.Event()
    _on_end(stop.set)
    deploy(load_engine_settings(), plan, options.address)
    _on_end(stop.set)  # Ray has put handlers of its own in their place: its one for SIGTERM aborts
    sys.stderr.write(
        f'The engines answer at port {plan.port}. Bots need engine.address = "dns:///THIS-MACHINE:{plan.port}" and the '
        "token. Ray's proxy doesn't encrypt: docs/scaling.md says what belongs in front of it.\n"
    )
    if options.address is None:
        stop.wait()
        serve.shutdown()
        ray.shutdown()
    return 0


def _on_end(told: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told())


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("at least one engine is needed")
    return count
