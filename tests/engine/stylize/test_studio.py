"""The studio keeps what it promises members, on the committed weights."""

from __future__ import annotations

import os
import weakref
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from engine.contract import engine_pb2 as pb
from engine.errors import BadOption, BadPicture, Cancelled, OutOfMemory
from engine.progress import silent
from engine.settings import StylizeSettings
from engine.stylize.painter import Painter
from engine.stylize.pictures.colour import keep_colours, luma
from engine.stylize.studio import Studio
from engine.stylize.style_codes import code_at
from engine.stylize.weights_file import BOOK_FILE, CARD_FILE, NETWORK_FILE, weights_version
from tests.engine.stylize.asking import ask
from tests.engine.stylize.pictures.uploads import encoded, film, flat, opened, photo


def test_the_same_request_gives_the_same_bytes(studio: Studio) -> None:
    first, second = ask(studio, seed=3), ask(studio, seed=3)
    assert first.image == second.image
    assert (first.style, first.seed, first.width, first.height) == ("starry-night", 3, 96, 64)
    assert first.model_version == weights_version()
    assert opened(first.before_after).size == (200, 64)


def test_strength_zero_gives_the_photo_back_exactly(studio: Studio) -> None:
    result = ask(studio, strength=0.0)
    assert np.array_equal(np.asarray(opened(result.image)), np.asarray(opened(photo())))
    assert result.image != ask(studio, strength=0.5).image


def test_strength_zero_gives_half_transparent_pixels_back_exactly(studio: Studio) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 48, 4), dtype=np.uint8)
    pixels[:20, :, 3] = np.arange(48) % 8  # faint and invisible ones, too
    pixels[30:, :24] = (255, 0, 0, 128)
    pixels[30:, 24:] = (0, 0, 255, 255)
    result = np.asarray(opened(ask(studio, image=encoded(Image.fromarray(pixels)), strength=0.0).image))
    assert np.array_equal(result[..., 3], pixels[..., 3])
    visible = pixels[..., 3] > 0
    assert np.array_equal(result[visible], pixels[visible])


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (8, 8), (33, 31), (60, 2), (200, 9)], ids=str)
@pytest.mark.parametrize("colour", ["photo", "black", "white"])
def test_pictures_smaller_than_what_the_network_sees_at_once_are_painted(
    studio: Studio, size: tuple[int, int], colour: str
) -> None:
    image = photo(*size) if colour == "photo" else encoded(flat(size, colour))
    for strength in (0.0, 0.5, 1.0):
        work = studio.restyle(pb.StylizeRequest(image=image, style="scream", strength=strength), silent)
        painted, own = work.frames[0].rgb, work.work.picture.frames[0].rgb
        assert painted.shape[-2:] == (size[1], size[0])
        assert bool(torch.isfinite(painted).all())
        assert torch.equal(painted, own) == (strength == 0)


def test_a_transparent_margin_changes_nothing_of_what_is_visible(studio: Studio) -> None:
    sticker, size = opened(photo(200, 160)).convert("RGBA"), (520, 410)
    sheet = Image.new("RGBA", size)
    sheet.paste(sticker, (130, 77))
    for fields in ({}, {"strength": 0.5, "keep_colors": True}, {"brush": pb.BRUSH_BOLD}):
        alone, shown = (opened(ask(studio, image=encoded(one), **fields).image) for one in (sticker, sheet))
        assert shown.size == size
        assert np.array_equal(np.asarray(shown)[77:237, 130:330, :3], np.asarray(alone.convert("RGB")))
        assert not np.asarray(shown)[:77, :, 3].any()
    hole = opened(photo(200, 160)).convert("RGBA")
    hole.paste((0, 0, 0, 0), (60, 50, 140, 110))
    request = pb.StylizeRequest(image=encoded(hole), strength=1.0, style="starry-night")
    (frame,) = studio.restyle(request, silent).frames
    assert float(frame.rgb[..., 50:110, 60:140].std((2, 3)).max()) < 1e-6, "nothing is painted where nothing is seen"
    rising = studio.restyle(pb.StylizeRequest(image=encoded(sheet), strength=1.0, style="irises", rising=True), silent)
    last = rising.frames[len(rising.frames) - 1].rgb
    assert float(last[..., :77, :].std((2, 3)).max()) < 1e-6
    assert float(last[..., 77:237, 130:330].std()) > 0.05
    dance = [Image.new("RGBA", (64, 64)) for _ in range(2)]
    for number, frame in enumerate(dance):
        frame.paste((200, 60, 60, 255), (4 + 20 * number, 8, 24 + 20 * number, 30))
    image = encoded(dance[0], "WEBP", save_all=True, append_images=dance[1:], duration=80, lossless=True)
    moved = opened(ask(studio, image=image).image)
    assert (moved.size, moved.n_frames) == ((64, 64), 2)


