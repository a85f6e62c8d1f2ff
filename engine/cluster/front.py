"""The front door: every call of the contract, for one queue over all engines.

Nothing here knows Ray but by `Engines`, what it can do with them, and the context that a call comes with."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from typing import Any, Protocol

import grpc
import structlog
from grpc_health.v1 import health_pb2

from engine.cluster.replica import SERVICE, Answer, Fault
from engine.cluster.turns import Ticket, Turns
from engine.contract import (
    CONTRACT_METADATA_KEY,
    CONTRACT_VERSION,
    ERROR_METADATA_KEY,
    REQUEST_ID_METADATA_KEY,
    TOKEN_METADATA_KEY,
)
from engine.contract import engine_pb2 as pb
from engine.errors import EngineError
from engine.serving.server import OTHER_CONTRACT

log = structlog.get_logger(__name__)

KINDS = {"Stylize": "stylize", "EncodeStyle": "style", "StyleSheet": "sheet", "See": "see", "Play": "play"}
"""What the queue calls a job; any other is called by its method, in small letters."""
JOBS = tuple(method.name for method in SERVICE.methods if method.server_streaming)
"""Calls that wait for a turn and then stream; EncodeStyle waits for one, too."""
REPLIES = tuple(method.name for method in SERVICE.methods if not method.server_streaming)
"""Calls with one reply. Most are milliseconds of work, which any engine does at once."""
GONE = Fault("UNAVAILABLE", "The engine stopped while it was working on this. Please try again.")
UNKNOWN_TOKEN = Fault("UNAUTHENTICATED", "The engine doesn't know this token.")
WRONG_CONTRACT = Fault("FAILED_PRECONDITION", OTHER_CONTRACT, "other_contract")
WATCH_S = 0.5


class EngineGone(Exception):
    """The engine that had a call isn't there any more."""


