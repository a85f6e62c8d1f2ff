"""The network keeps its size, survives degenerate pictures, and may be run in tiles."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.reference_shapes import JohnsonShape, MicroASTShape
from benchmarks.stylize import multiplications
from engine.errors import Cancelled
from engine.stylize import drafts
from engine.stylize.book import load_book
from engine.stylize.drafts import DRAFT_SHARE_OF_SMALL, feedback, sides_px
from engine.stylize.finishing.palette import PALETTE_NUMBERS, in_palette
from engine.stylize.finishing.stains import without_stains
from engine.stylize.judging.inspection import level_use, pan_difference, quiet_channels
from engine.stylize.judging.judge import ssim
from engine.stylize.network import (
    ContentStatistics,
    Features,
    Shape,
    Statistics,
    StyleNetwork,
    adaptive_instance_norm,
    instance_statistics,
    soften,
)
from engine.stylize.painter import Painter, of_network, tiles
from engine.stylize.pictures.colour import luma
from engine.stylize.pictures.sample_photo import sample_photo
from engine.stylize.style_codes import CodeAt, code_at
from engine.stylize.training.losses import moments
from engine.stylize.weights_file import load_network

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network() -> StyleNetwork:
    return load_network()


@pytest.fixture(scope="module")
def code(network: StyleNetwork) -> Tensor:
    return Painter(network, CPU, 512).encode_style(waves(96, 128), 256)


def photo_of(height: int, width: int) -> Tensor:
    """A real photo (1, 3, height, width)."""
    return torch.nn.functional.interpolate(sample_photo(), size=(height, width), mode="bicubic", antialias=True).clamp(
        0, 1
    )


def waves(height: int, width: int, seed: int = 0) -> Tensor:
    """A smooth coloured picture (1, 3, height, width) with edges in it."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 7, 9, generator=generator)
    picture = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)
    picture[:, :, height // 3 : height // 2, width // 4 : width // 2] *= 0.3
    return picture


@pytest.mark.parametrize(("side_px", "most"), [(256, 29_000), (512, 20_400), (1024, 20_000)])
def test_the_network_is_as_small_as_promised(side_px: int, most: int) -> None:
    network = StyleNetwork()
    photo, code = torch.rand(1, 3, 256, 256), torch.rand(1, network.shape.code)

    def forward() -> Tensor:
        features = network.encode_content(photo)
        return network.paint(features, network.statistics(features), code)

    assert sum(parameter.numel() for parameter in network.parameters()) <= 800_000
    *of_drafts, own = [(side / side_px) ** 2 for side in sides_px(side_px)]
    of_pass = multiplications(forward, network) / 256**2
    of_look = multiplications(lambda: network.encode_style(photo), network) / 256**2
    assert of_look > 1_000
    assert own == 1
    assert of_pass + sum(of_drafts) * (of_pass + of_look) <= most


def test_the_shapes_it_is_timed_against_have_the_published_sizes() -> None:
    microast, johnson = MicroASTShape(), JohnsonShape()
    assert sum(parameter.numel() for parameter in microast.parameters()) == 471_987
    assert sum(parameter.numel() for parameter in johnson.parameters()) == 1_679_235
    photo = torch.rand(1, 3, 128, 128)
    style = microast.style(photo)
    assert round(multiplications(lambda: microast(photo, style), microast) / 128**2 / 100) == 278


def test_adain_puts_on_the_given_statistics() -> None:
    features = torch.randn(2, 4, 16, 16) * 3 + 1
    scale, shift = torch.rand(2, 4) + 0.5, torch.randn(2, 4)
    out = instance_statistics(adaptive_instance_norm(features, instance_statistics(features), scale, shift))
    torch.testing.assert_close(out.mean.flatten(1), shift, atol=1e-4, rtol=0)
    torch.testing.assert_close(out.sd.flatten(1), scale, atol=1e-3, rtol=0)


def test_each_photo_of_a_batch_is_painted_by_its_own_style() -> None:
    torch.manual_seed(0)
    network = StyleNetwork(Shape(half=8, quarter=8, eighth=8, eighth_blocks=1, style=(8, 8, 8), code=8)).eval()
    photos, styles = torch.rand(3, 3, 32, 32), torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        together, _ = network(photos, styles, torch.tensor([1, 0, 1]))
        alone, _ = network(photos[2:], styles[1:])
    torch.testing.assert_close(together[2:], alone)


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (23, 31), (40, 800)], ids=str)
def test_any_size_of_photo_comes_out_in_that_size(network: StyleNetwork, code: Tensor, size: tuple[int, int]) -> None:
    painter = Painter(network, CPU, 512)
    for strength in (0.0, 0.5, 1.0):
        out = painter.paint_with_strength(
            waves(max(size[0], 12), max(size[1], 12))[:, :, : size[0], : size[1]], code, strength
        )
        assert out.shape[-2:] == size
        assert bool(torch.isfinite(out).all())
        assert 0 <= float(out.min()) <= float(out.max()) <= 1


