"""Stains come off a painting; what is brushed there, what follows the photo and what has edges stays."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.stylize.book import load_book
from engine.stylize.finishing.palette import PALETTE_NUMBERS
from engine.stylize.finishing.stains import inverse, without_stains
from engine.stylize.judging.flaws import gradient_kept, halo, light
from engine.stylize.painter import Painter
from engine.stylize.pictures.sample_photo import sample_photo
from engine.stylize.style_codes import code_at
from engine.stylize.weights_file import load_network

SIDE_PX = 512
LEVEL = 1 / 255


def head_before_a_wall() -> Tensor:
    """A photo (1, 3, SIDE_PX, SIDE_PX): a dark disc before a wall that gets a little lighter upwards."""
    y, x = torch.meshgrid(torch.arange(SIDE_PX), torch.arange(SIDE_PX), indexing="ij")
    wall = torch.stack([0.55 + 0.1 * (1 - y / SIDE_PX)] * 3)
    disc = ((x - 256).square() + (y - 300).square()) < 90**2
    return torch.where(disc, torch.tensor([0.15, 0.1, 0.08])[:, None, None], wall)[None]


def recoloured(photo: Tensor) -> Tensor:
    """An affine map of its colours: what a painting without a stain looks like."""
    mixed = torch.einsum("ij,bjhw->bihw", torch.tensor([[0.9, 0.0, 0.1], [0.2, 0.5, 0.0], [-0.3, 0.2, 0.6]]), photo)
    return mixed + torch.tensor([0.05, 0.1, 0.2])[:, None, None]


def blob(across: float, down: float, wide: float) -> Tensor:
    """A soft blue cloud (1, 3, SIDE_PX, SIDE_PX), forty levels high."""
    y, x = torch.meshgrid(torch.arange(SIDE_PX), torch.arange(SIDE_PX), indexing="ij")
    height = torch.exp(-((x - across).square() + (y - down).square()) / (2 * wide**2))
    return 40 * LEVEL * height * torch.tensor([-1.0, 0.0, 1.0])[:, None, None][None]


def test_a_cloud_on_a_wall_comes_off_and_the_edge_beside_it_stays() -> None:
    photo = head_before_a_wall()
    clean, stain = recoloured(photo), blob(256, 150, 50)  # around the top of the head, as an aura
    settled = without_stains(clean + stain, photo)
    wall = (photo[0, 0] > 0.5) & (F.max_pool2d((photo < 0.5).float(), 49, 1, 24)[0, 0] == 0)
    left = (settled - clean)[0][:, wall].square().mean().sqrt()
    assert float(left) < 0.5 * float(stain[0][:, wall].square().mean().sqrt())
    rows = slice(216, 240)  # of the upper edge of the head, where light and dark are side by side
    before, after = (one[0, 0, rows, 256] for one in (clean + stain, settled))
    torch.testing.assert_close(after.diff(), before.diff(), atol=3 * LEVEL, rtol=0)


def test_strokes_and_what_follows_the_photo_stay_as_they_are() -> None:
    photo = head_before_a_wall()
    clean = recoloured(photo)
    assert float((without_stains(clean, photo) - clean).abs().max()) < 2 * LEVEL
    strokes = 12 * LEVEL * torch.sin(torch.arange(SIDE_PX) * 2 * torch.pi / 16)[None, None, None, :]
    painted = clean + strokes
    assert float((without_stains(painted, photo) - painted).abs().mean()) < 1 * LEVEL


def test_a_glow_along_an_edge_comes_off_and_the_edge_stays_sharp() -> None:
    photo = head_before_a_wall()
    y, x = torch.meshgrid(torch.arange(SIDE_PX), torch.arange(SIDE_PX), indexing="ij")
    beyond = ((x - 256).square() + (y - 300).square()).sqrt() - 90
    glow = 30 * LEVEL * torch.exp(-(beyond / 15).square()) * (beyond > 0)
    clean = recoloured(photo)
    before, after = (
        halo(light(one[0]), light(photo[0])) for one in (clean + glow, without_stains(clean + glow, photo))
    )
    assert after < 0.85 * before
    rows = slice(206, 214)  # of the upper edge of the head
    step = clean[0, 1, rows, 256].diff().abs().max()
    assert float(without_stains(clean + glow, photo)[0, 1, rows, 256].diff().abs().max()) > 0.9 * float(step)


def test_stripes_of_another_colour_come_off_a_wall_and_strokes_stay() -> None:
    photo = head_before_a_wall()
    clean, columns = recoloured(photo), torch.arange(SIDE_PX)
    pink = torch.tensor([1.0, -0.51, 0.0])[:, None, None]  # as light as green
    left = []
    for period_px in (56, 16):
        stripes = 10 * LEVEL * torch.sin(columns * 2 * torch.pi / period_px) * pink
        after = without_stains(clean + stripes, photo) - clean
        wall = (slice(None), slice(20, 160), slice(100, 400))
        left.append(float(after[0][wall].square().mean().sqrt() / stripes.square().mean().sqrt()))
    assert left[0] < 0.5
    assert left[1] > 0.9


def test_a_sky_gets_its_order_of_light_back() -> None:
    y, x = torch.meshgrid(torch.arange(SIDE_PX), torch.arange(SIDE_PX), indexing="ij")
    photo = (0.6 + 24 * LEVEL * y / SIDE_PX).expand(1, 3, -1, -1)
    dabs = 5 * LEVEL * torch.sin(x * 2 * torch.pi / 56) * torch.sin(y * 2 * torch.pi / 56)
    painted = photo * 0.8 + dabs
    before, after = (gradient_kept(light(one[0]), light(photo[0])) for one in (painted, without_stains(painted, photo)))
    assert before < 0.955
    assert after > 0.975


def test_black_and_white_that_a_style_of_high_contrast_makes_of_dark_and_light_stay_black_and_white() -> None:
    """No straight line goes through such tones: a shirt got grey patches, as far as it was level."""
    columns = torch.arange(SIDE_PX)
    ripple = 0.5 + 0.15 * torch.sin(columns * 2 * torch.pi / 37)  # a crowd, in between
    light_of = torch.where(columns < 180, 0.14 + 0.03 * columns / 180, torch.where(columns > 330, 0.6, ripple))
    crowd = (columns >= 180) & (columns <= 330)
    grain = 0.08 * torch.randn(1, 1, SIDE_PX, SIDE_PX, generator=torch.Generator().manual_seed(3)) * crowd
    photo = (light_of + grain).expand(1, 3, SIDE_PX, SIDE_PX).clamp(0, 1)
    painted = torch.sigmoid(14 * (photo - 0.45))
    changed = (without_stains(painted, photo) - painted)[0, 0]
    assert float(changed[:, :160].abs().max()) < 1 * LEVEL
    assert float(changed[:, 350:].abs().max()) < 1 * LEVEL


def test_nothing_is_taken_off_where_the_photo_has_detail_not_even_next_to_a_level_wall() -> None:
    photo = head_before_a_wall()
    columns = torch.arange(SIDE_PX)
    chequered = torch.where((columns[:, None] // 2 + columns[None, :] // 2) % 2 == 0, 0.3, 0.7)
    photo[:, :, :, 264:] = chequered[:, 264:]
    painted = recoloured(photo) + blob(264, 150, 50)
    changed = (without_stains(painted, photo) - painted).abs()[0, :, 100:200]
    assert float(changed[:, :, 200:240].max()) > 5 * LEVEL
    assert float(changed[:, :, 272:].max()) < 0.5 * LEVEL


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (333, 430), (700, 517)], ids=str)
def test_pictures_of_any_size_and_several_at_once_come_out_in_their_range(size: tuple[int, int]) -> None:
    painted, photo = torch.rand(2, 3, *size), torch.rand(1, 3, *size)
    settled = without_stains(painted, photo)
    assert settled.shape == painted.shape
    assert 0 <= float(settled.min()) <= float(settled.max()) <= 1
    torch.testing.assert_close(settled[1:], without_stains(painted[1:], photo))
    even = torch.full((1, 3, *size), 0.5)
    assert bool(torch.isfinite(without_stains(painted, even)).all())


def test_the_smaller_a_picture_the_less_is_taken_off_without_a_step() -> None:
    def taken_off(side_px: int) -> float:
        photo, painted = (
            F.interpolate(picture, size=(side_px, side_px + 40), mode="bilinear")
            for picture in (head_before_a_wall(), recoloured(head_before_a_wall()) + blob(256, 150, 50))
        )
        return float((without_stains(painted, photo) - painted).abs().mean())

    assert 0 < taken_off(64) < 0.3 * taken_off(256) < 0.3 * taken_off(512)
    assert abs(taken_off(504) - taken_off(520)) < 0.1 * taken_off(512)


def test_a_device_is_kept_to() -> None:
    """Training on a GPU takes this step, too. Of tensors without values PyTorch tells where they would be."""
    painted, photo = (torch.empty(count, 3, 64, 80, device="meta") for count in (2, 1))
    assert without_stains(painted, photo).device.type == "meta"


def test_the_closed_form_is_the_inverse() -> None:
    root = torch.randn(2, 3, 3, 4, 5, dtype=torch.float64)
    matrices = torch.einsum("bijhw,bkjhw->bikhw", root, root) + 0.1 * torch.eye(3)[None, :, :, None, None]
    product = torch.einsum("bijhw,bjkhw->bikhw", matrices, inverse(matrices))
    torch.testing.assert_close(product, torch.eye(3)[None, :, :, None, None].expand_as(product).double())


def test_whatever_the_painter_paints_is_rid_of_its_stains_whole_and_in_tiles() -> None:
    photo = F.interpolate(sample_photo(), size=(512, 512), mode="bicubic", antialias=True).clamp(0, 1)
    code, network = code_at(load_book().codes["irises"], 512), load_network()
    whole, tiled = (Painter(network, torch.device("cpu"), tile_px, bfloat16=False) for tile_px in (512, 256))
    with torch.inference_mode():
        features = network.encode_content(photo)
        stained = network.paint(features, network.statistics(features), code[:, :-PALETTE_NUMBERS])
    settled = without_stains(stained, photo)
    assert float((settled - stained).abs().mean()) > 0.5 * LEVEL
    for painter in (whole, tiled):
        statistics = painter.content_statistics([photo])  # as a film's frame: no drafts, no palette
        torch.testing.assert_close(painter.paint(photo, code, statistics), settled, atol=1e-3, rtol=0)
        (once,) = painter.paint_in_styles(photo, [code], statistics)
        torch.testing.assert_close(once, settled, atol=1e-3, rtol=0)
