"""The warping error counts what shimmers, and nothing that the camera alone changes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.stylize.book import load_book
from engine.stylize.judging.motion import MOTIONS, ROOM_PX, film_errors, motion_table, warping_errors
from engine.stylize.painter import Painter
from engine.stylize.pictures.sample_photo import sample_photo
from engine.stylize.weights_file import load_network


@pytest.fixture(scope="module")
def painter() -> Painter:
    return Painter(load_network(), torch.device("cpu"), 512)


def scene(size: int, soft: bool = False) -> Tensor:
    """A photo (1, 3, size + 2 ROOM_PX, size + 2 ROOM_PX), perhaps without anything finer than 8 px."""
    wide = size + 2 * ROOM_PX
    coarse = wide // 8 if soft else wide
    photo = F.interpolate(sample_photo(), size=(coarse, coarse), mode="bicubic", antialias=True)
    return F.interpolate(photo, size=(wide, wide), mode="bicubic").clamp(0, 1)


def test_pictures_that_follow_the_camera_are_calm_and_what_is_fixed_to_the_screen_is_not(painter: Painter) -> None:
    wide = scene(128, soft=True)
    calm = warping_errors(lambda frame, _: 1 - frame, painter, wide)
    assert list(calm) == list(MOTIONS)
    assert max(calm.values()) < 0.01
    assert calm["pan, 1 px right"] < 1e-6
    assert calm["pan, 1 px right and down"] < 1e-6
    grain = 0.1 * torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    restless = warping_errors(lambda frame, _: frame + grain, painter, wide)
    for motion, error in restless.items():
        assert error > 10 * max(calm[motion], 0.003), motion


def test_films_are_told_beside_single_pictures_and_the_photos(painter: Painter) -> None:
    errors = film_errors(painter, scene(128), sample_photo()[:, :, :200, :200].flip(1))
    assert list(errors) == ["film", "pictures", "photos"]
    for motion in ("pan, 1 px right", "pan, 1 px right and down"):
        assert errors["photos"][motion] < 1e-6 < errors["film"][motion] < errors["pictures"][motion]
    rows = motion_table(errors).splitlines()
    assert len(rows) == 2 + len(MOTIONS)
    film = errors["film"]["hand-held"]
    assert rows[-1].startswith(f"| hand-held | {film:.3f} | ")


def test_a_book_style_shimmers_less_in_a_film(painter: Painter) -> None:
    wide, codes = scene(128), load_book().codes["irises"]
    statistics = painter.content_statistics([wide])
    film = warping_errors(lambda frame, _: painter.paint_frame(frame, codes[:1], 1.0, statistics), painter, wide)
    single = warping_errors(lambda frame, _: painter.paint(frame, codes[:1], statistics), painter, wide)
    for motion in MOTIONS:
        assert film[motion] < 0.4 * single[motion], motion
