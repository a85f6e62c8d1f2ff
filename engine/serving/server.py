"""The gRPC server: translates the contract into calls of the three rooms, and errors into status codes.

`python -m engine serve` listens at once but reports SERVING (grpc.health.v1) only when each network has done one real
forward pass. Started by the bot, it leaves when the bot is gone: it watches a pipe that dies with its parent.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from safetensors import SafetensorError

from engine.contract import (
    CONTRACT_METADATA_KEY,
    CONTRACT_VERSION,
    ERROR_METADATA_KEY,
    HUNG_EXIT_CODE,
    MESSAGE_OPTIONS,
    PARENT_FD_VARIABLE,
    TOKEN_METADATA_KEY,
)
from engine.contract import engine_pb2_grpc as pb_grpc
from engine.contract.configuration import ConfigurationError
from engine.contract.network import check_listen
from engine.device import choose_device, describe, share_heaps, use_threads
from engine.errors import Internal, OtherContract
from engine.serving.intake.pool import Intake
from engine.serving.line import MOST_TOGETHER
from engine.serving.rooms import JazzRoom, Rooms, StylizeRoom, TeachRoom
from engine.serving.scheduler import Limits, Scheduler
from engine.serving.servicer import EngineServicer
from engine.settings import EngineSettings, ProcessSettings

log = structlog.get_logger(__name__)

SERVICE = "woodshed.v1.Engine"
LOCAL_NICENESS = 5
"""A local engine steps back behind the bot it shares the machine with: the bot must answer within 3 s."""
STOP_GRACE_S = 2.0
ASKING = (f"/{SERVICE}/About",)
"""Answered to any version: it tells which one this is."""
OTHER_CONTRACT = "My engine and I are on different versions. The people who run me have to update one of us."


class LoadedRooms:
    """The real rooms. Importing and loading takes seconds, so it happens on a thread after the port is open.

    Raises ConfigurationError for weights that are missing, cut off, or of another version of the networks."""

    def __init__(self, settings: EngineSettings) -> None:
        from engine.jazz.combo import Combo
        from engine.stylize.studio import Studio
        from engine.teach.library import Library
        from engine.teach.reference.index import Reference, cache_folder

        device = choose_device(settings.engine.device)
        try:
            self.studio: StylizeRoom = Studio(device, settings.stylize)
            combo = Combo(device, settings.jazz)
            combo.finish_apart()
            self.combo: JazzRoom = combo
            self.library: TeachRoom = Library(
                reference=Reference(cache_folder() if settings.teach.documentation else None)
            )
            self.studio.warm()
            self.combo.warm()
        except Exception as error:
            if (reason := weights_fault(error)) is None:
                raise
            log.error("loading failed", exc_info=error)
            raise ConfigurationError(
                f"The weights of the networks can't be used: {reason} Get them back from the repository "
                "(git checkout -- engine), or train them again (docs/training.md)."
            ) from error
        self.library.warm()


def weights_fault(error: Exception) -> str | None:
    """What's wrong with the weights, as a sentence; None where loading failed for another reason."""
    match error:
        case FileNotFoundError() | Internal():
            return str(error)
        case SafetensorError():
            return f"a file is damaged or cut off ({error})."
        case KeyError() | TypeError():
            return f"a file belongs to another version of the networks ({error})."
        case RuntimeError() if "state_dict" in str(error):
            return "a file belongs to another version of the networks."
    return None


class TokenInterceptor(grpc.aio.ServerInterceptor):
    """Refuses every call without the shared token. Health checks pass: they tell nothing but readiness."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

        async def refuse(request: Any, context: grpc.aio.ServicerContext) -> None:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "The engine doesn't know this token.")

        self._refusal = grpc.unary_unary_rpc_method_handler(refuse)

    async def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        sent = dict(details.invocation_metadata).get(TOKEN_METADATA_KEY, "")
        sent_bytes = sent if isinstance(sent, bytes) else sent.encode()
        if details.method.startswith("/grpc.health.") or hmac.compare_digest(sent_bytes, self._token):
            return await continuation(details)
        return self._refusal


class ContractInterceptor(grpc.aio.ServerInterceptor):
    """Refuses every call of a bot that says it speaks another version of the contract. Health checks pass."""

    def __init__(self) -> None:
        self._warned: set[str] = set()

        async def refuse(request: Any, context: grpc.aio.ServicerContext) -> None:
            error = OtherContract(OTHER_CONTRACT)
            await context.abort(
                grpc.StatusCode[error.status], str(error), trailing_metadata=((ERROR_METADATA_KEY, error.code),)
            )

        self._refusal = grpc.unary_unary_rpc_method_handler(refuse)

    async def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        said = str(dict(details.invocation_metadata).get(CONTRACT_METADATA_KEY, CONTRACT_VERSION))
        if said == str(CONTRACT_VERSION) or details.method.startswith("/grpc.health.") or details.method in ASKING:
            return await continuation(details)
        if said not in self._warned and len(self._warned) < 10:
            self._warned.add(said)
            log.error("a bot of another version calls; update the older of the two", bot=said, engine=CONTRACT_VERSION)
        return self._refusal


def open_port(server: grpc.aio.Server, settings: ProcessSettings) -> None:
    """Bind the address of the settings, with TLS when a certificate is set.

    Raises ConfigurationError for an address that can't be bound, or that is open without token and TLS."""
    check_listen(settings)
    address = settings.listen
    if address.startswith("unix:"):
        socket = Path(address.removeprefix("unix:"))
        socket.parent.mkdir(parents=True, exist_ok=True)
    try:
        if settings.tls_certificate:
            key, certificate = Path(settings.tls_key).read_bytes(), Path(settings.tls_certificate).read_bytes()
            server.add_secure_port(address, grpc.ssl_server_credentials([(key, certificate)]))
        else:
            server.add_insecure_port(address)
    except OSError as error:
        raise ConfigurationError(f"'engine.tls_certificate' or 'engine.tls_key' can't be read: {error}.") from error
    except RuntimeError as error:
        if settings.tls_certificate:  # gRPC tells neither a bad certificate from a taken port, nor which file is bad
            raise ConfigurationError(
                f"The engine can't listen on {address}: either that address is taken (choose another 'engine.listen'), "
                "or 'engine.tls_certificate' and 'engine.tls_key' aren't a certificate and its key in PEM form."
            ) from error
        raise ConfigurationError(
            f"'engine.listen' is {address}, where the engine can't listen: another program does already, or "
            "the address isn't this machine's; choose another."
        ) from error


