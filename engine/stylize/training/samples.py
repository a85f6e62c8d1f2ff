"""What a training run shows: figures and sheets of pictures that it never trains on, and its loss curves."""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib
import torch
from PIL import Image
from torch import Tensor

from engine.stylize.corpus import Shard, central_crop
from engine.stylize.judging.inspection import inspect
from engine.stylize.judging.judge import Judge, mean_figures
from engine.stylize.network import StyleNetwork
from engine.stylize.perception.loss_networks import DistilledVGG19
from engine.stylize.training.batches import to_uint8_tensor

matplotlib.use("Agg")


class WatchedPairs:
    """`count` watched photos, or as many as there are, each with one watched painting, at `size_px`; evenly spread over
    both shards."""

    def __init__(
        self, photos: Shard, paintings: Shard, distilled: DistilledVGG19, count: int = 24, size_px: int = 256
    ) -> None:
        count = min(count, len(photos), len(paintings))

        def spread(shard: Shard) -> Tensor:
            chosen = [shard[i * len(shard) // count] for i in range(count)]
            return to_uint8_tensor([central_crop(picture, size_px) for picture in chosen]).float() / 255

        self.content, self.style = spread(photos), spread(paintings)
        self.distilled = distilled

    @torch.no_grad()
    def paint_and_judge(self, network: StyleNetwork, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """Painted pictures (count, 3, H, W) on the CPU; the means of the judge's figures and of
        `inspection`'s, which needs two pairs."""
        judge = Judge(self.distilled).to(device)
        painted, figures = [], []
        for content, style in zip(self.content.split(4), self.style.split(4), strict=True):
            content, style = content.to(device), style.to(device)
            with torch.autocast(device.type, torch.bfloat16):
                pictures, _ = network(content, style)
            figures.append(judge(pictures, style, content))
            painted.append(pictures.cpu())
        inspected: dict[str, float] = {}
        if len(self.content) > 1:
            with torch.autocast(device.type, torch.bfloat16):
                inspected = inspect(network, self.content.to(device), self.style.to(device))
        return torch.cat(painted), mean_figures(figures) | inspected


def write_sample_sheet(pairs: WatchedPairs, painted: Tensor, path: Path, shown: int = 12) -> None:
    """Style, photo and painted picture side by side, two such triples in a row."""
    step = max(1, len(painted) // shown)
    triples = [torch.cat([pairs.style[i], pairs.content[i], painted[i]], dim=2) for i in range(0, len(painted), step)]
    rows = [torch.cat(triples[i : i + 2], dim=2) for i in range(0, len(triples) - 1, 2)]
    sheet = (torch.cat(rows, dim=1) * 255).round().byte().permute(1, 2, 0)
    Image.fromarray(sheet.numpy()).save(path)


def draw_loss_plot(folder: Path) -> None:
    """`loss.png`: every term of `loss.csv`, and below it the held-out figures of `figures.csv`."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 1, figsize=(10, 10))
    for axis, name in zip(axes, ("loss.csv", "figures.csv"), strict=True):
        if not (folder / name).exists():
            continue
        with (folder / name).open(newline="") as table:
            rows = list(csv.DictReader(table))
        steps = [int(row["step"]) for row in rows]
        for column in rows[0]:
            if column not in ("step", "trained_s"):
                axis.plot(steps, [float(row[column]) for row in rows], label=column)
        axis.set_title(name)
        axis.set_xlabel("step")
        axis.set_yscale("log")
        axis.legend(fontsize=7, ncols=4)
    figure.tight_layout()
    figure.savefig(folder / "loss.png", dpi=80)
    pyplot.close(figure)
