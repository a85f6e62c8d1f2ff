"""Promises of the scheduler: fair order, a bounded queue, cancellation at any moment, one job's failure is its own."""

import asyncio
import contextlib
import threading
import time

import pytest
import torch
from structlog.testing import capture_logs

from engine.errors import BadPicture, Cancelled, Internal, OutOfMemory, QueueFull, Restarting
from engine.serving.jobs import Done, Failed, Position, Stage, Step
from engine.serving.scheduler import Limits, Scheduler
from engine.serving.stages import Stages
from tests.engine.serving.scheduling import WAIT_S, Gate, busy, last_event, submit
from tests.waiting import until


async def test_a_job_tells_its_steps_and_its_result():
    def run(progress):
        progress("painting", 0.5)
        return 42

    async with Scheduler(queue_length=4) as scheduler:
        events = [event async for event in scheduler.events(submit(scheduler, "a", "ada", "stylize", run))]
    assert events[0] == Position(1)
    assert Step("starting", 0.0) in events
    assert events[-1] == Done(42)


async def test_a_full_queue_refuses_with_a_sentence():
    async with Scheduler(queue_length=1) as scheduler:
        gate = Gate()
        running = submit(scheduler, "1", "ada", "play", gate.run)
        await gate.wait_until_running()
        waiting = submit(scheduler, "2", "ben", "play", lambda progress: None)
        with pytest.raises(QueueFull, match="queue is full"):
            submit(scheduler, "3", "cyn", "play", lambda progress: None)
        gate.go_on.set()
        assert isinstance(await last_event(scheduler, running), Done)
        assert isinstance(await last_event(scheduler, waiting), Done)


async def test_cancelling_a_waiting_job_never_runs_it():
    ran = []
    async with Scheduler(queue_length=4) as scheduler:
        gate = Gate()
        submit(scheduler, "1", "ada", "play", gate.run)
        await gate.wait_until_running()
        waiting = submit(scheduler, "2", "ben", "play", lambda progress: ran.append(2))
        assert scheduler.cancel("2", "ben")
        event = await last_event(scheduler, waiting)
        gate.go_on.set()
    assert isinstance(event, Failed)
    assert isinstance(event.error, Cancelled)
    assert ran == []


async def test_cancelling_a_running_job_stops_it():
    async with Scheduler(queue_length=4) as scheduler:
        gate = Gate()
        job = submit(scheduler, "1", "ada", "play", gate.run)
        await gate.wait_until_running()
        assert scheduler.cancel("1", "ada")
        event = await last_event(scheduler, job)
    assert isinstance(event, Failed)
    assert isinstance(event.error, Cancelled)


async def test_nobody_cancels_somebody_elses_job():
    async with Scheduler(queue_length=4) as scheduler:
        gate = Gate()
        job = submit(scheduler, "1", "ada", "play", gate.run)
        await gate.wait_until_running()
        assert not scheduler.cancel("1", "ben")
        gate.go_on.set()
        assert await last_event(scheduler, job) == Done("through")


async def test_a_caller_who_leaves_cancels_the_job():
    async with Scheduler(queue_length=4) as scheduler:
        gate = Gate()
        job = submit(scheduler, "1", "ada", "play", gate.run)
        async with contextlib.aclosing(scheduler.events(job)) as events:
            await anext(events)
            await gate.wait_until_running()
        assert job.cancelled.is_set()
        after = submit(scheduler, "2", "ben", "play", lambda progress: "free again")
        assert await last_event(scheduler, after) == Done("free again")


@pytest.mark.parametrize(
    ("raised", "answered"),
    [
        (BadPicture("That's not a picture."), BadPicture),
        (RuntimeError("a secret path"), Internal),
        (torch.OutOfMemoryError("CUDA out of memory"), OutOfMemory),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), OutOfMemory),
    ],
)
async def test_a_failure_ends_its_own_job_only(raised, answered):
    def fail(progress):
        raise raised

    async with Scheduler(queue_length=4) as scheduler:
        failed = await last_event(scheduler, submit(scheduler, "1", "ada", "play", fail))
        after = await last_event(scheduler, submit(scheduler, "2", "ada", "play", lambda progress: "fine"))
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, answered)
    assert "secret" not in str(failed.error)
    assert after == Done("fine")


