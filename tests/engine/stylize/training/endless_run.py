"""A training that only a signal ends: `python -m tests.engine.stylize.training.endless_run FOLDER`, with its shards."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from engine.stylize.corpus import Shard
from engine.stylize.training.samples import Reports
from engine.stylize.training.train import Options
from tests.engine.stylize.training.test_training import drawer, trainer


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    options = Options(out=folder, steps=10**6, report_steps=1, sheet_steps=10**6)
    shards = Shard(folder / "shards" / "photos"), Shard(folder / "shards" / "paintings")
    trainer(options).run(drawer(shards), Reports(folder, 1, pairs=None))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
