"""The loss terms mean what their names say."""

from __future__ import annotations

import pytest
import torch

from engine.stylize.judging.judge import RandomFeatures, sliced_patch_distance, ssim
from engine.stylize.training.losses import (
    contrastive,
    moved_difference,
    moments,
    normalised_difference,
    relative_distance,
    sliced_palette_distance,
)


def test_moments_are_those_of_torch_in_value_and_gradient() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(2, 5, 7, 9, generator=generator, requires_grad=True)
    weights = torch.randn(2, 10, generator=generator)
    (moments(features) * weights).sum().backward()
    ours = features.grad.clone()
    features.grad = None
    variance, mean = torch.var_mean(features, dim=(2, 3), correction=0)
    reference = torch.cat([mean, (variance + 1e-5).sqrt()], dim=1)
    torch.testing.assert_close(moments(features), reference)
    (reference * weights).sum().backward()
    torch.testing.assert_close(ours, features.grad)


def test_the_normalised_difference_equals_its_definition_and_ignores_contrast() -> None:
    generator = torch.Generator().manual_seed(1)
    a, b = torch.rand(2, 4, 8, 8, generator=generator), torch.rand(2, 4, 8, 8, generator=generator)
    normal_a, normal_b = (torch.nn.functional.instance_norm(x, eps=1e-3) for x in (a, b))
    torch.testing.assert_close(
        normalised_difference(a, b), (normal_a - normal_b).square().mean(dim=(1, 2, 3)), atol=1e-4, rtol=1e-4
    )
    assert float(normalised_difference(a * 20, a * 60 + 3).max()) < 1e-3


def test_relative_distance_does_not_depend_on_how_strong_a_style_is() -> None:
    a, b = torch.rand(3, 8), torch.rand(3, 8)
    torch.testing.assert_close(relative_distance(a, b), relative_distance(50 * a, 50 * b), atol=1e-3, rtol=1e-3)
    assert float(relative_distance(b, b).max()) < 0.01


def test_the_contrastive_term_compares_outputs_with_styles_only() -> None:
    styles = torch.eye(4) * 5
    queue = torch.full((6, 4), 9.0)
    right = contrastive(styles + 0.01, styles, queue)
    swapped = contrastive(styles.flip(0), styles, queue)
    assert float(right) < 0.01 < 1 < float(swapped)
    # Two outputs that are alike cost nothing as long as each is nearest to its own style.
    assert float(contrastive(styles[:1].repeat(2, 1), styles[:1].repeat(2, 1), torch.empty(0, 4))) == pytest.approx(0.6931, abs=1e-3)


@pytest.mark.parametrize("shift", [(3, -5), (-7, 7), (0, 0)])
def test_the_consistency_term_is_zero_for_a_painter_that_moves_with_the_picture(shift: tuple[int, int]) -> None:
    down, right = shift
    painted = torch.rand(1, 3, 64, 64)
    motion, exact = torch.tensor([[1.0, right, down]]), torch.ones(1)
    moved = torch.roll(painted, (-down, -right), (2, 3))
    assert float(moved_difference(painted, moved, motion, exact)) < 1e-3
    assert float(moved_difference(painted, torch.roll(moved, (1, 0), (2, 3)), motion, exact)) > 0.1


def test_palette_and_patch_distances_see_colour_and_texture() -> None:
    generator = torch.Generator().manual_seed(0)
    picture = torch.rand(1, 3, 64, 64, generator=generator)
    shuffled = picture.flatten(2)[:, :, torch.randperm(64 * 64, generator=generator)].view_as(picture)
    smooth = torch.nn.functional.avg_pool2d(picture, 5, 1, 2)
    directions = torch.randn(8, 3, generator=generator)
    assert float(sliced_palette_distance(picture, picture, directions)) == 0
    assert float(sliced_palette_distance(picture, picture * 0.5, directions)) > 0.05
    assert float(sliced_patch_distance(shuffled, picture)) < float(sliced_patch_distance(smooth, picture))


def test_ssim_is_one_for_equal_and_low_for_unrelated_pictures() -> None:
    a, b = torch.rand(2, 1, 32, 32), torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(ssim(a, a), torch.ones(2))
    assert float(ssim(a, b).max()) < 0.3


def test_the_random_judge_is_the_same_every_time() -> None:
    picture = torch.rand(1, 3, 32, 32)
    for first, second in zip(RandomFeatures()(picture), RandomFeatures()(picture), strict=True):
        assert torch.equal(first, second)
