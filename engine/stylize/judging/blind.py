"""Two networks side by side, for eyes that don't know which is which.

    python -m engine.stylize.judging.blind sheets --photos PATH ... --paintings PATH ... \\
        --new WEIGHTS --old WEIGHTS --out DIR
    python -m engine.stylize.judging.blind count DIR

The first writes a sheet for each photo in each painting's style, at the size that members get, and puts the key beside
the folder, not into it. On a sheet `A` and `B` stand by a fair coin, whole and, below, a part of them pixel by pixel.
Judges write into copies of `answers.csv` in that folder; the second command says how often the new one was preferred.
"""

from __future__ import annotations

import csv
import random
import secrets
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from tqdm import tqdm

from engine.command_line import Parser
from engine.errors import BadOption
from engine.stylize.corpus import decode_for_training, is_held_out, is_watched, picture_files
from engine.stylize.judging.evaluate import Interval, bootstrap_interval
from engine.stylize.painter import Painter
from engine.stylize.pictures.picture import to_image
from engine.stylize.weights_file import load_network, network_of_checkpoint

PaintInStyle = Callable[[Tensor, Tensor], Tensor]
"""A photo (1, 3, H, W) and a painting (1, 3, h, w), in [0, 1] -> what is judged, (1, 3, H, W)."""

LONGER_SIDE_PX = 1024
SMALL_COLUMN_PX, COLUMN_PX, HEIGHT_PX, GAP_PX, LABEL_PX = 192, 504, 960, 6, 28
"""A sheet is 1,224 px wide: small enough for viewers to show it as it is, pixel by pixel."""
CHOICES = {"A": 1.0, "B": 0.0, "=": 0.5}
"""What a judge may answer, and how much of a vote that is for A."""
FIELDS = ("sheet", "choice", "why")
KEY_FIELDS = ("sheet", "photo", "painting", "new", "seed")
HOW_TO_JUDGE = """\
# How to judge

Each sheet shows a photo and a painting in the left column, and the photo painted in the painting's style twice, as A
and as B: whole above, and below it the same part of both, pixel by pixel. `whole/` holds both at full size.

For each sheet write one line into your own copy of `answers.csv` (`answers-YOURNAME.csv`, in this folder): the number
of the sheet, `A`, `B` or, if you really can't say, `=`, and in a few words why.

The question is always the same: **which of the two would you rather post?** A good one looks as if the painter of that
painting had painted what's in the photo: its colours, its strokes, its forms; and it hasn't got flaws that catch
the eye: glows around things, streaks or mottling in skies and on walls, colours that bleed, faces that fall apart.

Judge by yourself, and don't look for a key: A and B change sides by a coin, sheet by sheet.
"""


@dataclass(frozen=True)
class Choice:
    """One judge's answer for one sheet: 1 for the new network, 0 for the old one, .5 for neither."""

    photo: str
    painting: str
    for_new: float


def painter_of(weights: Path) -> PaintInStyle:
    """How the network of a weights file or of a training checkpoint paints at strength 1, as the engine does.

    Raises `FileNotFoundError`, and `BadOption` for a file that is neither."""
    network = load_network(weights) if weights.suffix == ".safetensors" else network_of_checkpoint(weights)[0]
    painter = Painter(network, torch.device("cpu"), tile_px=LONGER_SIDE_PX)
    return lambda photo, painting: painter.paint(photo, partial(painter.encode_style, painting))


