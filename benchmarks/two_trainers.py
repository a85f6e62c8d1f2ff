"""`python -m benchmarks.two_trainers`: training in two processes learns what one learns from the same excerpts.

The note network is trained twice: by one process that takes both halves of each batch, and under `torchrun` by two that
take one half each and average their gradients. Prints how far the losses are apart, and draws both curves.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import distributed as dist

from engine.jazz.corpus.solos import BEAT_FIELDS, NOTE_FIELDS, Solo
from engine.jazz.model.batches import encode_solos, random_batch
from engine.jazz.model.perplexity import losses
from engine.jazz.model.soloist_net import SoloistNet, SoloistShape
from engine.jazz.training.fine_tuning import Learner
from engine.jazz.training.stage import Group, join_group, total

HALVES = 2
EXCERPTS, NOTES = 4, 32
"""In half a batch, and in an excerpt."""
RATE = 5e-3
SHAPE = SoloistShape(width=32, blocks=1, heads=2, performers=1, dropout=0.0, corruption=0.0)
"""Without dropout: which units it drops depends on how the batch is divided, and with it the loss."""
CHORDS = ("F7", "Bb7", "C7")
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")


def scales(seed: int, notes: int = 160) -> Solo:
    """Eighth notes up and down a scale over a blues: something that is learned in a minute."""
    generator = np.random.default_rng(seed)
    scale = np.array([0, 2, 4, 5, 7, 9, 10])
    records, place, direction = np.zeros(notes, NOTE_FIELDS), 10, 1
    for number in range(notes):
        if not 0 < place < 20 or generator.random() < 0.1:
            direction = 1 if place < 10 else -1
        place += direction
        pitch = 50 + 12 * (place // 7) + int(scale[place % 7])
        onset = number / 2
        records[number] = (onset, onset / 2, 0.2, 0.5, number // 2, number % 2, 2, pitch, number % 16 == 0, 62.0)
    beats = np.zeros(notes // 2 + 8, BEAT_FIELDS)
    beats["beat_in_bar"] = np.arange(len(beats)) % 4
    beats["bar_in_section"] = np.arange(len(beats)) // 4 % 12
    beats["chord"] = np.arange(len(beats)) // 16 % len(CHORDS)
    return Solo(
        f"scale-{seed}", f"scale {seed}", "A", "tenor sax", "bebop", "swing", 120.0, 4, records, beats, CHORDS, "train"
    )


def curve(group: Group, steps: int) -> tuple[list[float], SoloistNet]:
    """Train; the loss of this process's share of the batch at each step, and the network. A process alone has both
    halves of every batch; of two, each has one."""
    solos = encode_solos([scales(seed) for seed in range(8)], ("A",))
    torch.manual_seed(0)
    network = SoloistNet(SHAPE)
    network.setting.withheld = 0.0
    learner = Learner(network, RATE, group)
    mine = range(group.rank, HALVES, group.size)
    found = []
    for step in range(steps):
        halves = [random_batch(solos, EXCERPTS, NOTES, np.random.default_rng([step, half])) for half in mine]
        loss = torch.stack([total(losses(network, half)) for half in halves]).mean()
        learner.learn(loss)
        found.append(loss.item())
    return found, network


def of_two(folder: Path, steps: int) -> list[float]:
    """The mean loss of two processes at each step. Raises RuntimeError with what they printed when they fail."""
    done = subprocess.run(
        [*TORCHRUN, "benchmarks.two_trainers", "--steps", str(steps), "--into", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    each = [[float(line) for line in (folder / f"loss-{rank}.txt").read_text().split()] for rank in range(HALVES)]
    return [sum(both) / HALVES for both in zip(*each, strict=True)]


def draw(alone: Sequence[float], two: Sequence[float], picture: Path) -> None:
    """Both curves, and how far they're apart."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(2, 1, figsize=(8, 5), height_ratios=(3, 1), sharex=True)
    above.plot(alone, label="one process, whole batches", linewidth=4, color="#f0b429")
    above.plot(two, label="two processes, half a batch each", linewidth=1, color="#1f3a93")
    above.set_ylabel("loss, nats a note")
    above.legend()
    below.plot(np.subtract(two, alone), color="#1f3a93", linewidth=1)
    below.set_ylabel("difference")
    below.set_xlabel("step")
    figure.tight_layout()
    figure.savefig(picture, dpi=110)
    pyplot.close(figure)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.two_trainers", description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--picture", type=Path, help="where to draw the curves")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)  # of a process under torchrun
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    group = join_group("cpu")
    alone, _ = curve(group, options.steps)
    if options.into:
        (options.into / f"loss-{group.rank}.txt").write_text("\n".join(map(repr, alone)))
        dist.destroy_process_group()
        return 0
    with tempfile.TemporaryDirectory() as folder:
        two = of_two(Path(folder), options.steps)
    apart = np.abs(np.subtract(two, alone))
    sys.stdout.write(
        f"loss at the first step {alone[0]:.4f} and {two[0]:.4f}, at the last {alone[-1]:.4f} and {two[-1]:.4f}; "
        f"apart by {apart.max():.2g} at most, over {options.steps} steps\n"
    )
    if options.picture:
        draw(alone, two, options.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