def test_transparency_comes_back_as_it_went_in(studio: Studio) -> None:
    image = opened(photo()).convert("RGB")
    alpha = Image.linear_gradient("L").resize(image.size)
    image.putalpha(alpha)
    result = ask(studio, image=encoded(image))
    painted = opened(result.image)
    assert (result.media_type, painted.mode) == ("image/png", "RGBA")
    assert np.abs(np.asarray(painted.getchannel("A"), dtype=np.int16) - np.asarray(alpha, dtype=np.int16)).max() <= 1
    assert ask(studio, image=encoded(image), max_bytes=len(result.image) - 1).media_type == "image/png"


@pytest.mark.parametrize(
    "fields",
    [{"strength": 1.2}, {"strength": float("nan")}, {"blend": -0.1}, {"size": 3}, {"style": "", "style_code": b"x"}],
    ids=lambda fields: next(iter(fields)),
)  # fmt: skip
def test_options_out_of_range_are_refused(studio: Studio, fields: dict[str, object]) -> None:
    with pytest.raises(BadOption):
        ask(studio, **fields)


def test_kept_colours_keep_the_photos_hue_and_the_paintings_light(studio: Studio) -> None:
    painted, own = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32) * 0.4 + 0.3
    kept = keep_colours(painted, own)
    chroma, wanted = kept - luma(kept), own - luma(own)
    cosine = torch.nn.functional.cosine_similarity(chroma, wanted, dim=1)
    assert float(cosine[wanted.norm(dim=1) > 0.05].mean()) > 0.99
    light = torch.corrcoef(torch.stack([luma(kept).flatten(), luma(painted).flatten()]))[0, 1]
    assert float(light) > 0.97
    assert ask(studio, keep_colors=True).image != ask(studio).image


def test_size_is_bounded_by_the_picture_and_the_settings(studio: Studio) -> None:
    assert ask(studio, size=48).width == 48
    assert ask(studio, size=4000).width == 96
    small = Studio(torch.device("cpu"), StylizeSettings(max_size_px=64))
    largest = ["64 pixels is the largest size here (setting `stylize.max_size_px`)."]
    for size, notes in ((0, largest), (64, []), (80, largest), (4000, largest)):
        result = ask(small, size=size)
        assert (result.width, list(result.notes)) == (64, notes)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("portrait", [False, True])
def test_a_result_smaller_than_its_picture_says_what_gives_more(kind: str, portrait: bool) -> None:
    studio = Studio(torch.device("cpu"), StylizeSettings(default_size_px=64, max_size_px=128))
    size = (480, 640) if portrait else (640, 480)
    for image, more in ((photo(*size, kind), 128), (photo(96, 80, kind), 96)):
        whole = max(opened(image).size)
        for asked, side, notes in (
            (
                0,
                64,
                [
                    f"I painted it 64 pixels on the longer side; your picture has {whole}, and "
                    f"the `size` option goes up to {more}."
                ],
            ),
            (72, 72, []),
            (more, more, []),
        ):
            result = ask(studio, image=image, size=asked)
            assert (max(result.width, result.height), list(result.notes)) == (side, notes)
    assert ask(studio, image=photo(64, 40, kind)).notes == []


def test_photos_come_back_as_jpeg_and_the_limit_is_kept(studio: Studio) -> None:
    result = ask(studio, image=photo(kind="JPEG"))
    assert (result.media_type, result.extension) == ("image/jpeg", "jpg")
    tight = ask(studio, image=photo(kind="JPEG"), max_bytes=len(result.image) - 1)
    assert len(tight.image) < len(result.image)
    assert tight.notes


def test_progress_rises_and_a_cancelled_job_stops(studio: Studio) -> None:
    fractions: list[float] = []
    studio.stylize(pb.StylizeRequest(image=photo(), strength=0.5), lambda stage, fraction: fractions.append(fraction))
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0

    def cancel(stage: str, fraction: float) -> None:
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        studio.stylize(pb.StylizeRequest(image=photo(), strength=1.0), cancel)


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_a_large_picture_tells_often_how_far_it_is_and_stops_midway(studio: Studio, strength: float) -> None:
    painter = studio.painter
    own = torch.rand(1, 3, 512, 768, generator=torch.Generator().manual_seed(0))
    code = code_at(studio.book.codes["scream"], 512)
    fractions: list[float] = []
    worked: list[str] = []
    last = studio.network.rgb.register_forward_hook(lambda *_: worked.append("rgb"))
    told = painter.paint_with_strength(own, code, strength, progress=lambda stage, fraction: fractions.append(fraction))
    passes = len(worked)
    assert torch.equal(told, painter.paint_with_strength(own, code, strength))
    assert len(painter._tiles(own)) == 1
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 15
    assert max(after - before for before, after in pairwise([*fractions, 1.0])) < 0.15

    def stop(stage: str, fraction: float) -> None:
        if fraction > 0.5:
            raise Cancelled("Stopped.")

    worked.clear()
    with pytest.raises(Cancelled):
        painter.paint_with_strength(own, code, strength, progress=stop)
    last.remove()
    assert len(worked) < passes == (4 if strength < 1 else 2)
    assert torch.equal(told, painter.paint_with_strength(own, code, strength)), "nothing of the stopped one is left"


