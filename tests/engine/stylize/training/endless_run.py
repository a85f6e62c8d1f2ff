"""A training that only a signal ends: `python -m tests.engine.stylize.training.endless_run FOLDER`, with its shards."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from engine.stylize.corpus import Shard
from engine.stylize.training.losses import LossWeights, PerceptualLoss
from engine.stylize.training.train import Options, Reports, Trainer
from tests.engine.stylize.training.loss_double import SmallFeatures
from tests.engine.stylize.training.test_training import TINY


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    options = Options(out=folder, steps=10**6, size_px=64, batch_size=2, report_steps=1, sheet_steps=10**6, workers=2)
    loss = PerceptualLoss(SmallFeatures(), SmallFeatures(), LossWeights(), seed=1)  # type: ignore[arg-type]
    trainer = Trainer(options, torch.device("cpu"), loss, TINY)
    shards = Shard(folder / "shards" / "photos"), Shard(folder / "shards" / "paintings")
    trainer.run(*shards, Reports(options, 0, pairs=None))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
