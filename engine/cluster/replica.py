"""One engine of the cluster: the ordinary servicer with its scheduler and intake, called by the front door.

Nothing here knows Ray. What an engine answers crosses to the front door as pairs: ("event", the message's bytes) or
("error", a `Fault`)."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
import structlog

from engine.contract import ERROR_METADATA_KEY, REQUEST_ID_METADATA_KEY
from engine.contract import engine_pb2 as pb
from engine.device import choose_device, share_heaps, use_threads
from engine.serving.intake.pool import Intake
from engine.serving.line import MOST_TOGETHER
from engine.serving.rooms import Rooms
from engine.serving.scheduler import Limits, Scheduler
from engine.serving.servicer import EngineServicer
from engine.settings import EngineSettings

log = structlog.get_logger(__name__)

SERVICE = pb.DESCRIPTOR.services_by_name["Engine"]
Answer = tuple[str, Any]


@dataclass(frozen=True)
class Fault:
    """How a call ended: gRPC's status by its name, a sentence, and the engine's own name for the error ("" if none)."""

    status: str
    sentence: str
    code: str = ""


DEFECT = Fault("INTERNAL", "Something went wrong in the engine. The details are in its log.", "internal")


class Aborted(Exception):
    """What the servicer meant by `context.abort`."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence)
        self.fault = fault


class Call:
    """What the servicer is given in the place of gRPC's context."""

    def __init__(self, request_id: str) -> None:
        self._request_id = request_id

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ((REQUEST_ID_METADATA_KEY, self._request_id),)

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: tuple[tuple[str, str], ...] = ()
    ) -> NoReturn:
        raise Aborted(Fault(code.name, details, dict(trailing_metadata).get(ERROR_METADATA_KEY, "")))


def request_of(method: str, content: bytes) -> Any:
    """The request message of one of the contract's calls."""
    return getattr(pb, SERVICE.methods_by_name[method].input_type.name).FromString(content)


class Replica:
    """An engine that is loaded by `start` and then takes calls until its process ends."""

    def __init__(self) -> None:
        self._stack = contextlib.AsyncExitStack()
        self._servicer: EngineServicer | None = None
        self._lost = ""

    async def start(self, settings: EngineSettings, load: Callable[[EngineSettings], Rooms]) -> None:
        """Load the networks and warm everything. Raises ConfigurationError, or whatever loading raises."""
        share_heaps()
        device = choose_device(settings.engine.device)
        use_threads(settings.engine.threads)
        limits = Limits(read_ahead=MOST_TOGETHER if device.type == "cuda" else Limits.read_ahead)
        intake = await self._stack.enter_async_context(Intake(settings.engine.intake_processes))
        scheduler = await self._stack.enter_async_context(
            Scheduler(settings.engine.queue_length, intake, limits, on_loss=self._lose)
        )
        servicer = EngineServicer(scheduler, device, intake)
        servicer.rooms = await scheduler.call(lambda: load(settings))
        await intake.warm()
        self._servicer = servicer
        log.info("engine ready", pid=os.getpid(), device=str(device))

    def _lose(self, reason: str) -> None:
        self._lost = reason

    def check(self) -> None:
        """Raises RuntimeError once only a new process can help."""
        if self._lost:
            raise RuntimeError(self._lost)

    async def answer(self, method: str, content: bytes, request_id: str) -> Answer:
        """A call with one reply."""
        assert self._servicer is not None
        try:
            reply = await getattr(self._servicer, method)(request_of(method, content), Call(request_id))
        except Aborted as aborted:
            return "error", aborted.fault
        except Exception:
            log.exception("a call failed", method=method, request_id=request_id)
            return "error", DEFECT
        return "event", reply.SerializeToString()

    async def stream(self, method: str, content: bytes, request_id: str) -> AsyncGenerator[Answer, None]:
        """A call with a stream of replies. Closing it cancels the job."""
        assert self._servicer is not None
        events = getattr(self._servicer, method)(request_of(method, content), Call(request_id))
        async with contextlib.aclosing(events):
            try:
                async for event in events:
                    yield "event", event.SerializeToString()
            except Aborted as aborted:
                yield "error", aborted.fault
            except Exception:
                log.exception("a call failed", method=method, request_id=request_id)
                yield "error", DEFECT

    async def stop(self) -> None:
        """Cancel what's left, and end intake's children."""
        with contextlib.suppress(asyncio.CancelledError):
            await self._stack.aclose()
