"""Training of the style network: `python -m engine train stylize --photos DIR --paintings DIR --loss-weights DIR`.

On several GPUs: `torchrun --nproc-per-node N -m engine.stylize.training.train ...`. A run can be stopped at any time
(Ctrl-C or SIGTERM write a checkpoint first) and taken up with `--resume`, also at another crop size. Batches depend on
the seed and the step alone, so a resumed run draws the pictures that an uninterrupted one would have drawn.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import os
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from engine.command_line import Parser
from engine.contract.configuration import ConfigurationError
from engine.device import available_cores, choose_device
from engine.stylize.corpus import Shard, build_shards
from engine.stylize.network import Shape, StyleNetwork
from engine.stylize.perception.loss_networks import DISTILLED_FILE, STEM_FILE, DistilledVGG19, VGG16Stem
from engine.stylize.training.batches import Draw, StepDataset, batches, prepared
from engine.stylize.training.losses import Batch, LossWeights, PerceptualLoss
from engine.stylize.training.samples import WatchedPairs, draw_loss_plot, write_sample_sheet
from engine.stylize.weights_file import load_network

log = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.pt"
STOP_STEPS = defaultdict(lambda: 1, cuda=20)
"""How often several processes ask each other whether to stop; on a GPU the answer waits for all that is queued."""
SMALLEST_RATE = 0.03
"""Learning rate at the end of the decay, relative to its plateau."""


@dataclass(frozen=True)
class Options:
    """One run, as given on the command line."""

    out: Path
    steps: int = 40_000
    size_px: int = 128
    batch_size: int = 4
    rate: float = 1e-3
    warm_up_steps: int = 200
    decay_steps: int = 0
    """Last steps of this run over which the learning rate falls; 0 keeps the plateau for a later run."""
    ema_decay: float = 0.998
    report_steps: int = 50
    sheet_steps: int = 1000
    workers: int = 1
    seed: int = 0
    bfloat16: bool = True
    weights: LossWeights = field(default_factory=LossWeights)

    def rate_at(self, step: int) -> float:
        """Linear warm-up, plateau, linear decay over the last `decay_steps`."""
        rising = min(1.0, (step + 1) / self.warm_up_steps)
        if not self.decay_steps:
            return self.rate * rising
        falling = min(1.0, (self.steps - step) / self.decay_steps)
        return self.rate * rising * max(SMALLEST_RATE, falling)


class Average:
    """Exponential moving average of a network's weights; younger averages forget faster."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        current = network.state_dict()
        torch._foreach_lerp_(list(self.weights.values()), [current[name] for name in self.weights], 1 - decay)


