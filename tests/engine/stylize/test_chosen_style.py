"""Whatever a member names, shows or has saved as a style is found, or refused in a sentence."""

from __future__ import annotations

import tomllib
from itertools import groupby

import pytest
import torch
from PIL import Image

from bot.engine.catalogue import style_label
from engine.contract import engine_pb2 as pb
from engine.errors import BadOption, UnknownStyle
from engine.progress import silent
from engine.stylize.book import LATEST_PERIOD, PERIODS, SOURCES_FILE, load_book, pack_codes, unpack_codes
from engine.stylize.finishing.palette import PALETTE_NUMBERS
from engine.stylize.studio import Studio
from engine.stylize.style_codes import CODE_SIZES_PX
from engine.stylize.style_names import style_name
from engine.stylize.weights_file import weights_version
from tests.engine.stylize.asking import ask
from tests.engine.stylize.pictures.uploads import encoded, flat, opened, photo
from tests.engine.stylize.saved_styles import saved_style

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


def test_a_code_of_other_weights_or_a_damaged_one_is_refused() -> None:
    code = torch.rand(len(CODE_SIZES_PX), 40)
    torch.testing.assert_close(unpack_codes(pack_codes(code, "abc"), 40, "abc"), code)
    with pytest.raises(BadOption, match="another version"):
        unpack_codes(pack_codes(code, "abc"), 40, "def")
    with pytest.raises(BadOption, match="damaged"):
        unpack_codes(pack_codes(code[:, :9], "abc"), 40, "abc")
    for wild in (float("nan"), float("inf"), 1e10):
        with pytest.raises(BadOption, match="damaged"):
            unpack_codes(pack_codes((code + 0.1) * wild, "abc"), 40, "abc")


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
