"""ArtFID's two parts are what their papers define, on features known beforehand."""

from __future__ import annotations

import pytest
import torch

from engine.stylize.judging.artfid import ArtFID, Parts, frechet_distance, in_cells, perceptual_distance
from tests.engine.stylize.training.loss_double import SmallFeatures


def test_the_distance_of_two_gaussians_is_that_of_the_formula() -> None:
    """In one dimension it is the squared difference of means and of standard deviations."""
    a = torch.randn(4000, 1, generator=torch.Generator().manual_seed(0)).double()
    a = (a - a.mean()) / a.std()
    assert frechet_distance(a, 3 * a + 5) == pytest.approx(25 + 4)
    both = torch.cat([a[:2000], a[2000:]], dim=1)
    assert frechet_distance(both, both) == pytest.approx(0, abs=1e-9)
    turned = torch.stack([both[:, 1], -both[:, 0]], dim=1)
    assert 0 <= frechet_distance(both, turned) < 0.05, "a round cloud turned is nearly itself"


def test_the_order_of_pictures_and_positions_means_nothing_to_a_gaussian() -> None:
    samples = torch.rand(60, 5, generator=torch.Generator().manual_seed(1)).double()
    other = torch.rand(40, 5, generator=torch.Generator().manual_seed(2)).double() ** 2
    assert frechet_distance(samples, other) == pytest.approx(frechet_distance(samples.flip(0), other))
    assert frechet_distance(samples, other) == pytest.approx(frechet_distance(other, samples))


def test_the_perceptual_distance_looks_at_directions_not_at_brightness() -> None:
    features = torch.rand(1, 8, 4, 4) + 0.1
    assert perceptual_distance([(features, 7 * features)]) == pytest.approx(0, abs=1e-6)
    assert perceptual_distance([(features, -features)]) == pytest.approx(4, abs=1e-5)


def test_each_cell_of_a_picture_is_a_sample() -> None:
    features = torch.arange(64.0).reshape(1, 1, 8, 8)
    cells = in_cells(features)
    assert cells.shape == (16, 1)
    assert float(cells[0]) == pytest.approx((0 + 1 + 8 + 9) / 4)


def test_a_photo_left_alone_and_a_copied_painting_are_the_two_bounds() -> None:
    generator = torch.Generator().manual_seed(4)
    photos = torch.rand(6, 3, 64, 64, generator=generator).split(1)
    paintings = torch.rand(6, 3, 64, 64, generator=generator).pow(3).split(1)
    unchanged, copied = Parts(SmallFeatures()), Parts(SmallFeatures())  # type: ignore[arg-type]
    for photo, painting in zip(photos, paintings, strict=True):
        unchanged.add(photo, photo)
        copied.add(painting, photo)
    left, thrown = unchanged.against(paintings), copied.against(paintings)
    assert left.lpips_like == 0 < thrown.lpips_like
    assert thrown.fid_like == pytest.approx(0, abs=1e-9)
    assert left.fid_like > 0.01
    assert ArtFID(0.5, 1.0).whole == 3.0
