"""Size and speed of the network: `python -m engine bench stylize`.

Times are medians of runs that alternate between the networks, so that whatever else the machine does hits all alike;
only their ratios mean anything. Every network runs float32 in channels_last; this room's own also as it is served.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

import psutil
import structlog
import torch
from torch import Tensor, nn

from benchmarks.reference_shapes import JohnsonShape, MicroASTShape
from benchmarks.requests import MEMBERS, REQUESTS, many_requests, requests_of
from engine.command_line import Parser
from engine.device import choose_device, describe, use_threads
from engine.settings import StylizeSettings
from engine.stylize.book import load_book
from engine.stylize.drafts import sides_px
from engine.stylize.painter import SMALLEST_SIDE_PX, Painter
from engine.stylize.studio import Studio, served_tile_px
from engine.stylize.style_codes import code_at
from engine.stylize.weights_file import NETWORK_FILE, load_network

ULTRA_HD = (2160, 3840)
TOGETHER = (2, 4, 8)
TOGETHER_PX = (256, 512)


def multiplications(forward: Callable[[], object], *networks: nn.Module) -> int:
    """Multiply-accumulates of all convolutions and linear layers during one `forward`."""
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        weight = module.weight
        assert isinstance(weight, Tensor)
        total += output[0].numel() * weight[0].numel()

    layers = [m for network in networks for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(count) for layer in layers]
    with torch.inference_mode():
        forward()
    for handle in handles:
        handle.remove()
    return total


def alternating_medians(runs: dict[str, Callable[[], object]], repeats: int, device: torch.device) -> dict[str, float]:
    """Median seconds of each run, taken in turns, after one turn to warm up."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    with torch.inference_mode():
        for turn in range(repeats + 1):
            for name, forward in runs.items():
                started = time.perf_counter()
                forward()
                if device.type == "cuda":
                    torch.cuda.synchronize()
                if turn:
                    times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in times.items()}