class Packed:
    """A message as it came from the engine: unpacking megabytes only to pack them again would take the loop's time."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def SerializeToString(self) -> bytes:
        return self._content


class Engines(Protocol):
    """The engines, whichever of them takes a call. Every method raises `EngineGone`."""

    def answer(self, method: str, content: bytes, request_id: str) -> Awaitable[Answer]: ...
    def stream(self, method: str, content: bytes, request_id: str) -> AsyncGenerator[Answer, None]: ...


class FrontDoor:
    """Takes calls as Ray's proxy passes them on: the request message, and a context to read and to set."""

    def __init__(self, engines: Engines, turns: Turns, token: str) -> None:
        self._engines, self.turns, self._token = engines, turns, token.encode()

    # ------------------------------------------------------------ calls

    async def job(self, method: str, request: Any, context: Any) -> AsyncGenerator[Any, None]:
        """A job's events, from its place in the queue to its result."""
        event_type = getattr(pb, SERVICE.methods_by_name[method].output_type.name)
        fault = self._unwelcome(context)
        if fault is None:
            async for event in self._job(method, request, _request_id(context)):
                if isinstance(event, Fault):
                    fault = event
                else:
                    yield Packed(event) if isinstance(event, bytes) else event_type(queued=event)
        if fault is not None:
            # Ray passes a status on with its trailing metadata only beside a message: this one says nothing new.
            _end(context, fault)
            yield event_type(queued=pb.Queued())

    async def _job(self, method: str, request: Any, request_id: str) -> AsyncIterator[bytes | pb.Queued | Fault]:
        try:
            kind = "film" if getattr(request, "rising", False) else KINDS.get(method, method.lower())
            ticket = self.turns.enter(request.job.job_id, request.job.member_key, kind)
        except EngineError as error:
            yield Fault(error.status, str(error), error.code)
            return
        is_done = False
        try:
            for last in (False, True):
                async for line in self.turns.positions(ticket):
                    yield pb.Queued(position=line.position, eta_s=line.eta_s)
                has_begun = False
                try:
                    async for event in self._on_an_engine(ticket, method, request, request_id):
                        if isinstance(event, Fault):
                            yield event
                            return
                        has_begun = True
                        is_done = True
                        yield event
                    return
                except EngineGone:
                    is_done = False
                    log.warning(
                        "an engine is gone", job_id=ticket.job_id, began=has_begun, again=not (has_begun or last)
                    )
                    if has_begun or last:
                        yield GONE
                        return
                    self.turns.again(ticket)
        except EngineError as error:
            yield Fault(error.status, str(error), error.code)
        finally:
            self.turns.leave(ticket, is_done=is_done)

    async def _on_an_engine(
        self, ticket: Ticket, method: str, request: Any, request_id: str
    ) -> AsyncIterator[bytes | Fault]:
        """What the engine says of a job; its own queue is none of the member's business."""
        stopping = asyncio.Event()
        ticket.on_cancel = stopping.set
        event_type = getattr(pb, SERVICE.methods_by_name[method].output_type.name)
        async with contextlib.aclosing(
            self._engines.stream(method, request.SerializeToString(), request_id)
        ) as answers:
            while True:
                reading = asyncio.ensure_future(anext(answers, None))
                stopped = asyncio.ensure_future(stopping.wait())
                try:
                    await asyncio.wait({reading, stopped}, return_when=asyncio.FIRST_COMPLETED)
                    if not reading.done():
                        yield Fault("CANCELLED", "The job was cancelled.", "cancelled")
                        return
                    answer = reading.result()
                finally:
                    stopped.cancel()
                    if not reading.done():
                        reading.cancel()
                        await asyncio.gather(reading, return_exceptions=True)
                if answer is None:
                    return
                kind, content = answer
                if kind == "error":
                    yield content
                    return
                if method in JOBS:
                    event = event_type.FromString(content)
                    if event.WhichOneof("event") == "queued":
                        continue
                    if event.WhichOneof("event") == "progress":
                        ticket.fraction = event.progress.fraction
                yield content

    async def reply(self, method: str, request: Any, context: Any) -> Any:
        """A call with one reply."""
        empty = getattr(pb, SERVICE.methods_by_name[method].output_type.name)()
        fault: Fault | None = self._unwelcome(context, asks=method == "About")
        if fault is None:
            match method:
                case "Queue":
                    return self._queue()
                case "Cancel":
                    cancelled = self.turns.cancel(request.job_id, request.member_key, request.anyones)
                    return pb.CancelReply(cancelled=cancelled)
                case "EncodeStyle":
                    async for event in self._job(method, request, _request_id(context)):
                        if isinstance(event, bytes):
                            return Packed(event)
                        fault = event if isinstance(event, Fault) else fault
                case _:
                    try:
                        kind, content = await self._engines.answer(
                            method, request.SerializeToString(), _request_id(context)
                        )
                    except EngineGone:
                        kind, content = "error", GONE
                    if kind == "event":
                        return _about_any(content) if method == "About" else Packed(content)
                    fault = content
        _end(context, fault or GONE)
        return empty

    def _queue(self) -> pb.QueueReply:
        entry = pb.QueueReply.Entry
        return pb.QueueReply(
            entries=[
                entry(
                    job_id=line.ticket.job_id,
                    member_key=line.ticket.member_key,
                    kind=line.ticket.kind,
                    position=line.position,
                    waited_s=line.waited_s,
                    fraction=line.ticket.fraction,
                    eta_s=line.eta_s,
                    stage="waiting" if line.position else "running",
                )
                for line in self.turns.lines()
            ]
        )

    # ------------------------------------------------------------ health

    def health(self) -> health_pb2.HealthCheckResponse:
        """SERVING while any engine is there."""
        response = health_pb2.HealthCheckResponse
        return response(status=response.SERVING if self.turns.slots else response.NOT_SERVING)

    async def watch(self) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """The health now, and again whenever it changes."""
        told = None
        while True:
            now = self.health()
            if now.status != told:
                told = now.status
                yield now
            await asyncio.sleep(WATCH_S)

    def _unwelcome(self, context: Any, *, asks: bool = False) -> Fault | None:
        """Why a caller isn't served: without the token, or of another version (which may still ask for ours)."""
        said = dict(context.invocation_metadata())
        if self._token and not hmac.compare_digest(str(said.get(TOKEN_METADATA_KEY, "")).encode(), self._token):
            return UNKNOWN_TOKEN
        if not asks and said.get(CONTRACT_METADATA_KEY, str(CONTRACT_VERSION)) != str(CONTRACT_VERSION):
            return WRONG_CONTRACT
        return None


def _end(context: Any, fault: Fault) -> None:
    context.set_code(grpc.StatusCode[fault.status])
    context.set_details(fault.sentence)
    if fault.code:
        context.set_trailing_metadata([(ERROR_METADATA_KEY, fault.code)])


def _about_any(content: bytes) -> pb.AboutReply:
    """What one engine says of all. Its sums are its own, and next time another one answers: they'd jump up and down."""
    reply = pb.AboutReply.FromString(content)
    reply.ClearField("stages")
    return reply


def _request_id(context: Any) -> str:
    return str(dict(context.invocation_metadata()).get(REQUEST_ID_METADATA_KEY, ""))
