"""Figures of the committed network on photos and paintings that it never saw: `python -m engine evaluate stylize`.

Prints a table for each size with 95 % bootstrap intervals and two bounds, `content unchanged` (what doing nothing
scores) and `style picture itself` (what throwing the photo away scores), and writes a contact sheet. The pictures are
the half of the held-out tenth at which training never looked, not even to watch its figures (`corpus.is_watched`).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from engine.command_line import Parser
from engine.errors import BadOption
from engine.stylize.corpus import (
    RgbArray,
    central_crop,
    decode_for_training,
    is_held_out,
    is_watched,
    picture_files,
    stored_side_px,
)
from engine.stylize.judging.artfid import NETWORKS, ArtFID, Parts
from engine.stylize.judging.flaws import FLAWS, flaws
from engine.stylize.judging.inspection import inspect
from engine.stylize.judging.judge import FIGURES, Judge
from engine.stylize.judging.motion import film_errors, motion_table
from engine.stylize.network import StyleNetwork
from engine.stylize.painter import Painter
from engine.stylize.perception.loss_networks import DISTILLED_FILE, DistilledVGG19
from engine.stylize.pictures.reading import DAMAGE
from engine.stylize.style_codes import remembered
from engine.stylize.training.samples import as_tensor
from engine.stylize.weights_file import load_network, network_of_checkpoint, weights_version

BOOTSTRAPS = 2000
MOST_SHOWN, SHOWN_IN_A_ROW, GAP_PX = 48, 4, 8
"""Of the contact sheet: judged pairs at most, in a row, and the white between them."""
MOST_ENLARGED, SMALL_PX = 1.3, 256
FEWEST_DRAWN = 5
"""Photos, and paintings, from which an interval can be drawn: of fewer a bootstrap knows too little of the spread."""
FILM_SIDES_PX, MOST_FILMS = range(128, 513), 8
"""Sizes at which films are judged, and how many photos and paintings at most: each is painted three dozen times."""
LEVELS = {"from_quarter": "1/4", "from_eighth": "1/8", "from_sixteenth": "1/16", "from_thirty_second": "1/32"}
"""Figures of `inspect`, and the features that they tell of."""
GOALS = {
    "colour": "<= 0.02",
    "ssim": ">= 0.54",
    "halo": "<= 0.20",
    "streak": "<= 0.50",
    "gradient": ">= 0.90",
}
"""From 512 px on; the goals for style and content are by other networks' figures (the model card)."""


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % percentile bootstrap interval; NaN..NaN where too few pictures were judged for one."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isnan(self.mean):
            return "-"
        return f"{self.mean:.3f}" + ("" if math.isnan(self.low) else f" [{self.low:.3f}, {self.high:.3f}]")


def bootstrap_interval(values: Tensor, content: Tensor, style: Tensor, generator: np.random.Generator) -> Interval:
    """Mean of `values` (N,), with photos and paintings drawn anew: pairs that share one are not independent. NaN where
    a pair has nothing to show is left out.

    `content`, `style` (N,): which photo and painting each value belongs to. A two-way (pigeonhole) bootstrap: Owen,
    The pigeonhole bootstrap, Annals of Applied Statistics 2007."""
    told = ~torch.isnan(values)
    if not bool(told.any()):
        return Interval(math.nan, math.nan, math.nan)
    numbers, photos, paintings = values[told].numpy(), content[told].numpy(), style[told].numpy()
    if min(len(np.unique(photos)), len(np.unique(paintings))) < FEWEST_DRAWN:
        return Interval(float(numbers.mean()), math.nan, math.nan)
    means = np.empty(BOOTSTRAPS)
    for draw in range(BOOTSTRAPS):
        count_photo = np.bincount(
            generator.integers(photos.max() + 1, size=photos.max() + 1), minlength=photos.max() + 1
        )
        count_painting = np.bincount(
            generator.integers(paintings.max() + 1, size=paintings.max() + 1), minlength=paintings.max() + 1
        )
        weights = count_photo[photos] * count_painting[paintings]
        means[draw] = np.average(numbers, weights=weights) if weights.sum() else numbers.mean()
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(numbers.mean()), float(low), float(high))


@dataclass(frozen=True)
class HeldOut:
    """`pictures` (N, 3, S, S) in [0, 1]; how many of them were enlarged to S, and how many files couldn't be read."""

    pictures: Tensor
    enlarged: int
    unreadable: int


def large_enough(path: Path, size_px: int) -> bool:
    try:
        with Image.open(path) as file:
            return min(file.size) * MOST_ENLARGED >= size_px
    except (*DAMAGE, Image.DecompressionBombError):
        return False


