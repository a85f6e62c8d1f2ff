"""Who is served next, with whom in one turn, and what those who wait are told."""

import asyncio
import time

from engine.errors import BadPicture, Cancelled, Internal
from engine.serving.jobs import Done, Failed, Position
from engine.serving.line import MOST_TOGETHER
from engine.serving.scheduler import Scheduler
from engine.serving.stages import SharedTurn
from tests.engine.serving.scheduling import READ_ALL, WAIT_S, Gate, busy, last_event, submit


async def test_members_take_turns():
    order: list[str] = []
    async with Scheduler(queue_length=20) as scheduler:
        gate = Gate()
        blocker = submit(scheduler, "gate", "staff", "play", gate.run)
        await gate.wait_until_running()
        jobs = [
            submit(scheduler, name, name[0], "stylize", lambda progress, name=name: order.append(name))
            for name in ("a1", "a2", "a3", "b1", "c1", "c2")
        ]
        announced = [entry.job.job_id for entry in scheduler.entries()]
        gate.go_on.set()
        await asyncio.gather(*(last_event(scheduler, job) for job in [blocker, *jobs]))
    assert order == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert announced == ["gate", *order]


async def test_waiting_jobs_hear_that_they_move_up():
    async with Scheduler(queue_length=20) as scheduler:
        gates = [Gate() for _ in range(3)]
        jobs = [submit(scheduler, str(i), "ada", "play", gate.run) for i, gate in enumerate(gates)]
        for gate in gates:
            gate.go_on.set()
        events = [event async for event in scheduler.events(jobs[2])]
    positions = [event.position for event in events if isinstance(event, Position)]
    assert positions == sorted(positions, reverse=True)
    assert positions[-1] == 1


class Turns:
    """Notes which jobs ran together; a job called "bad" fails, and everybody hears `progress`."""

    def __init__(self):
        self.seen: list[list[str]] = []

    def run(self, items, progresses):
        self.seen.append(list(items))
        return [self._outcome(item, progress) for item, progress in zip(items, progresses, strict=True)]

    def _outcome(self, item, progress):
        try:
            progress("painting", 0.5)
        except Cancelled as error:
            return error
        return BadPicture("That's not a picture.") if item == "bad" else item.upper()

    def submit(self, scheduler, name, shape, item=None):
        """A job of the member that its name begins with."""

        def alone(progress):
            self.seen.append([name])
            return name.upper()

        shared = None if shape is None else SharedTurn(lambda work: shape, self.run)
        return submit(scheduler, name, name[0], "stylize", alone, shared, item or name)


async def test_jobs_of_one_shape_share_a_turn_but_nobody_gets_two_places_in_it():
    turns = Turns()
    async with Scheduler(queue_length=20, limits=READ_ALL) as scheduler:
        gate = await busy(scheduler)
        wide, high = (4, 3), (3, 4)
        shapes = {"a1": wide, "a2": wide, "a3": wide, "b1": high, "b2": wide, "c1": wide, "d1": None, "d2": wide}
        jobs = [turns.submit(scheduler, name, shape) for name, shape in shapes.items()]
        gate.go_on.set()
        events = await asyncio.gather(*(last_event(scheduler, job) for job in jobs))
    # b1 is passed over by c1 and nobody else: then it is ben's turn, and only after that ada's second.
    assert turns.seen == [["a1", "c1"], ["b1"], ["d1"], ["a2", "b2", "d2"], ["a3"]]
    assert events == [Done(name.upper()) for name in shapes]


async def test_a_turn_has_a_limit():
    turns = Turns()
    async with Scheduler(queue_length=40, limits=READ_ALL) as scheduler:
        gate = await busy(scheduler)
        jobs = [turns.submit(scheduler, chr(ord("a") + number) + "1", (4, 3)) for number in range(11)]
        gate.go_on.set()
        await asyncio.gather(*(last_event(scheduler, job) for job in jobs))
    assert [len(turn) for turn in turns.seen] == [MOST_TOGETHER, 11 - MOST_TOGETHER]


