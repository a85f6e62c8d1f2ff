"""The contact sheet: one picture in many styles, each cell labelled with the style's name.

Discord shows a picture about 550 px wide until somebody opens it, so a page holds few enough cells for its labels to be
read at that size; more styles make more pages.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from engine.contract import engine_pb2 as pb
from engine.errors import PictureTooLarge
from engine.progress import Progress
from engine.stylize.finishing.palette import PALETTE_NUMBERS, in_palette
from engine.stylize.painter import ALIGNMENT_PX, Painter
from engine.stylize.pictures.picture import Picture, to_image
from engine.stylize.pictures.writing import JPEG_QUALITIES, jpeg
from engine.stylize.style_codes import code_at

COLUMNS = 6
CELLS_A_PAGE = 24
CELL_PX = 220
"""Width of a cell."""
PAINTED_PX = 336
"""Width at which a cell is painted: brush strokes have the size of the training crops, and are then made smaller."""
GAP_PX = 6
LABEL_PX = 34
LARGEST_FONT_PX, SMALLEST_FONT_PX = 24, 17
STYLES_A_PASS = 6
"""Cells that are painted at once: few and large kernels spare a busy machine's threads the waiting for each other, and
on a laptop such a pass still takes less than half a second."""
NARROWEST, WIDEST = 1.0, 1.6
"""Aspect of a cell, width by height; pictures beyond it are cut in the middle."""
ITSELF = "the picture itself"
MOST_CELLS_KEPT = 512
"""Painted cells that stay in memory, about 100 kB each: a dozen pictures in the whole style book."""


@dataclass(frozen=True)
class NamedCode:
    """A style to paint: its name, and its codes (len(CODE_SIZES_PX), code)."""

    name: str
    codes: Tensor
    period: str = ""
    """Of the style book; its styles stand in the order of their periods."""


@dataclass(frozen=True)
class SheetWork:
    """A picture, and the styles of the book and of its member that it is to be shown in."""

    picture: Picture
    digest: str
    """Of the file that the picture came as; equal digests have equal cells."""
    book: list[NamedCode]
    saved: list[NamedCode]
    max_bytes: int


@dataclass(frozen=True)
class PaintedSheet:
    """One cell a style, in order, of which `painted` had to be painted."""

    work: SheetWork
    cells: list[Image.Image]
    painted: int
    compute_s: float

    def pages(self) -> list[pb.StyleSheetResult.Page]:
        """The book's pages, a period each, beginning with the picture itself, then those of the saved styles.

        Raises `PictureTooLarge` where even poor pages are over the limit."""
        styles = [*((style, False) for style in self.work.book), *((style, True) for style in self.work.saved)]
        labelled = list(zip(self.cells, styles, strict=True))
        sheets: list[Image.Image] = []
        pages: list[pb.StyleSheetResult.Page] = []
        for (period, is_saved), group in itertools.groupby(labelled, key=lambda one: (one[1][0].period, one[1][1])):
            shown = [(cell, style.name) for cell, (style, _) in group]
            if not pages and not is_saved:
                shown.insert(0, (picture_itself(self.work.picture.frames[0].rgb), ITSELF))
            for numbers in split(len(shown)):
                part = shown[numbers.start : numbers.stop]
                sheets.append(page([cell for cell, _ in part], [label for _, label in part]))
                names = [label for _, label in part if label != ITSELF]
                pages.append(pb.StyleSheetResult.Page(names=names, saved=is_saved, period=period))
        for message, data in zip(pages, encode_pages(sheets, self.work.max_bytes), strict=True):
            message.sheet = data
        return pages


class ContactSheet:
    """Paints cells and keeps them by (weights' version, picture, code): styles are added one by one, and a sheet asked
    for again costs nothing."""

    def __init__(self, painter: Painter, version: str, most_cells: int = MOST_CELLS_KEPT) -> None:
        self._painter, self._version, self._most_cells = painter, version, most_cells
        self._kept: OrderedDict[tuple[str, str, bytes], Image.Image] = OrderedDict()

    def cells(
        self, picture: Tensor, picture_digest: str, styles: Sequence[NamedCode], progress: Progress
    ) -> tuple[list[Image.Image], int]:
        """One cell per style of picture (1, 3, H, W), and how many of them had to be painted.

        Raises `Cancelled` between two passes, through `progress`; those that were painted by then are kept."""
        keys = [(self._version, picture_digest, style.codes.cpu().numpy().tobytes()) for style in styles]
        found = {key: self._kept[key] for key in keys if key in self._kept}
        missing = {key: style for key, style in zip(keys, styles, strict=True) if key not in found}
        if missing:
            self._paint(picture, missing, found, progress)
        for key in keys:
            self._kept[key] = found[key]
            self._kept.move_to_end(key)
        while len(self._kept) > self._most_cells:
            self._kept.popitem(last=False)
        return [found[key] for key in keys], len(missing)

    @torch.inference_mode()
    def _paint(
        self,
        picture: Tensor,
        missing: dict[tuple[str, str, bytes], NamedCode],
        found: dict[tuple[str, str, bytes], Image.Image],
        progress: Progress,
    ) -> None:
        """Fill `found`. The picture is looked at once; only the painting is done for every style."""
        network, device = self._painter.network, self._painter.device
        content = cell_content(picture).to(device).contiguous(memory_format=torch.channels_last)
        size = cell_size(picture)
        features = network.encode_content(content)
        statistics = network.statistics(features)
        side_px = min(content.shape[-2:])
        keys = list(missing)
        for start in range(0, len(keys), STYLES_A_PASS):
            now = keys[start : start + STYLES_A_PASS]
            progress(f"styles {start + 1} to {start + len(now)} of {len(keys)}", 0.05 + 0.9 * start / len(keys))
            codes = torch.cat([code_at(missing[key].codes, side_px) for key in now])
            with self._painter.fast():
                painted = network.paint(features, statistics, codes[:, :-PALETTE_NUMBERS].to(device)).float().cpu()
            painted = in_palette(painted, codes[:, -PALETTE_NUMBERS:])
            for key, cell in zip(now, painted.split(1), strict=True):
                found[key] = self._kept[key] = to_image(cell).resize(size, Image.Resampling.LANCZOS)


def cell_size(picture: Tensor) -> tuple[int, int]:
    """Width and height in px of the cells for picture (1, 3, H, W)."""
    aspect = min(WIDEST, max(NARROWEST, picture.shape[-1] / picture.shape[-2]))
    return CELL_PX, round(CELL_PX / aspect)


def cell_content(picture: Tensor) -> Tensor:
    """The middle of picture (1, 3, H, W), cut to the cells' aspect, at the size at which they are painted."""
    height, width = picture.shape[-2:]
    aspect = min(WIDEST, max(NARROWEST, width / height))
    cut_height, cut_width = max(1, min(height, round(width / aspect))), max(1, min(width, round(height * aspect)))
    top, left = (height - cut_height) // 2, (width - cut_width) // 2
    cut = picture[:, :, top : top + cut_height, left : left + cut_width]
    painted_height = round(PAINTED_PX / aspect / ALIGNMENT_PX) * ALIGNMENT_PX
    return F.interpolate(cut, size=(painted_height, PAINTED_PX), mode="bicubic", antialias=True).clamp(0, 1)


def picture_itself(picture: Tensor) -> Image.Image:
    """The unpainted cell that the first page begins with."""
    return to_image(cell_content(picture)).resize(cell_size(picture), Image.Resampling.LANCZOS)


def page(cells: Sequence[Image.Image], labels: Sequence[str]) -> Image.Image:
    """At least one and at most CELLS_A_PAGE cells of one size, each above its label."""
    columns = min(COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    width, height = cells[0].size
    step_x, step_y = width + GAP_PX, height + LABEL_PX + GAP_PX
    sheet = Image.new("RGB", (GAP_PX + columns * step_x, GAP_PX + rows * step_y), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (cell, label) in enumerate(zip(cells, labels, strict=True)):
        x, y = GAP_PX + number % columns * step_x, GAP_PX + number // columns * step_y
        sheet.paste(cell, (x, y))
        text, font = fitted_label(label, width)
        draw.text((x + width / 2, y + height + LABEL_PX / 2), text, "black", font, anchor="mm")
    return sheet


def fitted_label(label: str, width_px: int) -> tuple[str, ImageFont.FreeTypeFont | ImageFont.ImageFont]:
    """The label in the largest font in which it fits; one too long even for the smallest loses its end."""
    for size_px in range(LARGEST_FONT_PX, SMALLEST_FONT_PX - 1, -1):
        font = ImageFont.load_default(size_px)
        if font.getlength(label) <= width_px:
            return label, font
    while len(label) > 1 and font.getlength(label + "…") > width_px:
        label = label[:-1]
    return label + "…", font


def split(count: int) -> list[range]:
    """`count` cells on as few pages as they need, about equally many on each."""
    if not count:
        return []
    pages = -(-count // CELLS_A_PAGE)
    starts = [count * number // pages for number in range(pages + 1)]
    return [range(start, end) for start, end in itertools.pairwise(starts)]


def encode_pages(pages: Sequence[Image.Image], max_bytes: int) -> list[bytes]:
    """JPEGs of together at most `max_bytes` (0: any number). Raises `PictureTooLarge` when none are small enough."""
    for quality in JPEG_QUALITIES:
        encoded = [jpeg(each, quality) for each in pages]
        if not max_bytes or sum(map(len, encoded)) <= max_bytes:
            return encoded
    raise PictureTooLarge(f"Even the smallest version of the contact sheet is over {max_bytes / 1e6:.1f} MB.")