def held_out_pictures(folders: Sequence[Path], count: int, size_px: int) -> HeldOut:
    """`count` held-out and unwatched pictures below `folders`, evenly spread, as central crops. Above 256 px those that
    have so many, as long as there are any.

    Raises `BadOption` when there is none, `FileNotFoundError` when there are no pictures at all."""
    files = [path for folder in folders for path in picture_files(folder) if is_held_out(path) and not is_watched(path)]
    if size_px > SMALL_PX:
        files = [path for path in files if large_enough(path, size_px)] or files
    count = min(count, len(files))
    spread = [files[number * len(files) // count] for number in range(count)]
    decoded = [decode_for_training(path, stored_side_px(size_px)) for path in spread]
    found: list[RgbArray] = [picture for picture in decoded if picture is not None]
    if not found:
        raise BadOption(
            f"None of the pictures under {', '.join(map(str, folders))} is kept for evaluation; about one in twenty is."
        )
    return HeldOut(
        as_tensor([central_crop(picture, size_px) for picture in found]),
        sum(min(picture.shape[:2]) < size_px for picture in found),
        len(decoded) - len(found),
    )


@dataclass(frozen=True)
class Evaluation:
    """Figures by row name and figure name, and the painted pictures (N, 3, H, W) of the network, in order of pairs."""

    rows: dict[str, dict[str, Interval]]
    painted: Tensor
    pairs: list[tuple[int, int]]
    artfid: dict[str, ArtFID] = field(default_factory=dict)
    """By row name; each is of all pairs together."""


def evaluate(network: StyleNetwork, distilled: DistilledVGG19, photos: Tensor, paintings: Tensor) -> Evaluation:
    """Judge every third combination of photos (P, 3, S, S) and paintings (Q, 3, S, S), strength 1."""
    painter = Painter(network, torch.device("cpu"), tile_px=1024)
    judge = Judge(distilled)
    pairs = [(i, j) for i in range(len(photos)) for j in range(len(paintings)) if (i + j) % 3 == 0]
    styles = [remembered(partial(painter.encode_style, painting[None])) for painting in paintings]
    found: dict[str, list[dict[str, Tensor]]] = {"network": [], "content unchanged": [], "style picture itself": []}
    parts = {name: Parts(distilled) for name in found}
    painted = []
    for i, j in tqdm(pairs, desc="evaluate", unit="pair"):
        content, style = photos[i : i + 1], paintings[j : j + 1]
        picture = painter.paint(content, styles[j])
        painted.append(picture)
        for name, shown in zip(found, (picture, content, style), strict=True):
            counted = {flaw: torch.tensor([value]) for flaw, value in flaws(shown[0], style[0], content[0]).items()}
            found[name].append(judge(shown, style, content) | counted)
            parts[name].add(shown, content)
    of_photo, of_painting = (torch.tensor([pair[side] for pair in pairs]) for side in (0, 1))
    rows = {
        name: {
            figure: bootstrap_interval(
                torch.cat([one[figure] for one in figures]), of_photo, of_painting, np.random.default_rng(0)
            )
            for figure in (*FIGURES, *FLAWS)
        }
        for name, figures in found.items()
    }
    meant = paintings[sorted({j for _, j in pairs})].split(1)
    return Evaluation(rows, torch.cat(painted), pairs, {name: of.against(meant) for name, of in parts.items()})


def table(rows: dict[str, dict[str, Interval]]) -> str:
    """A Markdown table, one line a figure."""
    lines = ["| figure | " + " | ".join(rows) + " | goal |", "|---|" + "---|" * (len(rows) + 1)]
    for figure in (*FIGURES, *FLAWS):
        cells = [
            str(row[figure] if name == "network" else Interval(row[figure].mean, math.nan, math.nan))
            for name, row in rows.items()
        ]
        lines.append(f"| {figure} | " + " | ".join(cells) + f" | {GOALS.get(figure, '')} |")
    return "\n".join(lines)


def artfid_table(rows: dict[str, ArtFID]) -> str:
    """A Markdown table, one line a part."""
    parts = {
        "1 + LPIPS-like": [1 + row.lpips_like for row in rows.values()],
        "1 + FID-like": [1 + row.fid_like for row in rows.values()],
        "ArtFID-like": [row.whole for row in rows.values()],
    }
    lines = [f"| ArtFID ({NETWORKS}) | " + " | ".join(rows) + " |", "|---|" + "---|" * len(rows)]
    return "\n".join(
        [*lines, *(f"| {name} | " + " | ".join(f"{value:.3f}" for value in row) + " |" for name, row in parts.items())]
    )


def shown_pairs(count: int) -> list[int]:
    """Which of `count` judged pairs the contact sheet shows: all, or `MOST_SHOWN` of as many pictures as possible; as
    many as fill their rows.

    Judged pairs stand in order of photos, so every n-th would meet the same paintings again and again. Steps of about
    the golden ratio, without a common divisor with `count`, meet all."""
    shown = min(count, MOST_SHOWN)
    if shown > SHOWN_IN_A_ROW:
        shown -= shown % SHOWN_IN_A_ROW
    step = next(step for step in range(max(1, round(0.618 * count)), count + 2) if math.gcd(step, count) == 1)
    return sorted(number * step % count for number in range(shown))


def write_contact_sheet(
    evaluation: Evaluation, photos: Tensor, paintings: Tensor, path: Path, side_px: int = 128
) -> None:
    """Judged pairs, some in a row: the painting, the photo, and what the network made of the two."""

    def small(picture: Tensor) -> Image.Image:
        image = Image.fromarray((picture * 255).round().byte().permute(1, 2, 0).contiguous().numpy())
        return image.resize((side_px, side_px), Image.Resampling.LANCZOS)

    shown = shown_pairs(len(evaluation.pairs))
    columns = min(SHOWN_IN_A_ROW, len(shown))
    width, height = 3 * side_px + GAP_PX, side_px + GAP_PX
    sheet = Image.new("RGB", (columns * width - GAP_PX, len(shown) // columns * height - GAP_PX), "white")
    for place, number in enumerate(shown):
        i, j = evaluation.pairs[number]
        row, column = divmod(place, columns)
        for part, picture in enumerate((paintings[j], photos[i], evaluation.painted[number])):
            sheet.paste(small(picture), (column * width + part * side_px, row * height))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def main(argv: list[str] | None = None) -> int:
    parser = Parser(prog="python -m engine evaluate stylize", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--photos", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--paintings", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--loss-weights", type=Path, required=True, metavar="DIR", help="folder of the loss networks")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="a training checkpoint; default: as committed")
    parser.add_argument("--count", type=int, default=24, help="photos and paintings of each kind")
    parser.add_argument("--size-px", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of torch; 0: all cores")
    parser.add_argument("--sheet", type=Path, default=Path("var/evaluate-stylize.png"), metavar="PNG")
    args = parser.parse_args(argv)
    if args.count < 1 or args.threads < 0 or any(size < 64 or size % 8 for size in args.size_px):
        parser.error("--count must be at least 1, --threads at least 0, --size-px a multiple of 8 from 64 on")
    if args.threads:
        torch.set_num_threads(args.threads)
    for pictures in (*args.photos, *args.paintings):
        picture_files(pictures)  # an empty folder is told before anything is loaded
    if args.checkpoint:
        network, step, _ = network_of_checkpoint(args.checkpoint)
        name = f"checkpoint of step {step}"
    else:
        network, name = load_network(), f"weights {weights_version()}"
    folder = args.loss_weights.parent if args.loss_weights.is_file() else args.loss_weights
    distilled = DistilledVGG19(folder / DISTILLED_FILE)
    for size_px in args.size_px:
        held_out = [held_out_pictures(folders, args.count, size_px) for folders in (args.photos, args.paintings)]
        sheet = args.sheet if len(args.size_px) == 1 else args.sheet.with_stem(f"{args.sheet.stem}-{size_px}")
        _report(name, network, distilled, held_out, sheet)
    return 0


def _report(
    name: str, network: StyleNetwork, distilled: DistilledVGG19, held_out: Sequence[HeldOut], sheet: Path
) -> None:
    """Evaluate and print at one size: held-out photos, then paintings."""
    photos, paintings = (of.pictures for of in held_out)
    evaluation = evaluate(network, distilled, photos, paintings)
    write_contact_sheet(evaluation, photos, paintings, sheet)
    sys.stdout.write(f"{name}: {len(evaluation.pairs)} pairs of {len(photos)} photos and {len(paintings)} paintings, ")
    sys.stdout.write(
        f"{photos.shape[-1]} px ({held_out[0].enlarged} photos and {held_out[1].enlarged} paintings are smaller "
    )
    sys.stdout.write("and were enlarged), strength 1; [95 % interval]\n\n")
    sys.stdout.write(f"{table(evaluation.rows)}\n\n")
    sys.stdout.write(f"{artfid_table(evaluation.artfid)}\n\n")
    if unreadable := sum(of.unreadable for of in held_out):
        sys.stdout.write(f"{unreadable} files could not be read and are left out.\n\n")
    pairs = min(len(photos), len(paintings))
    if pairs > 1:
        seen = inspect(network, photos[:pairs], paintings[:pairs])
        levels = ", ".join(f"{seen[level]:.1f} to {place}" for level, place in LEVELS.items())
        sys.stdout.write(
            f"Of 255 levels, the picture owes {levels} (0: a dead level); {seen['quiet']:.1%} of the content channels "
            f"hardly vary. A pan by one pixel changes it by {seen['pan']:.3f} of its deviation.\n\n"
        )
    if photos.shape[-1] in FILM_SIDES_PX:
        films = min(pairs, MOST_FILMS)
        painter = Painter(network, torch.device("cpu"), tile_px=1024)
        sys.stdout.write(f"{motion_table(film_errors(painter, photos[:films], paintings[:films]))}\n\n")
    sys.stdout.write(f"{sheet}\n\n")


if __name__ == "__main__":
    raise SystemExit(main())
