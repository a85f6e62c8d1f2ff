"""Jobs over the contract: through real gRPC, to an engine that behaves and to one that doesn't."""

import asyncio

import grpc
import pytest

from bot.engine.calls import EngineClient
from bot.engine.connection import open_channel
from bot.engine.failures import DIED
from bot.errors import (
    EngineFailed,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    JobCancelled,
)
from engine.contract import ERROR_METADATA_KEY
from engine.contract import engine_pb2 as pb
from tests.bot.engine.clients import Heard, client_at, picture
from tests.engine_double import Behaviour, EngineDouble, serve_double, socket_address
from tests.waiting import until


async def test_a_job_tells_its_place_and_progress_and_ends_with_its_result(engine, double):
    heard = Heard()
    result = await engine.stylize(picture(style="scream"), heard)
    assert result.style == "scream"
    assert heard == ["queued", "progress", "progress", "progress"]
    assert len(double.requests[0].job.job_id) == 32


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
