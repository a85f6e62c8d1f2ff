"""Clients of an engine that may misbehave, and what they send and hear."""

import contextlib

from bot.engine.calls import EngineClient
from bot.engine.connection import open_channel
from engine.contract import engine_pb2 as pb
from tests.engine_double import png


def picture(**fields):
    return pb.StylizeRequest(image=png(), strength=1.0, **fields)


class Heard(list):
    """Collects the events of a job by kind."""

    async def __call__(self, event):
        self.append(event.WhichOneof("event"))


@contextlib.asynccontextmanager
async def client_at(address, **options):
    channel = open_channel(address)
    try:
        yield EngineClient(channel, **{"patience_s": 0.5, "job_patience_s": 0.5, **options})
    finally:
        await channel.close()