async def test_what_a_member_wrote_is_not_in_the_log_of_a_refusal():
    def run(progress):
        raise BadPicture("I don't know “xylophone”.")

    with capture_logs() as lines:
        async with Scheduler(queue_length=4) as scheduler:
            event = await last_event(scheduler, submit(scheduler, "a", "ada", "stylize", run))
    assert str(event.error) == "I don't know “xylophone”."
    assert [line["reason"] for line in lines if line["event"] == "job ended"] == ["I don't know “…”."]


async def test_the_event_loop_stays_free_while_a_job_computes():
    def multiply(progress):
        square = torch.ones(700, 700)
        for i in range(20):
            square = square @ square / 700
            progress("multiplying", i / 20)

    async with Scheduler(queue_length=4) as scheduler:
        job = submit(scheduler, "1", "ada", "play", multiply)
        ticks = 0
        task = asyncio.ensure_future(last_event(scheduler, job))
        while not task.done():
            await asyncio.sleep(0)
            ticks += 1
    assert ticks > 20, "the loop turned at least once a step of the job"


async def test_finishing_goes_on_beside_the_next_turn():
    turn_began = threading.Event()

    def finish(work, progress):
        assert turn_began.wait(WAIT_S), "the next job's turn waits for the finishing of this one"
        return f"finished {work}"

    async with Scheduler(queue_length=4) as scheduler:
        first = submit(scheduler, "1", "ada", "play", lambda progress: "a clip", finish=finish)
        second = submit(scheduler, "2", "ben", "play", lambda progress: turn_began.set())
        events = await asyncio.gather(last_event(scheduler, first), last_event(scheduler, second))
    assert events == [Done("finished a clip"), Done(None)]


async def test_the_seconds_in_each_stage_are_summed_over_the_jobs_that_ended_well():
    async with Scheduler(queue_length=4) as scheduler:
        for number in range(2):
            work = lambda progress: time.sleep(0.05)  # noqa: E731
            job = submit(scheduler, str(number), "ada", "play", work, finish=lambda work, progress: time.sleep(0.02))
            before = time.monotonic()
            await last_event(scheduler, job)
            lasted_s = time.monotonic() - before
            assert sum(job.spent.values()) <= lasted_s + 0.05, "stages follow one another"
        failed = submit(scheduler, "3", "ada", "play", lambda progress: 1 / 0)
        await last_event(scheduler, failed)
        told = {time_.stage: time_ for time_ in scheduler.stage_times.told()}
    assert set(told) == {"waiting", "reading", "running", "finishing"}
    assert all((time_.kind, time_.count) == ("play", 2) for time_ in told.values())
    assert told["running"].seconds >= 0.1
    assert told["finishing"].seconds >= 0.04


async def test_the_device_pauses_when_too_much_waits_to_be_finished():
    go_on, turns = threading.Event(), []

    def finish(work, progress):
        while not go_on.wait(0.01):
            progress("encoding", 0.9)

    limits = Limits(finishers=1)
    async with Scheduler(queue_length=20, limits=limits) as scheduler:
        jobs = [
            submit(scheduler, str(i), "ada", "play", lambda progress, i=i: turns.append(i), finish=finish)
            for i in range(6)
        ]
        ends = [asyncio.ensure_future(last_event(scheduler, job)) for job in jobs]
        await until(lambda: len(turns) >= 2)
        await asyncio.sleep(0.1)
        assert turns == [0, 1]
        go_on.set()
        await asyncio.gather(*ends)
    assert turns == list(range(6))


async def test_a_member_can_cancel_while_it_is_finished():
    began = threading.Event()

    def finish(work, progress):
        began.set()
        while True:
            progress("encoding", 0.9)

    async with Scheduler(queue_length=4) as scheduler:
        job = submit(scheduler, "1", "ada", "play", lambda progress: None, finish=finish)
        assert await asyncio.to_thread(began.wait, WAIT_S)
        assert [(entry.position, entry.job.stage) for entry in scheduler.entries()] == [(0, Stage.FINISHING)]
        assert scheduler.cancel("1", "ada")
        event = await last_event(scheduler, job)
    assert isinstance(event, Failed)
    assert isinstance(event.error, Cancelled)


