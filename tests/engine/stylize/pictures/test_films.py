"""Films are read with their own pace and the right way up, and written so that they fit."""

from __future__ import annotations

import io
import random
import struct
from dataclasses import asdict
from itertools import pairwise

import pytest
import torch
from PIL import Image

from engine.errors import BadPicture, Cancelled, PictureTooLarge
from engine.progress import Progress, silent
from engine.stylize.pictures import film_writing
from engine.stylize.pictures.film_reading import _timed, is_film, read_film
from engine.stylize.pictures.film_writing import encode_film
from engine.stylize.pictures.picture import Frame, Picture, picture_of
from engine.stylize.pictures.reading import Bounds, read_picture
from tests.engine.stylize.pictures.uploads import as_a_browser_records, film, shown_at

LIMIT = 25 * 2**20


def decode_film(
    data: bytes, max_pixels: int, max_side_px: int, max_frames: int, progress: Progress = silent
) -> Picture:
    return picture_of(read_film(data, asdict(Bounds(LIMIT, max_pixels, max_side_px, max_frames)), progress))


def halves_as(kind: str) -> bytes:
    """A picture file: left red, right blue, 60 x 40."""
    image, out = Image.new("RGB", (60, 40), (255, 0, 0)), io.BytesIO()
    image.paste((0, 0, 255), (30, 0, 60, 40))
    image.save(out, kind)
    return out.getvalue()


def short_film(seconds: float = 1.0) -> bytes:
    greys = [0.2 + 0.05 * number for number in range(round(10 * seconds))]
    return encode_film([Frame(torch.full((1, 3, 48, 64), grey), None, 100) for grey in greys]).data


def test_a_short_film_is_read_and_written() -> None:
    data = short_film()
    assert is_film(data)
    assert not is_film(halves_as("AVIF"))
    picture = decode_film(data, 50_000_000, 1024, 120)
    assert len(picture.frames) == 10
    assert picture.size == (48, 64)
    assert float(picture.frames[8].rgb.mean()) == pytest.approx(0.6, abs=0.03)
    assert [frame.duration_ms for frame in picture.frames] == [100] * 10


JITTER = random.Random(0)
JITTERED_MS = [33 * number + JITTER.uniform(0, 16) for number in range(90)]
SPARSE_MS = [0, 900, 1300, 2000, 2500, 3100, 3400, 4000]
FILMS = {
    "a browser's": (as_a_browser_records(JITTERED_MS), JITTERED_MS),
    "a browser's of a still scene": (as_a_browser_records(SPARSE_MS), SPARSE_MS),
    "declares 1000 fps": (film(JITTERED_MS, "webm", fps=1000), JITTERED_MS),
    "changes its pace": (film([*range(0, 1000, 33), *range(1000, 3000, 250)]), [0, 2750]),
    **{
        f"{fps} fps": (film([1000 * number / fps for number in range(2 * fps)], fps=fps), [0, 2000 - 1000 / fps])
        for fps in (10, 15, 16, 18, 20, 22, 24, 25, 30, 60)
    },
}


@pytest.mark.parametrize("name", FILMS)
def test_a_film_of_any_pace_plays_at_its_own_speed(name: str) -> None:
    data, times_ms = FILMS[name]
    picture = decode_film(data, 50_000_000, 1024, 120)
    starts_ms = [0]
    for frame in picture.frames:
        starts_ms.append(starts_ms[-1] + frame.duration_ms)
    shown_s, length_s = shown_at(encode_film(picture.frames).data)
    assert shown_s == pytest.approx([start / 1000 for start in starts_ms[:-1]], abs=0.001)
    assert length_s == pytest.approx(starts_ms[-1] / 1000, abs=0.001)
    length_ms, longest_ms = times_ms[-1] - times_ms[0], max(frame.duration_ms for frame in picture.frames)
    assert length_ms <= 1000 * length_s <= length_ms + longest_ms
    if len(times_ms) > 2:  # every frame tells its number by its grey: it comes when it came
        for frame, start_ms in zip(picture.frames, starts_ms, strict=False):
            number = round((float(frame.rgb.mean()) * 255 - 10) / 2)
            near = [
                abs(times_ms[n] - times_ms[0] - start_ms)
                for n in (number - 1, number, number + 1)
                if n in range(len(times_ms))
            ]
            assert min(near) <= 1.5
    assert longest_ms <= max(150, *(after - before for before, after in pairwise(times_ms))) + 1


@pytest.mark.parametrize("name", [name for name in FILMS if name.endswith("fps")])
def test_no_second_of_a_film_has_more_than_fifteen_frames(name: str) -> None:
    frames = decode_film(FILMS[name][0], 50_000_000, 1024, 120).frames
    length_s = sum(frame.duration_ms for frame in frames) / 1000
    assert 7 * length_s < len(frames) <= 15 * length_s + 1


def test_the_frames_of_a_steady_film_stay_steady() -> None:
    for fps, kept_ms in ((20, 100), (24, 83), (25, 80), (30, 67), (50, 80), (60, 67)):
        data = film([1000 * number / fps for number in range(2 * fps)], "webm", fps=fps)
        durations_ms = [frame.duration_ms for frame in decode_film(data, 50_000_000, 1024, 120).frames]
        assert all(abs(duration - kept_ms) <= 2 for duration in durations_ms), fps


