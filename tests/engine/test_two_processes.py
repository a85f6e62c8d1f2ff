"""Both trainers under `torchrun`: two processes that see different pictures and solos come to the same weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.two_trainers import curve
from engine.jazz.training.stage import Group
from engine.stylize.corpus import Shard, build_shard, picture_files
from tests.engine.two_processes import LONG, paint

WAIT_S = 180.0


def small_shards(folder: Path) -> tuple[Shard, Shard]:
    generator = np.random.default_rng(0)
    for kind in ("photos", "paintings"):
        (folder / kind).mkdir()
        for number in range(6):
            pixels = generator.integers(0, 255, size=(80, 100, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / kind / f"{number}.png")
    photos, paintings = (
        build_shard(picture_files(folder / kind), folder / "shards" / kind, workers=1)
        for kind in ("photos", "paintings")
    )
    return photos, paintings


def test_two_processes_learn_together(tmp_path: Path) -> None:
    shards = small_shards(tmp_path)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
               "-m", "tests.engine.two_processes", str(tmp_path)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0, done.stderr
    first, second = (torch.load(tmp_path / f"weights-{rank}.pt", weights_only=True) for rank in (0, 1))
    for room in ("style", "notes"):
        assert all(torch.equal(first[room][name], second[room][name]) for name in first[room])
    # one writes the checkpoints
    assert (tmp_path / "style-0" / "checkpoint.pt").exists()
    assert not (tmp_path / "style-1" / "checkpoint.pt").exists()
    assert (tmp_path / "stage" / "notes.pt").exists()

    # one process with both halves of each batch has the same loss at every step, and comes to the same
    together = (torch.load(tmp_path / "loss-0.pt") + torch.load(tmp_path / "loss-1.pt")) / 2
    losses, network = curve(Group(0, 1, torch.device("cpu")), LONG)
    torch.testing.assert_close(together, torch.tensor(losses), atol=1e-4, rtol=1e-4)
    assert losses[-1] < losses[0] - 0.5, "it has learned something"
    for name, value in network.state_dict().items():
        torch.testing.assert_close(first["notes"][name], value, atol=2e-4, rtol=1e-3)

    # and one that sees only its own pictures doesn't
    (tmp_path / "alone").mkdir()
    alone = paint(tmp_path / "alone", shards, 0)
    assert any(not torch.allclose(alone[name], first["style"][name], atol=1e-5) for name in alone)
