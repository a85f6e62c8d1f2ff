"""Training against the clock on one GPU, with all pictures in its memory:
`python -m engine.stylize.training.gpu_run --pack FILE ... --loss-weights DIR --out DIR --budget-s 500`.

The learning rate follows the time that is left, not the steps: whatever the machine's speed, the run ends settled, with
its averaged weights written. Each kind of step (sizes, batch) is recorded as a CUDA graph, so small steps cost no
launches; where that fails, the steps run as they are.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from engine.stylize.judging.flaws import FLAWS, flaws_of_light, light
from engine.stylize.judging.judge import FIGURES, Judge
from engine.stylize.network import Shape, StyleNetwork
from engine.stylize.perception.loss_networks import DISTILLED_FILE, STEM_FILE, DistilledVGG19, VGG16Stem
from engine.stylize.training.losses import Batch, LossWeights, PerceptualLoss
from engine.stylize.training.resident import Drawer, Mode, Picture, read_packs

MODES = (
    Mode(256, 256, 20, 0.24),
    Mode(384, 384, 9, 0.16),
    Mode(512, 512, 6, 0.26),
    Mode(768, 768, 3, 0.14),
    Mode(1024, 1024, 2, 0.12),
    Mode(1024, 512, 2, 0.05),
    Mode(512, 1024, 6, 0.03),
)
WARM_UP_STEPS = 150
WATCHED = {256: 12, 512: 10, 1024: 10}
"""Pairs that are judged on the way, by size."""


@dataclass(frozen=True)
class Plan:
    """One run."""

    out: Path
    budget_s: float
    rate: float
    plateau: float
    """Part of the time after which the rate begins to fall."""
    seed: int
    graphs: bool
    sheets_s: float
    ema: float
    most_steps: int


def say(*what: object) -> None:
    print(f"[{time.perf_counter() - STARTED:7.1f} s]", *what, flush=True)


STARTED = time.perf_counter()


class Run:
    """Network, optimiser, average, loss and the recorded steps."""

    def __init__(self, plan: Plan, loss: PerceptualLoss, drawer: Drawer, device: torch.device) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.device, self.drawer = plan, device, drawer
        self.network = StyleNetwork(Shape()).to(device).to(memory_format=torch.channels_last)
        self.loss = loss.to(device)
        self.rate = torch.tensor(0.0, device=device)
        on_gpu = device.type == "cuda"
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=self.rate if on_gpu else plan.rate, betas=(0.9, 0.99),
            fused=on_gpu, capturable=on_gpu,
        )  # fmt: skip
        self.average = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        self.step, self.trained_s, self.part = 0, 0.0, 0.0
        self.sums: dict[int, tuple[dict[str, Tensor], int]] = {}
        self.recorded: dict[int, Callable[[Batch], dict[str, Tensor]]] = {}
        self.pool: Any = None

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Take over what fits by name and shape."""
        own = self.network.state_dict()
        fitting = {name: value.float() for name, value in weights.items() if own[name].shape == value.shape}
        self.network.load_state_dict(fitting, strict=False)
        say(f"{len(fitting)} of {len(own)} tensors taken over; new: {sorted({n.split('.')[0] + '.' + n.split('.')[1] for n in own if n not in fitting})}")
        for name, value in self.network.state_dict().items():
            self.average[name].copy_(value)

    def save(self) -> None:
        state = {
            "step": self.step,
            "trained_s": self.trained_s,
            "shape": asdict(self.network.shape),
            "network": self.network.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "queue": self.loss.queue,
        }
        temporary = self.plan.out / "checkpoint.tmp"
        torch.save(state, temporary)
        temporary.replace(self.plan.out / "checkpoint.pt")

    def resume(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.step, self.trained_s = state["step"], state["trained_s"]
        self.network.load_state_dict(state["network"])
        for name, value in state["average"].items():
            self.average[name].copy_(value)
        self.optimizer.load_state_dict(state["optimizer"])
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate if self.device.type == "cuda" else self.plan.rate
        self.loss.queue.copy_(state["queue"])
        say(f"resumed at step {self.step}")

    def compute(self, batch: Batch) -> dict[str, Tensor]:
        """One step of Adam, without anything that waits for the device."""
        of = torch.arange(len(batch.content), device=self.device)
        with torch.autocast(self.device.type, torch.bfloat16, cache_enabled=False):
            painted, _ = self.network(torch.cat([batch.content, batch.perturbed]), batch.style, torch.cat([of, of]))
            terms = self.loss(batch, *painted.chunk(2))
        total = torch.stack([value.float() for value in terms.values()]).sum()
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 5.0, foreach=self.device.type == "cuda")
        finite = torch.isfinite(norm)
        for parameter in self.network.parameters():
            if parameter.grad is not None:
                parameter.grad.copy_(torch.where(finite, parameter.grad, 0.0))
        self.optimizer.step()
        found = {"loss": total, **terms, "norm": torch.where(finite, norm, 0.0), "not_finite": (~finite).float()}
        return {name: value.detach().float() for name, value in found.items()}

    def train_step(self) -> None:
        self.rate.fill_(self.rate_now())
        if self.device.type != "cuda":
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate_now()
        number = self.drawer.mode(self.step)
        batch = self.drawer.batch(self.step, self.drawer.modes[number])
        terms = self.stepper(number, batch)(batch)
        self.step += 1
        with torch.no_grad():
            decay = min(self.plan.ema, (1 + self.step) / (10 + self.step))
            current = self.network.state_dict()
            torch._foreach_lerp_(list(self.average.values()), [current[name] for name in self.average], 1 - decay)
            sums, count = self.sums.get(number, ({}, 0))
            self.sums[number] = ({n: sums[n] + v if n in sums else v.clone() for n, v in terms.items()}, count + 1)

    def rate_now(self) -> float:
        falling = (1 - self.part) / (1 - self.plan.plateau)
        shape = 1.0 if falling >= 1 else max(0.01, 0.5 - 0.5 * math.cos(math.pi * max(0.0, falling)))
        return self.plan.rate * min(1.0, (self.step + 1) / WARM_UP_STEPS) * shape

    def stepper(self, number: int, batch: Batch) -> Callable[[Batch], dict[str, Tensor]]:
        """The step of a mode: recorded on its first use."""
        if number not in self.recorded:
            self.recorded[number] = self.plain
            if self.plan.graphs and self.device.type == "cuda":
                try:
                    self.recorded[number] = self.record(batch)
                except Exception as error:  # noqa: BLE001 -- slower, but it trains
                    say(f"mode {number} isn't recorded: {type(error).__name__}: {str(error)[:300]}")
                    torch.cuda.synchronize()
                    self.optimizer.zero_grad(set_to_none=True)
        return self.recorded[number]

    def plain(self, batch: Batch) -> dict[str, Tensor]:
        self.optimizer.zero_grad(set_to_none=True)
        return self.compute(batch)

    def record(self, batch: Batch) -> Callable[[Batch], dict[str, Tensor]]:
        """A step as a CUDA graph over batches of this shape: three steps to warm up, then the recording."""
        held = Batch.of_tensors([tensor.clone(memory_format=torch.preserve_format) for tensor in batch.tensors()])
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.plain(held)
        torch.cuda.current_stream().wait_stream(side)
        torch.cuda.synchronize()
        self.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool):
            terms = self.compute(held)
        self.pool = self.pool or graph.pool()
        kept = held.tensors()

        def replay(batch: Batch) -> dict[str, Tensor]:
            for own, new in zip(kept, batch.tensors(), strict=True):
                own.copy_(new)
            graph.replay()
            return terms

        return replay

    def averaged(self) -> StyleNetwork:
        network = StyleNetwork(self.network.shape).to(self.device).to(memory_format=torch.channels_last)
        network.load_state_dict(self.average)
        return network.eval()


