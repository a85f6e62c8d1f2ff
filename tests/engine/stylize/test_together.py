"""Pictures painted in one pass are those painted alone; what befalls one member's picture spares the others."""

from __future__ import annotations

import io
from collections.abc import Callable, Hashable, Sequence
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from engine.contract import engine_pb2 as pb
from engine.errors import BadPicture, Cancelled, UnknownStyle
from engine.progress import Progress, silent
from engine.settings import StylizeSettings
from engine.stylize.painter import Painter
from engine.stylize.painting import Prepared
from engine.stylize.studio import Studio
from tests.engine.stylize.pictures.uploads import encoded, flat, opened, photo


@pytest.fixture(scope="module")
def studio() -> Studio:
    """As on a GPU, but in float32: bfloat16 rounds a batch's sums in another order."""
    made = Studio(torch.device("cpu"), StylizeSettings(), draw_seed=lambda: 77)
    made.batches = True
    made.painter = Painter(made.network, torch.device("cpu"), made.painter.tile_px, bfloat16=False)
    return made


def request(image: bytes | None = None, **fields: object) -> pb.StylizeRequest:
    return pb.StylizeRequest(**{"image": image or photo(), "strength": 1.0, "style": "starry-night", **fields})


def together(
    studio: Studio, requests: Sequence[pb.StylizeRequest], progresses: Sequence[Progress] | None = None
) -> list[pb.StylizeResult | Exception]:
    """Each is read, those that can be painted are painted in one turn, each is finished."""
    progresses = progresses or [silent] * len(requests)
    outcomes: dict[int, object] = {}

    def attempt(number: int, step: Callable[[], object]) -> None:
        try:
            outcomes[number] = step()
        except Exception as error:  # noqa: BLE001 -- as the scheduler does
            outcomes[number] = error

    def prepared(one: pb.StylizeRequest, progress: Progress) -> Prepared:
        return studio.prepare(one, studio.read(studio.uploads(one), progress))

    for number, one in enumerate(requests):
        attempt(number, partial(prepared, one, progresses[number]))
    left = [number for number, outcome in outcomes.items() if isinstance(outcome, Prepared)]
    painted = studio.paint_together([outcomes[number] for number in left], [progresses[number] for number in left])  # type: ignore[misc]
    for number, outcome in zip(left, painted, strict=True):
        if isinstance(outcome, Exception):
            outcomes[number] = outcome
        else:
            attempt(number, partial(studio.finish, outcome, progresses[number]))
    return [outcomes[number] for number in range(len(requests))]  # type: ignore[misc]


def counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures each pass of the network painted."""
    passes: list[int] = []
    paint = Painter.paint

    def counted(self: Painter, picture: torch.Tensor, *args: object, **named: object) -> torch.Tensor:
        passes.append(len(picture))
        return paint(self, picture, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Painter, "paint", counted)
    return passes


def test_a_sticker_shares_with_pictures_of_the_size_that_is_visible(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = Image.new("RGBA", (300, 200))
    sheet.paste(opened(photo(seed=5)).convert("RGBA"), (150, 70))
    requests = [request(photo(seed=0)), request(encoded(sheet))]
    alone = studio.stylize(requests[1], silent)
    passes = counting(monkeypatch)
    _, shared = together(studio, requests)
    assert passes == [2]
    apart = np.asarray(opened(alone.image), dtype=np.int16) - np.asarray(opened(shared.image), dtype=np.int16)
    assert np.abs(apart).max() <= 1


def test_pictures_painted_together_are_those_painted_alone(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    halved = Image.new("L", (96, 64), 255)
    halved.paste(0, (24, 16, 72, 48))  # a hole: with a margin it would be of another size
    see_through = opened(photo(seed=2)).convert("RGB")
    see_through.putalpha(halved)
    requests = [
        request(photo(seed=0)),
        request(photo(seed=1), style="scream", blend_with="great-wave", blend=0.3),
        request(encoded(see_through), style="", seed=4),
        request(photo(seed=3), style="irises", keep_colors=True),
    ]
    alone = [studio.stylize(one, silent) for one in requests]
    passes = counting(monkeypatch)
    results = together(studio, requests)
    assert passes == [4]
    for one, other in zip(alone, results, strict=True):
        assert not isinstance(other, Exception)
        for name in ("style", "drawn_style", "seed", "width", "height", "media_type", "model_version"):
            assert getattr(one, name) == getattr(other, name)
        apart = np.asarray(opened(one.image), dtype=np.int16) - np.asarray(opened(other.image), dtype=np.int16)
        assert np.abs(apart).max() <= 1
    assert opened(results[2].image).mode == "RGBA"  # type: ignore[union-attr]


def test_one_bad_request_does_not_spoil_the_others(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    passes = counting(monkeypatch)
    results = together(studio, [request(), request(photo()[:60]), request(style="nosuch"), request(photo(seed=5))])
    assert [type(result) for result in results] == [pb.StylizeResult, BadPicture, UnknownStyle, pb.StylizeResult]
    assert passes == [2]


@pytest.mark.parametrize("stage", ["painting", "encoding"])
def test_who_cancels_in_a_shared_turn_leaves_alone(studio: Studio, stage: str) -> None:
    def gone(at: str, fraction: float) -> None:
        if at == stage:
            raise Cancelled("The job was cancelled.")

    results = together(studio, [request(), request(photo(seed=5)), request()], [silent, gone, silent])
    assert [type(result) for result in results] == [pb.StylizeResult, Cancelled, pb.StylizeResult]


def test_a_shared_pass_that_does_not_fit_is_done_one_by_one(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    paint = Painter.paint

    def scarce(self: Painter, picture: torch.Tensor, *args: object, **named: object) -> torch.Tensor:
        if len(picture) > 1:
            raise torch.OutOfMemoryError("no room")
        return paint(self, picture, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Painter, "paint", scarce)
    results = together(studio, [request(), request(photo(seed=5))])
    assert [type(result) for result in results] == [pb.StylizeResult] * 2


def test_shapes_that_turn_out_unequal_are_painted_apart(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    passes = counting(monkeypatch)
    results = together(studio, [request(), request(photo(64, 96)), request()])
    assert [(result.width, result.height) for result in results] == [(96, 64), (64, 96), (96, 64)]  # type: ignore[union-attr]
    assert sorted(passes) == [1, 2]


def test_only_single_pictures_in_one_plain_pass_share_and_only_where_it_pays(studio: Studio) -> None:
    def key(one: pb.StylizeRequest, of: Studio = studio) -> Hashable | None:
        return of.share_key(of.prepare(one, of.read(of.uploads(one))))

    exif = Image.Exif()
    exif[0x0112] = 6
    assert key(request()) == key(request(photo(seed=8), style="scream", keep_colors=True)) == (64, 96)
    assert key(request(photo(2000, 1000))) == (512, 1024)
    assert key(request(photo(2000, 1000), size=100)) == (50, 100)
    assert key(request(encoded(opened(photo()), "JPEG", exif=exif))) == (96, 64)
    out = io.BytesIO()
    flat((40, 40), "red").save(out, "GIF", save_all=True, append_images=[flat((40, 40), "blue")])
    for alone in (request(strength=0.5), request(style="", style_image=photo()), request(out.getvalue())):
        assert key(alone) is None
    on_the_cpu = Studio(torch.device("cpu"), StylizeSettings(max_size_px=4096))
    assert key(request(), on_the_cpu) is None
    on_the_cpu.batches = True
    assert key(request(), on_the_cpu) is not None
    assert key(request(photo(2000, 1500), size=2000), on_the_cpu) is None
