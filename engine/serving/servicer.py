"""The contract, call by call: requests go to the rooms, events and errors come back as messages and statuses."""

from __future__ import annotations

import asyncio
import contextlib
import time
import tomllib
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import structlog
import torch

from engine.contract import CONTRACT_VERSION, ERROR_METADATA_KEY, REQUEST_ID_METADATA_KEY
from engine.contract import engine_pb2 as pb
from engine.contract import engine_pb2_grpc as pb_grpc
from engine.device import describe, memory
from engine.errors import EngineError
from engine.serving.intake.pool import Intake
from engine.serving.jobs import Done, Event, Failed, Job, Position, Step
from engine.serving.rooms import Rooms, jazz_stages, see_stages, sheet_stages, style_stages, stylize_stages
from engine.serving.scheduler import Scheduler
from engine.serving.stages import Stages
from engine.uploads import Reading, Upload

log = structlog.get_logger(__name__)

LONGEST_REQUEST_ID = 32


class EngineServicer(pb_grpc.EngineServicer):
    """The contract, call by call. `rooms` is None until warm; until then every call but About's health says so."""

    def __init__(self, scheduler: Scheduler, device: torch.device, intake: Intake) -> None:
        self.rooms: Rooms | None = None
        self._scheduler = scheduler
        self._device, self._intake = device, intake
        self._began = time.monotonic()
        # Questions are milliseconds of work: they get a thread of their own and never wait behind a picture.
        self._light = ThreadPoolExecutor(max_workers=1, thread_name_prefix="light")

    async def _ready(self, context: grpc.aio.ServicerContext) -> Rooms:
        if self.rooms is None:
            await context.abort(
                grpc.StatusCode.UNAVAILABLE, "The engine is still warming up; please try again shortly."
            )
        assert self.rooms is not None
        return self.rooms

    async def _answer(self, context: grpc.aio.ServicerContext, call: Awaitable[Any]) -> Any:
        """Await a unary call's result; an EngineError becomes the status that it names."""
        try:
            return await call
        except EngineError as error:
            await _abort(context, error)

    async def _unary(self, context: grpc.aio.ServicerContext, function: Callable[[], Any]) -> Any:
        loop = asyncio.get_running_loop()
        return await self._answer(context, loop.run_in_executor(self._light, function))

    def _submit(self, context: grpc.aio.ServicerContext, job: pb.Job, kind: str, stages: Stages) -> Job:
        """Raises `QueueFull`, `Restarting`."""
        request_id = _request_id(context)
        job_id = job.job_id or f"call-{uuid.uuid4().hex}"
        return self._scheduler.submit(job_id, job.member_key, kind, stages, request_id)

    async def _stream(
        self,
        context: grpc.aio.ServicerContext,
        job: pb.Job,
        kind: str,
        stages: Callable[[], Stages],
        event_type: Any,
    ) -> AsyncGenerator[Any, None]:
        """Queue a job and yield its events as `event_type` messages."""
        try:
            queued = self._submit(context, job, kind, stages())
        except EngineError as error:
            await _abort(context, error)
            return
        async with contextlib.aclosing(self._scheduler.events(queued)) as events:
            async for event in events:
                if isinstance(event, Failed):
                    await _abort(context, event.error)
                yield _message(event, event_type)

    # ------------------------------------------------------------ about and the queue

    async def About(self, request: pb.AboutRequest, context: grpc.aio.ServicerContext) -> pb.AboutReply:
        rooms = await self._ready(context)
        used_bytes, all_bytes = memory(self._device)
        return pb.AboutReply(
            version=woodshed_version(),
            torch_version=torch.__version__,
            device=describe(self._device),
            models=[rooms.studio.model(), rooms.combo.model()],
            soundfont=rooms.combo.soundfont,
            uptime_s=time.monotonic() - self._began,
            cards=rooms.library.card_count,
            generators=rooms.library.generator_count,
            intake_layers=self._intake.holds,
            contract=CONTRACT_VERSION,
            reference=rooms.library.reference_state(),
            stages=self._scheduler.stage_times.told(),
            memory_used_bytes=used_bytes,
            memory_bytes=all_bytes,
        )

    async def Queue(self, request: pb.QueueRequest, context: grpc.aio.ServicerContext) -> pb.QueueReply:
        return pb.QueueReply(
            entries=[
                pb.QueueReply.Entry(
                    job_id=entry.job.job_id,
                    member_key=entry.job.member_key,
                    kind=entry.job.kind,
                    position=entry.position,
                    waited_s=entry.waited_s,
                    fraction=entry.job.fraction,
                    eta_s=entry.eta_s,
                    stage=entry.job.stage.value,
                )
                for entry in self._scheduler.entries()
            ]
        )

    async def Cancel(self, request: pb.CancelRequest, context: grpc.aio.ServicerContext) -> pb.CancelReply:
        return pb.CancelReply(cancelled=self._scheduler.cancel(request.job_id, request.member_key, request.anyones))

    # ------------------------------------------------------------ stylize

    async def ListStyles(self, request: pb.ListStylesRequest, context: grpc.aio.ServicerContext) -> pb.ListStylesReply:
        rooms = await self._ready(context)
        return pb.ListStylesReply(styles=rooms.studio.styles(), model_version=rooms.studio.version)

    async def EncodeStyle(
        self, request: pb.EncodeStyleRequest, context: grpc.aio.ServicerContext
    ) -> pb.EncodeStyleReply:
        rooms = await self._ready(context)

        async def encoded() -> pb.EncodeStyleReply:
            queued = self._submit(context, request.job, "style", style_stages(rooms.studio, request))
            reply: pb.EncodeStyleReply = await self._scheduler.result(queued)
            return reply

        return await self._answer(context, encoded())

    async def Stylize(
        self, request: pb.StylizeRequest, context: grpc.aio.ServicerContext
    ) -> AsyncGenerator[pb.StylizeEvent, None]:
        rooms = await self._ready(context)
        stages = lambda: stylize_stages(rooms.studio, request)  # noqa: E731
        kind = "film" if request.rising else "stylize"
        async for event in self._stream(context, request.job, kind, stages, pb.StylizeEvent):
            yield event

    async def StyleSheet(
        self, request: pb.StyleSheetRequest, context: grpc.aio.ServicerContext
    ) -> AsyncGenerator[pb.StyleSheetEvent, None]:
        rooms = await self._ready(context)
        stages = lambda: sheet_stages(rooms.studio, request)  # noqa: E731
        async for event in self._stream(context, request.job, "sheet", stages, pb.StyleSheetEvent):
            yield event

    async def See(self, request: pb.SeeRequest, context: grpc.aio.ServicerContext) -> AsyncGenerator[pb.SeeEvent, None]:
        rooms = await self._ready(context)
        stages = lambda: see_stages(rooms.studio, request)  # noqa: E731
        async for event in self._stream(context, request.job, "see", stages, pb.SeeEvent):
            yield event

    # ------------------------------------------------------------ jazz

    async def ListJazzOptions(
        self, request: pb.ListJazzOptionsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListJazzOptionsReply:
        rooms = await self._ready(context)
        return await self._unary(context, rooms.combo.options)

    async def Play(
        self, request: pb.PlayRequest, context: grpc.aio.ServicerContext
    ) -> AsyncGenerator[pb.PlayEvent, None]:
        rooms = await self._ready(context)
        stages = lambda: jazz_stages(rooms.combo, request)  # noqa: E731
        async for event in self._stream(context, request.job, "play", stages, pb.PlayEvent):
            yield event

    async def Render(
        self, request: pb.RenderRequest, context: grpc.aio.ServicerContext
    ) -> AsyncGenerator[pb.PlayEvent, None]:
        rooms = await self._ready(context)
        stages = lambda: jazz_stages(rooms.combo, request)  # noqa: E731
        async for event in self._stream(context, request.job, "render", stages, pb.PlayEvent):
            yield event

    # ------------------------------------------------------------ teach

    async def ListTopics(self, request: pb.ListTopicsRequest, context: grpc.aio.ServicerContext) -> pb.ListTopicsReply:
        rooms = await self._ready(context)
        return pb.ListTopicsReply(topics=await self._unary(context, rooms.library.topics))

    async def Ask(self, request: pb.AskRequest, context: grpc.aio.ServicerContext) -> pb.AskReply:
        rooms = await self._ready(context)

        async def answered() -> pb.AskReply:
            calculated = await self._calculated(rooms.library.calculation(request))
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._light, rooms.library.answer, request, calculated)

        return await self._answer(context, answered())

    async def _calculated(self, upload: Upload | None) -> Reading | None:
        """What intake computes of a question. None also where intake can't just now: a card may still answer."""
        if upload is None:
            return None
        try:
            return await self._intake.read(upload)
        except EngineError as error:
            log.warning("a calculation came to nothing", why=str(error))
            return None

    async def ReadNotes(self, request: pb.ReadNotesRequest, context: grpc.aio.ServicerContext) -> pb.ReadNotesReply:
        rooms = await self._ready(context)

        async def read() -> pb.ReadNotesReply:
            return rooms.library.notes(await self._intake.read(rooms.library.notes_upload(request)))

        return await self._answer(context, read())

    async def Quiz(self, request: pb.QuizRequest, context: grpc.aio.ServicerContext) -> pb.QuizReply:
        rooms = await self._ready(context)
        return await self._unary(context, lambda: rooms.library.quiz(request))


def _message(event: Event, event_type: Any) -> Any:
    match event:
        case Position(position, eta_s):
            return event_type(queued=pb.Queued(position=position, eta_s=eta_s))
        case Step(stage, fraction):
            return event_type(progress=pb.Progress(stage=stage, fraction=fraction))
        case Done(result):
            return event_type(result=result)
    raise TypeError(f"no message for {event!r}")


async def _abort(context: grpc.aio.ServicerContext, error: EngineError) -> None:
    await context.abort(
        grpc.StatusCode[error.status], str(error), trailing_metadata=((ERROR_METADATA_KEY, error.code),)
    )


def _request_id(context: grpc.aio.ServicerContext) -> str:
    """The id that leads from an interaction through both logs; shortened, for it comes from outside."""
    sent = dict(context.invocation_metadata() or ()).get(REQUEST_ID_METADATA_KEY, "")
    return str(sent)[:LONGEST_REQUEST_ID] if isinstance(sent, str) else ""


def woodshed_version() -> str:
    """The version in pyproject.toml: the project runs from its checkout, so no installed metadata knows it."""
    document = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    return str(document["project"]["version"])