async def test_one_jobs_error_or_cancellation_leaves_those_of_its_turn_alone():
    turns, gate = Turns(), Gate()

    def run(items, progresses):
        gate.began.set()
        gate.go_on.wait(WAIT_S)
        return turns.run(items, progresses)

    async with Scheduler(queue_length=20, limits=READ_ALL) as scheduler:
        first = Gate()
        submit(scheduler, "gate", "staff", "play", first.run)
        await first.wait_until_running()
        jobs = {
            name: submit(
                scheduler, name, name[0], "stylize", lambda progress: None, SharedTurn(lambda work: 1, run), item
            )
            for name, item in {"a1": "fine", "b1": "bad", "c1": "gone", "d1": "good"}.items()
        }
        first.go_on.set()
        await gate.wait_until_running()
        assert sorted((entry.job.job_id, entry.position) for entry in scheduler.entries()) == [
            (name, 0) for name in jobs
        ]
        assert scheduler.cancel("c1", "c")
        gate.go_on.set()
        events = {name: await last_event(scheduler, job) for name, job in jobs.items()}
    assert (events["a1"], events["d1"]) == (Done("FINE"), Done("GOOD"))
    assert isinstance(events["b1"], Failed)
    assert isinstance(events["b1"].error, BadPicture)
    assert isinstance(events["c1"], Failed)
    assert isinstance(events["c1"].error, Cancelled)


async def test_a_shared_turn_that_breaks_down_is_told_to_all_of_it_and_the_queue_goes_on():
    def run(items, progresses):
        raise RuntimeError("a secret path")

    async with Scheduler(queue_length=20, limits=READ_ALL) as scheduler:
        gate = await busy(scheduler)
        jobs = [
            submit(scheduler, name, name, "stylize", lambda progress: None, SharedTurn(lambda work: 1, run), name)
            for name in "ab"
        ]
        after = submit(scheduler, "c", "c", "play", lambda progress: "fine")
        gate.go_on.set()
        events = [await last_event(scheduler, job) for job in jobs]
        assert [isinstance(event, Failed) and type(event.error) for event in events] == [Internal, Internal]
        assert await last_event(scheduler, after) == Done("fine")


async def test_who_used_many_seconds_waits_behind_who_used_few():
    order: list[str] = []

    def long(progress):
        order.append("ada")
        for _ in range(30):
            time.sleep(0.02)
            progress("painting", 0.5)

    async with Scheduler(queue_length=20) as scheduler:
        gate = Gate()
        jobs = [submit(scheduler, "a1", "ada", "play", long)]
        jobs.append(submit(scheduler, "gate", "staff", "play", gate.run))
        jobs.append(submit(scheduler, "a2", "ada", "play", long))
        await gate.wait_until_running()
        jobs += [submit(scheduler, f"b{i}", "ben", "see", lambda progress: order.append("ben")) for i in range(3)]
        gate.go_on.set()
        await asyncio.gather(*(last_event(scheduler, job) for job in jobs))
    assert order == ["ada", "ben", "ben", "ben", "ada"]


async def test_a_waiting_job_hears_how_long_such_jobs_took_lately():
    def turn(progress):
        time.sleep(0.2)

    async with Scheduler(queue_length=9) as scheduler:
        first = submit(scheduler, "1", "ada", "play", turn)
        assert [entry.eta_s for entry in scheduler.entries()] == [0.0], "nobody knows yet"
        await last_event(scheduler, first)
        jobs = [submit(scheduler, str(i), "ada", "play", turn) for i in range(2, 6)]
        etas = [entry.eta_s for entry in scheduler.entries()]
        assert etas == sorted(etas)
        assert 0.6 < etas[-1] < 8
        events = [event async for event in scheduler.events(jobs[-1])]
    told = [event.eta_s for event in events if isinstance(event, Position)]
    assert told[0] > told[-1] > 0
