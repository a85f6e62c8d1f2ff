"""What other programs stumble over is read as its maker meant it, or refused with a sentence that says what to do."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from engine.errors import BadPicture, PictureTooLarge
from engine.stylize.pictures import reading as reading_module
from engine.stylize.pictures.film_reading import read_picture_or_film
from engine.stylize.pictures.gif_structure import gif_structure
from engine.stylize.pictures.picture import picture_of
from engine.stylize.pictures.reading import Bounds
from engine.uploads import Reading
from tests.engine.stylize.pictures import odd_pictures as odd
from tests.engine.stylize.pictures.uploads import encoded, film


def read(data: bytes, max_frames: int = 120, max_pixels: int = 50_000_000) -> Reading:
    return read_picture_or_film(data, asdict(Bounds(25 << 20, max_pixels, 1024, max_frames, 480)))


def pixels(data: bytes) -> np.ndarray:
    return read(data).arrays[0]


def colours(data: bytes) -> tuple[list[int], list[int]]:
    """In the middle of the left and of the right half of the first frame."""
    first = pixels(data)[0]
    height, width = first.shape[:2]
    return first[height // 2, width // 4].tolist(), first[height // 2, 3 * width // 4].tolist()


def is_green(colour: list[int]) -> bool:
    return colour[1] > 150 > 100 > colour[0]


def is_red(colour: list[int]) -> bool:
    return colour[0] > 150 > 100 > colour[1]


PLAIN = encoded(odd.halves())


@pytest.mark.parametrize(
    "data",
    [
        odd.with_chunks(PLAIN, odd.chunk(b"eXIf", b"this is no exif")),
        odd.with_chunks(PLAIN, odd.chunk(b"eXIf", b"Exif\0\0Exif\0\0MM\0*")),
        odd.with_chunks(PLAIN, odd.chunk(b"eXIf", b"")),
        odd.with_chunks(PLAIN, odd.chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 10\nnothexatall\n")),
        odd.with_chunks(PLAIN, odd.chunk(b"tEXt", b"Raw profile type APP1\0\ngeneric profile\n 4\n45x8\n")),
        encoded(odd.halves(), "WEBP", exif=b"plain text"),
        encoded(odd.halves(), "WEBP", exif=b"Exif\0\0Exif\0\0II*\0"),
        encoded(odd.halves(), "JPEG", quality=95, exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
        encoded(odd.halves(), "JPEG", quality=95, xmp=b"<x:xmpmeta tiff:Orientation='left'/>"),
    ],
)
def test_metadata_is_never_a_reason_to_refuse_a_picture(data: bytes) -> None:
    assert pixels(data).shape == (1, 48, 64, 3)
    assert is_red(colours(data)[0])


@pytest.mark.parametrize(
    ("exif", "turned"),
    [
        (odd.exif_with_orientation(3, 1, b"\x06\0"), True),
        (odd.exif_with_orientation(3, 1, b"\0\x08", b"MM"), True),
        (odd.exif_with_orientation(4, 1, b"\x06\0\0\0"), True),
        (odd.exif_with_orientation(3, 2, b"\x06\0\x01\0"), True),
        (odd.exif_with_orientation(3, 1, b"\0\0"), False),
        (odd.exif_with_orientation(3, 1, b"\x09\0"), False),
        (odd.exif_with_orientation(3, 1, b"\xff\xff"), False),
        (odd.exif_with_orientation(2, 2, b"6\0"), False),
        (odd.exif_with_orientation(1, 1, b"\x06"), False),
        (odd.exif_with_orientation(7, 2, b"\x06\0"), False),
        (odd.exif_with_orientation(12, 1, b"\x06"), False),
    ],
)
def test_an_orientation_turns_a_picture_only_where_it_is_one(exif: bytes, turned: bool) -> None:
    shape = pixels(encoded(odd.halves(), "JPEG", exif=exif)).shape
    assert shape == ((1, 64, 48, 3) if turned else (1, 48, 64, 3))


def faded(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


@pytest.mark.parametrize(
    ("image", "kind", "options"),
    [
        (odd.halves(), "PNG", {}),
        (odd.halves(), "JPEG", {"quality": 95}),
        (odd.halves(), "TIFF", {}),
        (odd.halves().convert("RGBA"), "PNG", {}),
        (faded(odd.halves()), "PNG", {}),
        (faded(odd.halves()), "WEBP", {"lossless": True}),
        (faded(odd.halves()), "TIFF", {}),
        (odd.halves().quantize(8), "PNG", {}),
        (odd.halves(), "PNG", {"transparency": odd.BLUE}),
    ],
)
def test_a_colour_profile_counts_in_every_kind_of_picture(
    image: Image.Image, kind: str, options: dict[str, object]
) -> None:
    data = encoded(image, kind, icc_profile=odd.swapping_profile(), **options)
    assert is_green(colours(data)[0])
    if "transparency" in options:
        assert colours(data)[1][3] == 0
    if image.mode == "RGBA" and image.getextrema()[3][0] < 255:  # type: ignore[index]
        assert pixels(data).shape[3] == 4


@pytest.mark.parametrize("profile", [bytes(300), b"", odd.lab_profile()])
def test_a_profile_that_does_not_fit_is_left_aside(profile: bytes) -> None:
    assert is_red(colours(encoded(odd.halves(), "JPEG", quality=95, icc_profile=profile))[0])


def test_grey_with_an_rgb_profile_stays_grey() -> None:
    grey = Image.linear_gradient("L").resize((64, 48))
    shown = pixels(encoded(grey, "JPEG", icc_profile=odd.swapping_profile()))[0].astype(int)
    assert np.abs(shown[..., 0] - shown[..., 1]).max() < 4


HIGHLIGHT = np.where(odd.ramp(1.0) == 1.0, 300.0, odd.ramp(1.0)).astype(np.float32)
HOLES = odd.ramp(255).astype(np.float32)
HOLES[0, :3] = np.inf, np.nan, -np.inf


@pytest.mark.parametrize(
    "data",
    [
        odd.grey_tiff(odd.ramp(1.0).astype(np.float32)),
        odd.grey_tiff(odd.ramp(3.14, -3.14).astype(np.float32)),
        odd.grey_tiff(odd.ramp(1e-4).astype(np.float32) * 1e6),
        odd.grey_tiff(HIGHLIGHT),
        odd.grey_tiff(HOLES),
        odd.grey_tiff(odd.ramp(2**31 - 1).astype(np.int32)),
        odd.grey_tiff(odd.ramp(65535).astype(np.int32)),
        odd.grey_tiff(odd.ramp(40000, -40000).astype(np.int32)),
        odd.grey_tiff(odd.ramp(4095).astype(np.uint16), bits=12),
        odd.grey_tiff(odd.ramp(65535).astype(np.uint16)),
        odd.grey_tiff(odd.ramp(65535)[:, ::-1].astype(np.uint16), white_is_zero=True),
        odd.raw_png(odd.ramp(65535).astype(np.uint16), 0),
    ],
)
def test_grey_of_any_range_shows_what_it_holds(data: bytes) -> None:
    row = pixels(data)[0, 8, :, 0].astype(int)
    assert row[3] < 30
    assert 110 < row[32] < 145
    assert row[60] > 225
    assert (np.diff(row) >= -1).all()


def test_a_picture_of_one_value_is_no_reason_to_divide_by_nothing() -> None:
    for value in (np.full((8, 8), 7.5, np.float32), np.full((8, 8), np.nan, np.float32), np.full((8, 8), -3, np.int32)):
        assert pixels(odd.grey_tiff(value)).shape == (1, 8, 8, 3)


def test_transparency_of_sixteen_bits_is_kept() -> None:
    grey = np.full((16, 32), 40000)
    grey[:, 16:] = 1234
    left, right = colours(odd.raw_png(grey, 0, odd.chunk(b"tRNS", b"\x04\xd2")))
    assert (left, right[3]) == ([156, 156, 156, 255], 0)
    colour = np.full((16, 32, 3), 40000)
    colour[:, 16:] = (1234, 5678, 9999)
    key = np.array([1234, 5678, 9999], ">u2").tobytes()
    left, right = colours(odd.raw_png(colour, 2, odd.chunk(b"tRNS", key)))
    assert (left[3], right[3]) == (255, 0)


def test_the_fourth_byte_of_a_bitmap_is_no_transparency_where_it_is_zero_everywhere() -> None:
    assert pixels(odd.bmp_with_alpha(0)).shape[3] == 3
    assert is_red(colours(odd.bmp_with_alpha(0))[0])
    assert pixels(odd.bmp_with_alpha(255)).shape[3] == 3
    assert colours(odd.bmp_with_alpha(100))[0][3] == 100


def test_a_picture_of_which_nothing_is_visible_says_so() -> None:
    reading = read(encoded(Image.new("RGBA", (20, 20), (200, 30, 30, 0))))
    assert reading.facts["notes"] == ["Nothing in that picture is visible: it's transparent all over."]


@pytest.mark.parametrize(
    ("frames", "kept"),
    [
        ([(0, 0, 60, 50), (30, 30, 60, 50)], 2),
        ([(0, 0, 90, 90), (0, 0, 60, 50)], 2),
        ([(0, 0, 60, 50), (59, 49, 400, 400)], 2),
        ([(0, 0, 60, 50), (0, 0, 3000, 2000), (0, 0, 60, 50)], 1),
    ],
)
def test_a_gifs_frames_are_clipped_to_its_screen_and_each_is_bounded(
    frames: list[tuple[int, int, int, int]], kept: int
) -> None:
    reading = read(odd.flat_gif((60, 50), *frames), max_pixels=1_000_000)
    assert reading.arrays[0].shape == (kept, 50, 60, 3)
    assert reading.arrays[0][0, 25, 30].tolist() == list(odd.RED)
    cut = ["I used only the first of 3 frames: the next one is too large."]
    assert reading.facts["notes"] == (cut if kept < len(frames) else [])


def test_a_gifs_first_frame_is_bounded_too() -> None:
    with pytest.raises(PictureTooLarge, match="3000 × 2000"):
        read(odd.flat_gif((60, 50), (0, 0, 3000, 2000)), max_pixels=1_000_000)
    with pytest.raises(PictureTooLarge):
        read(odd.flat_gif((60000, 60000), (0, 0, 10, 10)))


def test_an_animations_frames_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "MOST_FILM_PIXELS", 3 * 40 * 40)
    reading = read(odd.animated("GIF", odd.moving(6), duration=80, loop=0))
    assert reading.facts["notes"] == ["I used only the first 3 of 6 frames: all of them together are too large."]


def test_a_gif_may_end_anywhere() -> None:
    """Either the frames before the cut, or one plain sentence."""
    whole = odd.animated("GIF", odd.moving(5), duration=80, loop=0)
    counts = set()
    for end in range(len(whole)):
        try:
            counts.add(len(read(whole[:end]).arrays[0]))
        except BadPicture:
            continue
    assert counts == {1, 2, 3, 4, 5}


def test_the_skeleton_of_a_gif_is_read_without_its_pixels() -> None:
    structure = gif_structure(odd.flat_gif((60, 50), (0, 0, 60, 50), (30, 20, 90, 10)))
    assert structure is not None
    assert (structure.screen, structure.extents) == ((60, 50), ((60, 50), (120, 30)))
    assert gif_structure(b"no gif at all") is None


def test_a_picture_for_programs_that_know_no_apng_is_no_frame_of_it() -> None:
    hidden = Image.new("RGB", (40, 40), (255, 0, 255))
    data = odd.animated("PNG", [hidden, *odd.moving(2)], default_image=True, duration=300)
    reading = read(data)
    assert len(reading.arrays[0]) == 2
    assert not (reading.arrays[0].reshape(-1, 3) == (255, 0, 255)).all(1).any()
    assert len(read(data, max_frames=1).arrays[0]) == 1
    assert not (read(data, max_frames=1).arrays[0].reshape(-1, 3) == (255, 0, 255)).all(1).any()


def test_frames_that_last_for_hours_are_shown_for_ten_seconds() -> None:
    data = odd.long_delays(odd.animated("PNG", odd.moving(3), duration=500))
    reading = read(data)
    assert reading.facts["durations_ms"] == [10_000] * 3
    assert "10 seconds" in reading.facts["notes"][0]


def test_high_dynamic_range_is_toned_down_and_said() -> None:
    white = round(0.58 * 65535)  # of PQ: 203 cd/m2
    values = np.zeros((16, 32, 3))
    values[:, :16] = white
    values[:, 16:, 0] = white
    data = odd.raw_png(values, 2, odd.chunk(b"cICP", bytes([9, 16, 0, 1])))
    left, right = colours(data)
    assert min(left) > 225
    assert right[0] > 225
    assert max(right[1:]) < 60
    assert "HDR" in read(data).facts["notes"][0]
    brighter = odd.raw_png(np.full((16, 32, 3), 65535), 2, odd.chunk(b"cICP", bytes([9, 16, 0, 1])))
    assert min(colours(brighter)[0]) > min(left)


def test_gamma_and_primaries_of_a_png_are_obeyed() -> None:
    linear = Image.fromarray((np.tile(np.linspace(0, 1, 64), (16, 1)) * 255).astype(np.uint8))
    gamma_1 = odd.with_chunks(encoded(linear), odd.chunk(b"gAMA", (100_000).to_bytes(4, "big")))
    assert 180 < pixels(gamma_1)[0, 8, 32, 0] < 195  # half the light
    usual = odd.with_chunks(encoded(linear), odd.chunk(b"gAMA", (45_455).to_bytes(4, "big")))
    assert 120 < pixels(usual)[0, 8, 32, 0] < 135
    stronger = odd.with_chunks(gamma_1, odd.chunk(b"sRGB", b"\0"))
    assert 120 < pixels(stronger)[0, 8, 32, 0] < 135
    swapped = (31270, 32900, 30000, 60000, 64000, 33000, 15000, 6000)  # red where green is
    data = odd.with_chunks(PLAIN, odd.chunk(b"cHRM", b"".join(value.to_bytes(4, "big") for value in swapped)))
    assert is_green(colours(data)[0])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"\n <HTML>sorry</HTML>", "web page"),
        (b"%PDF-1.7 " + bytes(100), "PDF"),
        (odd.tiff(bytes(768), 8, 8, (258, 3, 32), (259, 3, 1), (262, 3, 2), (277, 3, 3)), "TIFF"),
        (b"BM" + bytes(200), "damaged"),
        (b"hello", "not a picture"),
        (b"OggS" + bytes(200), "film or a recording"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence_that_is_true(data: bytes, words: str) -> None:
    with pytest.raises(BadPicture, match=words):
        read(data)


def test_the_first_bytes_count_not_the_name() -> None:
    """A GIF called .jpg, a film called .gif, a JPEG behind an empty line."""
    assert len(pixels(odd.animated("GIF", odd.moving(3), duration=80))) == 3
    assert len(pixels(film([0, 100, 200]))) == 3
    assert pixels(b"\r\n" + encoded(odd.halves(), "JPEG")).shape == (1, 48, 64, 3)


@pytest.mark.parametrize(("size", "fine"), [((1, 1), True), ((1, 60), True), ((1, 20000), False), ((20000, 30), False)])
def test_narrow_pictures_are_painted_as_long_as_there_is_something_to_paint(size: tuple[int, int], fine: bool) -> None:
    data = encoded(Image.new("RGB", size, (255, 0, 0)))
    if fine:
        assert pixels(data).shape == (1, size[1], size[0], 3)
    else:
        with pytest.raises(BadPicture, match="too narrow"):
            read(data)


def test_what_a_child_says_of_a_picture_is_checked() -> None:
    fine = read(PLAIN)
    assert picture_of(fine).size == (48, 64)
    for facts, arrays in (
        ({}, fine.arrays),
        (fine.facts, ()),
        (fine.facts, (fine.arrays[0].astype(np.float32),)),
        (fine.facts, (fine.arrays[0][0],)),
        ({**fine.facts, "durations_ms": [1, 2]}, fine.arrays),
        ({**fine.facts, "durations_ms": ["1"]}, fine.arrays),
        (fine.facts, (fine.arrays[0][:, :0],)),
    ):
        with pytest.raises(BadPicture):
            picture_of(Reading(facts, arrays))
