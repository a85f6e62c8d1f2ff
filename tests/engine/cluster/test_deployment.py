"""Two engines on a real local Ray, called by the bot's own client through Ray's proxy. Skipped where there's no Ray."""

import asyncio
import socket

import pytest

from bot.engine.calls import EngineClient
from bot.errors import EngineBusy, EngineError, EngineUnavailable, JobCancelled
from engine.__main__ import main
from engine.contract import engine_pb2 as pb
from tests.waiting import until

pytest.importorskip("ray", reason="the extra 'cluster' isn't installed (make cluster)")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own


@pytest.fixture(scope="module")
def loop():
    """One event loop for all tests here: the cluster takes half a minute to start."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def two_engines(loop):
    from benchmarks.hosting.cluster import cluster

    running = cluster(2)
    yield loop.run_until_complete(running.__aenter__())
    loop.run_until_complete(running.__aexit__(None, None, None))


def order(client, member, number=1, **more):
    return client.play(pb.PlayRequest(seed=number, job=pb.Job(member_key=member, **more)))


def test_the_bots_own_calls_work_through_the_proxy(loop, two_engines):
    client = two_engines.client
    assert len(two_engines.engines) == 2

    async def calls():
        assert (await client.about()).contract == 1
        assert await client.list_topics() == ["sleep"]
        seen = []
        result = await client.play(pb.PlayRequest(seed=7), lambda event: asyncio.sleep(0, seen.append(event)))
        assert result.seed == 7
        assert len(result.audio) == 300_000
        assert "progress" in {event.WhichOneof("event") for event in seen}
        with pytest.raises(EngineUnavailable, match="doesn't accept me"):
            await EngineClient(client.channel, token="another").list_topics()
        assert await client.is_serving()

    loop.run_until_complete(calls())


def test_a_members_jobs_dont_take_both_engines_while_others_wait(loop, two_engines):
    client = two_engines.client

    async def calls():
        busy = [asyncio.create_task(order(client, "ada", n)) for n in range(12)]
        await until(lambda: client.jobs_under_way == 12)
        late = asyncio.create_task(order(client, "ben"))
        await asyncio.wait([*busy, late], return_when=asyncio.FIRST_COMPLETED)
        await late
        assert sum(task.done() for task in busy) < 9, "ben came last and didn't wait for all of ada's"
        await asyncio.gather(*busy)

    loop.run_until_complete(calls())


def test_a_job_is_cancelled_and_seen_in_the_queue(loop, two_engines):
    client = two_engines.client

    async def calls():
        jobs = [asyncio.create_task(order(client, "ada", n, job_id=f"job{n}")) for n in range(10)]
        await asyncio.sleep(0.3)
        entries = await client.queue()
        assert {entry.member_key for entry in entries} == {"ada"}
        assert await client.cancel("job9", "ada")
        ends = await asyncio.gather(*jobs, return_exceptions=True)
        assert [type(end) for end in ends if isinstance(end, Exception)] == [JobCancelled]
        await asyncio.sleep(0.5)
        assert await client.queue() == []

    loop.run_until_complete(calls())


def test_a_full_queue_is_refused_with_the_engines_own_sentence(loop, two_engines):
    client = two_engines.client

    async def calls():
        jobs = [asyncio.create_task(order(client, f"member {n}", n)) for n in range(150)]
        ends = await asyncio.gather(*jobs, return_exceptions=True)
        refused = [end for end in ends if isinstance(end, EngineBusy)]
        assert refused
        assert refused[0].sentence.startswith("The queue is full: 128 jobs are waiting.")
        assert len([end for end in ends if isinstance(end, pb.Clip)]) + len(refused) == 150

    loop.run_until_complete(calls())


def test_when_an_engine_is_killed_under_load_every_job_ends_and_another_takes_its_place(loop, two_engines):
    from benchmarks.hosting.cluster import lose_one

    client = two_engines.client

    async def calls():
        clips, sentences = await lose_one(client, two_engines.engines, each=4)
        assert clips + sentences == 48
        assert 0 <= sentences <= 3, "only what the lost engine had begun"
        assert (await order(client, "ada")).seed == 1

    loop.run_until_complete(calls())


def test_a_new_version_replaces_every_engine_and_no_job_is_dropped(loop, two_engines):
    from benchmarks.hosting.cluster import update

    clips, sentences, _ = loop.run_until_complete(update(two_engines))
    assert clips > 0
    assert sentences == 0


def test_engines_without_a_token_and_on_a_taken_port_end_with_one_sentence(monkeypatch, capsys):
    assert main(["deploy"]) == 78
    monkeypatch.setenv("WOODSHED_ENGINE__TOKEN", "s3cret")
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        assert main(["deploy", "--port", str(taken.getsockname()[1])]) == 78
    token, port = capsys.readouterr().err.splitlines()
    assert token.startswith("'engine.token' is empty, and Ray's proxy listens to the network")
    assert port.endswith("choose another with --port.")


def test_every_error_is_one_of_the_bots(loop, two_engines):
    client = two_engines.client
    with pytest.raises(EngineError):
        loop.run_until_complete(client.stylize(pb.StylizeRequest(image=b"x")))
