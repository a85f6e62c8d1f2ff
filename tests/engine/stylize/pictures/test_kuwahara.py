"""A bold brush leaves out fine detail, keeps edges, and takes part as far as a painting is strong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from engine.contract import engine_pb2 as pb
from engine.errors import Cancelled
from engine.progress import Progress, silent
from engine.stylize import painting
from engine.stylize.painting import Prepared
from engine.stylize.pictures import kuwahara as module
from engine.stylize.pictures.kuwahara import in_bold_strokes, kuwahara
from engine.stylize.studio import Studio
from engine.stylize.together import shape_to_share
from tests.engine.stylize.pictures.uploads import encoded, film

CPU = torch.device("cpu")
GRAIN = 0.1


def noise(*size: int) -> Tensor:
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(3))


def edge(height: int, width: int) -> Tensor:
    """Dark on the left, light from the middle on."""
    picture = torch.full((1, 3, height, width), 0.2)
    picture[..., width // 2 :] = 0.8
    return picture


def test_even_colour_stays_and_an_edge_stays_where_and_as_sharp_as_it_is() -> None:
    assert torch.allclose(kuwahara(torch.full((2, 3, 40, 50), 0.4), 6), torch.tensor(0.4), atol=1e-5)
    step = kuwahara(edge(40, 60), 6)
    assert float((step - edge(40, 60)).abs().max()) < 0.01
    assert float((kuwahara(edge(60, 40).mT, 4) - edge(60, 40).mT).abs().max()) < 0.01


def test_what_is_smaller_than_the_brush_goes_and_what_is_larger_stays() -> None:
    grain = kuwahara(0.5 + 0.1 * (noise(96, 96) - 0.5), 6)
    assert float(grain.std()) < 0.4 * float((0.1 * noise(96, 96)).std())
    field = edge(96, 96) + 0.05 * (noise(96, 96) - 0.5)
    left = kuwahara(field, 6)
    assert float(left[..., 48:].mean() - left[..., :48].mean()) == pytest.approx(0.6, abs=0.02)
    assert float((left[..., 50] - left[..., 45]).mean()) > 0.55, "the edge isn't blurred"


def test_strips_of_rows_are_the_whole_and_pictures_of_a_batch_are_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kuwahara(noise(70, 40), 5)
    torch.testing.assert_close(kuwahara(noise(70, 40).double(), 5).float(), whole, atol=1e-4, rtol=0)
    monkeypatch.setattr(module, "STRIP_PX", 17 * 40)
    torch.testing.assert_close(kuwahara(noise(70, 40), 5), whole)
    two = torch.cat([noise(70, 40), edge(70, 40)])
    torch.testing.assert_close(kuwahara(two, 5)[:1], whole)


@pytest.mark.parametrize("side_px", [512, 1152])
def test_the_brush_is_as_broad_against_a_large_picture(side_px: int) -> None:
    brush_px = side_px // 64
    fine = in_bold_strokes(field_and_stripes(side_px, brush_px // 4), CPU)[:, :, side_px // 2 + brush_px :]
    assert float(fine.std()) < 0.3 * 0.1
    broad = field_and_stripes(side_px, 6 * brush_px)
    assert float((in_bold_strokes(broad, CPU) - broad).abs().mean()) < 0.02, "what is broad stays, and where it is"


def field_and_stripes(side_px: int, width_px: int) -> Tensor:
    """Black beside white above, and below stripes of .4 and .6: a deviation of .1."""
    picture = edge(side_px, side_px).sub(0.2).div(0.6)
    picture[:, :, side_px // 2 :] = torch.arange(side_px) // width_px % 2 * 0.2 + 0.4
    return picture


def test_a_drawing_in_thin_lines_does_not_become_an_empty_sheet() -> None:
    drawing = torch.ones(1, 3, 512, 512)
    drawing[..., ::32, :], drawing[..., 64:66] = 0, 0
    assert torch.equal(in_bold_strokes(drawing, CPU), drawing)
    shaded = edge(512, 512)
    shaded[..., ::32, :] = 0
    assert float(in_bold_strokes(shaded, CPU)[..., ::32, :].mean()) > 0.3, "in a picture of more than lines they go"


def test_small_and_very_long_pictures_come_back_as_large_as_they_were() -> None:
    small = noise(191, 400)
    assert in_bold_strokes(small, CPU) is small
    for size in ((192, 200), (192, 1900), (1900, 192), (1025, 1100)):
        assert in_bold_strokes(noise(*size), CPU).shape == (1, 3, *size)


def grainy() -> bytes:
    """Soft patches under a grain of `GRAIN`, 256 x 200 px."""
    rng = np.random.default_rng(1)
    coarse = Image.fromarray(rng.integers(60, 196, (5, 6, 3), dtype=np.uint8)).resize((256, 200))
    grain = rng.uniform(-0.5, 0.5, (200, 256, 1)) * GRAIN * 255
    return encoded(Image.fromarray((np.asarray(coarse) + grain).clip(0, 255).astype(np.uint8)))


@pytest.fixture
def bold(studio: Studio) -> Callable[..., Prepared]:
    def prepared(strength: float = 1.0, **fields: object) -> Prepared:
        asked = {"image": grainy(), "style": "irises", "brush": pb.BRUSH_BOLD, **fields}
        request = pb.StylizeRequest(strength=strength, **asked)
        return studio.prepare(request, studio.read(studio.uploads(request)))

    return prepared


def first(studio: Studio, work: Prepared, progress: Progress = silent) -> Tensor:
    return studio.paint(work, progress).frames[0].rgb


def away(a: Tensor, b: Tensor) -> float:
    """Mean distance, levels of 255."""
    return float((a - b).abs().mean()) * 255


def test_a_bold_painting_is_of_what_the_brush_left_and_the_rest_comes_back_as_it_gets_weaker(
    studio: Studio, bold: Callable[..., Prepared], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = bold().picture.frames[0].rgb
    full = first(studio, bold())
    assert torch.equal(first(studio, bold(0.0)), photo)
    weak, half = first(studio, bold(0.02)), first(studio, bold(0.5))
    assert away(weak, photo) < 1.0 < away(half, photo) < away(full, photo), "the grain is there again"
    monkeypatch.setattr(painting, "in_bold_strokes", lambda photo, device, progress: photo)
    assert away(full, first(studio, bold())) > 3.0, "the filter takes part"


def test_no_colour_of_what_was_left_out_comes_back(studio: Studio, bold: Callable[..., Prepared]) -> None:
    rng = np.random.default_rng(2)
    dots = np.full((256, 256, 3), 40, dtype=np.uint8)
    dots[:, 128:] = 180  # of dots alone the brush would leave everything
    dots[rng.integers(0, 256, 300), rng.integers(0, 256, 300)] = (250, 60, 60)
    image = encoded(Image.fromarray(dots))
    for work in (bold(image=image, keep_colors=True), bold(image=image, keep_colors=True, rising=True)):
        painted = studio.paint(work, silent).frames
        shown = painted[len(painted) - 1].rgb
        assert float((shown[:, 0] - shown[:, 1]).abs().max()) < 0.35, "of a red of .75"


def test_a_bold_picture_is_painted_alone_and_rises_from_its_photo(
    studio: Studio, bold: Callable[..., Prepared]
) -> None:
    assert shape_to_share(bold(brush=pb.BRUSH_FINE)) == (200, 256)
    assert shape_to_share(bold()) is None
    rising, still = studio.paint(bold(rising=True), silent).frames, first(studio, bold())
    assert torch.equal(rising[0].rgb, bold().picture.frames[0].rgb)
    torch.testing.assert_close(rising[len(rising) - 1].rgb, still)


def test_films_are_painted_without_the_filter(
    studio: Studio, bold: Callable[..., Prepared], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(painting, "in_bold_strokes", None)
    assert len(studio.paint(bold(image=film([0, 100, 200])), silent).frames) == 3


def test_progress_rises_and_it_ends_when_nobody_wants_it_any_more(
    studio: Studio, bold: Callable[..., Prepared]
) -> None:
    fractions: list[float] = []
    first(studio, bold(), lambda stage, fraction: fractions.append(fraction))
    assert fractions == sorted(fractions)

    def gone(stage: str, fraction: float) -> None:
        raise Cancelled("gone")

    with pytest.raises(Cancelled):
        in_bold_strokes(noise(300, 300), CPU, gone)
