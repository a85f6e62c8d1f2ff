"""The engine as the bot calls it: a method for each call of the contract, with its deadline.

    client call ──> channel ──> engine
        │  queued(position), progress(stage, fraction) ... -> on_event
        └─ result, or one of bot.errors

`connection.py` holds the line, `jobs.py` runs the streams, `hang.py` notices a hang, `failures.py` has the sentences.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

import grpc

from bot.engine.connection import PULSE_S, Connection, open_channel
from bot.engine.failures import HUNG, translate
from bot.engine.files import NO_FILES, FileOnDisk, Files
from bot.engine.hang import abandon, wait_with_pulse
from bot.engine.jobs import JOB_PATIENCE_S, JOB_SILENCE_S, JOB_TIMEOUT_S, SENT_AT_ONCE, JobStreams, OnEvent
from bot.errors import EngineHung
from engine.contract import engine_pb2 as pb
from engine.contract import engine_pb2_grpc as pb_grpc
from engine.contract.configuration import ConfigurationError
from engine.contract.network import check_address
from engine.contract.process_settings import LOCAL, ProcessSettings

SHORT_CALL_TIMEOUT_S = 15.0
STATUS_TIMEOUT_S = 2.0
"""For calls that ask how the engine is, and for those that there's another way for."""
ENCODE_TIMEOUT_S = 180.0
"""A style's code needs the device: it goes before the queue, but waits for the job that is running."""
NOTES_TIMEOUT_S = 60.0
SILENCE_S = 1.5
"""A short call that takes longer has the engine's pulse felt meanwhile."""
PATIENCE_S = 20.0
"""How long a short call waits for an engine that is warming or restarting: its member sees only "thinking ..."."""
STATUS_PATIENCE_S = 1.0
"""The same for calls that ask how the engine is: "not there" is an answer, too."""


class EngineClient(Connection):
    """The engine as the bot sees it. Every method raises `bot.errors.EngineError` and nothing else."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        *,
        token: str = "",
        job_timeout_s: float = JOB_TIMEOUT_S,
        patience_s: float = PATIENCE_S,
        job_patience_s: float = JOB_PATIENCE_S,
        silence_s: float = SILENCE_S,
        job_silence_s: float = JOB_SILENCE_S,
        pulse_s: float = PULSE_S,
    ) -> None:
        super().__init__(channel, token, pulse_s)
        self._stub = pb_grpc.EngineStub(channel)
        self._patience_s = patience_s
        self._silence_s = silence_s
        self._encoding = asyncio.Semaphore(SENT_AT_ONCE)  # gRPC keeps a short call's request until the answer is there
        self._jobs = JobStreams(self, job_timeout_s, job_patience_s, job_silence_s)

    # ------------------------------------------------------------ jobs

    async def stylize(
        self, request: pb.StylizeRequest, on_event: OnEvent | None = None, files: Files = NO_FILES
    ) -> pb.StylizeResult:
        return await self._jobs.run("Stylize", pb.StylizeEvent, request, on_event, files)

    async def style_sheet(
        self, request: pb.StyleSheetRequest, on_event: OnEvent | None = None, files: Files = NO_FILES
    ) -> pb.StyleSheetResult:
        return await self._jobs.run("StyleSheet", pb.StyleSheetEvent, request, on_event, files)

    async def see(
        self, request: pb.SeeRequest, on_event: OnEvent | None = None, files: Files = NO_FILES
    ) -> pb.SeeResult:
        return await self._jobs.run("See", pb.SeeEvent, request, on_event, files)

    async def play(self, request: pb.PlayRequest, on_event: OnEvent | None = None, files: Files = NO_FILES) -> pb.Clip:
        return await self._jobs.run("Play", pb.PlayEvent, request, on_event, files)

    async def render(
        self, request: pb.RenderRequest, on_event: OnEvent | None = None, files: Files = NO_FILES
    ) -> pb.Clip:
        return await self._jobs.run("Render", pb.PlayEvent, request, on_event, files)

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
        owner = self._jobs.owner(job_id)
        if owner is not None:
            if owner != member_key and not anyones:
                return False
            self.hang_up(job_id)
            return True
        request = pb.CancelRequest(job_id=job_id, member_key=member_key, anyones=anyones)
        reply: pb.CancelReply = await self._unary(self._stub.Cancel, request, STATUS_PATIENCE_S, STATUS_TIMEOUT_S)
        return reply.cancelled

    def hang_up(self, job_id: str) -> None:
        """End a job whose result nobody wants any more, if it's still running."""
        self._jobs.hang_up(job_id)

    def jobs_of(self, member_key: str) -> list[str]:
        """The jobs that this client has under way for a member, oldest first."""
        return self._jobs.of(member_key)

    @property
    def jobs_under_way(self) -> int:
        """Of all members, through this client."""
        return self._jobs.under_way

    def cancel_all(self, farewell: str) -> None:
        """Cancel every job that is open now; whoever awaits one gets JobCancelled with this sentence."""
        self._jobs.cancel_all(farewell)

    # ------------------------------------------------------------ inside

    async def _unary(
        self, method: Any, request: Any, patience_s: float | None = None, timeout_s: float = SHORT_CALL_TIMEOUT_S
    ) -> Any:
        """Short calls change nothing, so one that found no engine is tried again once the engine is back."""
        if not isinstance(request, pb.AboutRequest):
            self.check_understood()
        for last in (False, True):
            try:
                return await self._listened_to(method(request, timeout=timeout_s, metadata=self.metadata()))
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED and timeout_s <= SHORT_CALL_TIMEOUT_S:
                    raise EngineHung(HUNG) from error  # nothing that takes milliseconds could be made smaller
                if last or error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise translate(error) from error
            await self.wait_serving(self._patience_s if patience_s is None else min(patience_s, self._patience_s))
        raise AssertionError("unreachable")

    async def _listened_to(self, call: Any) -> Any:
        """What a short call returns. Raises EngineHung as soon as the engine gives no sign of life beside it."""
        answer = asyncio.ensure_future(call)
        try:
            await wait_with_pulse(answer, self._silence_s, self.has_pulse)
            return answer.result()
        finally:
            call.cancel()
            await abandon(answer)


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
