"""`python -m benchmarks stages`: what the three stages cost and what they gain, with the real rooms in this process.

overhead     of intake and queue over the compute, for a picture of 1 MB
ten clips    with finishing beside the next turn, against one after the other
latency      of members who ask at once, by how many they are
memory       over many jobs
"""

from __future__ import annotations

import asyncio
import logging
import random
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import structlog
import torch

from benchmarks.bot import noise_png
from benchmarks.requests import many_requests, requests_of
from engine.command_line import Parser
from engine.contract import engine_pb2 as pb
from engine.device import choose_device, describe, share_heaps, use_threads
from engine.jazz.combo import Combo
from engine.progress import silent
from engine.serving.intake.pool import Intake
from engine.serving.rooms import jazz_stages, stylize_stages
from engine.serving.scheduler import Scheduler
from engine.settings import JazzSettings, StylizeSettings
from engine.stylize.studio import Studio

PICTURE_BYTES = 1 << 20


def main(argv: Sequence[str] | None = None) -> int:
    parser = Parser(prog="python -m benchmarks stages", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=20, help="of the overhead")
    parser.add_argument("--clips", type=int, default=10, help="0: none")
    parser.add_argument("--members", type=int, nargs="*", default=[1, 8, 32, 128])
    parser.add_argument("--jobs", type=int, default=2000, help="for the memory; 0: none")
    args = parser.parse_args(argv)
    share_heaps()
    use_threads(args.threads)
    device = choose_device(args.device)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    write = sys.stdout.write
    write(f"{describe(device)}\n\n")
    studio = Studio(device, StylizeSettings())
    if args.rounds:
        overhead_ms, compute_ms = asyncio.run(_overhead(studio, args.rounds))
        write(f"picture of 1 MB at 256 px: {overhead_ms:.1f} ms over {compute_ms:.0f} ms of compute (median)\n")
    if args.clips:
        _clips(device, args.clips)
    for members in args.members:
        load = many_requests(studio, requests_of(studio, 2 * members, [(256, 256)]), members)
        shares = ", ".join(f"p{round(100 * share)} {load.percentile_s(share):.2f} s" for share in (0.5, 0.95, 0.99))
        write(f"{members} members with two pictures of 256 px each: {shares}\n")
    if args.jobs:
        load = many_requests(studio, requests_of(studio, args.jobs, [(64, 64), (96, 64)]), 20)
        tenth = max(1, len(load.resident) // 10)
        marks = [
            round(statistics.median(load.resident[at : at + tenth]) / 2**20)
            for at in range(0, len(load.resident), tenth)
        ]
        write(f"memory over {args.jobs} jobs, median of each tenth, MiB: {', '.join(map(str, marks))}\n")
    return 0


async def _overhead(studio: Studio, rounds: int) -> tuple[float, float]:
    """Medians of what a job takes beyond reading, painting and finishing, and of those; ms."""
    image = noise_png(PICTURE_BYTES, random.Random(1))
    request = pb.StylizeRequest(image=image, strength=1.0, style=studio.book.names[0], size=256)
    beyond, compute = [], []
    async with Intake(1) as intake, Scheduler(4, intake) as scheduler:
        await intake.warm()
        for number in range(rounds + 2):
            began = time.perf_counter()
            result = await scheduler.result(
                scheduler.submit(str(number), "ada", "stylize", stylize_stages(studio, request))
            )
            took_s = time.perf_counter() - began
            if number >= 2:
                beyond.append(1000 * (took_s - result.compute_s))
                compute.append(1000 * result.compute_s)
    return statistics.median(beyond), statistics.median(compute)


def _clips(device: torch.device, count: int) -> None:
    combo = Combo(device, JazzSettings())
    combo.warm()
    requests = [pb.PlayRequest(form="blues", bars=12, tempo_bpm=180, seed=seed) for seed in range(count)]
    began = time.perf_counter()
    for request in requests:
        combo.play(request, silent)
    in_a_row_s = time.perf_counter() - began
    staged_s = asyncio.run(_staged(combo, requests))
    sys.stdout.write(
        f"{count} clips of 12 bars: {staged_s:.1f} s with finishing beside the next turn, {in_a_row_s:.1f} s one after "
        f"the other ({in_a_row_s / staged_s:.2f} x)\n"
    )


async def _staged(combo: Any, requests: Sequence[pb.PlayRequest]) -> float:
    async with Scheduler(len(requests)) as scheduler:
        began = time.perf_counter()
        jobs = [
            scheduler.submit(str(number), "ada", "play", jazz_stages(combo, request))
            for number, request in enumerate(requests)
        ]
        await asyncio.gather(*(scheduler.result(job) for job in jobs))
        return time.perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(main())
