"""`python -m benchmarks stages`: what the three stages cost and what they gain, with the real rooms in this process.

overhead     of intake and queue over the compute, for a picture of 1 MB
ten clips    one after the other; with finishing beside the next turn, on threads and in a process; and in an older tree
latency      of members who ask at once, by how many they are
memory       over many jobs
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import torch
from matplotlib.figure import Figure

from benchmarks.bot import noise_png
from benchmarks.requests import many_requests, requests_of
from engine.command_line import Parser
from engine.contract import engine_pb2 as pb
from engine.device import choose_device, describe, share_heaps, use_threads
from engine.jazz.combo import Combo
from engine.jazz.finishing.process import FinishingProcess
from engine.jazz.rendering.render import find_soundfont
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
    parser.add_argument("--clip-rounds", type=int, default=3)
    parser.add_argument("--before", default="", help="an older checkout, whose clips are timed in the same run")
    parser.add_argument("--members", type=int, nargs="*", default=[1, 8, 32, 128])
    parser.add_argument("--jobs", type=int, default=2000, help="for the memory; 0: none")
    parser.add_argument("--plot", type=Path, help="where the memory is drawn (PNG)")
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
        _clips(device, args.clips, args.clip_rounds, args.before)
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
        if args.plot:
            draw_memory(load.resident, args.plot)
    return 0


async def _overhead(studio: Studio, rounds: int) -> tuple[float, float]:
    """Medians of what a job takes beyond reading, painting and finishing, and of those; ms. The copy that the bot keeps
    counts as beyond: the member didn't ask for it."""
    image = noise_png(PICTURE_BYTES, random.Random(1))
    request = pb.StylizeRequest(image=image, strength=1.0, style=studio.book.names[0], size=256, keep_copies=True)
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


def _clips(device: torch.device, count: int, rounds: int, before: str) -> None:
    """Throughput of queued clips, each way in turn so that a busy machine is fair to them."""
    combo = Combo(device, JazzSettings())
    combo.warm()
    requests = [pb.PlayRequest(form="blues", bars=12, tempo_bpm=180, seed=seed) for seed in range(count)]
    apart = FinishingProcess(find_soundfont())
    ways: dict[str, Callable[[], float]] = {
        "one after the other": lambda: _in_a_row(combo, requests),
        "finished on threads": lambda: asyncio.run(_staged(combo, requests, None)),
        "finished in a process": lambda: asyncio.run(_staged(combo, requests, apart)),
    }
    earlier = Earlier(before, count) if before else None
    if earlier is not None:
        ways = {"that tree, one after the other": earlier.play, **ways}
    asyncio.run(_staged(combo, requests[:1], apart))  # starts the process
    took: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in list(ways) if number % 2 == 0 else reversed(list(ways)):
            took[way].append(ways[way]())
    apart.close()
    if earlier is not None:
        earlier.close()
    first, *_ = ways
    for way, seconds in took.items():
        ratios = [base / own for base, own in zip(took[first], seconds, strict=True)]
        sys.stdout.write(
            f"{count} clips of 12 bars, {way}: {statistics.median(seconds):.1f} s, {statistics.median(ratios):.2f} x "
            f"the first ({', '.join(f'{ratio:.2f}' for ratio in ratios)}); load {os.getloadavg()[0]:.1f}\n"
        )


def _in_a_row(combo: Combo, requests: Sequence[pb.PlayRequest]) -> float:
    began = time.perf_counter()
    for request in requests:
        combo.play(request, silent)
    return time.perf_counter() - began


async def _staged(combo: Any, requests: Sequence[pb.PlayRequest], finisher: FinishingProcess | None) -> float:
    combo.finisher = finisher
    try:
        async with Scheduler(len(requests)) as scheduler:
            began = time.perf_counter()
            jobs = [
                scheduler.submit(str(number), "ada", "play", jazz_stages(combo, request))
                for number, request in enumerate(requests)
            ]
            await asyncio.gather(*(scheduler.result(job) for job in jobs))
            return time.perf_counter() - began
    finally:
        combo.finisher = None


class Earlier:
    """Another checkout of this project, whose `Combo` plays the same requests in a process of its own."""

    SCRIPT = """
import sys, time, torch
from engine.contract import engine_pb2 as pb
from engine.jazz.combo import Combo
from engine.settings import JazzSettings
torch.set_num_threads(int(sys.argv[2]))
combo = Combo(torch.device("cpu"), JazzSettings())
combo.warm()
for _ in sys.stdin:
    began = time.perf_counter()
    for seed in range(int(sys.argv[1])):
        combo.play(pb.PlayRequest(form="blues", bars=12, tempo_bpm=180, seed=seed), lambda stage, share: None)
    print(time.perf_counter() - began, flush=True)
"""

    def __init__(self, tree: str, count: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", self.SCRIPT, str(count), str(torch.get_num_threads())],
            cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        self._pipes = self._process.stdin, self._process.stdout

    def play(self) -> float:
        asks, answers = self._pipes
        assert asks is not None
        assert answers is not None
        asks.write("play\n")
        return float(answers.readline())

    def close(self) -> None:
        for pipe in self._pipes:
            if pipe is not None:
                pipe.close()
        self._process.wait()


def draw_memory(resident: Sequence[int], path: Path) -> None:
    """Memory after each job as a picture (PNG)."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axis = figure.add_subplot()
    axis.plot(np.arange(1, len(resident) + 1), np.array(resident) / 2**20, linewidth=0.8)
    axis.set_xlabel("jobs done")
    axis.set_ylabel("the engine's memory, MiB")
    axis.set_ylim(0, 1.15 * max(resident) / 2**20)
    figure.savefig(path, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    raise SystemExit(main())
