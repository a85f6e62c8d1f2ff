"""From photo to painting: a film of three seconds in which the strength rises, on the committed weights."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise

import pytest
import torch
from PIL import Image

from engine.contract import engine_pb2 as pb
from engine.errors import BadOption
from engine.progress import silent
from engine.stylize.pictures.film_reading import read_film
from engine.stylize.pictures.picture import picture_of
from engine.stylize.pictures.reading import Bounds
from engine.stylize.pictures.writing import gif
from engine.stylize.rising import BEFORE_MS, FRAME_MS, RISING_MS, eased
from engine.stylize.studio import Studio
from tests.engine.stylize.asking import ask
from tests.engine.stylize.pictures.uploads import film, opened, photo


def test_a_photo_becomes_its_painting_in_a_film_of_three_seconds(studio: Studio) -> None:
    seen: list[tuple[str, float]] = []
    request = pb.StylizeRequest(image=photo(), strength=0.8, style="irises", rising=True, max_bytes=10**7)
    result = studio.stylize(request, lambda stage, fraction: seen.append((stage, fraction)))
    assert (result.media_type, result.extension, result.width, result.height) == ("video/mp4", "mp4", 96, 64)
    assert not result.before_after
    assert not result.notes
    shown = picture_of(read_film(result.image, asdict(Bounds(10**8, 10**8, 1024, 200)))).frames
    assert sum(frame.duration_ms for frame in shown) == 3000
    painted = studio.restyle(pb.StylizeRequest(image=photo(), strength=0.8, style="irises"), silent).frames[0].rgb
    itself = picture_of(studio.read(studio.uploads(request))[0]).frames[0].rgb
    assert rms(shown[0].rgb, itself) < 0.3 * rms(painted, itself), "it begins as the photo"
    assert rms(shown[-1].rgb, painted) < 0.3 * rms(painted, itself), "and ends as the very painting"
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert len({round(fraction, 1) for fraction in fractions}) > 6, "progress is shown on the way"


def test_the_painting_comes_steadily_without_flicker(studio: Studio) -> None:
    request = pb.StylizeRequest(image=photo(), strength=1.0, style="starry-night", rising=True)
    frames = studio.restyle(request, silent).frames
    still, last = frames[0].rgb, frames[len(frames) - 1].rgb
    assert (len(frames), {frame.duration_ms for frame in frames}) == (75, {40})
    away = [rms(frame.rgb, still) for frame in frames]
    assert away == sorted(away)
    steps = [rms(after.rgb, before.rgb) for before, after in pairwise(frames)]
    assert max(steps) < 0.06 * rms(last, still), "no frame jumps"
    assert max(steps[:5] + steps[-19:]) == 0, "the photo stands, and the painting stands longer"


def test_between_its_paintings_the_film_shows_what_painting_anew_would(studio: Studio) -> None:
    ask_for = pb.StylizeRequest(image=photo(), strength=1.0, style="great-wave", rising=True)
    film_frames = studio.restyle(ask_for, silent).frames
    for number in (18, 26, 33, 41):
        strength = eased((number * FRAME_MS - BEFORE_MS) / RISING_MS)
        anew = studio.restyle(pb.StylizeRequest(image=photo(), strength=strength, style="great-wave"), silent)
        assert rms(film_frames[number].rgb, anew.frames[0].rgb) < 2 / 255


def test_what_moves_already_gets_no_film_of_its_own(studio: Studio) -> None:
    for image in (film([0, 100, 200]), gif([opened(photo()).convert("RGB"), Image.new("RGB", (96, 64))], [80, 80])):
        with pytest.raises(BadOption, match="That's a film already"):
            ask(studio, image=image, rising=True)
    with pytest.raises(BadOption, match="stronger first"):
        ask(studio, rising=True, strength=0.0)


def test_a_film_in_the_photos_own_colours_keeps_them_on_the_whole_way(studio: Studio) -> None:
    request = pb.StylizeRequest(image=photo(), strength=1.0, style="scream", rising=True, keep_colors=True)
    frames = studio.restyle(request, silent).frames
    painted = studio.restyle(
        pb.StylizeRequest(image=photo(), strength=1.0, style="scream", keep_colors=True), silent
    ).frames[0]
    assert torch.equal(frames[len(frames) - 1].rgb, painted.rgb)


def rms(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).square().mean().sqrt())
