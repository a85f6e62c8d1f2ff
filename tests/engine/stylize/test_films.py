"""Films are painted as one: of one size and pace, calm where they stand still, and no larger than may be posted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from engine.contract import engine_pb2 as pb
from engine.errors import Cancelled, PictureTooLarge
from engine.progress import silent
from engine.settings import StylizeSettings
from engine.stylize.pictures.colour import light, light_together
from engine.stylize.pictures.film_writing import encode_film
from engine.stylize.pictures.picture import Frame
from engine.stylize.pictures.writing import LOOPS_NOTE, gif
from engine.stylize.studio import Studio
from tests.engine.stylize.asking import ask
from tests.engine.stylize.pictures.uploads import encoded, film, flat, opened, photo


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


def test_what_lights_up_in_a_film_of_mostly_black_frames_is_not_burnt_out(studio: Studio) -> None:
    black, lit = flat((96, 64), "black"), opened(photo(seed=1)).convert("RGB")
    frames = [lit if number % 2 else black for number in range(18)]
    image = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=80, lossless=True)
    request = pb.StylizeRequest(image=image, strength=1.0, style="starry-night")
    painted = studio.restyle(request, silent).frames[1].rgb
    assert float(((painted < 0.02) | (painted > 0.98)).float().mean()) < 0.2


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
