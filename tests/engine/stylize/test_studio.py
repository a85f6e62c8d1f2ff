"""The studio keeps what it promises members, on the committed weights."""

from __future__ import annotations

import os
import tomllib
import weakref
from itertools import groupby, pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from bot.engine.catalogue import style_label
from engine.contract import engine_pb2 as pb
from engine.errors import BadOption, BadPicture, Cancelled, OutOfMemory, PictureTooLarge, UnknownStyle
from engine.progress import silent
from engine.settings import StylizeSettings
from engine.stylize.book import LATEST_PERIOD, PERIODS, SOURCES_FILE, load_book, pack_codes, unpack_codes
from engine.stylize.finishing.palette import PALETTE_NUMBERS
from engine.stylize.painter import Painter
from engine.stylize.pictures.colour import keep_colours, light, light_together, luma
from engine.stylize.pictures.film_writing import encode_film
from engine.stylize.pictures.picture import Frame
from engine.stylize.pictures.writing import LOOPS_NOTE, gif
from engine.stylize.studio import Studio
from engine.stylize.style_codes import CODE_SIZES_PX, code_at
from engine.stylize.style_names import style_name
from engine.stylize.weights_file import BOOK_FILE, CARD_FILE, NETWORK_FILE, weights_version
from tests.engine.stylize.asking import ask
from tests.engine.stylize.pictures.uploads import encoded, film, flat, opened, photo
from tests.engine.stylize.saved_styles import saved_style


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


STYLE_PICTURES = {
    "1x1": flat((1, 1), "red"),
    "2x1": flat((2, 1), "navy"),
    "black": flat((64, 64), "black"),
    "white": flat((300, 200), "white"),
    "20:1": opened(photo(400, 20)).convert("RGB"),
    "1:20": opened(photo(20, 400)).convert("RGB"),
    "grey": flat((64, 64), "red").convert("L"),
    "transparent": Image.new("RGBA", (40, 40), (0, 0, 0, 0)),
}


@pytest.mark.parametrize("name", STYLE_PICTURES)
def test_any_picture_can_be_a_style_and_nothing_comes_out_but_colours(studio: Studio, name: str) -> None:
    style = encoded(STYLE_PICTURES[name])
    for strength in (0.0, 0.5, 1.0):
        request = pb.StylizeRequest(image=photo(), style_image=style, strength=strength, keep_colors=strength == 0.5)
        painted = studio.restyle(request, silent).frames[0].rgb
        assert painted.shape == (1, 3, 64, 96)
        assert bool(torch.isfinite(painted).all())
        assert 0 <= float(painted.min()) <= float(painted.max()) <= 1


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


def test_transparency_comes_back_as_it_went_in(studio: Studio) -> None:
    image = opened(photo()).convert("RGB")
    alpha = Image.linear_gradient("L").resize(image.size)
    image.putalpha(alpha)
    result = ask(studio, image=encoded(image))
    painted = opened(result.image)
    assert (result.media_type, painted.mode) == ("image/png", "RGBA")
    assert np.abs(np.asarray(painted.getchannel("A"), dtype=np.int16) - np.asarray(alpha, dtype=np.int16)).max() <= 1
    assert ask(studio, image=encoded(image), max_bytes=len(result.image) - 1).media_type == "image/png"


def test_without_a_style_the_seed_draws_one(studio: Studio) -> None:
    drawn = {seed: ask(studio, style="", seed=seed).style for seed in range(6)}
    assert len(set(drawn.values())) > 2
    assert set(drawn.values()) <= set(studio.book.names)
    assert ask(studio, style="", seed=4).style == drawn[4]
    assert ask(studio, style="").seed == 77


def test_an_unknown_style_suggests_the_nearest(studio: Studio) -> None:
    with pytest.raises(UnknownStyle, match="Did you mean 'starry-night'"):
        ask(studio, style="stary nigt")
    with pytest.raises(UnknownStyle, match="Did you mean 'great-wave'"):
        ask(studio, style="The Great Wave of Kanagawa")
    assert ask(studio, style="Starry Night").style == "starry-night"


@pytest.mark.parametrize(
    "typed",
    ["great-wave", "Great  Wave", " great_wave ", "The Great Wave off Kanagawa", "the great wave OFF kanagawa",
     "The Great Wave off Kanagawa, Katsushika Hokusai", "`great-wave`"],
)  # fmt: skip
def test_a_style_is_found_by_its_name_and_by_its_title_however_typed(studio: Studio, typed: str) -> None:
    assert ask(studio, style=typed).style == "great-wave"
    assert ask(studio, style="scream", blend_with=typed, blend=0.5).style == "scream + great-wave"


def test_every_line_of_the_list_finds_its_style(studio: Studio) -> None:
    for style in studio.styles():
        label = style_label(style)
        for typed in (style.name, style.title, style.title.upper(), label, f"`{style.name}` {label}"):
            assert style_name(studio.book, typed) == style.name


