"""A class at once: fifty requests of mixed sizes over the wire, painted by the real network on the CPU.

`python -m tests.engine.serving.fifty_requests FOLDER` serves and asks in a process of its own, for only there
does resident memory tell of the requests, and prints in JSON whose turn each was and the memory after it.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image

from engine.contract import engine_pb2 as pb
from engine.device import share_heaps, trim_heaps
from engine.progress import Progress
from engine.settings import StylizeSettings
from engine.stylize.painting import Prepared, Restyled
from engine.stylize.pictures.writing import gif
from engine.stylize.studio import Studio
from engine.uploads import Reading
from tests.engine.serving.test_server import WAIT_S, Rooms, serving
from tests.engine.stylize.pictures.uploads import encoded, opened

MEMBERS = ("ada", "ben", "cyn", "dan", "eva")
EACH = 10
SIZES = ((512, 384), (320, 240), (400, 520), (640, 96), (31, 47))


class WatchedStudio(Studio):
    """Notes whose pictures it paints in which order, and how long each takes."""

    def __init__(self) -> None:
        super().__init__(torch.device("cpu"), StylizeSettings())
        self.order: list[tuple[str, float]] = []
        self.resident: list[int] = []
        self.all_are_here = threading.Event()

        self.members: dict[int, str] = {}

    def prepare(self, request: pb.StylizeRequest, readings: Sequence[Reading]) -> Prepared:
        work = super().prepare(request, readings)
        self.members[id(work)] = request.job.member_key
        return work

    def paint(self, work: Prepared, progress: Progress) -> Restyled:
        assert self.all_are_here.wait(WAIT_S)
        began = time.monotonic()
        painted = super().paint(work, progress)
        self.order.append((self.members.pop(id(work)), time.monotonic() - began))
        return painted


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


async def paint_fifty(folder: Path) -> WatchedStudio:
    """Ask for all at once, wait for all, and check that every picture came back in its size; then three times for half
    of them. The memory in use is noted after each, when nothing is at work."""
    rooms = Rooms()
    studio = rooms.studio = WatchedStudio()
    requests = [request(number, studio.book.names[number % 7]) for number in range(EACH * len(MEMBERS))]
    async with serving(folder, rooms, children=1) as engine:

        async def painted(asked: pb.StylizeRequest) -> pb.StylizeResult:
            return [event async for event in engine.Stylize(asked)][-1].result

        answers = asyncio.gather(*map(painted, requests))
        async with asyncio.timeout(WAIT_S):
            while len((await engine.Queue(pb.QueueRequest())).entries) < len(requests):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        studio.all_are_here.set()
        results = await answers
        assert not (await engine.Queue(pb.QueueRequest())).entries
        for asked, result in zip(requests, results, strict=True):
            assert opened(result.image).size == opened(asked.image).size
        del results, result
        studio.resident.append(resident())
        for _ in range(3):
            for asked in requests[: len(requests) // 2]:
                await painted(asked)
            studio.resident.append(resident())
    return studio


def resident() -> int:
    """Bytes in use, without what the allocator holds ready for the next picture: tens of MiB, never the same."""
    gc.collect()
    trim_heaps()
    return psutil.Process().memory_info().rss


if __name__ == "__main__":
    share_heaps()  # as the server does
    watched = asyncio.run(paint_fifty(Path(sys.argv[1])))
    fifty = watched.order[: EACH * len(MEMBERS)]
    sys.stdout.write(json.dumps({"order": fifty, "resident": watched.resident}))
