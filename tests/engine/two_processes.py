"""Training in two processes that average their gradients, as `torchrun` starts them.

`python -m torch.distributed.run --standalone --nproc-per-node 2 -m tests.engine.two_processes FOLDER`; each process
leaves what it has come to in the folder. `PHOTOS` and `PAINTINGS` shards must lie there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch import distributed as dist

from engine.jazz.model.batches import encode_solos, random_batch
from engine.jazz.model.perplexity import losses
from engine.jazz.model.soloist_net import SoloistNet, SoloistShape
from engine.jazz.training.fine_tuning import Learner
from engine.jazz.training.likelihood import LikelihoodPlan, train_likelihood
from engine.jazz.training.stage import Group, join_group, total
from engine.stylize.corpus import Shard
from engine.stylize.training.samples import Reports
from engine.stylize.training.train import Options, Trainer
from tests.engine.jazz.solos import made_up_solo
from tests.engine.stylize.training.test_training import TINY, drawer, small_loss

SHAPE = SoloistShape(width=16, blocks=1, heads=2, performers=1, dropout=0.0, corruption=0.0)
SOLOS = encode_solos([made_up_solo(seed, notes=120) for seed in range(4)], ("A",))
STEPS = 3


def untrained_soloist() -> SoloistNet:
    torch.manual_seed(0)
    network = SoloistNet(SHAPE)
    network.setting.withheld = 0.0
    return network


def soloist_loss(network: SoloistNet, step: int, rank: int) -> Tensor:
    """Of excerpts that belong to this step and process alone."""
    batch = random_batch(SOLOS, 2, 16, np.random.default_rng([step, rank]))
    return total(losses(network, batch))


def paint(folder: Path, shards: tuple[Shard, Shard], rank: int) -> dict[str, Tensor]:
    """A few steps of the style network; returns its weights."""
    options = Options(out=folder / f"style-{rank}", steps=STEPS, warm_up_steps=1, report_steps=1, sheet_steps=STEPS,
                      bfloat16=False)  # fmt: skip
    options.out.mkdir()
    trainer = Trainer(options, torch.device("cpu"), small_loss(), TINY, rank=rank)
    trainer.run(drawer(shards, rank=rank), Reports(options.out, 1, pairs=None, silent=rank != 0))
    return trainer.network.state_dict()


def improvise(group: Group) -> dict[str, Tensor]:
    """A few steps of the note network; returns its weights."""
    network = untrained_soloist()
    learner = Learner(network, 1e-2, group)
    for step in range(STEPS):
        learner.learn(soloist_loss(network, step, group.rank))
    return network.state_dict()


def main(folder: Path) -> None:
    group = join_group("cpu")
    shards = Shard(folder / "shards" / "photos"), Shard(folder / "shards" / "paintings")
    state = {"style": paint(folder, shards, group.rank), "notes": improvise(group)}
    torch.save(state, folder / f"weights-{group.rank}.pt")
    plan = LikelihoodPlan(steps=2, batch=2, notes=16, warmup=1, decay=1, measure_every=2)
    train_likelihood(SOLOS, SOLOS[:1], SHAPE, plan, folder / "stage", group, show_progress=False)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