def test_an_artist_is_answered_with_the_artists_styles(studio: Studio) -> None:
    painted = "'starry-night', 'irises', 'sunflowers', 'wheat-field' and 'corridor' by Vincent van Gogh"
    for field in ("style", "blend_with"):
        with pytest.raises(UnknownStyle) as caught:
            ask(studio, **{field: "Van  Gogh"})
        assert str(caught.value) == f"There is no style called 'Van  Gogh', but the style book has {painted}."
    with pytest.raises(
        UnknownStyle, match=r"'child-with-doll' by Henri Rousseau; .*'painters-family' by Henri Matisse"
    ):
        ask(studio, style="henri")
    with pytest.raises(UnknownStyle, match="'forest' by Paul Cézanne"):
        ask(studio, style="CEZANNE")
    for typed in ("-", "   ?", "xyzzy"):
        with pytest.raises(UnknownStyle, match=r"no style called '[^']*'\.$"):
            ask(studio, style=typed)


def test_styles_come_from_names_pictures_and_codes(studio: Studio) -> None:
    painting = photo(seed=9)
    by_picture = ask(studio, style="", style_image=painting)
    by_code = ask(studio, style="", style_code=saved_style(studio, painting).code)
    assert by_picture.style == "your picture"
    assert by_picture.image == by_code.image != ask(studio).image


def test_a_blend_runs_from_one_style_to_the_other(studio: Studio) -> None:
    ends = [ask(studio).image, ask(studio, style="scream").image]
    assert ask(studio, blend_with="scream", blend=0.0).image == ends[0]
    assert ask(studio, blend_with="scream", blend=1.0).image == ends[1]
    middle = ask(studio, blend_with="scream", blend=0.5)
    assert middle.image not in ends
    assert middle.style == "starry-night + scream"


@pytest.mark.parametrize(
    "fields",
    [{"strength": 1.2}, {"strength": float("nan")}, {"blend": -0.1}, {"size": 3}, {"style": "", "style_code": b"x"}],
    ids=lambda fields: next(iter(fields)),
)  # fmt: skip
def test_options_out_of_range_are_refused(studio: Studio, fields: dict[str, object]) -> None:
    with pytest.raises(BadOption):
        ask(studio, **fields)


def test_a_code_of_other_weights_or_a_damaged_one_is_refused() -> None:
    code = torch.rand(len(CODE_SIZES_PX), 40)
    torch.testing.assert_close(unpack_codes(pack_codes(code, "abc"), 40, "abc"), code)
    with pytest.raises(BadOption, match="another version"):
        unpack_codes(pack_codes(code, "abc"), 40, "def")
    with pytest.raises(BadOption, match="damaged"):
        unpack_codes(pack_codes(code[:, :9], "abc"), 40, "abc")
    with pytest.raises(BadOption, match="damaged"):
        unpack_codes(pack_codes(code * float("nan"), "abc"), 96, "abc")


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


def test_the_size_of_a_film_is_bounded_by_the_settings_and_it_says_so() -> None:
    small = Studio(torch.device("cpu"), StylizeSettings(film_side_px=65), draw_seed=lambda: 77)
    dance = gif([flat((100, 80), colour) for colour in ("red", "blue")], [80] * 2)
    note = ["64 pixels is the largest size for films here (setting `stylize.film_side_px`)."]
    for size, notes in ((0, note), (64, []), (90, note)):
        result = ask(small, image=dance, size=size)
        assert (result.width, list(result.notes)) == (64, [*notes, LOOPS_NOTE])
    for size in (0, 90):
        result = ask(small, image=film([0, 100, 200]), size=size)
        assert (result.width, list(result.notes)) == (64, []), "a film of 64 px loses nothing"
    assert ask(small, image=dance, size=40).width == 40
    assert ask(small, size=90).width == 90
    assert ask(small, image=encoded(flat((20, 10), "red")), size=90).notes == []


def test_an_animation_that_is_half_transparent_comes_back_so(studio: Studio) -> None:
    image = opened(photo()).convert("RGB")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    frames = [image, image.rotate(180)]
    result = ask(studio, image=encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=[80, 300]))
    assert (result.media_type, result.extension, list(result.notes)) == ("image/webp", "webp", [])
    assert opened(result.image).n_frames == 2