def test_times_that_run_back_do_not_end_a_film() -> None:
    class Shown:
        def __init__(self, time: float | None) -> None:
            self.time = time

    times = [7.0, 7.1, 7.2, 0.0, 0.1, None, 0.3]
    timed = [shown_s for shown_s, _ in _timed([Shown(time) for time in times], 0.1)]  # type: ignore[misc]
    assert timed == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])


def test_an_animation_of_any_pace_keeps_it_as_mp4() -> None:
    frames = [Frame(torch.full((1, 3, 32, 48), n / 4), None, duration) for n, duration in enumerate((60, 400, 20, 500))]
    shown_s, length_s = shown_at(encode_film(frames).data)
    assert (shown_s, length_s) == (pytest.approx([0, 0.06, 0.46, 0.48]), pytest.approx(0.98))


def restless(frames: int = 40) -> list[Frame]:
    """A film that is hard to compress: every pixel changes, 192 x 144 px."""
    generator = torch.Generator().manual_seed(0)
    return [Frame(torch.rand(1, 3, 144, 192, generator=generator), None, 50) for _ in range(frames)]


def test_a_film_that_is_too_large_is_compressed_then_made_smaller_then_shorter_and_says_so_in_one_sentence() -> None:
    frames = restless()
    whole = encode_film(frames)
    assert whole.notes == ()
    steps = []
    for share in (2, 8, 40, 200):
        limit = len(whole.data) // share
        written = encode_film(frames, limit)
        assert len(written.data) <= limit
        assert (written.media_type, written.extension) == ("video/mp4", "mp4")
        (note,) = written.notes
        assert note.startswith("To fit the upload limit, I compressed the film more than usual")
        assert note.count(".") - note.count(" seconds.") - ("first" in note) == (0 if "first" in note else 1)
        _, length_s = shown_at(written.data)
        if "first" in note:
            assert f"kept only its first {length_s:.1f} seconds" in note
        assert (f"made it {written.width} × {written.height} pixels" in note) == (written.width < 192)
        steps.append((written.width < 192, length_s < 1.9))
    assert steps[0] == (False, False)
    assert steps == sorted(steps), "smaller before shorter"
    assert steps[-1] == (True, True)


def test_a_film_is_written_few_times_before_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = restless(10)
    written: list[object] = []
    whole = len(encode_film(frames).data)

    def counted(*arguments: object) -> bytes:
        written.append(arguments)
        return really(*arguments)  # type: ignore[arg-type]

    really = film_writing._h264
    monkeypatch.setattr(film_writing, "_h264", counted)
    encode_film(frames, whole // 60)
    assert len(written) <= len(film_writing.WAYS) // 2


def test_a_film_of_an_unknown_codec_is_refused_with_one_sentence() -> None:
    with pytest.raises(BadPicture, match="kind of film"):
        decode_film(film([0, 100, 200]).replace(b"avc1", b"zzzz"), 50_000_000, 1024, 120)


def lying_on_its_side(data: bytes) -> bytes:
    """The MP4 with the display matrix of a phone held upright: a quarter turn clockwise (ISO/IEC 14496-12, 8.3.2)."""
    start = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    return data[:start] + struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 1 << 30) + data[start + 36 :]


def test_a_film_from_a_phone_held_upright_comes_upright() -> None:
    frames = [
        picture_of(read_picture(halves_as("PNG"), asdict(Bounds(LIMIT, 50_000_000, 1024, 1)), silent)).frames[0]
    ] * 3
    picture = decode_film(lying_on_its_side(encode_film(frames).data), 50_000_000, 1024, 120)
    assert picture.size == (60, 40)
    top, bottom = picture.frames[0].rgb[0, :, 10, 20], picture.frames[0].rgb[0, :, 50, 20]
    assert top[0] > 0.7 > 0.3 > top[2], "what was left is on top"
    assert bottom[2] > 0.7 > 0.3 > bottom[0]


def test_reading_a_film_can_be_cancelled_between_frames() -> None:
    def gone(stage: str, fraction: float) -> None:
        assert stage == "decoding"
        if fraction > 0:
            raise Cancelled("The job was cancelled.")

    with pytest.raises(Cancelled):
        decode_film(short_film(), 50_000_000, 1024, 10, gone)


def test_a_film_that_is_cut_short_or_damaged_says_so() -> None:
    assert decode_film(short_film(2.0), 50_000_000, 1024, 10).notes == ("I used only the first 1.0 seconds.",)
    sparse = decode_film(as_a_browser_records(SPARSE_MS), 50_000_000, 1024, 4)
    assert sparse.notes == ("I used only the first 2.5 seconds.",)
    assert [frame.duration_ms for frame in sparse.frames] == [900, 400, 700, 500]
    with pytest.raises(BadPicture, match=r"damaged|no pictures"):
        decode_film(short_film()[:200], 50_000_000, 1024, 10)
    with pytest.raises(PictureTooLarge):
        decode_film(short_film(), 100, 1024, 10)
