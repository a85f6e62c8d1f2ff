"""A class at once: fifty requests of mixed sizes over the wire, painted by the real network on the CPU."""

from __future__ import annotations

import asyncio
import statistics
import threading
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image

from engine.contract import engine_pb2 as pb
from engine.progress import Progress
from engine.settings import StylizeSettings
from engine.stylize.pictures import gif
from engine.stylize.studio import Studio
from tests.engine.stylize.uploads import encoded, opened
from tests.engine.test_server import WAIT_S, Rooms, serving

MEMBERS = ("ada", "ben", "cyn", "dan", "eva")
EACH = 10
SIZES = ((512, 384), (320, 240), (400, 520), (640, 96), (31, 47))
MARGIN_BYTES = 8 * 2**20
"""Between the halves' medians of resident memory, which in equal runs differ by less than 3 MiB (its peaks swing by
10). Kept for every request, the smallest thing worth keeping by mistake, a picture as float32, makes 25 MiB of it."""


class WatchedStudio(Studio):
    """Notes whose pictures it paints in which order, and the memory in use after each."""

    def __init__(self) -> None:
        super().__init__(torch.device("cpu"), StylizeSettings())
        self.order: list[str] = []
        self.resident: list[int] = []
        self.all_are_here = threading.Event()

    def stylize(self, request: pb.StylizeRequest, progress: Progress) -> pb.StylizeResult:
        assert self.all_are_here.wait(WAIT_S)
        result = super().stylize(request, progress)
        self.order.append(request.job.member_key)
        self.resident.append(psutil.Process().memory_info().rss)
        return result


def noise(width: int, height: int, seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (height // 4, width // 4, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((width, height))


def request(number: int, style: str) -> pb.StylizeRequest:
    """Photos of five sizes, some of them stronger than others, and a short animation now and then."""
    width, height = SIZES[number * 7 // 5 % len(SIZES)]
    if number % 10 == 9:
        image = gif([noise(96, 64, number + frame) for frame in range(3)], [80] * 3)
    else:
        image = encoded(noise(width, height, number), "JPEG" if number % 2 else "PNG")
    job = pb.Job(job_id=str(number), member_key=MEMBERS[number % len(MEMBERS)])
    return pb.StylizeRequest(job=job, image=image, style=style, strength=0.6 if number % 4 == 2 else 1.0)


async def test_fifty_requests_at_once_all_end_in_fair_order_and_leave_no_memory_behind(tmp_path: Path) -> None:
    rooms = Rooms()
    studio = rooms.studio = WatchedStudio()
    requests = [request(number, studio.book.names[number % 7]) for number in range(EACH * len(MEMBERS))]
    threads = torch.get_num_threads()
    try:
        async with serving(tmp_path, rooms) as engine:

            async def painted(asked: pb.StylizeRequest) -> pb.StylizeResult:
                return [event async for event in engine.Stylize(asked)][-1].result

            answers = asyncio.gather(*map(painted, requests))
            async with asyncio.timeout(WAIT_S):
                while len((await engine.Queue(pb.QueueRequest())).entries) < len(requests):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            studio.all_are_here.set()
            results = await answers
            assert not (await engine.Queue(pb.QueueRequest())).entries
    finally:
        torch.set_num_threads(threads)
    for asked, result in zip(requests, results, strict=True):
        assert opened(result.image).size == opened(asked.image).size
    # The first to come was taken at once; from then on all five take turns, until whoever came first has no more.
    rounds = [studio.order[start : start + len(MEMBERS)] for start in range(1, len(requests), len(MEMBERS))]
    assert all(sorted(turn) == sorted(MEMBERS) for turn in rounds[:-1]), studio.order
    assert sorted([studio.order[0], *rounds[-1]]) == sorted(MEMBERS)
    first, second = studio.resident[: len(requests) // 2], studio.resident[len(requests) // 2 :]
    grown = statistics.median(second) - statistics.median(first)
    assert grown < MARGIN_BYTES, [value // 2**20 for value in studio.resident]
