"""Many requests at once: how long they take, whether members get equal shares, and what memory they leave behind."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import psutil
import torch

from engine.contract import engine_pb2 as pb
from engine.serving.intake.pool import Intake
from engine.serving.jobs import Done
from engine.serving.line import MOST_TOGETHER
from engine.serving.rooms import stylize_stages
from engine.serving.scheduler import Limits, Scheduler
from engine.stylize.pictures.picture import to_image
from engine.stylize.pictures.writing import jpeg
from engine.stylize.studio import Studio

REQUESTS = 50
MEMBERS = 10
SIZES_PX = ((256, 256), (512, 384), (384, 512), (640, 480), (768, 768))
"""Width and height; neighbours in the queue differ."""


@dataclass(frozen=True)
class Load:
    """What came of requests that were all there at once."""

    took_s: float
    waited_s: tuple[float, ...]
    """From the beginning to each result, in the order of the results."""
    resident: tuple[int, ...]
    """Memory of the process at each result, bytes."""
    order: tuple[tuple[str, float], ...]
    """Members in the order of their results, and the seconds of each one's turn."""

    @property
    def is_fair(self) -> bool:
        """Whoever used least is next: as long as all wait, nobody is ahead of another by more than two and a half of
        the longest turns (one that was ready when somebody else's wasn't, and the one under way)."""
        left = Counter(member for member, _ in self.order)
        used = dict.fromkeys(left, 0.0)
        most = 2.5 * max(seconds for _, seconds in self.order)
        for member, seconds in self.order:
            used[member] += seconds
            left[member] -= 1
            if min(left.values()) > 0 and max(used.values()) - min(used.values()) > most:
                return False
        return True

    @property
    def growth_bytes(self) -> int:
        """Median of resident memory in the second half, less that in the first."""
        half = len(self.resident) // 2
        return round(statistics.median(self.resident[half:]) - statistics.median(self.resident[:half]))

    def percentile_s(self, share: float) -> float:
        waited = sorted(self.waited_s)
        return waited[min(len(waited) - 1, int(share * len(waited)))]


def picture(width: int, height: int, seed: int) -> bytes:
    """A JPEG of soft coloured patches."""
    coarse = torch.rand(1, 3, 9, 12, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic")
    return jpeg(to_image(smooth.clamp(0, 1)))


def requests_of(studio: Studio, count: int, sizes: Sequence[tuple[int, int]] = SIZES_PX) -> list[pb.StylizeRequest]:
    cycle = itertools.cycle(sizes)
    return [
        pb.StylizeRequest(image=picture(*next(cycle), seed), strength=1.0, style=studio.book.names[seed % 5])
        for seed in range(count)
    ]


def many_requests(studio: Studio, requests: Sequence[pb.StylizeRequest], members: int) -> Load:
    """Hand them all in at once and wait for the last."""
    return asyncio.run(_run(studio, requests, members))


async def _run(studio: Studio, requests: Sequence[pb.StylizeRequest], members: int) -> Load:
    process, order, resident, waited = psutil.Process(), list[tuple[str, float]](), list[int](), list[float]()
    limits = Limits(read_ahead=MOST_TOGETHER if studio.batches else Limits.read_ahead)
    async with Intake() as intake, Scheduler(len(requests), intake, limits) as scheduler:
        await intake.warm()
        began = time.perf_counter()

        async def one(number: int, request: pb.StylizeRequest) -> None:
            member = f"member-{number % members}"
            job = scheduler.submit(str(number), member, "stylize", stylize_stages(studio, request))
            async for event in scheduler.events(job):
                if isinstance(event, Done):
                    order.append((member, job.turn_s))
                    resident.append(process.memory_info().rss)
                    waited.append(time.perf_counter() - began)

        await asyncio.gather(*(one(number, request) for number, request in enumerate(requests)))
    if len(order) < len(requests):
        raise RuntimeError(f"{len(requests) - len(order)} of {len(requests)} requests failed; the log says why.")
    return Load(waited[-1], tuple(waited), tuple(resident), tuple(order))
