"""A painting's large areas get the colours of the style's; what is fine in it stays as it was painted."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.stylize.finishing.palette import (
    CELL_PX,
    LEAST_GAIN,
    MOST_GAIN,
    PALETTE_NUMBERS,
    in_palette,
    linear_map,
    palette_of,
)
from engine.stylize.pictures.sample_photo import sample_photo


def areas(seed: int, spread: float = 0.08, height: int = 384, width: int = 512) -> Tensor:
    """A picture (1, 3, height, width) of soft areas of related colours around grey, with grain."""
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.randn(3, 3, generator=generator)
    coarse = torch.einsum("ij,bjhw->bihw", mixed, torch.randn(1, 3, height // 96, width // 96, generator=generator))
    soft = F.interpolate(coarse / coarse.std() * spread, size=(height, width), mode="bicubic")
    return (0.5 + soft + 0.02 * torch.randn(1, 3, height, width, generator=generator)).clamp(0, 1)


def distance(of: Tensor, to: Tensor) -> float:
    return float((palette_of(of) - to).norm() / to.norm())


def test_what_is_painted_in_a_palette_has_it() -> None:
    for seed in range(5):
        painted = areas(seed)
        mixed = torch.eye(3) + 0.07 * torch.randn(3, 3, generator=torch.Generator().manual_seed(seed)).clamp(-1, 1)
        style = 0.55 + torch.einsum("ij,bjhw->bihw", mixed, painted.roll((130, 210), (2, 3)) - 0.5)
        palette = palette_of(style)
        assert palette.shape == (1, PALETTE_NUMBERS)
        settled = in_palette(painted, palette)
        assert float((settled.mean((2, 3)) - style.mean((2, 3))).abs().max()) < 1 / 255
        assert distance(settled, palette) < 0.25 * distance(painted, palette)
        torch.testing.assert_close(in_palette(style, palette), style.clamp(0, 1), atol=1e-4, rtol=0)


def test_what_is_finer_than_a_cell_is_only_moved_along() -> None:
    painted = areas(1)
    change = in_palette(painted, palette_of(areas(7, spread=0.12))) - painted
    smooth = F.avg_pool2d(change, 9, 1, 4, count_include_pad=False)
    assert float(change.abs().mean()) > 3 / 255
    assert float((change - smooth).abs().mean()) < 0.1 / 255


def test_the_map_is_the_one_between_two_gaussians_within_its_limits() -> None:
    torch.manual_seed(0)
    root = torch.randn(20, 3, 3, dtype=torch.float64)
    of = root @ root.mT + 0.5 * torch.eye(3)
    near = torch.eye(3, dtype=torch.float64) + 0.05 * (root + root.mT) / 2
    within = torch.linalg.eigvalsh(near).clamp(0.82, 1.22) == torch.linalg.eigvalsh(near)
    near = near[within.all(1)]
    of = of[within.all(1)]
    assert len(near) > 5
    torch.testing.assert_close(linear_map(of, near @ of @ near), near)
    for scale, gain in ((25.0, MOST_GAIN), (0.01, LEAST_GAIN)):
        eye = torch.eye(3, dtype=torch.float64).expand_as(of)
        torch.testing.assert_close(linear_map(of, scale * of), gain * eye, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    "picture", [torch.full((1, 3, 90, 70), 0.5), torch.zeros(1, 3, 1, 1), torch.rand(1, 3, 5, 900)]
)
def test_pictures_without_areas_stay_finite_and_in_range(picture: Tensor) -> None:
    for style in (areas(3), torch.ones(1, 3, 40, 40), picture):
        settled = in_palette(picture, palette_of(style))
        assert settled.shape == picture.shape
        assert bool(torch.isfinite(settled).all())
        assert 0 <= float(settled.min()) <= float(settled.max()) <= 1


def test_several_pictures_get_each_its_own_palette() -> None:
    pictures, palettes = torch.cat([areas(1), areas(2)]), torch.cat([palette_of(areas(3)), palette_of(areas(4))])
    together = in_palette(pictures, palettes)
    for number in range(2):
        alone = in_palette(pictures[number : number + 1], palettes[number : number + 1])
        torch.testing.assert_close(together[number : number + 1], alone)
    torch.testing.assert_close(in_palette(pictures, palettes[:1])[:1], in_palette(pictures[:1], palettes[:1]))


def test_a_picture_of_twice_the_full_size_has_cells_of_twice_the_size() -> None:
    photo, palette = sample_photo(), palette_of(areas(5))
    side = min(photo.shape[-2:]) // CELL_PX * CELL_PX
    small = F.interpolate(photo[:, :, :side, :side], size=(1024, 1024), mode="bilinear")
    large = F.interpolate(small, scale_factor=2, mode="nearest")
    halved = F.avg_pool2d(in_palette(large, palette), 2)
    assert float((halved - in_palette(small, palette)).abs().max()) < 2 / 255


@pytest.mark.parametrize("negative", [False, True], ids=["white", "black"])
def test_areas_that_would_get_lighter_than_white_or_darker_than_black_keep_their_order(negative: bool) -> None:
    steps = torch.linspace(0.1, 0.95, 16).repeat_interleave(CELL_PX).expand(1, 3, 8 * CELL_PX, -1)
    brighter = palette_of(1.2 * steps)
    if negative:
        steps, brighter = 1 - steps, palette_of(1 - 1.2 * steps)
    means = F.avg_pool2d(in_palette(steps, brighter), CELL_PX)[0, 0, 4]
    means = 1 - means if negative else means
    assert float(means.max()) > 0.97
    assert float(means.diff().min()) > 4 / 255


def test_a_thin_rim_counts_as_much_as_it_has_pixels() -> None:
    """Sides are seldom multiples of a cell: the strip that is left must not draw the whole picture its way."""
    painted = areas(2, height=384 + 1, width=512 + 1)
    rimmed = painted.clone()
    rimmed[..., -1, :] = rimmed[..., -1] = 0
    palette = palette_of(areas(5))
    moved = in_palette(rimmed, palette) - in_palette(painted, palette)
    assert float(moved[..., :256, :256].abs().max()) < 4 / 255  # as much as so many black pixels should
    assert float((palette_of(rimmed)[:, :3] - rimmed.mean((2, 3))).abs().max()) < 1e-4


def test_a_pixel_more_changes_no_large_picture() -> None:
    palette = palette_of(areas(5))
    large = areas(3, height=1536, width=1536)
    slightly_smaller = large[..., :1535, :1535]
    moved = in_palette(large, palette)[..., :1535, :1535] - in_palette(slightly_smaller, palette)
    assert float(moved.abs().mean()) < 0.2 / 255