async def serve(
    settings: EngineSettings,
    load: Callable[[EngineSettings], Rooms] = LoadedRooms,
    stop: asyncio.Event | None = None,
    limits: Limits | None = None,
    intake: Intake | None = None,
) -> int:
    """Serve until `stop`, SIGTERM, SIGINT, the end of the parent process, or the loss of the device; the exit code.

    Raises ConfigurationError before the port opens, or whatever loading the rooms raises."""
    stop = stop or asyncio.Event()
    _stop_on_signals(stop)
    _stop_with_parent(stop)
    device = choose_device(settings.engine.device)
    use_threads(settings.engine.threads)
    guards: list[grpc.aio.ServerInterceptor] = [ContractInterceptor()]
    if settings.engine.token:
        guards.insert(0, TokenInterceptor(settings.engine.token))
    server = grpc.aio.server(interceptors=guards, options=MESSAGE_OPTIONS)
    lost: list[str] = []

    def on_loss(reason: str) -> None:
        lost.append(reason)
        stop.set()

    limits = limits or Limits(read_ahead=MOST_TOGETHER if device.type == "cuda" else Limits.read_ahead)
    intake = intake or Intake(settings.engine.intake_processes, quick_processes=1)
    async with intake, Scheduler(settings.engine.queue_length, intake, limits, on_loss) as scheduler:
        servicer = EngineServicer(scheduler, device, intake)
        pb_grpc.add_EngineServicer_to_server(servicer, server)
        readiness = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(readiness, server)
        for name in ("", SERVICE):
            await readiness.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)
        open_port(server, settings.engine)
        await server.start()
        log.info("engine warming", listen=settings.engine.listen, device=describe(device), pid=os.getpid())
        try:
            loading = asyncio.ensure_future(_load(scheduler, intake, lambda: load(settings)))
            stopping = asyncio.ensure_future(stop.wait())
            await asyncio.wait([loading, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not stop.is_set():
                servicer.rooms = loading.result()
                for name in ("", SERVICE):
                    await readiness.set(name, health_pb2.HealthCheckResponse.SERVING)
                log.info("engine ready", intake_layers=list(intake.holds))
                await stop.wait()
        finally:
            loading.cancel()
            stopping.cancel()
            await readiness.enter_graceful_shutdown()
            await server.stop(STOP_GRACE_S)
            log.info("engine stopped")
    return HUNG_EXIT_CODE if lost else 0


async def _load(scheduler: Scheduler, intake: Intake, load: Callable[[], Rooms]) -> Rooms:
    """The rooms and the first of intake's children, both warm."""
    rooms: Rooms = await scheduler.call(load)
    await intake.warm()
    return rooms


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Off the main thread, in tests, and on Windows it can't be done; the parent's pipe still ends the engine.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)


def _stop_with_parent(stop: asyncio.Event) -> None:
    """Leave when the process that started us is gone, even killed: its end of the pipe closes with it."""
    descriptor = os.environ.get(PARENT_FD_VARIABLE)
    if descriptor is None:
        return
    _step_back()

    def parent_gone() -> None:
        if os.read(int(descriptor), 1) == b"":
            asyncio.get_running_loop().remove_reader(int(descriptor))
            stop.set()
            # Our log goes to the bot, too: with nobody to read it, every further line would raise BrokenPipeError.
            for stream in (sys.stdout, sys.stderr):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            log.warning("the bot is gone, so the engine stops too")

    asyncio.get_running_loop().add_reader(int(descriptor), parent_gone)


def _step_back() -> None:
    """Give the processor to the bot first. Linux weighs whole sessions before it weighs their processes (sched(7),
    "The autogroup feature"), and a local engine runs in a session of its own: `nice` alone would change nothing."""
    os.nice(LOCAL_NICENESS)
    with contextlib.suppress(OSError):  # no such file without the feature
        Path("/proc/self/autogroup").write_text(f"{LOCAL_NICENESS}\n")


def main(settings: EngineSettings) -> int:
    """Run the server to its end: 0 after an orderly stop, `HUNG_EXIT_CODE` where a job hung or the device is lost."""
    share_heaps()
    code = asyncio.run(serve(settings))
    # A job may still be inside a kernel, or hang there: nobody waits for its thread.
    sys.stderr.flush()
    os._exit(code)
