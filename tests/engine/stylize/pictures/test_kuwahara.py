"""A bold brush leaves no detail smaller than itself, blurs no edge, and takes part as far as a painting is strong."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.contract import engine_pb2 as pb
from engine.errors import Cancelled
from engine.progress import silent
from engine.stylize.pictures import kuwahara as module
from engine.stylize.pictures.kuwahara import in_bold_strokes, kuwahara
from engine.stylize.studio import Studio
from engine.stylize.together import shape_to_share
from tests.engine.stylize.pictures.uploads import film, photo

CPU = torch.device("cpu")


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


def test_strips_of_rows_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kuwahara(noise(70, 40), 5)
    monkeypatch.setattr(module, "STRIP_PX", 16)
    torch.testing.assert_close(kuwahara(noise(70, 40), 5), whole)
    two = torch.cat([noise(70, 40), edge(70, 40)])
    torch.testing.assert_close(kuwahara(two, 5)[:1], whole)


def test_the_brush_is_as_broad_against_every_picture_and_nothing_is_lost_in_large_ones() -> None:
    small = noise(150, 400)
    assert in_bold_strokes(small, CPU) is small
    # Stripes half a brush wide: gone at either size. Six brushes wide: there at either size.
    for side_px in (512, 1152):
        brush_px = side_px // 64
        assert in_bold_strokes(stripes(side_px, brush_px // 4), CPU).std() < 0.1
        assert in_bold_strokes(stripes(side_px, 6 * brush_px), CPU).std() > 0.27
    assert in_bold_strokes(noise(1025, 1100), CPU).shape == (1, 3, 1025, 1100)


def stripes(side_px: int, width_px: int) -> Tensor:
    """Of .2 and .8: a deviation of .3."""
    columns = torch.arange(side_px) // width_px % 2 * 0.6 + 0.2
    return columns.expand(1, 3, side_px, -1).clone()


def test_a_bold_painting_differs_and_at_no_strength_is_the_photo_itself(studio: Studio) -> None:
    image = photo(320, 240)

    def painted(strength: float, brush: int) -> Tensor:
        asked = pb.StylizeRequest(image=image, strength=strength, style="irises", brush=brush)
        return studio.restyle(asked, silent).frames[0].rgb

    itself, bold = painted(0.0, pb.BRUSH_BOLD), painted(1.0, pb.BRUSH_BOLD)
    assert torch.equal(itself, painted(0.0, pb.BRUSH_MEDIUM))
    assert float((bold - painted(1.0, pb.BRUSH_MEDIUM)).abs().mean()) > 1 / 255
    away = [float((painted(strength, pb.BRUSH_BOLD) - itself).abs().mean()) for strength in (0.02, 0.5, 1.0)]
    assert away == sorted(away)
    assert away[0] < 0.1 * away[-1], "a little strength changes little"


def test_a_bold_picture_is_painted_alone_rises_from_its_photo_and_films_are_painted_as_ever(studio: Studio) -> None:
    def work(**fields: object) -> object:
        asked = pb.StylizeRequest(**{"image": photo(320, 240), "strength": 1.0, "style": "irises", **fields})
        return studio.prepare(asked, studio.read(studio.uploads(asked)))

    assert shape_to_share(work(brush=pb.BRUSH_FINE)) == (240, 320)
    assert shape_to_share(work(brush=pb.BRUSH_BOLD)) is None
    rising = studio.paint(work(brush=pb.BRUSH_BOLD, rising=True), silent).frames
    still = studio.paint(work(brush=pb.BRUSH_BOLD), silent).frames
    plain = studio.paint(work(strength=0.0), silent).frames
    assert torch.equal(rising[0].rgb, plain[0].rgb)
    torch.testing.assert_close(rising[len(rising) - 1].rgb, still[0].rgb)
    assert len(studio.paint(work(image=film([0, 100, 200]), brush=pb.BRUSH_BOLD), silent).frames) == 3


def test_it_ends_when_nobody_wants_it_any_more() -> None:
    def gone(stage: str, fraction: float) -> None:
        raise Cancelled("gone")

    with pytest.raises(Cancelled):
        in_bold_strokes(noise(300, 300), CPU, gone)
