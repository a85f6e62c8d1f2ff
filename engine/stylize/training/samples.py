"""What a training run shows: figures and sheets of pictures that it never trains on, and its loss curves."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from engine.stylize.corpus import RgbArray, Shard, central_crop
from engine.stylize.judging.flaws import FLAWS, flaws
from engine.stylize.judging.inspection import inspect
from engine.stylize.judging.judge import Judge, mean_figures
from engine.stylize.network import StyleNetwork
from engine.stylize.perception.loss_networks import DistilledVGG19

matplotlib.use("Agg")

WATCHED_PAIRS = {256: 12, 512: 10, 1024: 8}
"""Pairs that are judged on the way, by size."""
MOST_ENLARGED = 1.3
"""A watched picture may be smaller than the size it is judged at by this factor."""


def as_tensor(pictures: Sequence[RgbArray]) -> Tensor:
    """(B, 3, H, W) in [0, 1] of B pictures (H, W, 3) of 0..255."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div_(255)


def large_enough(picture: RgbArray, size_px: int) -> bool:
    """Whether a picture (H, W, 3) may be judged at that size; at 256 px any may."""
    return size_px <= 256 or min(picture.shape[:2]) * MOST_ENLARGED >= size_px


class WatchedPairs:
    """At each size some watched photos, each with one watched painting, evenly spread over the shards."""

    def __init__(
        self, photos: Sequence[Shard], paintings: Sequence[Shard], distilled: DistilledVGG19, sizes: Sequence[int]
    ) -> None:
        self.distilled = distilled
        self.pairs: dict[int, tuple[Tensor, Tensor]] = {}
        for size_px in sizes:
            sides = [
                [one for shard in shards for one in shard if large_enough(one, size_px)]
                for shards in (photos, paintings)
            ]
            count = min(WATCHED_PAIRS.get(size_px, 8), *map(len, sides))
            if count:
                content, style = (
                    as_tensor([central_crop(among[i * len(among) // count], size_px) for i in range(count)])
                    for among in sides
                )
                self.pairs[size_px] = content, style

    @torch.no_grad()
    def paint_and_judge(
        self, network: StyleNetwork, device: torch.device
    ) -> tuple[dict[int, Tensor], dict[str, float]]:
        """Painted pictures (count, 3, S, S) on the CPU by size S; means of the judge's figures and of the flaws, named
        `figure_S`, and at the smallest size those of `inspection`, which needs two pairs."""
        judge = Judge(self.distilled).to(device)
        painted: dict[int, Tensor] = {}
        found: dict[str, float] = {}
        for size_px, (content, style) in self.pairs.items():
            shown, figures, flawed = [], [], []
            for photo, painting in zip(content.split(1), style.split(1), strict=True):
                photo, painting = photo.to(device), painting.to(device)
                with torch.autocast(device.type, torch.bfloat16):
                    picture, _ = network(photo, painting)
                picture = picture.float()
                figures.append(judge(picture, painting, photo))
                flawed.append(flaws(picture[0], painting[0], photo[0]))
                shown.append(picture.cpu())
            painted[size_px] = torch.cat(shown)
            found |= {f"{name}_{size_px}": value for name, value in mean_figures(figures).items()}
            for name in FLAWS:
                values = [one[name] for one in flawed if one[name] == one[name]]
                found[f"{name}_{size_px}"] = float(np.mean(values)) if values else float("nan")
        smallest = min(self.pairs)
        content, style = self.pairs[smallest]
        if len(content) > 1:
            with torch.autocast(device.type, torch.bfloat16):
                found |= inspect(network, content.to(device), style.to(device))
        return painted, found


class Reports:
    """Loss table (`loss.csv`), figures of the watched pairs (`figures.csv`), sample sheets and the loss plot."""

    def __init__(self, out: Path, report_steps: int, pairs: WatchedPairs | None, silent: bool = False) -> None:
        self.out, self.report_steps, self.pairs, self.silent = out, report_steps, pairs, silent
        self.sums: dict[str, Tensor] = {}
        self.summed = 0
        self.bar = tqdm(unit="step", disable=silent, mininterval=10.0)

    def add(self, step: int, terms: dict[str, Tensor]) -> None:
        """Take in the terms of step number `step`."""
        self.bar.update(1)
        self.summed += 1
        for name, value in terms.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value
        if (step + 1) % self.report_steps == 0:
            means = {name: float(value) / self.summed for name, value in self.sums.items()}
            self.sums.clear()
            self.summed = 0
            self.bar.set_postfix_str(f"loss {means['loss']:.3f}")
            self._append("loss.csv", {"step": step + 1, **means})

    def sheet(self, network: StyleNetwork, step: int, trained_s: float, device: torch.device) -> None:
        """Figures and sample sheets of a network, and the plot of all so far."""
        if self.silent or self.pairs is None:
            return
        painted, figures = self.pairs.paint_and_judge(network, device)
        self._append("figures.csv", {"step": step, "trained_s": round(trained_s), **figures})
        for size_px, pictures in painted.items():
            write_sample_sheet(*self.pairs.pairs[size_px], pictures, self.out / f"sheet-{step:06d}-{size_px}.jpg")
        draw_loss_plot(self.out)
        tqdm.write(f"step {step}: " + "  ".join(f"{name} {value:.3f}" for name, value in figures.items()))

    def _append(self, name: str, row: dict[str, float]) -> None:
        if self.silent:
            return
        path = self.out / name
        if path.exists() and path.read_text().partition("\n")[0].strip().split(",") != list(row):
            # of a run by an older version, with other columns: numbers must not come to stand below wrong names
            path.replace(path.with_stem(f"{path.stem}-until-{row['step']:06.0f}"))
        new = not path.exists()
        with path.open("a", newline="") as out:
            writer = csv.DictWriter(out, list(row))
            if new:
                writer.writeheader()
            writer.writerow({key: round(value, 5) for key, value in row.items()})


def write_sample_sheet(content: Tensor, style: Tensor, painted: Tensor, path: Path) -> None:
    """Style, photo and painted picture, (N, 3, S, S) each, side by side, a triple a row."""
    rows = [torch.cat(triple, dim=2) for triple in zip(style, content, painted, strict=True)]
    sheet = (torch.cat(rows, dim=1) * 255).round().byte().permute(1, 2, 0)
    Image.fromarray(sheet.contiguous().numpy()).save(path, quality=90)


def draw_loss_plot(folder: Path) -> None:
    """`loss.png`: every term of `loss.csv`, and below it the watched figures of `figures.csv`."""
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
        axis.legend(loc="upper right", fontsize=7, ncols=4)
    figure.tight_layout()
    figure.savefig(folder / "loss.png", dpi=80)
    pyplot.close(figure)