@pytest.mark.parametrize(
    "style",
    [torch.rand(1, 3, 1, 1), torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 30, 30), waves(20, 400), waves(400, 20)],
    ids=["1x1", "black", "white", "20:1", "1:20"],
)
def test_degenerate_styles_give_finite_pictures(network: StyleNetwork, style: Tensor) -> None:
    painter = Painter(network, CPU, 512)
    code = painter.encode_style(style, 256)
    assert bool(torch.isfinite(code).all())
    for photo in (waves(40, 40), torch.full((1, 3, 40, 40), 0.5)):
        assert bool(torch.isfinite(painter.paint(photo, code)).all())


def test_strength_zero_is_the_photo_itself_and_one_the_painting(network: StyleNetwork, code: Tensor) -> None:
    painter, photo = Painter(network, CPU, 512), waves(48, 64)
    assert torch.equal(painter.paint_with_strength(photo, code, 0.0), photo)
    full = painter.paint(photo, code)
    assert torch.equal(painter.paint_with_strength(photo, code, 1.0), full)
    steps = [painter.paint_with_strength(photo, code, strength) for strength in (0.02, 0.5, 0.98)]
    distance = [float((step - photo).abs().mean()) for step in (*steps, full)]
    assert distance == sorted(distance)
    assert distance[0] < 0.02
    assert float((steps[2] - full).abs().mean()) < 0.02


def test_the_frames_of_a_film_hold_still_while_the_camera_moves_by_one_pixel(network: StyleNetwork) -> None:
    painter, photo, code = Painter(network, CPU, 512), photo_of(202, 202), code_at(load_book().codes["irises"], 202)
    statistics = painter.content_statistics([photo])

    def shimmer(right: int, down: int, strength: float, film: bool) -> float:
        paint = painter.paint_frame if film else painter.paint_with_strength
        first = paint(photo[:, :, :200, :200], code, strength, statistics)
        second = paint(photo[:, :, down : 200 + down, right : 200 + right], code, strength, statistics)
        seen = [first[:, :, down:, right:], second[:, :, : 200 - down, : 200 - right]]
        inner = [one[:, :, 24:-24, 24:-24] for one in seen]
        return float((inner[0] - inner[1]).abs().mean() / first.std())

    for right, down in ((1, 1), (1, 0), (0, 1)):
        assert shimmer(right, down, 1.0, film=True) < 0.65 * shimmer(right, down, 1.0, film=False)
    assert shimmer(1, 1, 0.6, film=True) < 0.65 * shimmer(1, 1, 0.6, film=False)
    assert torch.equal(painter.paint_frame(photo, code, 0.0, statistics), photo)


def test_several_strengths_are_what_each_gives_alone_in_tiles_too(network: StyleNetwork, code: Tensor) -> None:
    photo, strengths = waves(320, 400), [0.0, 0.4, 1.0]
    whole = Painter(network, CPU, 512, bfloat16=False).paint_with_strengths(photo, code, strengths)
    in_tiles = Painter(network, CPU, 64, bfloat16=False)
    for painted, strength, tiled in zip(
        whole, strengths, in_tiles.paint_with_strengths(photo, code, strengths), strict=True
    ):
        torch.testing.assert_close(painted, in_tiles.paint_with_strength(photo, code, strength), atol=2e-3, rtol=0)
        torch.testing.assert_close(painted, tiled, atol=2e-3, rtol=0)


