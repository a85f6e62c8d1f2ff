"""Calls over the contract: deadlines, cancellation, one retry of what never started, and errors in the bot's own tree.

    client call ──> channel ──> engine
        │  queued(position), progress(stage, fraction) ... -> on_event
        └─ result, or one of bot.errors

The channel reconnects by itself when the engine comes back on the same address.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bot.errors import (
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineHung,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    JobCancelled,
)
from bot.logs import current_request
from engine.contract import (
    CONTRACT_METADATA_KEY,
    CONTRACT_VERSION,
    ERROR_METADATA_KEY,
    MAX_MESSAGE_BYTES,
    REQUEST_ID_METADATA_KEY,
    TOKEN_METADATA_KEY,
)
from engine.contract import engine_pb2 as pb
from engine.contract import engine_pb2_grpc as pb_grpc
from engine.contract.configuration import ConfigurationError
from engine.contract.network import SYSTEM, check_address
from engine.contract.process_settings import LOCAL, ProcessSettings

log = structlog.get_logger(__name__)

StreamEvent = pb.StylizeEvent | pb.StyleSheetEvent | pb.SeeEvent | pb.PlayEvent
OnEvent = Callable[[Any], Awaitable[None]]
Reply = TypeVar("Reply")

SHORT_CALL_TIMEOUT_S = 15.0
STATUS_TIMEOUT_S = 2.0
"""For calls that ask how the engine is, and for those that there's another way for."""
SILENCE_S = 1.5
"""A short call that takes longer has the engine's pulse felt meanwhile."""
MISSED_PULSES = 2
PULSE_S = 1.5
"""How long a health check may take: an engine that is busy still answers it at once."""
JOB_SILENCE_S = 20.0
"""The same for jobs, which report progress twice a second."""
ENCODE_TIMEOUT_S = 180.0
"""A style's code needs the device: it goes before the queue, but waits for the job that is running."""
NOTES_TIMEOUT_S = 60.0
HEALTH_TIMEOUT_S = 10.0
WATCH_PAUSE_S = 0.1
JOB_PATIENCE_S = 90.0
"""How long a job waits for an engine that is warming or restarting; its member sees what it waits for."""
PATIENCE_S = 20.0
"""The same for short calls, whose members see only "thinking ..."."""
STATUS_PATIENCE_S = 1.0
"""The same for calls that ask how the engine is: "not there" is an answer, too."""

WARMING = "The engine is still warming up. Please try again in a minute."
UNREACHABLE = "I can't reach the engine right now. Please try again in a minute."
OTHER_CONTRACT = "My engine and I are on different versions. The people who run me have to update one of us."
DIED = "The engine stopped while it was working on this. Please try again."
HUNG = "The engine isn't answering right now. Please try again in a minute or two."
CANCELLED = "This job was cancelled."

RESTARTING = "restarting"
"""`code` of a job that an engine hands back unfinished, because another one made it leave: it may be sent again."""
WAITING_STAGE = "waiting for the engine"

SERVICE = pb.DESCRIPTOR.services_by_name["Engine"].full_name
SENT_AT_ONCE = 2
"""Requests with files that are read from disk and sent at the same time: what the bot's memory has to hold."""
LENGTH_DELIMITED = 2
"""The wire type of bytes (protobuf.dev, "Encoding")."""

_CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # A restarted engine is found again within a second, not after the two minutes that gRPC may back off.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]


def new_job_id() -> str:
    """A name that no other job has: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def open_channel(address: str, certificate: Path | None = None) -> grpc.aio.Channel:
    """A channel to `unix:/path`, `host:port` or `dns:///host:port`, over TLS if there's a certificate to trust."""
    if certificate is None:
        return grpc.aio.insecure_channel(address, options=_CHANNEL_OPTIONS)
    credentials = grpc.ssl_channel_credentials(None if certificate == Path(SYSTEM) else certificate.read_bytes())
    return grpc.aio.secure_channel(address, credentials, options=_CHANNEL_OPTIONS)


class FileOnDisk(Protocol):
    """`bot.attachments.spool.WaitingFile`."""

    async def read(self) -> bytes: ...


class Cancellable(Protocol):
    def cancel(self) -> object: ...


Files = Mapping[str, FileOnDisk]
NO_FILES: Files = {}