async def test_a_finishing_that_gets_stuck_is_given_up_and_the_others_are_finished():
    go_on = threading.Event()
    limits = Limits(finishers=1, finish_silence_s=0.1, watch_every_s=0.02)
    lost: list[str] = []
    async with Scheduler(queue_length=4, limits=limits, on_loss=lost.append) as scheduler:
        stuck = submit(scheduler, "1", "ada", "play", lambda progress: 1, finish=lambda *_: go_on.wait(WAIT_S))
        event = await last_event(scheduler, stuck)
        after = submit(scheduler, "2", "ben", "play", lambda progress: 2, finish=lambda work, progress: work)
        assert await last_event(scheduler, after) == Done(2)
        go_on.set()
    assert isinstance(event, Failed)
    assert "stuck" in str(event.error)
    assert lost == []


@pytest.mark.parametrize("how", ["a turn that hangs", "a lost device"])
async def test_what_only_a_new_process_can_mend_is_told_to_everybody_once(how):
    go_on, lost = threading.Event(), []
    limits = Limits(turn_silence_s=0.1, watch_every_s=0.02)

    def hang(progress):
        if how == "a lost device":
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        go_on.wait(WAIT_S)

    async with Scheduler(queue_length=4, limits=limits, on_loss=lost.append) as scheduler:
        first = submit(scheduler, "1", "ada", "play", hang)
        second = submit(scheduler, "2", "ben", "play", lambda progress: "fine")
        events = [await last_event(scheduler, job) for job in (first, second)]
        with pytest.raises(Restarting):
            submit(scheduler, "3", "cyn", "play", lambda progress: "fine")
        go_on.set()
    assert [type(event.error) for event in events] == [Internal, Restarting]
    assert len(lost) == 1


async def test_a_scheduler_that_fails_inside_does_not_fail_silently(monkeypatch):
    lost: list[str] = []
    async with Scheduler(queue_length=4, on_loss=lost.append) as scheduler:
        monkeypatch.setattr(scheduler._line, "take_turn", lambda running, now: 1 / 0)
        event = await last_event(scheduler, submit(scheduler, "1", "ada", "play", lambda progress: None))
    assert isinstance(event, Failed)
    assert isinstance(event.error, Restarting)
    assert lost == ["the scheduler failed"]


async def test_only_the_next_few_jobs_are_read_ahead():
    read: list[str] = []

    def prepare(name):
        def prepared(readings):
            read.append(name)
            return name

        return prepared

    async with Scheduler(queue_length=20) as scheduler:
        gate = await busy(scheduler)
        jobs = [
            scheduler.submit(str(i), "ada", "play", Stages(lambda work, progress: work, (), prepare(i)))
            for i in range(6)
        ]
        await until(lambda: len(read) >= 2)
        await asyncio.sleep(0.05)
        assert read == [0, 1]
        gate.go_on.set()
        assert [await last_event(scheduler, job) for job in jobs] == [Done(i) for i in range(6)]
    assert read == list(range(6))


async def test_an_engine_at_rest_gives_free_memory_back_once_and_again_after_the_next_job(monkeypatch):
    given_back = []
    monkeypatch.setattr("engine.serving.scheduler.trim_heaps", lambda: given_back.append(time.monotonic()))
    gate = Gate()
    async with Scheduler(queue_length=4, limits=Limits(watch_every_s=0.01, rest_s=0.05)) as scheduler:
        job = submit(scheduler, "1", "ada", "play", gate.run)
        await gate.wait_until_running()
        await asyncio.sleep(0.2)
        assert given_back == [], "not while somebody waits"
        gate.go_on.set()
        await last_event(scheduler, job)
        for times in (1, 2):
            await until(lambda: len(given_back) >= times)  # noqa: B023
            await asyncio.sleep(0.2)
            assert len(given_back) == times
            await last_event(scheduler, submit(scheduler, str(times + 1), "ada", "play", lambda progress: None))
