"""Pictures are painted from some 192 px up, and a draft only shows the way."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.stylize.drafts import (
    DRAFT_SHARE,
    DRAFT_SHARE_OF_SMALL,
    FEEDBACK,
    FEEDBACK_OF_SMALL,
    MOST_OF_CODE,
    MOST_OF_CONTRAST,
    at_side,
    feedback,
    guided,
    sides_px,
)


def test_drafts_have_a_third_of_the_size_down_to_192_px_and_all_together_cost_a_seventh() -> None:
    assert sides_px(512) == [192, 512]
    assert sides_px(1024) == [358, 1024]
    assert sides_px(2160) == [264, 756, 2160]
    for side in range(512, 4000, 7):
        *drafts, own = sides_px(side)
        assert own == side
        assert 192 <= drafts[0] < 512
        assert sum(one * one for one in drafts) <= own * own / 7


def test_a_small_picture_has_one_draft() -> None:
    assert [sides_px(side) for side in (1, 32, 192, 256, 384, 511)] == [
        [1, 1], [32, 32], [192, 192], [192, 256], [192, 384], [255, 511],
    ]  # fmt: skip


def test_a_picture_keeps_its_aspect_at_another_size_and_is_itself_at_its_own() -> None:
    picture = torch.rand(1, 3, 300, 451)
    assert at_side(picture, 300) is picture
    assert at_side(picture, 150).shape == (1, 3, 150, 226)
    assert at_side(picture.mT, 150).shape == (1, 3, 226, 150)
    assert at_side(torch.rand(1, 3, 900, 1), 1).shape == (1, 3, 900, 1)


@pytest.mark.parametrize(("side_px", "share"), [(128, DRAFT_SHARE_OF_SMALL), (512, DRAFT_SHARE)])
def test_a_photo_goes_part_of_the_way_to_its_draft_and_keeps_what_the_draft_is_too_small_for(
    side_px: int, share: float
) -> None:
    torch.manual_seed(0)
    photo = 0.3 + 0.4 * torch.rand(1, 3, side_px, side_px + 32)
    small = at_side(photo, side_px // 2)
    torch.testing.assert_close(guided(photo, small, small), photo)
    lighter = guided(photo, small + 0.2, small)
    torch.testing.assert_close(lighter, photo + 0.2 * share)
    both = guided(photo, torch.cat([small, small + 0.2]), small)
    torch.testing.assert_close(both, torch.cat([photo, lighter]))


@pytest.mark.parametrize(("side_px", "share"), [(128, FEEDBACK_OF_SMALL), (512, FEEDBACK)])
def test_a_picture_is_asked_for_part_of_what_its_draft_lacks_but_never_for_another_style(
    side_px: int, share: float
) -> None:
    torch.manual_seed(0)
    meant, away = torch.rand(1, 96) - 0.3, torch.nn.functional.normalize(torch.randn(2, 96))
    length = meant.norm()
    near, far = meant - 0.3 * length * away, meant - 3 * length * away
    torch.testing.assert_close(feedback(meant, near, side_px), share * 0.3 * length * away)
    torch.testing.assert_close(feedback(meant, far, side_px), share * MOST_OF_CODE * length * away)
    torch.testing.assert_close(feedback(meant, meant, side_px), torch.zeros(1, 96))


def test_a_draft_brings_no_contrast_into_an_even_picture() -> None:
    torch.manual_seed(0)
    even, draft = torch.full((1, 3, 512, 512), 0.4), 0.3 + 0.2 * torch.rand(1, 3, 192, 192)
    torch.testing.assert_close(guided(even, draft, at_side(even, 192)), even)
    misty = even + 0.02 * at_side(torch.rand(1, 3, 48, 48), 512)
    photos = torch.cat([misty, torch.rand_like(even)])
    brought = guided(photos, torch.cat([draft, draft]), at_side(photos, 192))
    assert float((brought[0] - misty[0]).std()) <= MOST_OF_CONTRAST * float(misty.std()) * 1.01
    assert float((brought[0] - misty[0]).std()) > 0.3 * float(misty.std())


def test_of_a_drafts_hard_strokes_nothing_is_painted_over_but_of_large_contrasts_all() -> None:
    torch.manual_seed(0)
    photo = 0.2 + 0.6 * at_side(torch.rand(1, 3, 64, 64), 512)
    small, noise = at_side(photo, 192), torch.rand(1, 1, 192, 192) - 0.5
    halves = torch.full_like(noise, 0.3)
    halves[..., 96:] = 0.7

    def share(draft: Tensor) -> float:
        whole = torch.nn.functional.interpolate(draft - small, size=(512, 512), mode="bicubic")
        brought = guided(photo, draft.expand(1, 3, -1, -1), small) - photo
        return float((brought * whole).sum() / whole.square().sum())

    oils, ink = 0.5 + 0.3 * noise, (noise > 0.2).float()
    assert [share(draft) for draft in (oils, ink, halves)] == pytest.approx([DRAFT_SHARE, 0, DRAFT_SHARE], abs=0.002)
    assert 0.3 * DRAFT_SHARE < share(0.5 + 0.56 * noise) < 0.7 * DRAFT_SHARE