class Trainer:
    """The loop: network, average, optimiser, and what a checkpoint has to hold to go on as if nothing had happened."""

    def __init__(
        self, options: Options, device: torch.device, loss: PerceptualLoss, shape: Shape | None = None, rank: int = 0
    ) -> None:
        torch.manual_seed(options.seed)
        self.options, self.device, self.rank = options, device, rank
        self.network = StyleNetwork(shape).to(device).to(memory_format=torch.channels_last)
        self.parallel: nn.Module = DistributedDataParallel(self.network) if dist.is_initialized() else self.network
        self.loss = loss.to(device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=options.rate, betas=(0.9, 0.99))
        self.average = Average(self.network, options.ema_decay)
        self.step = 0
        self.trained_s = 0.0

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """One step of Adam; returns the weighted terms of the loss, their sum as `loss`, and 1 as `not_finite` if the
        gradient was not and went in as zero; all on the device: whoever reads them waits for it."""
        self.loss.generator.manual_seed(step_seed(self.options.seed, self.step, self.rank))
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.rate_at(self.step)
        of = torch.arange(len(batch.content), device=self.device)
        photos = torch.cat([batch.content, batch.perturbed])
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.bfloat16):
            painted, _ = self.parallel(photos, batch.style, torch.cat([of, of]))
            terms = self.loss(batch, *painted.chunk(2))
        total: Tensor = torch.stack(list(terms.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        finite = torch.isfinite(norm)  # not read here: the next step's kernels are queued while this one's run
        for parameter in self.network.parameters():
            if parameter.grad is not None:
                parameter.grad = torch.where(finite, parameter.grad, 0.0)
        self.optimizer.step()
        self.step += 1
        self.average.update(self.network, self.step)
        found = {"loss": total, **terms, "not_finite": (~finite).float()}
        return {name: value.detach() for name, value in found.items()}

    def run(self, photos: Shard, paintings: Shard, report: Reports) -> None:
        """Train from `self.step` to `options.steps`, reporting on the way and writing checkpoints with the sheets."""
        options = self.options
        draw = Draw(options.size_px, options.batch_size, options.seed, self.rank)
        dataset = StepDataset(photos, paintings, draw)
        started = time.perf_counter() - self.trained_s
        with stop_signals() as stop:
            for raw in batches(dataset, self.step, options.steps, options.workers):
                report.add(self.step, self.train_step(prepared(raw, self.device)))  # type: ignore[arg-type]
                self.trained_s = time.perf_counter() - started
                if self.step % options.sheet_steps == 0:
                    self.save()
                    report.sheet(self)
                if self.step % STOP_STEPS[self.device.type] == 0 and agreed(bool(stop), self.device):
                    log.info("stopped by a signal at step %d", self.step)
                    break
            self.save()  # before the sheet, which takes longer than whoever ends a run may wait
            report.sheet(self)

    def save(self) -> None:
        """Write the checkpoint, all of it or nothing; of several processes the first writes, for all."""
        queues = gathered([row.cpu() for row in self.loss.queue.rows])
        if self.rank:
            return
        state = {
            "step": self.step,
            "trained_s": self.trained_s,
            "shape": asdict(self.network.shape),
            "network": self.network.state_dict(),
            "average": self.average.weights,
            "optimizer": self.optimizer.state_dict(),
            "style_queues": queues,
        }
        temporary = self.options.out / (CHECKPOINT + ".tmp")
        torch.save(state, temporary)
        temporary.replace(self.options.out / CHECKPOINT)

    def start_from(self, network: StyleNetwork) -> None:
        """Begin a new run with the weights of a trained network. Raises `RuntimeError` if its shapes differ."""
        self.network.load_state_dict(network.state_dict())
        self.average = Average(self.network, self.options.ema_decay)

    def resume(self, path: Path) -> None:
        """Take up a checkpoint. Raises `FileNotFoundError`, or `RuntimeError` if its shapes differ."""
        state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        self.step, self.trained_s = state["step"], state["trained_s"]
        self.network.load_state_dict(state["network"])
        self.average.weights = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.loss.queue.rows.clear()
        queues = state["style_queues"]
        if self.rank < len(queues) and queues[self.rank]:
            self.loss.queue.push(torch.stack(queues[self.rank]).to(self.device))


def step_seed(seed: int, step: int, rank: int) -> int:
    """Of what the loss draws by chance in a step: a resumed run needs no generator's state."""
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0])


def agreed(stop: bool, device: torch.device) -> bool:
    """Whether any process wants to stop: one that left alone would keep the others waiting for its gradients."""
    if not dist.is_initialized():
        return stop
    wish = torch.tensor([float(stop)], device=device)
    dist.all_reduce(wish, dist.ReduceOp.MAX)
    return bool(wish.item())


def gathered(mine: list[Tensor]) -> list[list[Tensor]]:
    """What each process holds, by rank."""
    if not dist.is_initialized():
        return [mine]
    everyones: list[list[Tensor]] = [[] for _ in range(dist.get_world_size())]
    dist.all_gather_object(everyones, mine)
    return everyones


