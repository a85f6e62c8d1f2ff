"""The style book: named styles as codes of the network at several sizes, and the codes of members' own style pictures.

    python -m engine.stylize.book --paintings DIR [--checkpoint FILE]

computes all codes anew (with `--checkpoint`, after exporting that checkpoint's averaged weights).
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, load_file, save, save_file
from torch import Tensor
from tqdm import tqdm

from engine.command_line import Parser
from engine.errors import BadOption, BadPicture, StaleStyle
from engine.settings import StylizeSettings
from engine.stylize.painter import Painter
from engine.stylize.pictures.picture import picture_of
from engine.stylize.pictures.reading import Bounds, read_picture
from engine.stylize.style_codes import CODE_SIZES_PX
from engine.stylize.weights_file import (
    BOOK_FILE,
    NETWORK_FILE,
    load_network,
    network_of_checkpoint,
    save_network,
    weights_version,
)

SOURCES_FILE = Path(__file__).parent / "style_book.toml"
LONGEST_CODE_BYTES = 64 * 1024
LARGEST_NUMBER = 100.0
"""Of a code: those of the book go up to 2.2. What is not a number isn't smaller, either."""
PERIODS = ((1800, "before 1800"), (1880, "1800 to 1879"), (1900, "1880 to 1899"), (1910, "1900 to 1909"))
"""The years before which they end, and what they are called; what is later is `LATEST_PERIOD`."""
LATEST_PERIOD = "1910 and later"
STYLE_SIDE_PX = 1536
"""Longer side at which style pictures are read: enough for their largest code, and no more to hold."""


@dataclass(frozen=True)
class Style:
    """One named style. `name` is what a member types."""

    name: str
    title: str
    artist: str
    year: str
    """One year, perhaps with "c. " before it."""

    @property
    def period(self) -> str:
        """What the book groups its styles by."""
        year = int(self.year.removeprefix("c. "))
        return next((name for before, name in PERIODS if year < before), LATEST_PERIOD)


@dataclass(frozen=True)
class StyleBook:
    """All named styles, in the book's order, with their codes (len(CODE_SIZES_PX), code)."""

    styles: tuple[Style, ...]
    codes: dict[str, Tensor]
    version: str
    """Of the weights that the codes belong to."""

    @property
    def code_length(self) -> int:
        return next(iter(self.codes.values())).shape[1]

    @property
    def names(self) -> list[str]:
        return [style.name for style in self.styles]


def load_book(path: Path = BOOK_FILE) -> StyleBook:
    """The committed style book. Raises `FileNotFoundError`."""
    if not path.exists():
        raise FileNotFoundError(f"There is no style book at {path}; build it with `python -m engine.stylize.book`.")
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    styles = tuple(Style(**style) for style in json.loads(header["styles"]))
    return StyleBook(styles, load_file(path), header["weights"])


def pack_codes(codes: Tensor, version: str) -> bytes:
    """Codes (len(CODE_SIZES_PX), code) as safetensors, stamped with the weights that they belong to."""
    return save({"code": codes.detach().float().cpu().contiguous()}, metadata={"weights": version})


def unpack_codes(data: bytes, length: int, version: str) -> Tensor:
    """The codes (len(CODE_SIZES_PX), length) of `pack_codes`.

    Raises `BadOption` if they are none, `StaleStyle` if they are of other weights."""
    if len(data) > LONGEST_CODE_BYTES:
        raise BadOption("That saved style is damaged; please add its picture again.")
    try:
        codes = load(data)["code"]
        header_bytes = int.from_bytes(data[:8], "little")
        stamp = json.loads(data[8 : 8 + header_bytes]).get("__metadata__", {}).get("weights")
    except (SafetensorError, KeyError, ValueError) as error:
        raise BadOption("That saved style is damaged; please add its picture again.") from error
    if stamp != version:
        raise StaleStyle("That style was saved with another version of the network; please add its picture again.")
    right = codes.shape == (len(CODE_SIZES_PX), length) and codes.dtype == torch.float32
    if not right or not bool((codes.abs() < LARGEST_NUMBER).all()):
        raise BadOption("That saved style is damaged; please add its picture again.")
    return codes


def build_book(paintings: Path, painter: Painter, version: str, sources: Path = SOURCES_FILE) -> StyleBook:
    """Compute every code from its painting below `paintings`. Raises `FileNotFoundError` for a missing one."""
    entries = tomllib.loads(sources.read_text())["style"]
    bounds = StylizeSettings()
    styles, codes = [], {}
    for entry in tqdm(entries, desc="style book", unit="style"):
        data = (paintings / entry["file"]).read_bytes()
        reading = read_picture(data, asdict(Bounds(bounds.max_upload_bytes, bounds.max_pixels, STYLE_SIDE_PX)))
        picture = picture_of(reading)
        codes[entry["name"]] = painter.encode_style_at_all_sizes(picture.frames[0].rgb)
        styles.append(Style(entry["name"], entry["title"], entry["artist"], entry["year"]))
    return StyleBook(tuple(styles), codes, version)


def save_book(book: StyleBook, path: Path = BOOK_FILE) -> None:
    """Write the codes (float32) with names, titles, artists, years and the weights' version in the header."""
    styles = json.dumps([asdict(style) for style in book.styles], ensure_ascii=False)
    codes = {name: code.contiguous() for name, code in book.codes.items()}
    save_file(codes, path, metadata={"styles": styles, "weights": book.version})


def main(argv: list[str] | None = None) -> int:
    parser = Parser(prog="python -m engine.stylize.book", description="Build the style book.")
    parser.add_argument("--paintings", type=Path, required=True, metavar="DIR")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="export this training checkpoint first")
    args = parser.parse_args(argv)
    try:
        export(args.paintings, args.checkpoint)
    except (BadOption, BadPicture, FileNotFoundError) as error:
        parser.error(str(error))
    return 0


def export(paintings: Path, checkpoint: Path | None, weights: Path = NETWORK_FILE, book: Path = BOOK_FILE) -> None:
    """Write the book of the weights, and before it, with a checkpoint, the weights: both or, if anything is missing,
    neither, since a book of other weights can't be opened. Raises `BadOption`, `BadPicture`, `FileNotFoundError`."""
    new_weights = weights
    if checkpoint:
        network, step, trained_s = network_of_checkpoint(checkpoint)
        new_weights = weights.with_suffix(".new")
        save_network(network, new_weights, notes={"step": str(step), "trained_s": f"{trained_s:.0f}"})
    try:
        painter = Painter(load_network(new_weights), torch.device("cpu"), StylizeSettings().tile_px)
        new_book = book.with_suffix(".new")
        save_book(build_book(paintings, painter, weights_version(new_weights)), new_book)
        new_book.replace(book)
        new_weights.replace(weights)
    finally:
        if checkpoint:
            new_weights.unlink(missing_ok=True)


if __name__ == "__main__":
    raise SystemExit(main())