def test_a_still_picture_is_painted_from_coarse_to_fine_in_its_styles_palette_and_a_films_frame_is_not(
    network: StyleNetwork,
) -> None:
    photo, codes = waves(256, 328), load_book().codes["irises"]
    style = partial(code_at, codes)

    def plain(picture: Tensor, side_px: int, more: Tensor | float = 0.0) -> Tensor:
        features = network.encode_content(picture)
        return network.paint(features, network.statistics(features), style(side_px)[:, :-PALETTE_NUMBERS] + more)

    with torch.inference_mode():
        small = F.interpolate(photo, size=(192, 246), mode="bicubic", antialias=True).clamp(0, 1)
        draft = without_stains(plain(F.pad(small, (0, 2, 0, 0), mode="reflect"), 192)[..., :246], small)
        change = F.interpolate(draft - small, size=(256, 328), mode="bicubic")
        seen = network.encode_style(F.pad(draft, (0, 2, 0, 0), mode="reflect"))
        more = feedback(style(192)[:, :-PALETTE_NUMBERS], seen, 256)
        guided = (photo + DRAFT_SHARE_OF_SMALL * change).clamp(0, 1)
        drafted, unasked = (without_stains(plain(guided, 256, one), photo) for one in (more, 0.0))
        once = without_stains(plain(photo, 256), photo)
    whole = in_palette(drafted, style(256)[:, -PALETTE_NUMBERS:])
    assert float((drafted - once).abs().mean()) > 3 / 255
    assert float((drafted - unasked).abs().mean()) > 1 / 255
    assert float((drafted - whole).abs().mean()) > 1 / 255
    for tile_px in (512, 128):
        painter = Painter(network, CPU, tile_px, bfloat16=False)
        fractions: list[float] = []
        painted = painter.paint(photo, style, progress=lambda _, fraction: fractions.append(fraction))  # noqa: B023
        torch.testing.assert_close(painted, whole, atol=2e-3, rtol=0)
        torch.testing.assert_close(painter.paint_in_styles(photo, [style])[0], whole, atol=2e-3, rtol=0)
        assert fractions == sorted(fractions)
        of_film = painter.paint(photo, style, painter.content_statistics([photo]))
        torch.testing.assert_close(of_film, once, atol=2e-3, rtol=0)


