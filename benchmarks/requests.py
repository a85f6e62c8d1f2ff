"""Many requests at once: how long they take, whether members are served in turn, and what memory they leave behind."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]
import torch

from engine.contract import engine_pb2 as pb
from engine.serving.scheduler import Done, Scheduler, SharedTurn
from engine.stylize.pictures.picture import to_image
from engine.stylize.pictures.writing import jpeg
from engine.stylize.studio import Studio

REQUESTS = 50
MEMBERS = 10
SIZES_PX = ((256, 256), (512, 384), (384, 512), (640, 480), (768, 768))
"""Width and height; neighbours in the queue differ."""


@dataclass(frozen=True)
class Load:
    """What came of `REQUESTS` requests that were all there at once."""

    took_s: float
    in_turn: bool
    """Between two pictures of one member, every other member who waited got one."""
    growth_bytes: int
    """Median of resident memory in the second half, less that in the first."""


def picture(width: int, height: int, seed: int) -> bytes:
    """A JPEG of soft coloured patches."""
    coarse = torch.rand(1, 3, 9, 12, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic")
    return jpeg(to_image(smooth.clamp(0, 1)))


def rounds_are_fair(order: Sequence[str], members: int) -> bool:
    """Whether members took turns, all of them with equally many jobs that waited from the start."""
    rounds = [set(order[start : start + members]) for start in range(0, len(order), members)]
    return all(len(each) == members for each in rounds)


def fifty_requests(studio: Studio) -> Load:
    """Hand them all in at once and wait for the last."""
    return asyncio.run(_run(studio))


async def _run(studio: Studio) -> Load:
    sizes = itertools.cycle(SIZES_PX)
    requests = [
        pb.StylizeRequest(image=picture(*next(sizes), seed), strength=1.0, style=studio.book.names[seed % 5])
        for seed in range(REQUESTS)
    ]
    process, order, resident = psutil.Process(), list[str](), list[int]()

    async def one(scheduler: Scheduler, number: int, request: pb.StylizeRequest) -> None:
        member, key = f"member-{number % MEMBERS}", studio.batch_key(request)
        batch = SharedTurn(key, request, studio.stylize_together) if key is not None else None
        job = scheduler.submit(
            str(number), member, "stylize", lambda progress: studio.stylize(request, progress), batch
        )
        async for event in scheduler.events(job):
            if isinstance(event, Done):
                order.append(member)
                resident.append(process.memory_info().rss)

    started = time.perf_counter()
    async with Scheduler(REQUESTS) as scheduler:
        await asyncio.gather(*(one(scheduler, number, request) for number, request in enumerate(requests)))
    if len(order) < REQUESTS:
        raise RuntimeError(f"{REQUESTS - len(order)} of {REQUESTS} requests failed; the log says why.")
    half = REQUESTS // 2
    growth = statistics.median(resident[half:]) - statistics.median(resident[:half])
    return Load(time.perf_counter() - started, rounds_are_fair(order, MEMBERS), round(growth))
