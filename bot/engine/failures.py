"""What goes wrong on the other side of the contract, as errors of the bot, each with a sentence for the member."""

from __future__ import annotations

import grpc
import structlog

from bot.errors import (
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    JobCancelled,
)
from engine.contract import ERROR_METADATA_KEY

log = structlog.get_logger(__name__)

WARMING = "The engine is still warming up. Please try again in a minute."
UNREACHABLE = "I can't reach the engine right now. Please try again in a minute."
OTHER_CONTRACT = "My engine and I are on different versions. The people who run me have to update one of us."
DIED = "The engine stopped while it was working on this. Please try again."
HUNG = "The engine isn't answering right now. Please try again in a minute or two."
CANCELLED = "This job was cancelled."

RESTARTING = "restarting"
"""`code` of a job that an engine hands back unfinished, because another one made it leave: it may be sent again."""


def code_of(error: grpc.aio.AioRpcError) -> str | None:
    """The engine's own name for an error; None where it's gRPC's."""
    code = dict(error.trailing_metadata() or ()).get(ERROR_METADATA_KEY)
    return None if code is None else str(code)


def translate(error: grpc.aio.AioRpcError) -> EngineError:
    """A gRPC status as an error of the bot. Only a sentence that the engine marked as its own is passed on."""
    status, sentence = error.code(), error.details() or ""
    code = code_of(error)
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
