"""Training of the style network: `python -m engine train stylize --photos DIR --paintings DIR --loss-weights DIR`.

On a GPU all pictures lie in its memory and each kind of step (sizes, batch) is recorded as a CUDA graph, so small steps
cost no launches; where that fails, and on a processor, the steps run as they are. A run ends after `--steps` or
`--budget-s` seconds, whichever comes first, and the learning rate follows the part of it that is spent: whatever the
machine's speed, the run ends settled. Several processes: `torchrun --nproc-per-node N -m
engine.stylize.training.train ...`. A run can be stopped at any time (Ctrl-C or SIGTERM write a checkpoint first) and
taken up with `--resume`. Batches depend on the seed and the step alone.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from engine.command_line import Parser
from engine.contract.configuration import ConfigurationError
from engine.device import choose_device
from engine.stylize.corpus import Shard, build_shards
from engine.stylize.finishing.stains import without_stains
from engine.stylize.network import Shape, StyleNetwork
from engine.stylize.perception.loss_networks import DISTILLED_FILE, STEM_FILE, DistilledVGG19, VGG16Stem
from engine.stylize.training.losses import TEXTURE_PX, Batch, LossWeights, PerceptualLoss
from engine.stylize.training.modes import MODES, Mode, chosen_modes
from engine.stylize.training.resident import Drawer, resident
from engine.stylize.training.samples import Reports, WatchedPairs
from engine.stylize.training.served import over_drafts
from engine.stylize.weights_file import weights_of
from engine.training.average import Average

log = structlog.get_logger(__name__)

CHECKPOINT = "checkpoint.pt"
STOP_STEPS = defaultdict(lambda: 1, cuda=20)
"""How often a run looks at the clock and for signals; on a GPU the answer waits for all that is queued."""
SMALLEST_RATE = 0.01
"""Learning rate at the end, relative to its plateau."""


@dataclass(frozen=True)
class Options:
    """One run, as given on the command line."""

    out: Path
    steps: int = 40_000
    budget_s: float = math.inf
    modes: tuple[Mode, ...] = MODES
    rate: float = 1e-3
    warm_up_steps: int = 150
    plateau: float = 0.35
    """Part of the run after which the learning rate begins to fall."""
    ema_decay: float = 0.999
    report_steps: int = 50
    sheet_steps: int = 500
    seed: int = 0
    bfloat16: bool = True
    graphs: bool = True
    moved_every: int = 1
    """Steps from one that also paints what a moved camera sees to the next, but for served ones; without graphs."""
    weights: LossWeights = field(default_factory=LossWeights)

    def rate_at(self, step: int, part: float) -> float:
        """Linear warm-up, plateau, then half a cosine; `part` of the run is over."""
        rising = min(1.0, (step + 1) / self.warm_up_steps)
        falling = (1 - part) / (1 - self.plateau)
        shape = 1.0 if falling >= 1 else max(SMALLEST_RATE, 0.5 - 0.5 * math.cos(math.pi * max(0.0, falling)))
        return self.rate * rising * shape


class Trainer:
    """Network, average, optimiser and loss, and what a checkpoint has to hold to go on as if nothing had happened."""

    def __init__(
        self, options: Options, device: torch.device, loss: PerceptualLoss, shape: Shape | None = None, rank: int = 0
    ) -> None:
        torch.manual_seed(options.seed)
        self.options, self.device, self.rank = options, device, rank
        self.network = StyleNetwork(shape).to(device).to(memory_format=torch.channels_last)
        self.parallel: nn.Module = DistributedDataParallel(self.network) if dist.is_initialized() else self.network
        self.loss = loss.to(device)
        on_gpu = device.type == "cuda"
        self.rate = torch.tensor(0.0, device=device)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=self.rate if on_gpu else options.rate, betas=(0.9, 0.99),
            fused=on_gpu, capturable=on_gpu,
        )  # fmt: skip
        self.average = Average(self.network, options.ema_decay)
        self.step, self.part, self.trained_s = 0, 0.0, 0.0
        self.records = on_gpu and options.graphs and options.moved_every == 1 and not dist.is_initialized()
        self._recorded: dict[int, Callable[[Batch], dict[str, Tensor]]] = {}
        self._pool: Any = None

    def train_step(self, batch: Batch, mode: int = 0) -> dict[str, Tensor]:
        """One step of Adam; returns the weighted terms of the loss, their sum as `loss`, and 1 as `not_finite` if the
        gradient was not and went in as zero; all on the device: whoever reads them waits for it. `mode` is the number
        of the batch's in the options."""
        rate = self.options.rate_at(self.step, self.part)
        self.rate.fill_(rate)
        if self.device.type != "cuda":
            for group in self.optimizer.param_groups:
                group["lr"] = rate
        found = self._stepper(mode, batch)(batch)
        self.average.update(self.network, self.step)
        self.step += 1
        return found

    def _compute(self, batch: Batch, mode: int) -> dict[str, Tensor]:
        """A step without anything that waits for the device."""
        photos = batch.content
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.bfloat16, cache_enabled=False):
            if self.options.modes[mode].served:
                painted, _ = self.parallel(*over_drafts(self.network, photos, batch.style))
                painted = without_stains(painted, photos)
            else:
                of = torch.arange(len(photos), device=self.device)
                if self.step % self.options.moved_every == 0:
                    photos, of = torch.cat([photos, batch.perturbed]), torch.cat([of, of])
                painted, _ = self.parallel(photos, batch.style, of)
            terms = self.loss(batch, *painted.split(len(batch.content)))
        total: Tensor = torch.stack([value.float() for value in terms.values()]).sum()
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        finite = torch.isfinite(norm)
        for parameter in self.network.parameters():
            if parameter.grad is not None:
                parameter.grad.copy_(torch.where(finite, parameter.grad, 0.0))
        self.optimizer.step()
        found = {"loss": total, **terms, "not_finite": (~finite).float()}
        return {name: value.detach().float() for name, value in found.items()}

    def _plain(self, batch: Batch, mode: int) -> dict[str, Tensor]:
        self.optimizer.zero_grad(set_to_none=True)
        return self._compute(batch, mode)

    def _stepper(self, mode: int, batch: Batch) -> Callable[[Batch], dict[str, Tensor]]:
        """The step of a mode: recorded on its first use where that is wanted."""
        plain = partial(self._plain, mode=mode)
        if not self.records:
            return plain
        if mode not in self._recorded:
            try:
                self._recorded[mode] = self._record(batch, mode)
            except RuntimeError as error:  # slower, but it trains
                log.warning("steps are not recorded as a graph", mode=mode, reason=str(error)[:300])
                torch.cuda.synchronize()
                self._recorded[mode] = plain
        return self._recorded[mode]

    def _record(self, batch: Batch, mode: int) -> Callable[[Batch], dict[str, Tensor]]:
        """A step as a CUDA graph over batches of this shape: three steps to warm up, then the recording."""
        held = Batch.of_tensors([tensor.clone(memory_format=torch.preserve_format) for tensor in batch.tensors()])
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self._plain(held, mode)
        torch.cuda.current_stream().wait_stream(side)
        torch.cuda.synchronize()
        self.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            terms = self._compute(held, mode)
        self._pool = self._pool or graph.pool()

        def replay(batch: Batch) -> dict[str, Tensor]:
            for own, new in zip(held.tensors(), batch.tensors(), strict=True):
                own.copy_(new)
            graph.replay()
            return {name: value.clone() for name, value in terms.items()}

        return replay

    def run(self, drawer: Drawer, report: Reports) -> None:
        """Train until steps or seconds are spent, reporting on the way and writing checkpoints with the sheets."""
        options = self.options
        begun, before_s = time.perf_counter(), self.trained_s
        self.part = self.step / options.steps
        with stop_signals() as stop:
            while self.step < options.steps and self.part < 1:
                mode = drawer.mode(self.step)
                batch = drawer.batch(self.step, drawer.modes[mode])
                report.add(self.step, self.train_step(batch, mode))
                if self.step % STOP_STEPS[self.device.type] == 0:
                    if self.device.type == "cuda":
                        torch.cuda.synchronize()  # queued work isn't done work, and the clock decides
                    self.trained_s = before_s + time.perf_counter() - begun
                    spent = (self.trained_s - before_s) / options.budget_s
                    self.part = highest(max(spent, self.step / options.steps), self.device)
                    if highest(float(bool(stop)), self.device):
                        log.info("stopped by a signal", step=self.step)
                        break
                if self.step % options.sheet_steps == 0:
                    self.save()
                    report.sheet(self.averaged(), self.step, self.trained_s, self.device)
            self.save()  # before the sheet, which takes longer than whoever ends a run may wait
            report.sheet(self.averaged(), self.step, self.trained_s, self.device)

    def averaged(self) -> StyleNetwork:
        """A network with the averaged weights."""
        network = StyleNetwork(self.network.shape).to(self.device).to(memory_format=torch.channels_last)
        network.load_state_dict(self.average.weights)
        return network.eval()

    def save(self) -> None:
        """Write the checkpoint, all of it or nothing; of several processes the first writes, for all."""
        queues = gathered(self.loss.queue.cpu())
        if self.rank:
            return
        state = {
            "step": self.step,
            "trained_s": self.trained_s,
            "shape": asdict(self.network.shape),
            "network": self.network.state_dict(),
            "average": self.average.weights,
            "optimizer": self.optimizer.state_dict(),
            "queues": queues,
        }
        temporary = self.options.out / (CHECKPOINT + ".tmp")
        torch.save(state, temporary)
        temporary.replace(self.options.out / CHECKPOINT)

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Begin a new run with all tensors of trained weights that fit by name and shape."""
        own = self.network.state_dict()
        fitting = {n: value.float() for n, value in weights.items() if n in own and own[n].shape == value.shape}
        log.info("weights are taken over", tensors=len(fitting), of=len(own))
        self.network.load_state_dict(fitting, strict=False)
        self.average = Average(self.network, self.options.ema_decay)

    def resume(self, path: Path) -> None:
        """Take up a checkpoint. Raises `FileNotFoundError`, or `RuntimeError` if its shapes differ."""
        state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        self.step, self.trained_s = state["step"], state["trained_s"]
        self.network.load_state_dict(state["network"])
        self.average.weights = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        if self.device.type == "cuda":
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate
        if self.rank < len(state["queues"]):
            self.loss.queue.copy_(state["queues"][self.rank])


def highest(value: float, device: torch.device) -> float:
    """Of all processes: one that left alone would keep the others waiting for its gradients."""
    if not dist.is_initialized():
        return value
    shared = torch.tensor([value], device=device)
    dist.all_reduce(shared, dist.ReduceOp.MAX)
    return float(shared)


def gathered(mine: Tensor) -> list[Tensor]:
    """What each process holds, by rank."""
    if not dist.is_initialized():
        return [mine]
    everyones: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(everyones, mine)
    return everyones


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
    parser.add_argument("--photos", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--paintings", type=Path, nargs="+", required=True, metavar="DIR")
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
        "--start-from", type=Path, metavar="WEIGHTS", help="a new run from trained weights, as far as they fit"
    )
    parser.add_argument("--float32", action="store_true", help="no bfloat16 autocast")
    parser.add_argument("--no-graphs", action="store_true", help="record no CUDA graphs")
    parser.add_argument("--served", action="store_true", help="from 512 px on, paint as members get it as well")
    defaults = Options(out=Path())
    parser.add_argument("--largest-px", type=int, default=1024, help="leave out steps with larger pictures")
    parser.add_argument("--batch-share", type=float, default=1.0, help="batches, relative to those of a GPU")
    parser.add_argument("--budget-s", type=float, default=math.inf, help="seconds after which the run ends")
    parser.add_argument("--texture-px", type=int, default=TEXTURE_PX, help="side of what the largest loss network sees")
    for name in ("moved_every", "steps", "warm_up_steps", "report_steps", "sheet_steps", "seed"):
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=getattr(defaults, name))
    parser.add_argument("--rate", type=float, default=defaults.rate, help="learning rate on the plateau")
    parser.add_argument("--plateau", type=float, default=defaults.plateau, help="part of the run before it falls")
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
    modes = chosen_modes(args.largest_px, args.batch_share, args.served)
    if not modes:
        arguments().error("--largest-px must be at least 256")
    options = Options(
        out=args.out, steps=args.steps, budget_s=args.budget_s, modes=modes, rate=args.rate,
        warm_up_steps=args.warm_up_steps, plateau=args.plateau, report_steps=args.report_steps,
        sheet_steps=args.sheet_steps, seed=args.seed, bfloat16=not args.float32, graphs=not args.no_graphs,
        moved_every=args.moved_every,
        weights=replace(LossWeights(), **dict(args.weight)),
    )  # fmt: skip
    checkpoint = options.out / CHECKPOINT
    if checkpoint.exists() != args.resume:
        arguments().error(
            f"there is no {checkpoint} to go on from" if args.resume
            else f"{checkpoint} is there already: --resume goes on from it, another --out leaves it alone"
        )  # fmt: skip
    options.out.mkdir(parents=True, exist_ok=True)
    train_on, watched = pictures(args, rank)
    folder = args.loss_weights.parent if args.loss_weights.is_file() else args.loss_weights
    distilled = DistilledVGG19(folder / DISTILLED_FILE).to(memory_format=torch.channels_last)
    stem = VGG16Stem(folder / STEM_FILE).to(memory_format=torch.channels_last)
    trainer = Trainer(
        options, device, PerceptualLoss(distilled, stem, options.weights, texture_px=args.texture_px), rank=rank
    )
    if args.resume:
        trainer.resume(checkpoint)
    elif args.start_from:
        trainer.start_from(weights_of(args.start_from))
    if rank == 0:
        (options.out / f"options-from-{trainer.step:06d}.json").write_text(
            json.dumps(asdict(options), indent=1, default=str)
        )
    photos, paintings = ([one for shard in shards for one in resident(shard, device)] for shards in train_on)
    drawer = Drawer(photos, paintings, options.modes, options.seed, device, rank)
    sizes = sorted({mode.size_px for mode in modes} & {256, 512, 1024})
    pairs = WatchedPairs(watched[0], watched[1], distilled, sizes) if rank == 0 else None
    trainer.run(drawer, Reports(options.out, options.report_steps, pairs, silent=rank != 0))
    if dist.is_initialized():
        dist.destroy_process_group()
    return 0


def pictures(args: argparse.Namespace, rank: int) -> tuple[list[list[Shard]], list[list[Shard]]]:
    """Shards to train on and to watch, of the photos' folders and of the paintings'; the first process writes them."""
    cache = args.shards or args.out / "shards"
    if rank:
        dist.barrier()
    train_on: list[list[Shard]] = []
    watched: list[list[Shard]] = []
    for name, folders in (("photos", args.photos), ("paintings", args.paintings)):
        found = [
            build_shards(folder, cache, f"{name}-{number}", size_px=args.largest_px)
            for number, folder in enumerate(folders)
        ]
        for one, side in ((train_on, 0), (watched, 1)):
            one.append([shards[side] for shards in found])
            if not sum(map(len, one[-1])):
                arguments().error(f"{name} are too few: one in twenty is watched, and none was left on one side")
    if not rank and dist.is_initialized():
        dist.barrier()
    return train_on, watched


if __name__ == "__main__":
    raise SystemExit(main())