def peak_memory_bytes(work: Callable[[], object], device: torch.device) -> int:
    """What `work` needs beyond what was in use before: resident memory on the CPU, allocated memory on a GPU."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        return torch.cuda.max_memory_allocated() - before
    process = psutil.Process()
    before = process.memory_info().rss
    peak, done = before, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return peak - before


def main(argv: list[str] | None = None) -> int:
    parser = Parser(prog="python -m engine bench stylize", description="Size, speed and memory of the style network.")
    parser.add_argument("--device", help="cpu or cuda; by default the CPU, and then CUDA where there is one")
    parser.add_argument(
        "--threads", type=int, default=2, help="of the CPU; 0: all cores; by default 2, as a laptop has"
    )
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024], metavar="PX")
    parser.add_argument("--no-4k", action="store_true", help="leave out the 3840 x 2160 picture")
    parser.add_argument("--no-requests", action="store_true", help="leave out the fifty requests at once")
    args = parser.parse_args(argv)
    if args.repeats < 1 or args.threads < 0 or min(args.sizes) < SMALLEST_SIDE_PX or any(px % 8 for px in args.sizes):
        parser.error(
            f"--repeats must be at least 1, --threads at least 0, --sizes multiples of 8 from {SMALLEST_SIDE_PX} on"
        )
    use_threads(args.threads)
    # The scheduler tells of every job; here only of those that go wrong.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    if args.device:
        devices = [choose_device(args.device)]
    else:
        devices = [torch.device("cpu"), *([torch.device("cuda")] if torch.cuda.is_available() else [])]
    for number, device in enumerate(devices):
        torch.manual_seed(0)
        sys.stdout.write("\n" if number else "")
        measure(device, args)
    if not torch.cuda.is_available():
        sys.stdout.write("\nNo CUDA device was found: the figures for GPUs are left out.\n")
    return 0


def measure(device: torch.device, args: argparse.Namespace) -> None:
    """Everything about one device, written as Markdown to standard output."""
    write = sys.stdout.write
    own = load_network()
    tile_px = served_tile_px(StylizeSettings(), device)
    served, exact = Painter(own, device, tile_px), Painter(own, device, tile_px, bfloat16=False)
    microast, johnson = MicroASTShape().to(device).eval(), JohnsonShape().to(device).eval()
    for network in (microast, johnson):
        network.to(memory_format=torch.channels_last)
    style = torch.rand(1, 3, 256, 256, device=device)
    with torch.inference_mode():
        code, cached = own.encode_style(style), microast.style(style)
    of_size = code_at(load_book().codes["irises"], 256)  # for `served`: with a palette

    def paint_own(photo: Tensor) -> Tensor:
        features = own.encode_content(photo)
        return own.paint(features, own.statistics(features), code)

    write(
        f"## {describe(device)}, torch {torch.__version__}\n\nServed in {'bfloat16' if served.bfloat16 else 'float32'}"
    )
    write(f"; weights of {NETWORK_FILE.stat().st_size / 2**20:.2f} MiB.\n\n")
    write("| network | parameters | MAC/pixel, style cached |\n|---|---|---|\n")
    photo = torch.rand(1, 3, 256, 256, device=device)
    for name, measured, forward in (
        ("this one, a pass", own, lambda: paint_own(photo)),
        ("MicroAST-shaped", microast, lambda: microast(photo, cached)),
        ("Johnson-shaped", johnson, lambda: johnson(photo)),
    ):
        parameters = sum(parameter.numel() for parameter in measured.parameters())
        write(f"| {name} | {parameters:,} | {multiplications(forward, measured) / 256**2 / 1000:.1f} k |\n")

    sides = [side**2 / 1024**2 for side in sides_px(1024)]
    write(f"\nDrafts included, a picture of 1024 px takes {sum(sides):.2f} passes, without the look at the drafts.\n")
    write("\n| picture, px | this one, s | as served, s | MicroAST, s | Johnson, s | to MicroAST | to Johnson |\n")
    write("|---|---|---|---|---|---|---|\n")
    for side in args.sizes:
        photo = torch.rand(1, 3, side, side, device=device).contiguous(memory_format=torch.channels_last)
        runs: dict[str, Callable[[], object]] = {
            "own": partial(exact.paint, photo.cpu(), of_size),
            "served": partial(served.paint, photo.cpu(), of_size),
            "microast": partial(microast, photo, cached),
            "johnson": partial(johnson, photo),
        }
        took = alternating_medians(runs, args.repeats, device)
        ratios = " | ".join(f"{took['own'] / took[other]:.2f} x" for other in ("microast", "johnson"))
        write(f"| {side} | " + " | ".join(f"{seconds:.4f}" for seconds in took.values()) + f" | {ratios} |\n")

    write("\nEqual-shaped pictures together, time of each against one by one, as served:\n\n")
    write("| picture, px | 2 | 4 | 8 |\n|---|---|---|---|\n")
    for side in TOGETHER_PX:
        photos = torch.rand(TOGETHER[-1], 3, side, side)
        passes: dict[str, Callable[[], object]] = {
            str(count): partial(served.paint, photos[:count], of_size.expand(count, -1)) for count in (1, *TOGETHER)
        }
        took = alternating_medians(passes, args.repeats, device)
        each = " | ".join(f"{took[str(count)] / count / took['1']:.2f} x" for count in TOGETHER)
        write(f"| {side} | {each} |\n")

    if not args.no_4k:
        _measure_4k(served, paint_own, of_size, device)
    if not args.no_requests:
        studio = Studio(device, StylizeSettings())
        load = many_requests(studio, requests_of(studio, REQUESTS), MEMBERS)
        shares = "in equal shares" if load.is_fair else "NOT in equal shares"
        write(f"\n{REQUESTS} requests at once of {MEMBERS} members, 256 to 768 px: {load.took_s:.1f} s, {shares}; ")
        write(f"memory in the second half {load.growth_bytes / 2**20:+.0f} MiB against the first\n")


def _measure_4k(served: Painter, paint_own: Callable[[Tensor], Tensor], code: Tensor, device: torch.device) -> None:
    """3840 x 2160 as members get it; on a GPU also without the way there and back."""
    write = sys.stdout.write
    photo = torch.rand(1, 3, *ULTRA_HD)
    on_gpu = device.type == "cuda"
    if on_gpu:
        served.paint(photo, code)  # cuDNN chooses its kernels at the first picture of a size
    started = time.perf_counter()
    needed = peak_memory_bytes(lambda: served.paint(photo, code), device)
    took_s = time.perf_counter() - started
    way = " there and back" if on_gpu else ""
    write(
        f"\n3840 x 2160 px in tiles of {served.tile_px} px{way}: {took_s:.3f} s, {needed / 2**30:.2f} GiB at the peak\n"
    )
    if on_gpu:
        there = photo.to(device).contiguous(memory_format=torch.channels_last)
        with served.fast():
            took = alternating_medians({"4k": partial(paint_own, there)}, 5, device)
        write(f"3840 x 2160 px on the device, in {'bfloat16' if served.bfloat16 else 'float32'}: {took['4k']:.4f} s\n")


if __name__ == "__main__":
    raise SystemExit(main())