class Reports:
    """Loss table (`loss.csv`), figures of the watched pairs (`figures.csv`), sample sheets and the loss plot."""

    def __init__(self, options: Options, first_step: int, pairs: WatchedPairs | None, silent: bool = False) -> None:
        self.options, self.pairs, self.silent = options, pairs, silent
        self.sums: dict[str, Tensor] = {}
        self.summed = 0
        self.bar = tqdm(total=options.steps, initial=first_step, unit="step", disable=silent, mininterval=10.0)

    def add(self, step: int, terms: dict[str, Tensor]) -> None:
        self.bar.update(1)
        self.summed += 1
        for name, value in terms.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value
        if (step + 1) % self.options.report_steps == 0:
            means = {name: float(value) / self.summed for name, value in self.sums.items()}
            self.sums.clear()
            self.summed = 0
            self.bar.set_postfix_str(f"loss {means['loss']:.3f}")
            self._append("loss.csv", {"step": step + 1, **means})

    def sheet(self, trainer: Trainer) -> None:
        """Figures and sample sheet of the averaged weights, and the plot of all so far."""
        if self.silent or self.pairs is None:
            return
        network = StyleNetwork(trainer.network.shape).to(trainer.device).to(memory_format=torch.channels_last)
        network.load_state_dict(trainer.average.weights)
        painted, figures = self.pairs.paint_and_judge(network.eval(), trainer.device)
        self._append("figures.csv", {"step": trainer.step, "trained_s": round(trainer.trained_s), **figures})
        write_sample_sheet(self.pairs, painted, self.options.out / f"sheet-{trainer.step:06d}.png")
        draw_loss_plot(self.options.out)
        tqdm.write(f"step {trainer.step}: " + "  ".join(f"{name} {value:.3f}" for name, value in figures.items()))

    def _append(self, name: str, row: dict[str, float]) -> None:
        if self.silent:
            return
        path = self.options.out / name
        if path.exists() and path.read_text().partition("\n")[0].strip().split(",") != list(row):
            # of a run by an older version, with other columns: numbers must not come to stand below wrong names
            path.replace(path.with_stem(f"{path.stem}-until-{row['step']:06.0f}"))
        new = not path.exists()
        with path.open("a", newline="") as out:
            writer = csv.DictWriter(out, list(row))
            if new:
                writer.writeheader()
            writer.writerow({key: round(value, 5) for key, value in row.items()})


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """A list that is empty until SIGINT or SIGTERM arrives; the loop then ends after its step."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def arguments() -> Parser:
    parser = Parser(prog="python -m engine train stylize", description="Train the style network.")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR")
    parser.add_argument("--paintings", type=Path, required=True, metavar="DIR")
    parser.add_argument("--loss-weights", type=Path, required=True, metavar="DIR", help="folder of the loss networks")
    parser.add_argument("--out", type=Path, default=Path("var/train/stylize"), metavar="DIR")
    parser.add_argument(
        "--shards", type=Path, metavar="DIR", help="where decoded pictures are kept; default OUT/shards"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of torch; 0: all cores")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--resume", action="store_true", help=f"go on from OUT/{CHECKPOINT}")
    begin.add_argument(
        "--start-from", type=Path, metavar="WEIGHTS", help="a new run from trained weights (safetensors)"
    )
    parser.add_argument("--float32", action="store_true", help="no bfloat16 autocast")
    defaults = Options(out=Path())
    parser.add_argument("--workers", type=int, help="processes that load pictures; default 1, with a GPU up to 8")
    for name in ("steps", "size_px", "batch_size", "warm_up_steps", "decay_steps", "report_steps", "sheet_steps",
                 "seed"):  # fmt: skip
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=getattr(defaults, name))
    parser.add_argument("--rate", type=float, default=defaults.rate, help="learning rate on the plateau")
    parser.add_argument(
        "--weight", action="append", type=term_weight, default=[], metavar="TERM=VALUE", help="weight of a loss term"
    )
    return parser


def term_weight(text: str) -> tuple[str, float]:
    """ "style=4" -> ("style", 4.0). Raises `argparse.ArgumentTypeError` for an unknown term and what is no number."""
    known = {term.name for term in fields(LossWeights)}
    name, _, value = text.partition("=")
    if name not in known:
        raise argparse.ArgumentTypeError(f"there is no loss term {name!r}; there are {', '.join(sorted(known))}")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"the weight of {name} is a number, not {value!r}") from None


def main(argv: list[str] | None = None) -> int:
    args = arguments().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    if args.threads:
        torch.set_num_threads(args.threads)
    rank = int(os.environ.get("RANK", "0"))
    try:
        device = choose_device(args.device)
    except ConfigurationError:
        arguments().error(f"there is no device {args.device!r} here; without --device the best there is is taken")
    if "RANK" in os.environ:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        if device.type == "cuda":
            device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
            torch.cuda.set_device(device)
    workers = args.workers
    if workers is None:
        workers = min(8, available_cores()) if device.type == "cuda" else 1
    options = Options(
        out=args.out, steps=args.steps, size_px=args.size_px, batch_size=args.batch_size, rate=args.rate,
        warm_up_steps=args.warm_up_steps, decay_steps=args.decay_steps, report_steps=args.report_steps,
        sheet_steps=args.sheet_steps, workers=workers, seed=args.seed, bfloat16=not args.float32,
        weights=replace(LossWeights(), **dict(args.weight)),
    )  # fmt: skip
    checkpoint = options.out / CHECKPOINT
    if checkpoint.exists() != args.resume:
        arguments().error(
            f"there is no {checkpoint} to go on from" if args.resume
            else f"{checkpoint} is there already: --resume goes on from it, another --out leaves it alone"
        )  # fmt: skip
    options.out.mkdir(parents=True, exist_ok=True)
    cache = args.shards or args.out / "shards"
    if rank == 0:
        build_shards(args.photos, cache, "photos", size_px=options.size_px)
        build_shards(args.paintings, cache, "paintings", size_px=options.size_px)
    if dist.is_initialized():
        dist.barrier()
    photos, watched_photos = build_shards(args.photos, cache, "photos", size_px=options.size_px)
    paintings, watched_paintings = build_shards(args.paintings, cache, "paintings", size_px=options.size_px)
    for folder, shards in ((args.photos, (photos, watched_photos)), (args.paintings, (paintings, watched_paintings))):
        if not all(shards):
            arguments().error(f"{folder} has too few pictures: one in twenty is watched, and none was left on one side")
        smaller = sum(min(entry.height, entry.width) < options.size_px for entry in shards[0].entries)
        if smaller and rank == 0:
            log.info("%s: %d of %d pictures are smaller than the crops and are enlarged", folder.name, smaller,
                     len(shards[0]))  # fmt: skip

    folder = args.loss_weights.parent if args.loss_weights.is_file() else args.loss_weights
    distilled = DistilledVGG19(folder / DISTILLED_FILE).to(memory_format=torch.channels_last)
    stem = VGG16Stem(folder / STEM_FILE).to(memory_format=torch.channels_last)
    trainer = Trainer(options, device, PerceptualLoss(distilled, stem, options.weights, args.seed + rank), rank=rank)
    if args.resume:
        trainer.resume(checkpoint)
    elif args.start_from:
        trainer.start_from(load_network(args.start_from))
    if rank == 0:
        settings = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(options).items()}
        (options.out / f"options-from-{trainer.step:06d}.json").write_text(json.dumps(settings, indent=1))
    pairs = WatchedPairs(watched_photos, watched_paintings, distilled) if rank == 0 else None
    trainer.run(photos, paintings, Reports(options, trainer.step, pairs, silent=rank != 0))
    if dist.is_initialized():
        dist.destroy_process_group()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
