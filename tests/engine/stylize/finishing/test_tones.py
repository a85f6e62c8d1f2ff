"""The photo's tones are pressed together where the painting's are, and nowhere drawn apart."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.stylize.finishing.tones import in_tones_of


def ramp(height: int = 40, width: int = 64) -> Tensor:
    """Every light from black to white, shuffled, (1, 3, height, width) float64."""
    order = torch.randperm(height * width, generator=torch.Generator().manual_seed(0))
    return (order.double() / (height * width - 1)).view(1, 1, height, width).expand(-1, 3, -1, -1)


def test_along_a_straight_line_a_photo_stays_as_it_is() -> None:
    photo = ramp()
    for painted in (photo, 0.3 + 0.4 * photo):
        torch.testing.assert_close(in_tones_of(painted, photo), photo, atol=1e-3, rtol=0)


def test_what_the_painting_drives_into_black_and_white_lies_together() -> None:
    photo = ramp()
    bent = in_tones_of((2 * photo - 0.5).clamp(0, 1), photo)
    dark, middle = (photo < 0.22), (photo > 0.3) & (photo < 0.7)
    assert float(bent[dark].max() - bent[dark].min()) < 0.02
    slope = torch.linalg.lstsq(torch.stack([photo[middle], torch.ones_like(photo[middle])], 1), bent[middle][:, None])
    assert float(slope.solution[0, 0]) == pytest.approx(1, abs=0.01)  # no steeper, though the painting is


def test_grain_of_an_even_wall_is_not_drawn_apart() -> None:
    """Half of the photo is a wall in which one level of 255 decides; the painting is spread over all its tones."""
    generator = torch.Generator().manual_seed(1)
    photo = ramp().clone()
    photo[..., :32] = 0.4 + torch.rand(1, 3, 40, 32, generator=generator, dtype=torch.float64) / 255
    bent = in_tones_of(torch.rand(1, 3, 40, 64, generator=generator), photo)[..., :32]
    assert float((bent.amax((2, 3)) - bent.amin((2, 3))).max()) < 1.01 / 255


def test_the_order_of_the_photo_is_kept_channel_by_channel_and_picture_by_picture() -> None:
    generator = torch.Generator().manual_seed(2)
    photo = torch.rand(1, 3, 20, 30, generator=generator)
    painted = torch.rand(2, 3, 20, 30, generator=generator).pow(torch.tensor([1.0, 3.0])[:, None, None, None])
    bent = in_tones_of(painted, photo)
    assert bent.shape == painted.shape
    for one in bent:
        for channel in range(3):
            in_order = one[channel].flatten()[photo[0, channel].flatten().argsort()]
            assert float(in_order.diff().min()) >= 0
    torch.testing.assert_close(bent[1:], in_tones_of(painted[1:], photo))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 3)], ids=str)
@pytest.mark.parametrize("value", [0.0, 0.5])
def test_few_cells_and_even_pictures_stay_finite(size: tuple[int, int], value: float) -> None:
    even, random = torch.full((1, 3, *size), value), torch.rand(1, 3, *size)
    for painted, photo in ((even, random), (random, even), (even, even)):
        bent = in_tones_of(painted, photo)
        assert bool(torch.isfinite(bent).all())
        assert 0 <= float(bent.min()) <= float(bent.max()) <= 1
