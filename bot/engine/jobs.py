"""Jobs of the engine as streams: queued(position), progress(stage, fraction) ..., and at last a result or an error."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Protocol

import grpc
import structlog

from bot.engine.connection import Connection
from bot.engine.failures import CANCELLED, DIED, RESTARTING, UNREACHABLE, code_of, translate
from bot.engine.files import Files, Letter, with_files
from bot.engine.hang import abandon, wait_with_pulse
from bot.errors import EngineFailed, EngineUnavailable, JobCancelled
from engine.contract import engine_pb2 as pb

log = structlog.get_logger(__name__)

StreamEvent = pb.StylizeEvent | pb.StyleSheetEvent | pb.SeeEvent | pb.PlayEvent
OnEvent = Callable[[Any], Awaitable[None]]

JOB_TIMEOUT_S = 600.0
JOB_SILENCE_S = 20.0
"""A job that reports nothing for longer has the engine's pulse felt meanwhile; jobs report twice a second."""
JOB_PATIENCE_S = 90.0
"""How long a job waits for an engine that is warming or restarting; its member sees what it waits for."""
SENT_AT_ONCE = 2
"""Requests with files that are read from disk and sent at the same time: what the bot's memory has to hold."""
WAITING_STAGE = "waiting for the engine"
WAITING_EVENT = pb.PlayEvent(progress=pb.Progress(stage=WAITING_STAGE, fraction=0.0))
"""For an answer that isn't a job's."""

SERVICE = pb.DESCRIPTOR.services_by_name["Engine"].full_name


def new_job_id() -> str:
    """A name that no other job has: 32 hexadecimal digits."""
    return uuid.uuid4().hex


class Cancellable(Protocol):
    def cancel(self) -> object: ...


class JobStreams:
    """The jobs that one bot has under way in the engine."""

    def __init__(self, connection: Connection, timeout_s: float, patience_s: float, silence_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._silence_s = silence_s
        self._farewell = CANCELLED
        self._sending = asyncio.Semaphore(SENT_AT_ONCE)
        self._calls: dict[str, Cancellable] = {}  # the streams that are open now, by job id
        self._owners: dict[str, str] = {}  # their members' keys

    def owner(self, job_id: str) -> str | None:
        """The member's key; None for a job that isn't under way here."""
        return self._owners.get(job_id)

    def hang_up(self, job_id: str) -> None:
        """End a job whose result nobody wants any more, if it's still running."""
        if call := self._calls.get(job_id):
            call.cancel()

    def of(self, member_key: str) -> list[str]:
        """A member's jobs, oldest first."""
        return [job_id for job_id in self._calls if self._owners.get(job_id) == member_key]

    @property
    def under_way(self) -> int:
        """How many, of all members."""
        return len(self._calls)

    def cancel_all(self, farewell: str) -> None:
        """Cancel every job that is open now; whoever awaits one gets JobCancelled with this sentence."""
        self._farewell = farewell
        for call in list(self._calls.values()):
            call.cancel()

    async def run(self, name: str, event_type: Any, request: Any, on_event: OnEvent | None, files: Files) -> Any:
        """Run a job to its result. A job that no engine had begun is handed in a second time, under the same name.

        Cancelling the calling task closes the stream, which cancels the job, queued or running."""
        self._connection.check_understood()
        if not request.job.job_id:
            request.job.job_id = new_job_id()
        method = self._connection.channel.unary_stream(
            f"/{SERVICE}/{name}", request_serializer=Letter.take, response_deserializer=event_type.FromString
        )
        for last in (False, True):
            started = False
            try:
                async with contextlib.aclosing(self._events(method, request, files)) as events:
                    async for event in events:
                        kind = event.WhichOneof("event")
                        if kind == "result":
                            return event.result
                        started = started or kind == "progress"
                        if on_event is not None:
                            await on_event(event)
                raise EngineFailed("The engine didn't send a result. Please try again.")
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise translate(error) from error
                log.warning("engine gone", job_id=request.job.job_id, started=started, detail=error.details())
                if started and code_of(error) != RESTARTING:
                    raise EngineUnavailable(DIED) from error
                if last:
                    raise EngineUnavailable(UNREACHABLE) from error
            if on_event is not None:
                await on_event(_waiting_event(request))
            await self._connection.wait_serving(self._patience_s)
        raise AssertionError("unreachable")

    async def _events(self, method: Any, request: Any, files: Files) -> AsyncGenerator[Any, None]:
        job_id = request.job.job_id
        self._owners[job_id] = request.job.member_key
        async with contextlib.AsyncExitStack() as sending:
            try:
                writing = asyncio.ensure_future(self._write(request, files, sending))
                self._calls[job_id] = writing
                letter = await writing
                call = method(letter, timeout=self._timeout_s, metadata=self._connection.metadata())
                self._calls[job_id] = call
                async for event in self._with_pulse(call):
                    await sending.aclose()  # the engine has the request
                    yield event
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                raise JobCancelled(self._farewell) from error  # it was the call that was cancelled, by cancel()
            finally:
                self._calls.pop(job_id).cancel()
                self._owners.pop(job_id, None)

    async def _write(self, request: Any, files: Files, sending: contextlib.AsyncExitStack) -> Letter:
        """A request with its files, in its turn; `sending` ends the turn."""
        if not files:
            return Letter(request.SerializeToString())
        await sending.enter_async_context(self._sending)
        contents = {name: await file.read() for name, file in files.items()}
        return Letter(await asyncio.to_thread(with_files, request, contents))

    async def _with_pulse(self, call: Any) -> AsyncGenerator[Any, None]:
        """The events of a stream. Raises EngineHung when they stop, and the engine gives no other sign of life."""
        while True:
            reading = asyncio.ensure_future(call.read())
            try:
                await wait_with_pulse(reading, self._silence_s, self._connection.has_pulse)
                event = reading.result()
            finally:
                await abandon(reading)
            if event is grpc.aio.EOF:
                return
            yield event


def is_work(event: StreamEvent) -> bool:
    """Whether an event says that the engine has begun."""
    return event.WhichOneof("event") == "progress" and event.progress.stage != WAITING_STAGE


def _waiting_event(request: Any) -> StreamEvent:
    """What a listener hears while there is no engine: an event like the engine's own."""
    progress = pb.Progress(stage=WAITING_STAGE, fraction=0.0)
    match request:
        case pb.StylizeRequest():
            return pb.StylizeEvent(progress=progress)
        case pb.StyleSheetRequest():
            return pb.StyleSheetEvent(progress=progress)
        case pb.SeeRequest():
            return pb.SeeEvent(progress=progress)
    return pb.PlayEvent(progress=progress)
