"""The studio keeps what it promises members, on the committed weights."""

from __future__ import annotations

import io
import tomllib

import numpy as np
import pytest
import torch
from PIL import Image

from engine.contract import engine_pb2 as pb
from engine.errors import BadOption, BadPicture, Cancelled, OutOfMemory, UnknownStyle
from engine.progress import silent
from engine.settings import StylizeSettings
from engine.stylize.book import SOURCES_FILE, load_book, pack_code, unpack_code
from engine.stylize.cli import add_arguments, run
from engine.stylize.colour import keep_colours, luma
from engine.stylize.painter import Painter
from engine.stylize.pictures import gif
from engine.stylize.studio import Studio
from engine.stylize.weights import BOOK_FILE, CARD_FILE, NETWORK_FILE, weights_version


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(torch.device("cpu"), StylizeSettings(), draw_seed=lambda: 77)


def photo(width: int = 96, height: int = 64, kind: str = "PNG", seed: int = 0) -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(out, kind)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def ask(studio: Studio, **fields: object) -> pb.StylizeResult:
    return studio.stylize(
        pb.StylizeRequest(**{"image": photo(), "strength": 1.0, "style": "starry-night", **fields}), silent
    )


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


def test_styles_come_from_names_pictures_and_codes(studio: Studio) -> None:
    painting = photo(seed=9)
    by_picture = ask(studio, style="", style_image=painting)
    by_code = ask(studio, style="", style_code=studio.encode_style(painting).code)
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
    code = torch.rand(1, 96)
    torch.testing.assert_close(unpack_code(pack_code(code, "abc"), 96, "abc"), code)
    with pytest.raises(BadOption, match="another version"):
        unpack_code(pack_code(code, "abc"), 96, "def")
    with pytest.raises(BadOption, match="damaged"):
        unpack_code(pack_code(code[:, :9], "abc"), 96, "abc")
    with pytest.raises(BadOption, match="damaged"):
        unpack_code(pack_code(code * float("nan"), "abc"), 96, "abc")


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
    assert (ask(small).width, list(ask(small).notes)) == (64, [])
    assert (ask(small, size=80).width, list(ask(small, size=80).notes)) == (64, ["64 pixels is the largest size here."])


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
    assert result.media_type == "image/gif"
    assert "frame 4 of 4" in seen
    painted = opened(result.image)
    assert painted.n_frames == 4
    still = []
    for number in range(4):
        painted.seek(number)
        still.append(np.asarray(painted.convert("RGB"), dtype=np.int16)[:, :128])
    assert max(np.abs(one - still[0]).mean() for one in still) < 4


def test_progress_rises_and_a_cancelled_job_stops(studio: Studio) -> None:
    fractions: list[float] = []
    studio.stylize(pb.StylizeRequest(image=photo(), strength=0.5), lambda stage, fraction: fractions.append(fraction))
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0

    def cancel(stage: str, fraction: float) -> None:
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        studio.stylize(pb.StylizeRequest(image=photo(), strength=1.0), cancel)


def test_too_little_memory_means_smaller_tiles_then_one_sentence(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    paint = Painter.paint

    def scarce(self: Painter, *args: object, **named: object) -> torch.Tensor:
        tried.append(self.tile_px)
        if self.tile_px > 256:
            raise torch.OutOfMemoryError("no room")
        return paint(self, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Painter, "paint", scarce)
    assert ask(studio).image
    assert tried == [512, 256]

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
    assert len(set(book.names)) >= 24
    for style in book.styles:
        assert style.title
        assert style.artist
        assert style.year.removeprefix("c. ").isdigit()
        assert book.codes[style.name].shape == (1, 96)
        assert bool(torch.isfinite(book.codes[style.name]).all())
    codes = torch.cat(list(book.codes.values()))
    distances = torch.cdist(codes, codes) + torch.eye(len(codes)) * 9
    assert float(distances.min()) > 0.05


def test_what_ships_is_small_and_has_a_card(studio: Studio) -> None:
    assert NETWORK_FILE.stat().st_size + BOOK_FILE.stat().st_size < 2 * 2**20
    model = studio.model()
    assert (model.name, model.version) == ("stylize", weights_version())
    assert model.parameters <= 400_000
    assert len(model.summary.split()) > 15
    card = CARD_FILE.read_text()
    for word in ("Data", "licence", "steps", "Where it fails", "ImageNet", "MIT"):
        assert word in card, word


def test_the_command_line_paints_files_and_folders(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    import argparse

    folder = tmp_path_factory.mktemp("cli")
    (folder / "in").mkdir()
    for number in range(2):
        (folder / "in" / f"{number}.jpg").write_bytes(photo(kind="JPEG", seed=number))
    (folder / "style.png").write_bytes(photo(seed=5))

    def command(*words: object) -> int:
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        return run(parser.parse_args([str(word) for word in words]))

    one = folder / "in" / "0.jpg"
    threads = torch.get_num_threads()
    try:
        out = folder / "out.png"
        extra = (
            "--before-after",
            folder / "ba.jpg",
            "--see",
            folder / "see.png",
            "--blend-with",
            "scream",
            "--seed",
            4,
        )
        assert command(one, "--style", folder / "style.png", "--out", out, *extra) == 0
        assert opened(out.read_bytes()).format == "PNG"
        assert (folder / "ba.jpg").exists()
        assert (folder / "see.png").exists()
        assert (
            command(folder / "in", "--style", "scream", "--out", folder / "painted", "--strength", 0.5, "--keep-colors")
            == 0
        )
        assert sorted(path.name for path in (folder / "painted").iterdir()) == ["0.jpg", "1.jpg"]
        assert command("--list-styles") == 0
        assert "great-wave" in capsys.readouterr().out
        with pytest.raises(BadPicture, match="cannot be read"):
            command(folder / "missing.jpg", "--out", out)
        with pytest.raises(BadOption, match="--out"):
            command(one)
        with pytest.raises(UnknownStyle):
            command(one, "--style", "nosuch", "--out", out)
    finally:
        torch.set_num_threads(threads)
