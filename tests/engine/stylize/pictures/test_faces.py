"""Mild faces: they're found, painted nearer to the photo than the rest, and nothing else changes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from engine.contract import engine_pb2 as pb
from engine.errors import BadOption
from engine.progress import silent
from engine.stylize import studio as studio_module
from engine.stylize.painting import Prepared
from engine.stylize.pictures.faces import Face, faces_mask, find_faces
from engine.stylize.pictures.picture import to_image
from engine.stylize.pictures.sample_photo import sample_photo
from engine.stylize.studio import FACES_OF_FILMS, NO_FACE, Studio
from engine.stylize.together import shape_to_share
from tests.engine.stylize.asking import ask
from tests.engine.stylize.pictures.uploads import encoded, film, opened, photo

SIDE_PX = 256
MILD = pb.FACES_MILD


def portrait() -> Image.Image:
    return to_image(sample_photo()).resize((SIDE_PX, SIDE_PX))


@pytest.fixture
def prepared(studio: Studio) -> Callable[..., Prepared]:
    def prepare(strength: float = 1.0, **fields: object) -> Prepared:
        asked = {"image": encoded(portrait()), "style": "irises", "faces": MILD, **fields}
        request = pb.StylizeRequest(strength=strength, **asked)
        return studio.prepare(request, studio.read(studio.uploads(request)))

    return prepare


def shown(studio: Studio, work: Prepared, number: int = 0) -> Tensor:
    return studio.paint(work, silent).frames[number].rgb


def away(a: Tensor, b: Tensor, where: Tensor) -> float:
    """Mean distance where the mask (1, 1, H, W) is true, levels of 255."""
    return float((a - b).abs()[where.expand_as(a)].mean()) * 255


@pytest.mark.parametrize("side_px", [SIDE_PX, 512, 2000])
def test_a_face_is_found_where_it_is_at_any_size(side_px: int) -> None:
    picture = F.interpolate(sample_photo(), size=(side_px, side_px), mode="bicubic", antialias=True).clamp(0, 1)
    (face,) = find_faces(picture)
    middle = (face.left + face.right) / 2 / side_px, (face.top + face.bottom) / 2 / side_px
    assert middle == pytest.approx((0.52, 0.45), abs=0.04), "between her eyes and mouth"
    assert (face.right - face.left) / side_px == pytest.approx(0.42, abs=0.06)


def test_no_face_is_found_where_there_is_none_however_small_the_picture() -> None:
    for size in ((1, 1), (3, 2), (64, 96), (900, 20), (512, 512)):
        assert find_faces(torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(1))) == ()


def test_the_mask_is_an_ellipse_a_little_higher_than_its_face_with_a_soft_rim() -> None:
    face = Face(top=100, bottom=200, left=150, right=250)
    mask = faces_mask((face,), (300, 400))
    assert mask.shape == (1, 1, 300, 400)
    assert (float(mask.min()), float(mask.max())) == (0.0, 1.0)
    assert float(mask[0, 0, 150, 200]) == 1.0
    for least, reach in ((0.0, (145, 255, 70, 210)), (0.5, (156, 244, 84, 196))):
        rows, columns = (mask[0, 0] > least).nonzero().unbind(1)
        found = (int(columns.min()), int(columns.max()) + 1, int(rows.min()), int(rows.max()) + 1)
        assert found == pytest.approx(reach, abs=1)
    torch.testing.assert_close(mask[0, 0, :, :200], mask[0, 0, :, 200:].flip(1))
    steps = mask[0, 0, 140].diff().abs()
    assert 0 < float(steps.max()) < 0.1, "no seam"


def test_several_faces_are_joined_and_one_at_the_edge_is_cut() -> None:
    left, right = Face(20, 80, 0, 60), Face(20, 80, 40, 100)
    both = faces_mask((left, right), (100, 100))
    one, other = (faces_mask((face,), (100, 100)) for face in (left, right))
    assert torch.equal(both, torch.maximum(one, other))
    assert float(faces_mask((Face(-40, 20, 80, 140),), (100, 100)).sum()) > 0
    assert not faces_mask((Face(300, 360, 300, 360),), (100, 100)).any()


@pytest.mark.parametrize(
    "fields",
    [{}, {"strength": 0.6}, {"keep_colors": True}, {"brush": pb.BRUSH_BOLD}],
    ids=["plain", "weaker", "own colours", "bold"],
)
def test_a_mild_face_is_nearer_to_the_photo_and_all_around_it_nothing_changes(
    studio: Studio, prepared: Callable[..., Prepared], fields: dict[str, object]
) -> None:
    work = prepared(**fields)
    mild, usual = shown(studio, work), shown(studio, prepared(faces=pb.FACES_AS_THE_REST, **fields))
    own, mask = work.picture.frames[0].rgb, faces_mask(work.faces, work.picture.size)
    assert away(mild, own, mask == 1) < 0.8 * away(usual, own, mask == 1)
    assert away(mild, own, mask == 1) > 1.0, "painted nevertheless"
    assert torch.equal(*(torch.where(mask == 0, one, 0) for one in (mild, usual)))
    assert work.picture.notes == ()


def test_at_strength_zero_the_photo_stays_itself_and_nothing_is_looked_for(
    studio: Studio, prepared: Callable[..., Prepared], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio_module, "find_faces", None)
    work = prepared(0.0)
    assert torch.equal(shown(studio, work), work.picture.frames[0].rgb)


def test_the_film_of_a_painting_ends_with_its_mild_face(studio: Studio, prepared: Callable[..., Prepared]) -> None:
    for fields in ({}, {"brush": pb.BRUSH_BOLD, "keep_colors": True, "strength": 0.5}):
        rising, still = prepared(rising=True, **fields), prepared(**fields)
        frames = studio.paint(rising, silent).frames
        assert torch.equal(frames[0].rgb, still.picture.frames[0].rgb)
        torch.testing.assert_close(frames[len(frames) - 1].rgb, shown(studio, still))


def test_a_sticker_has_its_mild_face_wherever_it_lies_on_its_sheet(studio: Studio) -> None:
    sticker = portrait().convert("RGBA")
    sheet = Image.new("RGBA", (400, 330))
    sheet.paste(sticker, (90, 40))
    alone, shown = (opened(ask(studio, image=encoded(one), faces=MILD).image) for one in (sticker, sheet))
    there = np.asarray(shown)[40 : 40 + SIDE_PX, 90 : 90 + SIDE_PX, :3]
    assert np.array_equal(there, np.asarray(alone.convert("RGB")))
    assert not np.asarray(shown)[:40, :, 3].any()


def test_a_picture_without_a_face_is_painted_as_usual_and_says_so(studio: Studio) -> None:
    mild, usual = ask(studio, faces=MILD), ask(studio)
    assert mild.image == usual.image
    assert (list(mild.notes), list(usual.notes)) == ([NO_FACE], [])
    assert list(ask(studio, faces=MILD, rising=True).notes) == [], "it was said when the picture was painted"


def test_films_are_painted_alike_and_say_so(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_module, "find_faces", None)
    image = film([0, 100, 200])
    mild, usual = ask(studio, image=image, faces=MILD), ask(studio, image=image)
    assert list(mild.notes) == [FACES_OF_FILMS, *usual.notes]
    assert mild.image == usual.image


def test_who_does_not_ask_pays_nothing(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_module, "find_faces", None)
    image = encoded(portrait())
    assert ask(studio, image=image).image == ask(studio, image=image, faces=pb.FACES_AS_THE_REST).image
    code = "import sys, engine.__main__, engine.stylize.studio; sys.exit('dlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_only_a_picture_with_a_mild_face_is_painted_alone(prepared: Callable[..., Prepared]) -> None:
    assert shape_to_share(prepared()) is None
    assert shape_to_share(prepared(faces=pb.FACES_AS_THE_REST)) == (SIDE_PX, SIDE_PX)
    assert shape_to_share(prepared(image=photo())) == (64, 96)


def test_other_values_are_refused(studio: Studio) -> None:
    with pytest.raises(BadOption):
        studio.check(pb.StylizeRequest(strength=1.0, faces=7))