class Letter:
    """A request on its way. gRPC keeps what a call was given for as long as it runs; this lets go of the bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def take(self) -> bytes:
        """What to send, once."""
        content, self._content = self._content, b""
        return content


def with_files(request: Any, contents: Mapping[str, bytes]) -> bytes:
    """`request`, serialised, with files in its fields of bytes. A message in parts, one after the other, is the whole
    message (protobuf.dev, "Encoding", "Last One Wins"), so that no file is copied into a message first."""
    parts = [request.SerializeToString()]
    for name, content in contents.items():
        field = request.DESCRIPTOR.fields_by_name[name]
        assert field.type == field.TYPE_BYTES, f"{name} has no room for a file"
        parts += [_varint(field.number << 3 | LENGTH_DELIMITED), _varint(len(content)), content]
    return b"".join(parts)


def _varint(number: int) -> bytes:
    """Seven bits a byte, lowest first; the eighth says that more follow (protobuf.dev, "Base 128 Varints")."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


class EngineClient:
    """The engine as the bot sees it. Every method raises `bot.errors.EngineError` and nothing else."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        *,
        token: str = "",
        job_timeout_s: float = 600.0,
        patience_s: float = PATIENCE_S,
        job_patience_s: float = JOB_PATIENCE_S,
        silence_s: float = SILENCE_S,
        job_silence_s: float = JOB_SILENCE_S,
        pulse_s: float = PULSE_S,
    ) -> None:
        self._channel = channel
        self._stub = pb_grpc.EngineStub(channel)
        self._health = health_pb2_grpc.HealthStub(channel)
        self._token = token
        self._job_timeout_s = job_timeout_s
        self._patience_s = patience_s
        self._job_patience_s = job_patience_s
        self._silence_s = silence_s
        self._job_silence_s = job_silence_s
        self._pulse_s = pulse_s
        self.understands = True
        """False once the engine turns out to speak another version of the contract; then it's asked for nothing."""
        self._farewell = CANCELLED
        self._sending = asyncio.Semaphore(SENT_AT_ONCE)
        self._encoding = asyncio.Semaphore(SENT_AT_ONCE)  # gRPC keeps a short call's request until the answer is there
        self._calls: dict[str, Cancellable] = {}  # the streams that are open now, by job id
        self._owners: dict[str, str] = {}  # their members' keys

    # ------------------------------------------------------------ jobs

    # `files` are fields of the request that lie on disk. They're read when the request is sent, a few requests at a
    # time, and let go of as soon as the engine has them: a job that waits holds no file in the bot's memory.

    async def stylize(
        self, request: pb.StylizeRequest, on_event: OnEvent | None = None, files: Files = NO_FILES
    ) -> pb.StylizeResult:
        return await self._job("Stylize", pb.StylizeEvent, request, on_event, files)

    async def style_sheet(
        self, request: pb.StyleSheetRequest, on_event: OnEvent | None = None, files: Files = NO_FILES
    ) -> pb.StyleSheetResult:
        return await self._job("StyleSheet", pb.StyleSheetEvent, request, on_event, files)

    async def see(
        self, request: pb.SeeRequest, on_event: OnEvent | None = None, files: Files = NO_FILES
    ) -> pb.SeeResult:
        return await self._job("See", pb.SeeEvent, request, on_event, files)

    async def play(self, request: pb.PlayRequest, on_event: OnEvent | None = None, files: Files = NO_FILES) -> pb.Clip:
        return await self._job("Play", pb.PlayEvent, request, on_event, files)

    async def render(
        self, request: pb.RenderRequest, on_event: OnEvent | None = None, files: Files = NO_FILES
    ) -> pb.Clip:
        return await self._job("Render", pb.PlayEvent, request, on_event, files)

    # ------------------------------------------------------------ short calls

    async def about(self) -> pb.AboutReply:
        return await self._unary(self._stub.About, pb.AboutRequest(), STATUS_PATIENCE_S, STATUS_TIMEOUT_S)

    async def list_styles(self) -> list[pb.Style]:
        reply: pb.ListStylesReply = await self._unary(self._stub.ListStyles, pb.ListStylesRequest())
        return list(reply.styles)

    async def style_weights(self) -> str:
        """Version of the weights that a style's code has to belong to."""
        reply: pb.ListStylesReply = await self._unary(self._stub.ListStyles, pb.ListStylesRequest())
        return reply.model_version

    async def encode_style(self, image: bytes | FileOnDisk, job: pb.Job | None = None) -> pb.EncodeStyleReply:
        """A style picture's code, the weights that it belongs to, and a small copy of the picture. With a `job`, it
        shows in the queue as its member's."""
        async with self._encoding:
            content = image if isinstance(image, bytes) else await image.read()
            request = pb.EncodeStyleRequest(image=content, job=job)
            return await self._unary(self._stub.EncodeStyle, request, timeout_s=ENCODE_TIMEOUT_S)

    async def list_jazz_options(self) -> pb.ListJazzOptionsReply:
        return await self._unary(self._stub.ListJazzOptions, pb.ListJazzOptionsRequest())

    async def list_topics(self) -> list[str]:
        reply: pb.ListTopicsReply = await self._unary(self._stub.ListTopics, pb.ListTopicsRequest())
        return list(reply.topics)

    async def ask(
        self,
        question: str = "",
        *,
        card_id: str = "",
        symbol: str = "",
        passages: Sequence[pb.Passage] = (),
        aliases: Sequence[pb.Alias] = (),
    ) -> pb.AskReply:
        """What answers a question; or one card, or one entry of the documentation, by its name."""
        request = pb.AskRequest(question=question, card_id=card_id, symbol=symbol, passages=passages, aliases=aliases)
        return await self._unary(self._stub.Ask, request)

    async def read_notes(self, data: bytes, filename: str) -> pb.ReadNotesReply:
        """The passages of a file of course notes."""
        request = pb.ReadNotesRequest(data=data, filename=filename)
        return await self._unary(self._stub.ReadNotes, request, timeout_s=NOTES_TIMEOUT_S)

    async def quiz(
        self,
        topic: str = "",
        seed: int | None = None,
        avoid: Sequence[str] = (),
        generator: str = "",
        kinds: Iterable[str] = (),
        pictures: bool = False,
        card: str = "",
    ) -> pb.QuizReply:
        """One question of the `kinds` that can be shown, those with one right option if none are named. `avoid` names
        generators asked before, the latest first, `generator` the one that is wanted, `card` the card that answers it;
        without `seed` the engine draws one."""
        request = pb.QuizRequest(
            topic=topic,
            seed=seed,
            avoid=avoid,
            generator=generator,
            kinds=sorted(kinds),
            pictures=pictures,
            card=card,
        )
        return await self._unary(self._stub.Quiz, request)

    async def queue(self) -> list[pb.QueueReply.Entry]:
        """Running jobs first, then the waiting ones in the order in which they will run."""
        reply: pb.QueueReply = await self._unary(
            self._stub.Queue, pb.QueueRequest(), STATUS_PATIENCE_S, STATUS_TIMEOUT_S
        )
        return list(reply.entries)

    async def cancel(self, job_id: str, member_key: str, *, anyones: bool = False) -> bool:
        """Cancel a member's own job, or `anyones` for staff; False when there's no such job.

        A job of this client's is cancelled by hanging up, which needs no answer of the engine's. Whoever awaits its
        result gets JobCancelled at once, though the engine may need a moment to let go of it."""
        if job_id in self._calls:
            if self._owners.get(job_id) != member_key and not anyones:
                return False
            self.hang_up(job_id)
            return True
        request = pb.CancelRequest(job_id=job_id, member_key=member_key, anyones=anyones)
        reply: pb.CancelReply = await self._unary(self._stub.Cancel, request, STATUS_PATIENCE_S, STATUS_TIMEOUT_S)
        return reply.cancelled

    def hang_up(self, job_id: str) -> None:
        """End a job whose result nobody wants any more, if it's still running."""
        if call := self._calls.get(job_id):
            call.cancel()

    def jobs_of(self, member_key: str) -> list[str]:
        """The jobs that this client has under way for a member, oldest first."""
        return [job_id for job_id in self._calls if self._owners.get(job_id) == member_key]

    @property
    def jobs_under_way(self) -> int:
        """Of all members, through this client."""
        return len(self._calls)

    def cancel_all(self, farewell: str) -> None:
        """Cancel every job that is open now; whoever awaits one gets JobCancelled with this sentence."""
        self._farewell = farewell
        for call in list(self._calls.values()):
            call.cancel()

    # ------------------------------------------------------------ readiness

    async def wait_connected(self) -> None:
        """Return once there's a connection; it's made if need be."""
        while (state := self._channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
            await self._channel.wait_for_state_change(state)

    async def wait_disconnected(self) -> None:
        """Return once the connection is gone."""
        while (state := self._channel.get_state()) is grpc.ChannelConnectivity.READY:
            await self._channel.wait_for_state_change(state)

    async def is_alive(self) -> bool:
        """Whether the engine answers a health check at all, warm or not."""
        return await self._health_status() is not None

    async def is_serving(self) -> bool:
        """Whether the engine is up and warm."""
        return await self._health_status() == health_pb2.HealthCheckResponse.SERVING

    async def wait_serving(self, timeout_s: float) -> None:
        """Return once the engine is warm. Raises EngineUnavailable after `timeout_s`."""
        status = None
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    # One stream tells of every change; it breaks when the engine dies, and is opened anew.
                    call = self._health.Watch(health_pb2.HealthCheckRequest(), wait_for_ready=True)
                    try:
                        async for reply in call:
                            status = reply.status
                            if status == health_pb2.HealthCheckResponse.SERVING:
                                return
                    except grpc.aio.AioRpcError as error:
                        log.debug("engine health lost", detail=error.details())
                    finally:
                        call.cancel()
                    status = None
                    await asyncio.sleep(WATCH_PAUSE_S)  # what answers there may not know this call
        except TimeoutError as error:
            raise EngineUnavailable(UNREACHABLE if status is None else WARMING) from error

    async def _health_status(self, timeout_s: float = HEALTH_TIMEOUT_S) -> int | None:
        try:
            reply = await self._health.Check(health_pb2.HealthCheckRequest(), timeout=timeout_s)
        except grpc.aio.AioRpcError:
            return None
        return int(reply.status)

    # ------------------------------------------------------------ inside

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with every call: the shared token, and the id of the interaction that it's made for."""
        pairs = (
            (TOKEN_METADATA_KEY, self._token),
            (REQUEST_ID_METADATA_KEY, current_request()),
            (CONTRACT_METADATA_KEY, str(CONTRACT_VERSION)),
        )
        return tuple((key, value) for key, value in pairs if value)

    async def _unary(
        self, method: Any, request: Any, patience_s: float | None = None, timeout_s: float = SHORT_CALL_TIMEOUT_S
    ) -> Any:
        """Short calls change nothing, so one that found no engine is tried again once the engine is back."""
        if not self.understands and not isinstance(request, pb.AboutRequest):
            raise EngineUnavailable(OTHER_CONTRACT)
        for last in (False, True):
            try:
                return await self._listened_to(method(request, timeout=timeout_s, metadata=self._metadata()))
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED and timeout_s <= SHORT_CALL_TIMEOUT_S:
                    raise EngineHung(HUNG) from error  # nothing that takes milliseconds could be made smaller
                if last or error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise _translate(error) from error
            await self.wait_serving(self._patience_s if patience_s is None else min(patience_s, self._patience_s))
        raise AssertionError("unreachable")

    async def _listened_to(self, call: Any) -> Any:
        """What a short call returns. Raises EngineHung as soon as the engine gives no sign of life beside it."""
        answer = asyncio.ensure_future(call)
        try:
            await self._wait_with_pulse(answer, self._silence_s)
            return answer.result()
        finally:
            call.cancel()
            await _abandon(answer)

    async def _wait_with_pulse(self, answer: asyncio.Future[Any], silence_s: float) -> None:
        """Return once there's an answer. Raises EngineHung when the engine gives no other sign of life either."""
        missed = 0
        while not (await asyncio.wait({answer}, timeout=silence_s))[0]:
            missed = 0 if await self._health_status(self._pulse_s) is not None else missed + 1
            if missed >= MISSED_PULSES and not answer.done():
                raise EngineHung(HUNG)

    async def _job(self, name: str, event_type: Any, request: Any, on_event: OnEvent | None, files: Files) -> Any:
        """Run a job to its result. A job that no engine had begun is handed in a second time, under the same name.

        Cancelling the calling task closes the stream, which cancels the job, queued or running."""
        if not self.understands:
            raise EngineUnavailable(OTHER_CONTRACT)
        if not request.job.job_id:
            request.job.job_id = new_job_id()
        method = self._channel.unary_stream(
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
                    raise _translate(error) from error
                log.warning("engine gone", job_id=request.job.job_id, started=started, detail=error.details())
                if started and _code(error) != RESTARTING:
                    raise EngineUnavailable(DIED) from error
                if last:
                    raise EngineUnavailable(UNREACHABLE) from error
            if on_event is not None:
                await on_event(_waiting_event(request))
            await self.wait_serving(self._job_patience_s)
        raise AssertionError("unreachable")

    async def _events(self, method: Any, request: Any, files: Files) -> AsyncGenerator[Any, None]:
        job_id = request.job.job_id
        self._owners[job_id] = request.job.member_key
        async with contextlib.AsyncExitStack() as sending:
            try:
                writing = asyncio.ensure_future(self._write(request, files, sending))
                self._calls[job_id] = writing
                letter = await writing
                call = method(letter, timeout=self._job_timeout_s, metadata=self._metadata())
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
                await self._wait_with_pulse(reading, self._job_silence_s)
                event = reading.result()
            finally:
                await _abandon(reading)
            if event is grpc.aio.EOF:
                return
            yield event


def _code(error: grpc.aio.AioRpcError) -> str | None:
    """The engine's own name for an error; None where it's gRPC's."""
    code = dict(error.trailing_metadata() or ()).get(ERROR_METADATA_KEY)
    return None if code is None else str(code)


async def _abandon(future: asyncio.Future[Any]) -> None:
    """Cancel what nobody waits for any more, and see it end."""
    if not future.done():
        future.cancel()
        await asyncio.gather(future, return_exceptions=True)


@contextlib.asynccontextmanager
async def open_engine_client(settings: ProcessSettings, address: str | None = None) -> AsyncIterator[EngineClient]:
    """A client for the engine of the settings, or for a local one at `address`; its channel is closed on leaving.

    Raises ConfigurationError for a certificate that cannot be read."""
    assert address is not None or settings.address != LOCAL, "a local engine has the address its process was given"
    if address is None:
        check_address(settings)
    trusted = settings.tls_certificate if address is None else ""
    certificate = Path(trusted) if trusted else None
    try:
        channel = open_channel(address or settings.address, certificate)
    except OSError as error:
        raise ConfigurationError(f"'engine.tls_certificate' is {certificate}, which can't be read: {error}.") from error
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(channel.close)
        yield EngineClient(channel, token=settings.token, job_timeout_s=settings.job_timeout_s)


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


def _translate(error: grpc.aio.AioRpcError) -> EngineError:
    """A gRPC status as an error of the bot. Only a sentence that the engine marked as its own is passed on."""
    status, sentence = error.code(), error.details() or ""
    code = _code(error)
    own = sentence if code is not None else ""
    match status:
        case grpc.StatusCode.INVALID_ARGUMENT | grpc.StatusCode.NOT_FOUND if own:
            return EngineRefused(own, str(code))
        case grpc.StatusCode.RESOURCE_EXHAUSTED if code == "queue_full":
            return EngineBusy(own)
        case grpc.StatusCode.RESOURCE_EXHAUSTED if code is None:
            return EngineRefused("That's too large for the engine. Please send something smaller.", "too_large")
        case grpc.StatusCode.CANCELLED:
            return JobCancelled(CANCELLED)
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return EngineTimeout("This took too long. Please try something smaller.")
        case grpc.StatusCode.UNAVAILABLE:
            return EngineUnavailable(UNREACHABLE)
        case grpc.StatusCode.FAILED_PRECONDITION if code == "other_contract":
            return EngineUnavailable(OTHER_CONTRACT)
    log.error("engine call failed", status=status.name, detail=sentence, code=code)
    if status in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
        return EngineUnavailable("The engine doesn't accept me. The people who run me can find out why in the log.")
    return EngineFailed(
        own or "Sorry, something went wrong in the engine. The people who run me can find the details in its log."
    )