class Watch:
    """Watched pairs at several sizes: figures into `figures.csv`, sheets of what was painted."""

    def __init__(self, pictures: dict[tuple[str, str], list[Picture]], distilled: DistilledVGG19, out: Path, device: torch.device) -> None:
        self.out, self.device, self.judge = out, device, Judge(distilled).to(device)
        self.pairs: dict[int, tuple[Tensor, Tensor]] = {}
        for size, count in WATCHED.items():
            sides = []
            for kind in ("photos", "paintings"):
                among = sorted(pictures[kind, "watched"], key=lambda one: one.name)
                if size > 256:
                    among = [one for one in among if one.short_side * 1.3 >= size] or among
                sides.append(torch.cat([central(among[i * len(among) // count], size) for i in range(count)]))
            self.pairs[size] = (sides[0], sides[1].roll(3, 0))
        workers = max(1, min(10, (os.cpu_count() or 2) - 2))
        self.pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
        self.pending: list[tuple[int, float, dict[str, float], list[tuple[int, Future[dict[str, float]]]]]] = []

    @torch.no_grad()
    def look(self, network: StyleNetwork, step: int, trained_s: float) -> None:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=False, allow_tf32=True):
            self._look(network, step, trained_s)

    def _look(self, network: StyleNetwork, step: int, trained_s: float) -> None:
        row: dict[str, float] = {}
        jobs = []
        for size, (photos, styles) in self.pairs.items():
            figures, shown = [], []
            for photo, style in zip(photos.split(1), styles.split(1), strict=True):
                with torch.autocast(self.device.type, torch.bfloat16):
                    painted, _ = network(photo, style)
                painted = painted.float()
                figures.append({name: float(value) for name, value in self.judge(painted, style, photo).items()})
                jobs.append((size, self.pool.submit(flaws_of_light, *(light(x[0]) for x in (painted, style, photo)))))
                shown.append(torch.cat([style[0], photo[0], painted[0]], dim=2).cpu())
            row |= {f"{name}_{size}": float(np.mean([f[name] for f in figures])) for name in FIGURES}
            row[f"pan_{size}"] = float(np.mean([pan(network, p, s) for p, s in list(zip(photos.split(1), styles.split(1)))[:4]]))
            if size > 256:
                rows = [torch.cat(shown[i : i + 2], dim=2) for i in range(0, 8 if size == 512 else 6, 2)]
                save_jpeg(torch.cat(rows, dim=1), self.out / f"sheet-{size}.jpg", 1.0 if size == 512 else 0.7)
        self.pending.append((step, trained_s, row, jobs))

    def write(self, wait: bool = False) -> None:
        """Rows whose figures are all there."""
        while self.pending and (wait or all(job.done() for _, job in self.pending[0][3])):
            step, trained_s, row, jobs = self.pending.pop(0)
            for size in self.pairs:
                found = [job.result() for of, job in jobs if of == size]
                for name in FLAWS:
                    values = [f[name] for f in found if not math.isnan(f[name])]
                    row[f"{name}_{size}"] = float(np.mean(values)) if values else math.nan
            append(self.out / "figures.csv", {"step": step, "trained_s": round(trained_s), **row})
            for size in self.pairs:
                say(f"step {step} @{size}: " + " ".join(f"{name} {row[f'{name}_{size}']:.3f}" for name in (*FIGURES, "pan", *FLAWS)))


def pan(network: StyleNetwork, photo: Tensor, style: Tensor) -> float:
    """How much a painting changes when the camera moves by one pixel, over its standard deviation."""
    side = photo.shape[-1] - 32
    seen = []
    for shift in (0, 1):
        with torch.autocast(photo.device.type, torch.bfloat16):
            seen.append(network(photo[..., shift : shift + side, shift : shift + side], style)[0].float())
    first, second = seen[0][..., 25:-24, 25:-24], seen[1][..., 24:-25, 24:-25]
    return float((first - second).abs().mean() / first.std())


def central(picture: Picture, size: int) -> Tensor:
    height, width = picture.rgb.shape[1:]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    square = picture.rgb[None, :, top : top + short, left : left + short].float() / 255
    return torch.nn.functional.interpolate(square, (size, size), mode="bicubic", antialias=True).clamp(0, 1)


def save_jpeg(picture: Tensor, path: Path, scale: float) -> None:
    image = Image.fromarray((picture * 255).round().byte().permute(1, 2, 0).contiguous().numpy())
    if scale < 1:
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    image.save(path, quality=90)


def append(path: Path, row: dict[str, float]) -> None:
    new = not path.exists()
    with path.open("a", newline="") as out:
        writer = csv.DictWriter(out, list(row))
        if new:
            writer.writeheader()
        writer.writerow({key: round(value, 5) if isinstance(value, float) else value for key, value in row.items()})


def report(run: Run) -> None:
    """Means of the terms since the last report, mode by mode."""
    for number, (sums, count) in sorted(run.sums.items()):
        mode = run.drawer.modes[number]
        means = {name: float(value) / count for name, value in sums.items()}
        append(run.plan.out / "loss.csv", {"step": run.step, "size": mode.size_px, "style": mode.style_px, "count": count, **means})
        say(f"  {mode.size_px}/{mode.style_px} x{count}: " + " ".join(f"{n} {v:.3f}" for n, v in means.items()))
    run.sums.clear()


def export(run: Run) -> None:
    from engine.stylize.weights_file import save_network

    save_network(run.averaged(), run.plan.out / "style_network.safetensors", {"steps": str(run.step)})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pack", type=Path, nargs="+", required=True)
    parser.add_argument("--loss-weights", type=Path, required=True)
    parser.add_argument("--start-from", type=Path)
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--budget-s", type=float, default=500)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--plateau", type=float, default=0.35)
    parser.add_argument("--ema", type=float, default=0.999)
    parser.add_argument("--sheets-s", type=float, default=90)
    parser.add_argument("--steps", type=int, default=10**9)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--no-graphs", action="store_true")
    parser.add_argument("--no-benchmark", action="store_true")
    parser.add_argument("--toy", type=int, default=0, help="sizes and batches divided, for a processor")
    parser.add_argument("--weight", action="append", default=[], metavar="TERM=VALUE")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = not given.no_benchmark
    weights = LossWeights(**{name: float(value) for name, value in (one.split("=") for one in given.weight)})
    assert {f.name for f in fields(weights)}
    distilled = DistilledVGG19(given.loss_weights / DISTILLED_FILE).to(device).to(memory_format=torch.channels_last)
    stem = VGG16Stem(given.loss_weights / STEM_FILE).to(device).to(memory_format=torch.channels_last)
    pictures = read_packs(given.pack, device, os.cpu_count() or 2)
    say({key: len(value) for key, value in pictures.items()}, json.dumps(asdict(weights)))
    modes = MODES
    if given.toy:
        modes = tuple(Mode(m.size_px // given.toy, m.style_px // given.toy, min(m.count, 3), m.share) for m in MODES[: 5 if given.toy < 4 else 3])
        WATCHED.clear()
        WATCHED.update({128: 2})
    drawer = Drawer(pictures["photos", "train"], pictures["paintings", "train"], modes, given.seed, device)
    plan = Plan(given.out, given.budget_s, given.rate, given.plateau, given.seed, not given.no_graphs, given.sheets_s, given.ema, given.steps)
    run = Run(plan, PerceptualLoss(distilled, stem, weights), drawer, device)
    if given.start_from:
        run.start_from(load_file(given.start_from))
    if given.resume and given.resume.exists():
        run.resume(given.resume)
    watch = Watch(pictures, distilled, given.out, device)
    train(run, watch)


def train(run: Run, watch: Watch) -> None:
    """Until the budget is spent, the last seconds of it kept for the last look and for writing."""
    plan, device = run.plan, run.device
    reserve_s = min(20.0, 0.1 * plan.budget_s)
    end = STARTED + plan.budget_s - reserve_s
    if device.type == "cuda":
        for number, mode in enumerate(run.drawer.modes):  # all recordings first: their cost is known, then
            before = time.perf_counter()
            run.stepper(number, run.drawer.batch(number, mode))
            torch.cuda.synchronize()
            say(f"mode {mode} ready in {time.perf_counter() - before:.1f} s, {torch.cuda.memory_reserved() / 2**30:.1f} GiB reserved")
        speeds(run)
    begun, before_s = time.perf_counter(), run.trained_s
    look_at = begun + plan.sheets_s
    watch.look(run.averaged(), run.step, run.trained_s)
    first = run.step
    reported = begun
    while run.step - first < plan.most_steps:
        now = time.perf_counter()
        run.trained_s = before_s + now - begun
        run.part = (now - begun) / max(1e-6, end - begun)
        if now >= end:
            break
        run.train_step()
        if run.step % 20 == 0 and device.type == "cuda":
            torch.cuda.current_stream().synchronize()  # queued work is not done work: the clock decides here
        if now - reported > 20:
            reported = now
            say(f"step {run.step}, {(run.step - first) / (now - begun):.1f} steps/s, rate {run.rate_now():.6f}")
            report(run)
            watch.write()
        if now >= look_at:
            look_at = now + plan.sheets_s
            run.save()
            export(run)
            watch.look(run.averaged(), run.step, run.trained_s)
    report(run)
    run.save()
    export(run)
    say(f"written at step {run.step}")
    watch.look(run.averaged(), run.step, run.trained_s)
    watch.write(wait=True)
    watch.pool.shutdown()
    say("done")


def speeds(run: Run) -> None:
    """Milliseconds a step, mode by mode, drawing included and apart."""
    for number, mode in enumerate(run.drawer.modes):
        timed = []
        for draws_only in (True, False):
            torch.cuda.synchronize()
            before = time.perf_counter()
            for i in range(5):
                batch = run.drawer.batch(i, mode)
                if not draws_only:
                    run.recorded[number](batch)
            torch.cuda.synchronize()
            timed.append((time.perf_counter() - before) / 5 * 1000)
        say(f"{mode}: drawing {timed[0]:.1f} ms, drawing and step {timed[1]:.1f} ms, {mode.count * mode.size_px**2 / timed[1] / 1e3:.1f} Mpx/s")


if __name__ == "__main__":
    main()