def test_a_film_under_the_smallest_limits_is_still_a_film(studio: Studio) -> None:
    generator = torch.Generator().manual_seed(0)
    noise = [Frame(torch.rand(1, 3, 48, 64, generator=generator), None, 100) for _ in range(20)]
    restless = encode_film(noise).data
    whole = ask(studio, image=restless)
    assert (whole.media_type, list(whole.notes)) == ("video/mp4", [])
    for max_bytes in (len(whole.image) - 1, len(whole.image) // 2):
        tight = ask(studio, image=restless, max_bytes=max_bytes)
        assert tight.media_type == "video/mp4"
        assert len(tight.image) <= max_bytes
        assert len(tight.notes) == 1
    with pytest.raises(PictureTooLarge, match="shorter one"):
        ask(studio, image=restless, max_bytes=100)


def test_photos_come_back_as_jpeg_and_the_limit_is_kept(studio: Studio) -> None:
    result = ask(studio, image=photo(kind="JPEG"))
    assert (result.media_type, result.extension) == ("image/jpeg", "jpg")
    tight = ask(studio, image=photo(kind="JPEG"), max_bytes=len(result.image) - 1)
    assert len(tight.image) < len(result.image)
    assert tight.notes


def test_an_animation_keeps_still_what_stands_still(studio: Studio) -> None:
    frames = []
    for number in range(4):
        image = opened(photo(320, 64)).convert("RGB")
        image.paste((255, 255, 255), (300, 5 + 10 * number, 310, 15 + 10 * number))
        frames.append(image)
    seen: list[str] = []
    request = pb.StylizeRequest(image=gif(frames, [80] * 4), strength=1.0, style="irises")
    result = studio.stylize(request, lambda stage, fraction: seen.append(stage))
    assert result.media_type == "image/webp"
    assert list(result.notes) == [LOOPS_NOTE]
    assert "frame 4 of 4" in seen
    painted = opened(result.image)
    assert painted.n_frames == 4
    still = []
    for number in range(4):
        painted.seek(number)
        still.append(np.asarray(painted.convert("RGB"), dtype=np.int16)[:, :128])
    assert max(np.abs(one - still[0]).mean() for one in still) < 4


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_a_film_in_its_own_colours_does_not_flicker(studio: Studio, strength: float) -> None:
    frames = [opened(photo(288, 64)).convert("RGB") for _ in range(4)]
    frames[2].paste((255, 255, 255), (192, 0, 288, 64))
    image = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=80, lossless=True)
    request = pb.StylizeRequest(image=image, strength=strength, style="irises")

    def moved() -> float:
        """What stands still in the film, how much it changes when something bright comes into view, in levels."""
        shown = [255 * frame.rgb[..., :96] for frame in studio.restyle(request, silent).frames]
        return max(float((one - shown[0]).abs().mean()) for one in shown)

    plain = moved()
    request.keep_colors = True
    assert plain < 2, "the coarsest level sees the whole film, and hardly more than that may come of it"
    assert moved() < 1.5 * plain


def test_the_light_of_several_pictures_is_that_of_all_their_pixels() -> None:
    pictures = [torch.rand(1, 3, 8, 6) * (number + 1) / 3 for number in range(3)]
    together, whole = light_together([light(picture) for picture in pictures]), light(torch.cat(pictures, dim=3))
    torch.testing.assert_close(together, whole)
    one = light(pictures[0])
    torch.testing.assert_close(light_together([one]), one)


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


@pytest.mark.parametrize("kind", ["mp4", "webp"])
def test_writing_a_film_can_be_cancelled_between_frames(studio: Studio, kind: str) -> None:
    image = Image.new("RGBA", (96, 64), (200, 20, 20, 128 if kind == "webp" else 255))
    moving = encoded(image, "WEBP", save_all=True, append_images=[image.rotate(90), image.rotate(30)], duration=80)
    written: list[str] = []

    def stop(stage: str, fraction: float) -> None:
        written.extend([stage] if stage == "encoding" else [])
        if len(written) == 3:
            raise Cancelled("Stopped.")

    request = pb.StylizeRequest(image=film([0, 100, 200]) if kind == "mp4" else moving, strength=0.0)
    with pytest.raises(Cancelled):
        studio.stylize(request, stop)
    written.clear()
    assert studio.stylize(request, lambda *_: None).extension == kind


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


def test_the_style_book_belongs_to_the_weights_and_names_its_sources() -> None:
    book = load_book()
    assert book.version == weights_version()
    sources = tomllib.loads(SOURCES_FILE.read_text())["style"]
    assert [entry["name"] for entry in sources] == book.names
    assert len(set(book.names)) == len(book.names) >= 60
    periods = [name for name, _ in groupby(book.styles, key=lambda style: style.period)]
    assert periods == [*(name for _, name in PERIODS), LATEST_PERIOD], "each period once, in order"
    assert all(9 <= sum(style.period == name for style in book.styles) <= 23 for name in periods), "each fills a page"
    for style in book.styles:
        assert style.title
        assert style.artist
        assert style.year.removeprefix("c. ").isdigit()
        assert book.codes[style.name].shape == (len(CODE_SIZES_PX), 96 + PALETTE_NUMBERS)
        assert bool(torch.isfinite(book.codes[style.name]).all())
    codes = torch.stack([codes.flatten() for codes in book.codes.values()])
    distances = torch.cdist(codes, codes) + torch.eye(len(codes)) * 9
    assert float(distances.min()) > 0.05


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