def test_too_little_memory_means_smaller_tiles_then_one_sentence(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    held: list[weakref.ref[torch.Tensor]] = []
    paint = Painter.paint

    def scarce(self: Painter, *args: object, **named: object) -> torch.Tensor:
        tried.append(self.tile_px)
        assert not any(ref() is not None for ref in held), "what the last try held is still there"
        hoard = torch.ones(9)
        held.append(weakref.ref(hoard))
        if self.tile_px > 256:
            raise torch.OutOfMemoryError("no room")
        return paint(self, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Painter, "paint", scarce)
    assert ask(studio).image
    assert tried == [1024, 512, 256]

    def none_at_all(self: Painter, *args: object, **named: object) -> torch.Tensor:
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(Painter, "paint", none_at_all)
    with pytest.raises(OutOfMemory):
        ask(studio)


def test_what_the_network_sees_is_one_sheet(studio: Studio) -> None:
    result = studio.see(pb.SeeRequest(image=photo(kind="JPEG")), silent)
    sheet = opened(result.sheet)
    assert sheet.format == "PNG"
    assert min(sheet.size) > 800
    with pytest.raises(BadPicture):
        studio.see(pb.SeeRequest(image=b"?"), silent)


def test_what_ships_is_small_and_has_a_card(studio: Studio) -> None:
    assert NETWORK_FILE.stat().st_size + BOOK_FILE.stat().st_size < 2 * 2**20
    model = studio.model()
    assert (model.name, model.version) == ("stylize", weights_version())
    assert model.parameters <= 800_000
    assert len(model.summary.split()) > 15
    card = CARD_FILE.read_text()
    for word in ("Data", "licence", "steps", "Where it fails", "ImageNet", "MIT"):
        assert word in card, word


def test_what_may_be_kept_of_a_picture_is_written_anew_and_paints_the_same(studio: Studio) -> None:
    """A tiny picture with ten megabytes behind it, a comment in it and a thumbnail beside it: pixels alone are kept."""
    padded_picture, style = photo(96, 64) + os.urandom(10 * 2**20), photo(64, 64, "JPEG", 1)
    result = ask(studio, image=padded_picture, style="", style_image=style + b"secret" * 1000, keep_copies=True)
    assert len(result.kept_image) < 50_000
    assert b"secret" not in result.kept_style_image
    assert np.array_equal(np.asarray(opened(result.kept_image)), np.asarray(opened(photo(96, 64))))
    assert ask(studio, image=result.kept_image).image == ask(studio, image=photo(96, 64)).image
    assert ask(studio, image=photo()).kept_image == b"", "nobody asked for it"


@pytest.mark.parametrize("kind", ["JPEG", "film", "see-through", "GIF"])
def test_a_kept_copy_is_of_the_same_size_and_length(studio: Studio, kind: str) -> None:
    pictures = {
        "JPEG": lambda: photo(96, 64, "JPEG"),
        "film": lambda: film([0, 100, 200, 300]),
        "see-through": lambda: encoded(Image.new("RGBA", (40, 30), (200, 10, 10, 90))),
        "GIF": lambda: encoded(flat((40, 30), "red"), "GIF", save_all=True, append_images=[flat((40, 30), "blue")]),
    }
    image = pictures[kind]()
    first = studio.restyle(pb.StylizeRequest(image=image, style="scream", strength=0.0), silent)
    kept = ask(studio, image=image, style="scream", strength=0.0, keep_copies=True).kept_image
    second = studio.restyle(pb.StylizeRequest(image=kept, style="scream", strength=0.0), silent)
    assert second.work.picture.size == first.work.picture.size
    assert [frame.duration_ms for frame in second.frames] == [frame.duration_ms for frame in first.frames]
    for one, other in zip(first.frames, second.frames, strict=True):
        assert float((one.rgb - other.rgb).abs().mean()) < 0.03
