"""An engine that answers at once and computes nothing, for what is measured or broken beside it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from engine.contract import ERROR_METADATA_KEY
from engine.contract import engine_pb2 as pb
from engine.contract import engine_pb2_grpc as pb_grpc

BROKEN = b"broken"
"""A picture that is refused."""
REFUSAL = "That file is not a picture."
TITLE = "What backward() does"


class QuickEngine(pb_grpc.EngineServicer):
    """Pictures come back as they are, and there is one card."""

    async def Stylize(self, request: pb.StylizeRequest, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        yield pb.StylizeEvent(queued=pb.Queued(position=1))
        yield pb.StylizeEvent(progress=pb.Progress(stage="painting", fraction=0.5))
        if request.image == BROKEN:
            trailing = ((ERROR_METADATA_KEY, "bad_picture"),)
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, REFUSAL, trailing_metadata=trailing)
        yield pb.StylizeEvent(
            result=pb.StylizeResult(
                image=request.image, media_type="image/png", extension="png", width=8, height=8,
                before_after=request.image, style="scream", seed=1,
            )
        )  # fmt: skip

    async def ListStyles(self, request: pb.ListStylesRequest, context: grpc.aio.ServicerContext) -> pb.ListStylesReply:
        return pb.ListStylesReply(styles=[pb.Style(name="scream", title="The Scream")], model_version="quick")

    async def ListJazzOptions(
        self, request: pb.ListJazzOptionsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListJazzOptionsReply:
        return pb.ListJazzOptionsReply()

    async def ListTopics(self, request: pb.ListTopicsRequest, context: grpc.aio.ServicerContext) -> pb.ListTopicsReply:
        return pb.ListTopicsReply(topics=["autograd"])

    async def About(self, request: pb.AboutRequest, context: grpc.aio.ServicerContext) -> pb.AboutReply:
        return pb.AboutReply(version="quick")

    async def Ask(self, request: pb.AskRequest, context: grpc.aio.ServicerContext) -> pb.AskReply:
        return pb.AskReply(known=True, cards=[pb.Card(id="backward", topic="autograd", title=TITLE, text="It adds.")])


@contextlib.asynccontextmanager
async def quick_engine(address: str) -> AsyncIterator[None]:
    """Serve on `address` ("unix:/path")."""
    server = grpc.aio.server()
    pb_grpc.add_EngineServicer_to_server(QuickEngine(), server)
    readiness = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(readiness, server)
    await readiness.set("", health_pb2.HealthCheckResponse.SERVING)
    server.add_insecure_port(address)
    await server.start()
    try:
        yield
    finally:
        await server.stop(None)
