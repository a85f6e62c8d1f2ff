"""What every stage of training shares: the process group, the schedule, averaged weights, checkpoints and the log.

Everything random in step n is seeded by (seed, n, rank). So a run that was interrupted and resumed takes the same
steps as one that wasn't, and needs no generator states in its checkpoint.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch import distributed as dist


@dataclass(frozen=True)
class Group:
    """This process among those that `torchrun` started (or the only one)."""

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def wait(self) -> None:
        """Until all processes have come here."""
        if self.size > 1:
            dist.barrier()

    def average(self, network: nn.Module) -> None:
        """Mean of the gradients over all processes, in place: data parallelism with one all-reduce a step."""
        if self.size == 1:
            return
        gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))


def join_group(device: str) -> Group:
    """Join the process group of `torchrun`, on cuda when it is there and `device` allows ("auto", "cpu", "cuda")."""
    use_cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if use_cuda:
        torch.cuda.set_device(local)
    if size > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if use_cuda else "gloo")
    return Group(rank, size, torch.device("cuda", local) if use_cuda else torch.device("cpu"))


def seed_step(seed: int, step: int, rank: int) -> np.random.Generator:
    """Seed torch for a step (dropout) and return the generator that draws its batch."""
    torch.manual_seed(int.from_bytes(hashlib.blake2b(f"{seed}/{step}/{rank}".encode(), digest_size=7).digest()))
    return np.random.default_rng([seed, step, rank])


def learning_rate(step: int, steps: int, peak: float, warmup: int, decay: int) -> float:
    """Linear warm-up, a plateau, linear decay to nothing in the last `decay` steps: a run can be prolonged from the
    plateau (Hägele et al., Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations, 2024)."""
    return peak * min(1.0, (step + 1) / warmup, max(0.0, (steps - step) / max(1, decay)))


def adamw(network: nn.Module, peak: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW that decays matrices and embeddings, not biases and norms."""
    matrices = [weight for weight in network.parameters() if weight.dim() > 1]
    vectors = [weight for weight in network.parameters() if weight.dim() <= 1]
    return torch.optim.AdamW(
        [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}],
        lr=peak,
        betas=(0.9, 0.98),
    )


def save_checkpoint(path: Path, **state: Any) -> None:
    """Write a checkpoint so that a crash leaves the old one or the new one, never half of either."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def load_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """A checkpoint that `save_checkpoint` wrote; tensors and plain values only."""
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    return state


class Log:
    """`log.csv`: one row a measurement, columns fixed by the first one. Appended to when a run is resumed."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.path, self.columns = path, columns
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", newline="") as file:
                csv.writer(file).writerow(columns)

    def write(self, values: Mapping[str, float]) -> None:
        with self.path.open("a", newline="") as file:
            csv.writer(file).writerow([f"{values[name]:.6g}" if name in values else "" for name in self.columns])

    def plot(self, picture: Path) -> None:
        """Curves of every column but the first, which is the step."""
        import matplotlib

        matplotlib.use("agg")
        from matplotlib import pyplot

        with self.path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        figure, axes = pyplot.subplots(figsize=(9, 5))
        for name in self.columns[1:]:
            points = [(float(row[self.columns[0]]), float(row[name])) for row in rows if row[name]]
            if points:
                axes.plot(*zip(*points, strict=True), label=name)
        axes.set_xlabel(self.columns[0])
        axes.set_ylabel("nats a note" if "pitch" in self.path.name else "loss")
        axes.legend(loc="upper right", fontsize=7, ncols=2)  # "best" is slow with many points
        figure.tight_layout()
        figure.savefig(picture, dpi=110)
        pyplot.close(figure)


def total(losses: Mapping[str, Tensor]) -> Tensor:
    """Sum of the parts."""
    return torch.stack(list(losses.values())).sum()
