"""Batches for training: random crops of photos and paintings, the same for the same seed, step and process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from engine.stylize.corpus import RgbArray, Shard, random_crop
from engine.stylize.training.losses import Batch

IDENTITY_SHARE = 0.08
"""Part of the samples that are a painting in its own style, to be given back unchanged."""
PAINTED_CONTENT_SHARE = 0.1
"""Part of the contents that are paintings: members restyle those too."""
LARGEST_SHIFT_PX = 7
NOISE_SD = 0.02
"""Noise between two frames of one scene, in units of full scale."""
MOST_SOFTENED = 0.25
"""Largest part that a pixel of the second frame takes from each neighbour: another lens, or another way of scaling.
Without it the painting hangs on the steps of a slanting edge that was drawn or scaled without smoothing."""


@dataclass(frozen=True)
class Draw:
    """What a batch depends on. `rank` of `ranks` processes draws its own pictures."""

    size_px: int
    batch_size: int
    seed: int
    rank: int = 0


def to_uint8_tensor(pictures: list[RgbArray]) -> Tensor:
    """(B, 3, H, W) uint8 of B pictures (H, W, 3)."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


class StepDataset(Dataset[tuple[Tensor, Tensor, Tensor, Tensor]]):
    """Item `step` is the whole batch of that step: content, style (uint8), identity flags, shift and noise seed."""

    def __init__(self, photos: Shard, paintings: Shard, draw: Draw) -> None:
        self.photos, self.paintings, self.draw = photos, paintings, draw

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        draw = self.draw
        generator = np.random.default_rng([draw.seed, step, draw.rank])
        contents, styles, identity = [], [], []
        for _ in range(draw.batch_size):
            style = self._crop(self.paintings, generator)
            kind = generator.random()
            if kind < IDENTITY_SHARE:
                content = style
            else:
                painted = kind < IDENTITY_SHARE + PAINTED_CONTENT_SHARE
                content = self._crop(self.paintings if painted else self.photos, generator)
            contents.append(content)
            styles.append(style)
            identity.append(float(kind < IDENTITY_SHARE))
        limits = (-LARGEST_SHIFT_PX, LARGEST_SHIFT_PX + 1)
        perturbation = [*generator.integers(*limits, size=2).tolist(), int(generator.integers(2**31))]
        return (
            to_uint8_tensor(contents),
            to_uint8_tensor(styles),
            torch.tensor(identity),
            torch.tensor(perturbation),
        )

    def _crop(self, shard: Shard, generator: np.random.Generator) -> RgbArray:
        return random_crop(shard[int(generator.integers(len(shard)))], self.draw.size_px, generator)


def prepared(raw: tuple[Tensor, Tensor, Tensor, Tensor], device: torch.device) -> Batch:
    """A loaded item as float pictures on the device, with the shifted, softer and noisy copies of the contents."""
    content, style = (
        pictures.to(device, non_blocking=True).to(memory_format=torch.channels_last).float().div_(255)
        for pictures in raw[:2]
    )
    down, right, noise_seed = raw[3].tolist()
    noise = torch.randn(content.shape, device=device, generator=torch.Generator(device).manual_seed(noise_seed))
    part = MOST_SOFTENED * float(np.random.default_rng(noise_seed).random())
    # What leaves on one side comes in on the other; the loss looks away from both edges.
    perturbed = (softened(torch.roll(content, (down, right), (2, 3)), part) + NOISE_SD * noise).clamp_(0, 1)
    perturbed = perturbed.contiguous(memory_format=torch.channels_last)
    return Batch(content, style, raw[2].to(device), perturbed, (down, right))


def softened(pictures: Tensor, part: float) -> Tensor:
    """(B, 3, H, W) with `part` of each of the four neighbours mixed in, along rows, then along columns."""
    for axis in (2, 3):
        neighbours = torch.roll(pictures, 1, axis) + torch.roll(pictures, -1, axis)
        pictures = (1 - 2 * part) * pictures + part * neighbours
    return pictures


def _leave_signals_to_the_loop(worker: int) -> None:
    """Ctrl-C in a terminal and `torchrun` when it ends signal the whole group of processes: a loader that died of it
    would take the loop with it, before the checkpoint is written."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def batches(dataset: StepDataset, first_step: int, last_step: int, workers: int) -> Iterator[tuple[Tensor, ...]]:
    """Items `first_step` .. `last_step` - 1 in order, loaded ahead by `workers` processes."""
    loader = DataLoader(
        dataset,
        batch_size=None,
        sampler=range(first_step, last_step),
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=4 if workers else None,
        worker_init_fn=_leave_signals_to_the_loop,
    )
    yield from loader
