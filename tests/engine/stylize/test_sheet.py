"""The contact sheet: every style once, labelled, fast the second time; and saved styles that outlive their weights."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from engine.contract import engine_pb2 as pb
from engine.errors import BadOption, BadPicture, Cancelled, PictureTooLarge, StaleStyle
from engine.progress import silent
from engine.settings import StylizeSettings
from engine.stylize import sheet as sheet_module
from engine.stylize.book import LATEST_PERIOD, PERIODS, load_book, pack_codes, unpack_codes
from engine.stylize.pictures.picture import still
from engine.stylize.pictures.sample_photo import sample_photo
from engine.stylize.sheet import (
    CELL_PX,
    CELLS_A_PAGE,
    ITSELF,
    ContactSheet,
    NamedCode,
    PaintedSheet,
    SheetWork,
    cell_content,
    cell_size,
    fitted_label,
    page,
    split,
)
from engine.stylize.studio import Studio
from tests.engine.stylize.saved_styles import saved_style


@pytest.fixture(scope="module")
def studio() -> Studio:
    """A real network, and a book cut down to its first five styles: what holds for five holds for all."""
    torch.set_num_threads(1)
    opened = Studio(torch.device("cpu"), StylizeSettings())
    opened.book = type(opened.book)(opened.book.styles[:5], opened.book.codes, opened.book.version)
    return opened


@pytest.fixture(autouse=True)
def nothing_kept(studio: Studio) -> None:
    studio.contact_sheet = ContactSheet(studio.painter, studio.version)


def picture(width: int = 120, height: int = 80, seed: int = 0) -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()


def saved(studio: Studio, name: str = "mosaic", seed: int = 9) -> pb.StyleSheetRequest.SavedStyle:
    return pb.StyleSheetRequest.SavedStyle(name=name, code=saved_style(studio, picture(seed=seed)).code)


def test_every_style_of_the_book_and_every_saved_one_is_on_it_once(studio: Studio) -> None:
    result = studio.sheet(pb.StyleSheetRequest(saved=[saved(studio), saved(studio, "fresco", 4)]), silent)
    assert [name for shown in result.pages if not shown.saved for name in shown.names] == studio.book.names
    assert [name for shown in result.pages if shown.saved for name in shown.names] == ["mosaic", "fresco"]
    assert result.model_version == studio.version
    assert result.painted == 7
    sizes = [Image.open(io.BytesIO(shown.sheet)).size for shown in result.pages]
    assert sizes[0][0] > 5 * CELL_PX
    assert all(Image.open(io.BytesIO(shown.sheet)).format == "JPEG" for shown in result.pages)


def test_the_book_is_shown_period_by_period_a_page_each() -> None:
    book, cell = load_book(), Image.new("RGB", (CELL_PX, CELL_PX))
    styles = [NamedCode(style.name, book.codes[style.name], style.period) for style in book.styles]
    own = [NamedCode(f"own-{number}", styles[0].codes) for number in range(CELLS_A_PAGE + 1)]
    work = SheetWork(still(sample_photo()), "", styles, own, max_bytes=0)
    pages = PaintedSheet(work, [cell] * (len(styles) + len(own)), 0, 0.0).pages()
    assert [shown.period for shown in pages] == [*(name for _, name in PERIODS), LATEST_PERIOD, "", ""]
    assert [shown.saved for shown in pages] == [False] * 5 + [True] * 2
    assert [name for shown in pages for name in shown.names] == [*book.names, *(style.name for style in own)]
    periods = {style.name: style.period for style in book.styles}
    assert all(periods[name] == shown.period for shown in pages[:5] for name in shown.names)
    rows = [-(-(len(shown.names) + (number == 0)) // sheet_module.COLUMNS) for number, shown in enumerate(pages)]
    heights = [Image.open(io.BytesIO(shown.sheet)).height for shown in pages]
    assert [round(height / heights[0] * rows[0]) for height in heights] == rows, "the picture itself begins the first"


def test_the_cells_are_the_picture_itself_and_then_unlike_each_other(studio: Studio) -> None:
    result = studio.sheet(pb.StyleSheetRequest(), silent)
    image = np.asarray(Image.open(io.BytesIO(result.pages[0].sheet)).convert("RGB"), dtype=np.float32)
    width, height = cell_size(sample_photo())
    gap = sheet_module.GAP_PX
    cells = [image[gap : gap + height, gap + n * (width + gap) : gap + n * (width + gap) + width] for n in range(1 + 5)]
    itself = np.asarray(sheet_module.picture_itself(sample_photo()), dtype=np.float32)
    assert np.abs(cells[0] - itself).mean() < 4
    for number, cell in enumerate(cells[1:], 1):
        assert min(np.abs(cell - other).mean() for other in cells[:number]) > 5


def test_what_was_painted_is_not_painted_again_until_picture_or_code_changes(studio: Studio) -> None:
    assert studio.sheet(pb.StyleSheetRequest(), silent).painted == 5
    assert studio.sheet(pb.StyleSheetRequest(), silent).painted == 0
    assert studio.sheet(pb.StyleSheetRequest(saved=[saved(studio)]), silent).painted == 1
    assert studio.sheet(pb.StyleSheetRequest(saved=[saved(studio, "renamed")]), silent).painted == 0
    assert studio.sheet(pb.StyleSheetRequest(image=picture()), silent).painted == 5
    assert studio.sheet(pb.StyleSheetRequest(image=picture(seed=1)), silent).painted == 5
    other_weights = ContactSheet(studio.painter, "another version")
    other_weights._kept = studio.contact_sheet._kept
    code = NamedCode("scream", studio.book.codes["scream"])
    assert other_weights.cells(sample_photo(), "digest", [code], silent)[1] == 1


def test_cells_painted_together_are_those_painted_one_by_one(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    styles = [NamedCode(name, studio.book.codes[name]) for name in studio.book.names]
    together, _ = ContactSheet(studio.painter, studio.version).cells(sample_photo(), "digest", styles, silent)
    monkeypatch.setattr(sheet_module, "STYLES_A_PASS", 1)
    alone, _ = ContactSheet(studio.painter, studio.version).cells(sample_photo(), "digest", styles, silent)
    for one, other in zip(together, alone, strict=True):
        assert np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).mean() < 0.5


def test_only_so_many_cells_stay_in_memory(studio: Studio) -> None:
    kept = ContactSheet(studio.painter, studio.version, most_cells=3)
    styles = [NamedCode(name, studio.book.codes[name]) for name in studio.book.names]
    cells, painted = kept.cells(sample_photo(), "digest", styles, silent)
    assert (len(cells), painted, len(kept._kept)) == (5, 5, 3)
    assert kept.cells(sample_photo(), "digest", styles[-3:], silent)[1] == 0


def test_progress_rises_and_what_a_cancelled_sheet_has_painted_is_kept(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet_module, "STYLES_A_PASS", 2)
    steps: list[tuple[str, float]] = []

    def cancel_at_the_third(stage: str, fraction: float) -> None:
        steps.append((stage, fraction))
        if stage == "styles 3 to 4 of 5":
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        studio.sheet(pb.StyleSheetRequest(), cancel_at_the_third)
    assert [fraction for _, fraction in steps] == sorted(fraction for _, fraction in steps)
    assert studio.sheet(pb.StyleSheetRequest(), silent).painted == 3


@pytest.mark.parametrize("size", [(1, 1), (9, 300), (300, 9), (40, 900)], ids=str)
def test_any_picture_fits_a_cell(studio: Studio, size: tuple[int, int]) -> None:
    result = studio.sheet(pb.StyleSheetRequest(image=picture(*size)), silent)
    assert result.painted == 5
    decoded = torch.rand(1, 3, size[1], size[0])
    width, height = cell_size(decoded)
    assert 1 <= width / height <= 1.6 + 0.01
    assert all(side % 8 == 0 for side in cell_content(decoded).shape[-2:])


def test_what_is_no_picture_or_too_much_is_refused(studio: Studio) -> None:
    with pytest.raises(BadPicture):
        studio.sheet(pb.StyleSheetRequest(image=b"no picture"), silent)
    with pytest.raises(PictureTooLarge):
        studio.sheet(pb.StyleSheetRequest(max_bytes=100), silent)
    with pytest.raises(BadOption, match="has room for"):
        studio.sheet(pb.StyleSheetRequest(saved=[saved(studio)] * 201), silent)
    whole = sum(len(shown.sheet) for shown in studio.sheet(pb.StyleSheetRequest(), silent).pages)
    tight = studio.sheet(pb.StyleSheetRequest(max_bytes=whole - 1), silent)
    assert sum(len(shown.sheet) for shown in tight.pages) < whole


def test_pages_hold_what_can_be_read_and_share_it_evenly() -> None:
    assert split(0) == []
    for count in (1, CELLS_A_PAGE, CELLS_A_PAGE + 1, 42, 100):
        pages = split(count)
        assert [number for numbers in pages for number in numbers] == list(range(count))
        assert max(map(len, pages)) <= CELLS_A_PAGE
        assert max(map(len, pages)) - min(map(len, pages)) <= 1
    cell = Image.new("RGB", (CELL_PX, 147))
    full = page([cell] * CELLS_A_PAGE, [ITSELF] * CELLS_A_PAGE)
    shown_px = sheet_module.SMALLEST_FONT_PX * 550 / full.width
    assert shown_px >= 6.5, "the smallest label where Discord shows the page 550 px wide"


def test_a_label_fits_its_cell_however_long_it_is() -> None:
    for label in ("x", "the picture itself", "hunters-in-the-snow", "m" * 64):
        text, font = fitted_label(label, CELL_PX)
        assert font.getlength(text) <= CELL_PX
        assert text == label or text.endswith("…")


def test_the_sample_photo_is_there_whole_and_upright() -> None:
    """A face in the middle, stars on the left, an evenly blue wall on the right."""
    photo = sample_photo()
    assert photo.shape == (1, 3, 512, 512)
    wall, face = photo[0, :, 60:160, 430:500], photo[0, :, 160:290, 190:330]
    assert float(wall.mean((1, 2)).argmax()) == 2
    assert float(face.mean((1, 2)).argmax()) == 0
    assert float(wall.std((1, 2)).max()) < 0.1 < float(photo[0, :, 20:280, :130].std((1, 2)).max())


# ---------------------------------------------------------------- saved styles


def test_a_saved_style_paints_under_its_name_alone_and_blended(studio: Studio) -> None:
    code = saved_style(studio, picture(seed=9)).code
    request = pb.StylizeRequest(image=picture(), strength=1.0, style_code=code, style_name="mosaic")
    assert studio.stylize(request, silent).style == "mosaic"
    request = pb.StylizeRequest(
        image=picture(), strength=1.0, style="the-swing", blend_with_code=code, blend_with_name="mosaic", blend=0.5
    )
    result = studio.stylize(request, silent)
    assert (result.style, result.drawn_style) == ("the-swing + mosaic", "")
    drawn = studio.stylize(pb.StylizeRequest(image=picture(), blend_with="the-swing", seed=3), silent)
    assert drawn.drawn_style in studio.book.names
    assert drawn.style == f"{drawn.drawn_style} + the-swing"


def test_codes_of_other_weights_are_refused_as_stale_wherever_they_come(studio: Studio) -> None:
    stale = pack_codes(studio.book.codes["the-swing"], "0123abc")
    for request in (
        pb.StylizeRequest(image=picture(), style_code=stale),
        pb.StylizeRequest(image=picture(), style="the-swing", blend_with_code=stale),
    ):
        with pytest.raises(StaleStyle):
            studio.stylize(request, silent)
    with pytest.raises(StaleStyle):
        studio.sheet(pb.StyleSheetRequest(saved=[pb.StyleSheetRequest.SavedStyle(name="a", code=stale)]), silent)


@pytest.mark.parametrize("size", [(900, 600), (2400, 120), (40, 40)], ids=str)
def test_the_small_copy_of_a_style_picture_gives_nearly_the_same_code(studio: Studio, size: tuple[int, int]) -> None:
    first = saved_style(studio, picture(*size, seed=9))
    assert first.model_version == studio.version
    assert max(Image.open(io.BytesIO(first.picture)).size) <= 1024
    assert not Image.open(io.BytesIO(first.picture)).getexif()
    again = saved_style(studio, first.picture)
    one, two = (unpack_codes(each.code, studio.book.code_length, studio.version) for each in (first, again))
    apart = torch.pdist(torch.stack([codes.flatten() for codes in studio.book.codes.values()])).median()
    assert float((one - two).norm() / apart) < 0.15


@pytest.mark.parametrize("size", [(1, 1), (31, 400)], ids=str)
def test_a_style_is_not_kept_of_next_to_nothing(studio: Studio, size: tuple[int, int]) -> None:
    with pytest.raises(BadPicture, match=f"{size[0]} × {size[1]} pixels; to save a style"):
        saved_style(studio, picture(*size))
    with pytest.raises(BadPicture):
        saved_style(studio, b"no picture at all")