def test_feedback_brings_a_picture_nearer_to_the_style_that_was_meant(
    network: StyleNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, painter = sample_photo(), Painter(network, CPU, 512)

    def far(style: CodeAt) -> float:
        seen = painter.encode_style(painter.paint(photo, style), 512)
        return float(of_network(style(512) - seen).norm())

    styles = [partial(code_at, load_book().codes[name]) for name in ("irises", "great-wave")]
    nearer = [far(style) for style in styles]
    monkeypatch.setattr(drafts, "FEEDBACK", 0.0)
    for with_feedback, style in zip(nearer, styles, strict=True):
        assert with_feedback < 0.95 * far(style)  # it was trained with feedback, and gets most of a style without


def test_each_draft_is_painted_with_its_sizes_code_and_what_the_one_before_lacks(
    network: StyleNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted_with: list[Tensor] = []
    seen: list[Tensor] = []
    monkeypatch.setattr(drafts, "LARGE_PX", 96)
    monkeypatch.setattr(drafts, "SMALLEST_DRAFT_PX", 32)

    def style(side_px: float) -> Tensor:
        return code_at(load_book().codes["irises"], 2 * side_px) * (1 + side_px / 1000)

    class Watched(Painter):
        def _one_pass(self, picture: Tensor, code: Tensor, *others: Any) -> Tensor:
            painted_with.append(code)
            return super()._one_pass(picture, code, *others)

        def _style_seen(self, painted: Tensor) -> Tensor:
            seen.append(super()._style_seen(painted))
            return seen[-1]

    Watched(network, CPU, 512).paint(waves(512, 530), style)
    first, second, third = (of_network(style(side_px)) for side_px in (62, 179, 512))
    assert [len(painted_with), len(seen)] == [3, 2]
    torch.testing.assert_close(painted_with[0], first)
    torch.testing.assert_close(painted_with[1], second + feedback(first, seen[0], 179))
    torch.testing.assert_close(painted_with[2], third + feedback(second, seen[1], 512))
    assert float((seen[0] - seen[1]).norm()) > 0.1


def test_the_rim_of_a_picture_is_painted_like_the_rest(network: StyleNetwork) -> None:
    """Along its own edge a picture that is the same from top to bottom is, painted, as well: no frame, no bar."""
    photo = torch.zeros(1, 3, 256, 256)
    photo[..., 128:] = 1
    features, code = network.encode_content(photo), of_network(code_at(load_book().codes["starry-night"], 256))
    painted = network.paint(features, network.statistics(features), code)
    assert float((painted[:, :, :4] - painted[:, :, 100:104]).abs().max()) < 1 / 255
    turned = network.encode_content(photo.mT)
    painted = network.paint(turned, network.statistics(turned), code)
    assert float((painted[..., :4] - painted[..., 100:104]).abs().max()) < 1 / 255


def test_of_a_tiny_picture_no_style_is_read(network: StyleNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    painter, style = Painter(network, CPU, 512, bfloat16=False), load_book().codes["irises"][:1]
    tiny = [painter.paint(waves(side, side + 9), style) for side in (191, 193)]
    monkeypatch.setattr(drafts, "FEEDBACK_OF_SMALL", 0.0)
    again = [painter.paint(waves(side, side + 9), style) for side in (191, 193)]
    assert torch.equal(tiny[0], again[0])
    assert not torch.equal(tiny[1], again[1])


def test_tiles_cover_every_pixel_once() -> None:
    covered = torch.zeros(1080, 1920)
    for tile in tiles(1080, 1920, 512):
        covered[tile.top : tile.bottom, tile.left : tile.right] += 1
        assert tile.window_top <= tile.top < tile.bottom <= tile.window_bottom
        assert (tile.top - tile.window_top) % 8 == (tile.left - tile.window_left) % 8 == 0
    assert bool((covered == 1).all())


@pytest.mark.parametrize(
    ("picture", "bfloat16", "levels"), [("waves", False, 1), ("photo", False, 1), ("photo", True, 4)]
)
def test_a_picture_painted_in_tiles_shows_no_seams(
    network: StyleNetwork, picture: str, bfloat16: bool, levels: float
) -> None:
    """In the busiest style of the book: a mild one hides what comes from beyond a tile's margin."""
    height, width = 360, 488
    photo = waves(height, width) if picture == "waves" else photo_of(height, width)
    busy = code_at(load_book().codes["irises"], 360)
    whole, tiled = (Painter(network, CPU, tile_px, bfloat16).paint(photo, busy) for tile_px in (1024, 128))
    exact = Painter(network, CPU, 1024, bfloat16=False).paint(photo, busy) if bfloat16 else whole
    assert len(tiles(height, width, 128)) == 12
    assert float((whole - tiled).abs().max()) < levels / 255
    # In bfloat16, tiles are no further from the whole than that is from float32: rounding, not seams.
    assert float((whole - tiled).abs().mean()) < max(0.1 / 255, float((whole - exact).abs().mean()))


@pytest.mark.parametrize(
    ("channels", "gain", "lift"), [((1, 2, 0), 0.55, 0.4), ((2, 0, 1), 0.4, 0.0), ((0, 1, 2), 0.5, 0.1)]
)
def test_the_committed_network_takes_the_styles_colours_and_keeps_the_photos_shapes(
    network: StyleNetwork, channels: tuple[int, int, int], gain: float, lift: float
) -> None:
    photo = photo_of(256, 256)
    style = photo.roll(90, 3).flip(2)[:, channels] * gain + lift
    painter = Painter(network, CPU, 512)
    painted = painter.paint(photo, painter.encode_style(style, 256))

    def colours_off(picture: Tensor) -> float:
        return float((moments(picture) - moments(style)).abs().mean())

    assert colours_off(painted) < 0.03 < 0.09 < colours_off(photo)
    assert float(ssim(luma(painted), luma(photo))) > 0.45 > float(ssim(luma(style), luma(photo)))


def test_a_job_can_be_cancelled_between_tiles(network: StyleNetwork, code: Tensor) -> None:
    def cancelled(stage: str, fraction: float) -> None:
        if fraction > 0.3:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        Painter(network, CPU, 128).paint(waves(304, 416), code, progress=cancelled)


def test_the_content_encoder_has_the_receptive_field_that_the_sheet_names() -> None:
    from engine.stylize.see import STAGES

    torch.manual_seed(0)
    network = StyleNetwork()
    photo = torch.rand(1, 3, 576, 576, requires_grad=True)
    features: Features = network.encode_content(photo)
    for feature, (_, field_px, _) in zip(features, STAGES, strict=True):
        middle = feature.shape[-1] // 2
        photo.grad = None
        feature[0, :, middle, middle].sum().backward(retain_graph=True)
        assert photo.grad is not None
        touched = photo.grad.abs().sum((0, 1)).sum(0).nonzero()
        assert int(touched.max() - touched.min()) + 1 == field_px


def test_what_is_finer_than_the_coarser_grid_is_gone_before_the_stride() -> None:
    stripes = torch.zeros(1, 2, 16, 16)
    stripes[:, 0, :, ::2] = 1
    stripes[:, 1, ::2] = 1
    inner = soften(stripes)[:, :, 1:-1, 1:-1]
    assert torch.equal(inner, torch.full_like(inner, 0.5))
    flat = torch.full((1, 1, 8, 8), 0.7)
    assert torch.allclose(soften(flat), flat)
    spot = torch.zeros(1, 1, 5, 5)
    spot[0, 0, 2, 2] = 16
    assert soften(spot)[0, 0, 1:4, 1:4].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_every_level_of_the_committed_network_has_its_part_in_the_picture() -> None:
    """Units that died in training leave figures and pictures that look well enough, of a network half as deep."""
    styles = torch.cat([waves(128, 128), waves(128, 128).flip(1).roll(9, 3)])
    photos = torch.cat([waves(128, 128).flip(2), waves(128, 128).transpose(2, 3)])
    found = level_use(load_network(), photos, styles)
    assert min(found.values()) > 2.0, found


def test_no_content_channel_of_the_committed_network_fell_silent() -> None:
    photos = torch.cat([waves(128, 128).flip(2), waves(128, 128, seed=1)])
    assert quiet_channels(load_network(), photos) < 0.02


def test_a_silent_channel_is_noticed(network: StyleNetwork) -> None:
    cut = copy.deepcopy(network)
    with torch.no_grad():
        cut.content_encoder.to_quarter.weight[:16] = 0
    channels = sum(features.shape[1] for features in network.encode_content(waves(64, 64)))
    assert quiet_channels(cut, waves(64, 64)) == pytest.approx(16 / channels, abs=2 / channels)


def test_a_dead_level_is_noticed(network: StyleNetwork) -> None:
    photos = torch.cat([waves(64, 64), waves(64, 64).transpose(2, 3)])
    alive = level_use(network, photos, photos)
    assert min(alive.values()) > 0.0
    cut = copy.deepcopy(network)
    with torch.no_grad():
        cut.narrow.weight.zero_()
    assert set(level_use(cut, photos, photos).values()) == {0.0}


def test_a_painter_that_moves_with_the_camera_does_not_shimmer(network: StyleNetwork) -> None:
    photos = torch.cat([waves(96, 96), waves(96, 96).transpose(2, 3)])
    assert pan_difference(network, photos, photos) > 0

    class Still(StyleNetwork):
        def paint(self, features: Features, content: ContentStatistics, code: Tensor) -> Tensor:
            return features.half[:, :3]

        def encode_content(self, photo: Tensor) -> Features:
            return Features(*[photo] * 5)

    assert pan_difference(Still(), photos, photos) == 0.0


def test_statistics_of_nothing_but_one_value_are_finite() -> None:
    statistics: Statistics = instance_statistics(torch.full((1, 2, 4, 4), 3.0))
    torch.testing.assert_close(statistics.mean.flatten(), torch.tensor([3.0, 3.0]))
    assert bool((statistics.sd > 0).all())
