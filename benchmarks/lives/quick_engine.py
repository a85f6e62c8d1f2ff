"""An engine that answers at once and computes nothing, for what is measured or broken beside it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from engine.contract import CONTRACT_VERSION, ERROR_METADATA_KEY
from engine.contract import engine_pb2 as pb
from engine.contract import engine_pb2_grpc as pb_grpc

BROKEN = b"broken"
"""A picture that is refused."""
REFUSAL = "That file is not a picture."
TITLE = "What backward() does"


class QuickEngine(pb_grpc.EngineServicer):
    """Pictures come back as they are, clips are a few bytes, and there is one card and one piece by a human."""

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
        return pb.ListJazzOptionsReply(
            instruments=["tenor sax"], feels=["swing"], forms=["blues"], keys=["F"],
            min_bars=1, max_bars=64, min_tempo_bpm=40, max_tempo_bpm=320,
            pieces=[pb.Piece(id="rag", title="A Rag", composer="Somebody", year="1899", source="nowhere")],
        )  # fmt: skip

    async def Play(self, request: pb.PlayRequest, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        yield pb.PlayEvent(result=_clip(b"the model's", request.seed, "quick"))

    async def Render(self, request: pb.RenderRequest, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        yield pb.PlayEvent(result=_clip(b"a human's", request.seed, ""))

    async def ListTopics(self, request: pb.ListTopicsRequest, context: grpc.aio.ServicerContext) -> pb.ListTopicsReply:
        return pb.ListTopicsReply(topics=["autograd"])

    async def About(self, request: pb.AboutRequest, context: grpc.aio.ServicerContext) -> pb.AboutReply:
        return pb.AboutReply(version="quick", contract=CONTRACT_VERSION)

    async def Ask(self, request: pb.AskRequest, context: grpc.aio.ServicerContext) -> pb.AskReply:
        return pb.AskReply(known=True, cards=[pb.Card(id="backward", topic="autograd", title=TITLE, text="It adds.")])


def _clip(sound: bytes, seed: int, version: str) -> pb.Clip:
    return pb.Clip(
        audio=b"OggS, " + sound, midi=b"MThd", roll=b"\x89PNG", seed=seed, chords="F7 | Bb7 | F7 | F7", bars=4,
        tempo_bpm=120.0, instrument="tenor sax", form="blues", key="F", feel="swing", model_version=version,
        soundfont="quick.sf2", duration_s=8.0, loudness_lufs=-16.0, true_peak_dbtp=-1.0, beats_per_bar=4,
    )  # fmt: skip


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
