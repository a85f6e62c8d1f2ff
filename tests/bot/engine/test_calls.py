"""Calls over the contract: through real gRPC, to an engine that behaves and to one that doesn't."""

import asyncio
import contextlib

import grpc
import pytest

from bot.engine.calls import DIED, SENT_AT_ONCE, UNREACHABLE, WARMING, EngineClient, open_channel
from bot.errors import (
    EngineBusy,
    EngineFailed,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    JobCancelled,
)
from engine.contract import ERROR_METADATA_KEY
from engine.contract import engine_pb2 as pb
from tests.engine_double import Behaviour, EngineDouble, code_of, png, serve_double, socket_address
from tests.waiting import until


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


async def test_a_job_tells_its_place_and_progress_and_ends_with_its_result(engine, double):
    heard = Heard()
    result = await engine.stylize(picture(style="scream"), heard)
    assert result.style == "scream"
    assert heard == ["queued", "progress", "progress", "progress"]
    assert len(double.requests[0].job.job_id) == 32


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


async def test_a_job_that_no_engine_had_begun_is_handed_in_again_under_its_name(engine, double):
    double.misbehave(Behaviour.DIE_QUEUED, times=1)
    result = await engine.stylize(picture(style="scream"))
    assert result.style == "scream"
    first, second = double.requests
    assert first.job.job_id == second.job.job_id


async def test_a_job_waits_for_an_engine_that_is_away_and_says_so(tmp_path):
    stages = []

    async def heard(event):
        stages.append(event.progress.stage)

    async with client_at(socket_address(tmp_path), job_patience_s=10.0) as client:
        job = asyncio.create_task(client.stylize(picture(style="scream"), heard))
        await until(lambda: stages)
        assert stages == ["waiting for the engine"]
        async with serve_double(socket_address(tmp_path), EngineDouble()):
            assert (await job).style == "scream"


async def test_it_is_handed_in_again_only_once(engine, double):
    double.misbehave(Behaviour.DIE_QUEUED)
    with pytest.raises(EngineUnavailable, match="can't reach"):
        await engine.stylize(picture())
    assert len(double.requests) == 2


async def test_a_job_that_had_begun_is_not_run_twice_and_its_end_is_said_clearly(engine, double):
    double.misbehave(Behaviour.DIE_STARTED)
    with pytest.raises(EngineUnavailable) as caught:
        await engine.stylize(picture())
    assert caught.value.sentence == DIED
    assert len(double.requests) == 1


async def test_a_job_that_was_cancelled_in_the_engine_is_said_to_be_cancelled(engine, double):
    double.misbehave(Behaviour.CANCEL)
    with pytest.raises(JobCancelled):
        await engine.stylize(picture())


async def test_a_job_cancelled_by_its_member_ends_at_once_however_long_the_engine_holds_on(engine, double):
    double.misbehave(Behaviour.SLOW)
    double.entries = [pb.QueueReply.Entry(job_id="a" * 32, member_key="me", kind="stylize")]
    job = asyncio.create_task(engine.stylize(picture(job=pb.Job(job_id="a" * 32, member_key="me"))))
    await until(lambda: double.requests)
    assert not await engine.cancel("a" * 32, "somebody else")
    assert not job.done()
    assert await engine.cancel("a" * 32, "me")
    with pytest.raises(JobCancelled):
        await asyncio.wait_for(job, 5.0)


async def test_a_stream_without_a_result_is_a_failure(engine, double):
    double.misbehave(Behaviour.SILENT)
    with pytest.raises(EngineFailed):
        await engine.stylize(picture())


async def test_cancelling_the_caller_closes_the_stream(engine, double):
    double.misbehave(Behaviour.SLOW)
    task = asyncio.create_task(engine.stylize(picture()))
    await until(lambda: double.requests)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: double.closed)


async def test_an_error_in_the_listener_closes_the_stream_too(engine, double):
    async def listener(event):
        raise ZeroDivisionError

    double.misbehave(Behaviour.SLOW)
    with pytest.raises(ZeroDivisionError):
        await engine.stylize(picture(), listener)
    await until(lambda: double.closed)


async def test_a_hung_engine_is_given_up_at_the_deadline(tmp_path, double):
    double.misbehave(Behaviour.HANG)
    async with client_at(socket_address(tmp_path), job_timeout_s=0.3) as client:
        with pytest.raises(EngineTimeout):
            await client.stylize(picture())


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


async def test_an_upload_of_25_mib_fits_and_one_beyond_the_messages_limit_is_refused(engine):
    big = pb.StylizeRequest(image=bytes(25 * 1024 * 1024), strength=0.5)
    assert (await engine.stylize(big)).image
    with pytest.raises(EngineRefused):
        await engine.stylize(pb.StylizeRequest(image=bytes(65 * 1024 * 1024), strength=0.5))


async def test_a_job_that_a_restarting_engine_hands_back_is_sent_again_though_it_had_begun(tmp_path, monkeypatch):
    async def handed_back(context, event_type):
        if len(double.requests) == 1:
            yield event_type(progress=pb.Progress(stage="painting", fraction=0.25))
            metadata = ((ERROR_METADATA_KEY, "restarting"),)
            await context.abort(grpc.StatusCode.UNAVAILABLE, "Restarting.", trailing_metadata=metadata)

    double = EngineDouble()
    monkeypatch.setattr(double, "_misbehave", handed_back)
    async with serve_double(socket_address(tmp_path), double):
        channel = open_channel(socket_address(tmp_path))
        clip = await EngineClient(channel).play(pb.PlayRequest(seed=7))
        await channel.close()
    assert clip.audio
    first, second = double.requests
    assert first.job.job_id == second.job.job_id


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
