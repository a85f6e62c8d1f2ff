"""Jobs for a scheduler under test."""

import asyncio
import threading

from engine.serving.scheduler import Limits
from engine.serving.stages import Stages

WAIT_S = 60
READ_ALL = Limits(read_ahead=20)


class Gate:
    """A job that says when it began and ends when it is told to."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.go_on = threading.Event()

    def run(self, progress):
        self.began.set()
        while not self.go_on.wait(0.01):
            progress("waiting", 0.5)
        return "through"

    async def wait_until_running(self):
        assert await asyncio.to_thread(self.began.wait, WAIT_S)


def submit(scheduler, job_id, member, kind, run, shared=None, work=None, **stages):
    """A job whose turn is `run(progress)`, on a work that is there already."""
    turn = lambda work, progress: run(progress)  # noqa: E731
    return scheduler.submit(job_id, member, kind, Stages(turn, (), lambda readings: work, shared=shared, **stages))


async def busy(scheduler):
    """Returns once the device is at work on a gate, so that whatever is submitted next has to wait."""
    gate = Gate()
    submit(scheduler, "gate", "staff", "play", gate.run)
    await gate.wait_until_running()
    return gate


async def last_event(scheduler, job):
    async with asyncio.timeout(WAIT_S):
        return [event async for event in scheduler.events(job)][-1]
