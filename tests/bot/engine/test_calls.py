"""Calls over the contract: through real gRPC, to an engine that behaves and to one that doesn't."""

import asyncio

import grpc
import pytest

from bot.engine.failures import UNREACHABLE, WARMING
from bot.engine.jobs import SENT_AT_ONCE
from bot.errors import (
    EngineBusy,
    EngineFailed,
    EngineRefused,
    EngineUnavailable,
)
from engine.contract import engine_pb2 as pb
from tests.bot.engine.clients import client_at, picture
from tests.engine_double import Behaviour, EngineDouble, code_of, png, serve_double, socket_address
from tests.waiting import until


async def test_every_call_of_the_contract_has_its_method(engine):
    assert (await engine.see(pb.SeeRequest(image=png()))).sheet
    assert (await engine.play(pb.PlayRequest(seed=3))).seed == 3
    assert not (await engine.render(pb.RenderRequest(audio=b"x"))).midi
    assert (await engine.about()).torch_version == "2.15.0"
    assert (await engine.encode_style(b"1234")).code == code_of(b"1234", "abc1234")
    assert (await engine.list_jazz_options()).max_bars == 64
    assert await engine.list_topics() == ["tensors", "autograd"]
    assert (await engine.ask("what does backward do?")).known
    assert (await engine.quiz("tensors", seed=9)).seed == 9
    assert await engine.queue() == []
    assert not await engine.cancel("nobody", "nobody")


async def test_the_callers_fault_comes_with_the_engines_own_sentence(engine, double):
    double.misbehave(Behaviour.REFUSE)
    with pytest.raises(EngineRefused, match=r"^That file is not a picture\.$") as caught:
        await engine.stylize(picture())
    assert caught.value.code == "bad_picture"


async def test_a_full_queue_is_said_to_be_full(engine, double):
    double.misbehave(Behaviour.FULL)
    with pytest.raises(EngineBusy, match="queue is full"):
        await engine.stylize(picture())


async def test_the_text_of_a_defect_in_the_engine_is_never_shown(engine, double):
    double.misbehave(Behaviour.FAIL)
    with pytest.raises(EngineFailed) as caught:
        await engine.stylize(picture())
    assert "secret" not in caught.value.sentence


async def test_an_engine_that_is_not_there_is_said_to_be_unreachable(tmp_path):
    async with client_at(socket_address(tmp_path)) as client:
        for call in (client.about(), client.stylize(picture())):
            with pytest.raises(EngineUnavailable) as caught:
                await call
            assert caught.value.sentence == UNREACHABLE
        assert not await client.is_alive()


async def test_an_engine_that_is_warming_is_waited_for(tmp_path):
    class Warming(EngineDouble):
        warm = False

        async def About(self, request, context):
            if not self.warm:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "still warming")
            return await super().About(request, context)

    double = Warming()
    async with serve_double(socket_address(tmp_path), double, serving=False) as readiness:
        async with client_at(socket_address(tmp_path), patience_s=0.3) as client:
            with pytest.raises(EngineUnavailable) as caught:
                await client.about()
            assert caught.value.sentence == WARMING
            assert await client.is_alive()
            assert not await client.is_serving()
        async with client_at(socket_address(tmp_path), patience_s=10.0) as client:
            asking = asyncio.create_task(client.about())
            await asyncio.sleep(0.2)
            assert not asking.done()
            double.warm = True
            await readiness.set("", 1)
            assert (await asking).device


async def test_the_shared_token_travels_as_metadata(tmp_path, double):
    async with client_at(socket_address(tmp_path), token="s3cret") as client:
        await client.stylize(picture())
    assert double.metadata[0]["woodshed-token"] == "s3cret"


async def test_pictures_of_new_styles_wait_on_disk_for_their_turn(engine, double):
    read = []

    class Picture:
        def __init__(self, number):
            self.number = number

        async def read(self):
            read.append(self.number)
            return b"%d" % self.number

    double.misbehave(Behaviour.SLOW)
    adding = [asyncio.ensure_future(engine.encode_style(Picture(number))) for number in range(5)]
    await until(lambda: len(read) == SENT_AT_ONCE)
    await asyncio.sleep(0.2)
    assert len(read) == SENT_AT_ONCE
    double.release.set()
    assert [reply.code for reply in await asyncio.gather(*adding)] == [code_of(b"%d" % n, "abc1234") for n in range(5)]
