"""Size and speed of the network: `python -m engine bench stylize`.

Times are medians of runs that alternate between the networks, so that whatever else the machine does hits all alike;
only their ratios mean anything. Every network runs float32 in channels_last; this room's own also as it is served.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import torch
from torch import Tensor, nn

from engine.device import choose_device, describe, use_threads
from engine.settings import StylizeSettings
from engine.stylize.network import StyleNetwork
from engine.stylize.painter import Painter
from engine.stylize.reference_shapes import JohnsonShape, MicroASTShape
from engine.stylize.weights import NETWORK_FILE, load_network

ULTRA_HD = (2160, 3840)


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
    parser = argparse.ArgumentParser(prog="engine bench stylize")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0, help="0: all cores")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024], metavar="PX")
    parser.add_argument("--no-4k", action="store_true", help="leave out the 3840 x 2160 picture")
    args = parser.parse_args(argv)
    use_threads(args.threads)
    device = choose_device(args.device)
    torch.manual_seed(0)
    own = load_network() if NETWORK_FILE.exists() else StyleNetwork()
    served = Painter(own, device, StylizeSettings().tile_px)
    microast, johnson = MicroASTShape().to(device).eval(), JohnsonShape().to(device).eval()
    for network in (microast, johnson):
        network.to(memory_format=torch.channels_last)
    style = torch.rand(1, 3, 256, 256, device=device)
    with torch.inference_mode():
        code, cached = own.encode_style(style), microast.style(style)

    def paint_own(photo: Tensor) -> Tensor:
        features = own.encode_content(photo)
        return own.paint(features, own.statistics(features), code)

    write = sys.stdout.write
    write(
        f"{describe(device)}, torch {torch.__version__}, served in {'bfloat16' if served.bfloat16 else 'float32'}\n\n"
    )
    write("| network | parameters | MAC/pixel, style cached |\n|---|---|---|\n")
    photo = torch.rand(1, 3, 256, 256, device=device)
    for name, measured, forward in (
        ("this one", own, lambda: paint_own(photo)),
        ("MicroAST-shaped", microast, lambda: microast(photo, cached)),
        ("Johnson-shaped", johnson, lambda: johnson(photo)),
    ):
        parameters = sum(parameter.numel() for parameter in measured.parameters())
        write(f"| {name} | {parameters:,} | {multiplications(forward, measured) / 256**2 / 1000:.1f} k |\n")

    write("\n| picture, px | this one, s | as served, s | MicroAST, s | Johnson, s | to MicroAST | to Johnson |\n")
    write("|---|---|---|---|---|---|---|\n")
    for side in args.sizes:
        photo = torch.rand(1, 3, side, side, device=device).contiguous(memory_format=torch.channels_last)
        runs: dict[str, Callable[[], object]] = {
            "own": partial(paint_own, photo),
            "served": partial(served.paint, photo.cpu(), code),
            "microast": partial(microast, photo, cached),
            "johnson": partial(johnson, photo),
        }
        took = alternating_medians(runs, args.repeats, device)
        ratios = " | ".join(f"{took['own'] / took[other]:.2f} x" for other in ("microast", "johnson"))
        write(f"| {side} | " + " | ".join(f"{seconds:.3f}" for seconds in took.values()) + f" | {ratios} |\n")
    if not args.no_4k:
        photo = torch.rand(1, 3, *ULTRA_HD)
        started = time.perf_counter()
        needed = peak_memory_bytes(lambda: served.paint(photo, code), device)
        took_s = time.perf_counter() - started
        write(
            f"\n3840 x 2160 px in tiles of {served.tile_px} px: {took_s:.2f} s, {needed / 2**30:.2f} GiB at the peak\n"
        )
    if NETWORK_FILE.exists():
        write(f"weights: {Path(NETWORK_FILE).stat().st_size / 2**20:.2f} MiB\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
