"""Training in two processes that average their gradients, as `torchrun` starts them.

`python -m torch.distributed.run --standalone --nproc-per-node 2 -m tests.engine.two_processes FOLDER`; each process
leaves what it has come to in the folder. `PHOTOS` and `PAINTINGS` shards must lie there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor
from torch import distributed as dist

from benchmarks.two_trainers import curve
from engine.jazz.model.batches import encode_solos
from engine.jazz.model.soloist_net import SoloistShape
from engine.jazz.training.likelihood import LikelihoodPlan, train_likelihood
from engine.jazz.training.stage import join_group
from engine.stylize.corpus import Shard
from engine.stylize.training.samples import Reports
from engine.stylize.training.train import Options, Trainer
from tests.engine.jazz.solos import made_up_solo
from tests.engine.stylize.training.test_training import TINY, drawer, small_loss

SHAPE = SoloistShape(width=16, blocks=1, heads=2, performers=1, dropout=0.0, corruption=0.0)
SOLOS = encode_solos([made_up_solo(seed, notes=120) for seed in range(4)], ("A",))
STEPS = 3
LONG = 20
"""Steps of a loss curve."""


def paint(folder: Path, shards: tuple[Shard, Shard], rank: int) -> dict[str, Tensor]:
    """A few steps of the style network; returns its weights."""
    options = Options(out=folder / f"style-{rank}", steps=STEPS, warm_up_steps=1, report_steps=1, sheet_steps=STEPS,
                      bfloat16=False)  # fmt: skip
    options.out.mkdir()
    trainer = Trainer(options, torch.device("cpu"), small_loss(), TINY, rank=rank)
    trainer.run(drawer(shards, rank=rank), Reports(options.out, 1, pairs=None, silent=rank != 0))
    return trainer.network.state_dict()


def main(folder: Path) -> None:
    group = join_group("cpu")
    shards = Shard(folder / "shards" / "photos"), Shard(folder / "shards" / "paintings")
    losses, network = curve(group, LONG)
    torch.save(torch.tensor(losses), folder / f"loss-{group.rank}.pt")
    state = {"style": paint(folder, shards, group.rank), "notes": network.state_dict()}
    torch.save(state, folder / f"weights-{group.rank}.pt")
    plan = LikelihoodPlan(steps=2, batch=2, notes=16, warmup=1, decay=1, measure_every=2)
    train_likelihood(SOLOS, SOLOS[:1], SHAPE, plan, folder / "stage", group, show_progress=False)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