def held_out_files(paths: Sequence[Path], count: int) -> list[Path]:
    """The files among `paths`, and of the folders among them `count` held-out and unwatched pictures, evenly spread.

    Raises `BadOption` for a file that training had, `FileNotFoundError` where there is no picture."""
    files = [path for path in paths if path.is_file()]
    if trained := [path.name for path in files if not is_held_out(path)]:
        raise BadOption(f"Training has seen {', '.join(trained)}; only pictures that are held out can be judged.")
    kept = [
        path
        for folder in paths
        if not folder.is_file()
        for path in picture_files(folder)
        if is_held_out(path) and not is_watched(path)
    ]
    wanted = min(count, len(kept))
    files += [kept[number * len(kept) // wanted] for number in range(wanted)]
    if not files:
        raise BadOption(f"None of the pictures under {', '.join(map(str, paths))} is kept for evaluation.")
    return files


def read(path: Path, longer_side_px: int | None = None) -> Tensor:
    """(1, 3, H, W) in [0, 1], made smaller to a longer side of at most `longer_side_px`. Raises `BadOption`."""
    rgb = decode_for_training(path, short_side_px=4 * LONGER_SIDE_PX)
    if rgb is None:
        raise BadOption(f"{path.name} can't be read.")
    image = Image.fromarray(rgb)
    if longer_side_px:
        image.thumbnail((longer_side_px, longer_side_px), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float().div_(255)


def write_sheets(
    out: Path, photos: Sequence[Path], paintings: Sequence[Path], new: PaintInStyle, old: PaintInStyle, seed: int
) -> None:
    """A sheet for every photo in every painting's style, in shuffled order, and the key at `key_file(out)`."""
    draw = random.Random(seed)
    pairs = [(photo, painting) for photo in photos for painting in paintings]
    draw.shuffle(pairs)
    (out / "whole").mkdir(parents=True, exist_ok=True)
    styles = {path: read(path) for path in paintings}
    contents = {path: read(path, LONGER_SIDE_PX) for path in photos}
    rows = []
    for number, (photo, painting) in enumerate(tqdm(pairs, desc="blind sheets", unit="sheet"), 1):
        new_is = draw.choice("AB")
        painted = [to_image(paint(contents[photo], styles[painting])) for paint in (new, old)]
        a, b = painted if new_is == "A" else painted[::-1]
        sheet(to_image(contents[photo]), to_image(styles[painting]), a, b, number).save(out / f"{number:03d}.png")
        for name, image in (("A", a), ("B", b)):
            image.save(out / "whole" / f"{number:03d}-{name}.png")
        rows.append((number, photo.name, painting.name, new_is, seed))
    write_rows(key_file(out), KEY_FIELDS, rows)
    write_rows(out / "answers.csv", FIELDS, [(number, "", "") for number, *_ in rows])
    (out / "README.md").write_text(HOW_TO_JUDGE, encoding="utf-8")


def key_file(folder: Path) -> Path:
    """Beside the folder, where no judge has to look."""
    return folder.with_name(f"{folder.name}-key.csv")


def sheet(photo: Image.Image, painting: Image.Image, a: Image.Image, b: Image.Image, number: int) -> Image.Image:
    """Photo and painting small, A and B of equal size whole, and the middle of both as it is."""
    width = SMALL_COLUMN_PX + 2 * COLUMN_PX + 4 * GAP_PX
    paper = Image.new("RGB", (width, HEIGHT_PX), "white")
    font, draw = ImageFont.load_default(20), ImageDraw.Draw(paper)
    top = GAP_PX
    for label, image in ((f"{number}: photo", photo), ("painting", painting)):
        draw.text((GAP_PX, top), label, "black", font)
        small = fitted(image, SMALL_COLUMN_PX, HEIGHT_PX // 2 - LABEL_PX - 2 * GAP_PX)
        paper.paste(small, (GAP_PX, top + LABEL_PX))
        top += LABEL_PX + small.height + 4 * GAP_PX
    for column, (label, image) in enumerate((("A", a), ("B", b))):
        left = SMALL_COLUMN_PX + 2 * GAP_PX + column * (COLUMN_PX + GAP_PX)
        draw.text((left + COLUMN_PX / 2, GAP_PX + LABEL_PX / 2), label, "black", font, anchor="mm")
        whole = fitted(image, COLUMN_PX, HEIGHT_PX * 11 // 20)
        paper.paste(whole, (left + (COLUMN_PX - whole.width) // 2, LABEL_PX + GAP_PX))
        below = LABEL_PX + 2 * GAP_PX + whole.height
        paper.paste(middle(image, COLUMN_PX, HEIGHT_PX - below - GAP_PX), (left, below))
    return paper


def fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """As large as fits into width x height, no larger than it is."""
    copy = image.copy()
    copy.thumbnail((width, height), Image.Resampling.LANCZOS)
    return copy


def middle(image: Image.Image, width: int, height: int) -> Image.Image:
    """At most width x height pixels around the middle, a little above it, where faces and horizons are."""
    width, height = min(width, image.width), min(height, image.height)
    left, top = (image.width - width) // 2, (image.height - height) * 2 // 5
    return image.crop((left, top, left + width, top + height))


def write_rows(path: Path, fields: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([fields, *rows])


def choices(folder: Path) -> dict[str, list[Choice]]:
    """Every judge's answers by the name of their file; sheets without an answer are left out.

    Raises `FileNotFoundError` without a key or an answer, `BadOption` for an answer that is none."""
    with key_file(folder).open(newline="", encoding="utf-8") as file:
        key = {row["sheet"]: row for row in csv.DictReader(file)}
    found: dict[str, list[Choice]] = {}
    for path in sorted(folder.glob("answers*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                number, answer = row["sheet"].strip().lstrip("0"), (row["choice"] or "").strip().upper()
                if not answer:
                    continue
                if number not in key or answer not in CHOICES:
                    raise BadOption(f"{path.name}: {row['sheet']},{answer} is no sheet with A, B or = behind it.")
                pair = key[number]
                for_new = CHOICES[answer] if pair["new"] == "A" else 1 - CHOICES[answer]
                found.setdefault(path.stem, []).append(Choice(pair["photo"], pair["painting"], for_new))
    if not found:
        raise FileNotFoundError(f"There are no answers in {folder} yet.")
    return found


def preferred(answers: Sequence[Choice], generator: np.random.Generator) -> Interval:
    """How often the new one was preferred, ties by half, with the interval of photos and paintings drawn anew."""
    photos, paintings = (sorted({getattr(one, side) for one in answers}) for side in ("photo", "painting"))
    return bootstrap_interval(
        torch.tensor([one.for_new for one in answers]),
        torch.tensor([photos.index(one.photo) for one in answers]),
        torch.tensor([paintings.index(one.painting) for one in answers]),
        generator,
    )


def count(folder: Path) -> str:
    """Who preferred the new network how often, all together, and by photo and painting; Markdown."""
    by_judge = choices(folder)
    together = [one for answers in by_judge.values() for one in answers]
    lines = ["| answers of | sheets | ties | new one preferred [95 % interval] |", "|---|---|---|---|"]
    for name, answers in [*by_judge.items(), ("all", together)]:
        ties = sum(one.for_new == CHOICES["="] for one in answers)
        lines.append(f"| {name} | {len(answers)} | {ties} | {preferred(answers, np.random.default_rng(0))} |")
    for side in ("photo", "painting"):
        lines += ["", f"| {side} | answers | new one preferred |", "|---|---|---|"]
        for name in sorted({getattr(one, side) for one in together}):
            of_it = [one.for_new for one in together if getattr(one, side) == name]
            lines.append(f"| {name} | {len(of_it)} | {np.mean(of_it):.3f} |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = Parser(prog="python -m engine.stylize.judging.blind", description="Compare two networks blindly.")
    commands = parser.add_subparsers(dest="command", required=True)
    sheets = commands.add_parser("sheets", help="write the sheets and their key")
    sheets.add_argument("--photos", type=Path, nargs="+", required=True, metavar="PATH", help="files or folders")
    sheets.add_argument("--paintings", type=Path, nargs="+", required=True, metavar="PATH", help="files or folders")
    sheets.add_argument("--new", type=Path, required=True, metavar="WEIGHTS", help="a weights file or a checkpoint")
    sheets.add_argument("--old", type=Path, required=True, metavar="WEIGHTS", help="a weights file or a checkpoint")
    sheets.add_argument("--out", type=Path, required=True, metavar="DIR")
    sheets.add_argument("--count-photos", type=int, default=12, help="of the folders")
    sheets.add_argument("--count-paintings", type=int, default=8, help="of the folders")
    sheets.add_argument("--seed", type=int, help="of the coin; without it a fresh one, noted in the key")
    counting = commands.add_parser("count", help="count the answers")
    counting.add_argument("folder", type=Path, metavar="DIR")
    args = parser.parse_args(argv)
    try:
        if args.command == "count":
            sys.stdout.write(f"{count(args.folder)}\n")
            return 0
        write_sheets(
            args.out,
            held_out_files(args.photos, args.count_photos),
            held_out_files(args.paintings, args.count_paintings),
            painter_of(args.new),
            painter_of(args.old),
            secrets.randbelow(2**31) if args.seed is None else args.seed,
        )
    except (BadOption, FileNotFoundError) as error:
        parser.error(str(error))
    sys.stdout.write(f"{args.out}: the key is {key_file(args.out)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
