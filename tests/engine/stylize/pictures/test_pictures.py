"""Whatever members post is read upright and without metadata, or refused with one plain sentence."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import asdict

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from engine.errors import BadPicture, Cancelled, EngineError, PictureTooLarge
from engine.progress import Progress, silent
from engine.stylize.pictures import reading
from engine.stylize.pictures import writing as pictures
from engine.stylize.pictures.film_reading import is_film
from engine.stylize.pictures.picture import Frame, Picture, picture_of
from engine.stylize.pictures.reading import Bounds, read_picture
from engine.stylize.pictures.writing import LOOPS_NOTE, before_after, encode
from tests.engine.stylize.pictures.heic import heic

LIMIT = 25 * 2**20


def read(data: bytes, max_side_px: int = 1024, max_frames: int = 1) -> Picture:
    return decode(data, LIMIT, 50_000_000, max_side_px, max_frames)


def decode(
    data: bytes, max_bytes: int, max_pixels: int, max_side_px: int, max_frames: int = 1, progress: Progress = silent
) -> Picture:
    return picture_of(read_picture(data, asdict(Bounds(max_bytes, max_pixels, max_side_px, max_frames)), progress))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def halves(mode: str = "RGB") -> Image.Image:
    """Left red, right blue, 60 x 40."""
    image = Image.new("RGB", (60, 40), (255, 0, 0))
    image.paste((0, 0, 255), (30, 0, 60, 40))
    return image.convert(mode)


def png_header(width: int, height: int) -> bytes:
    """The start of a PNG of that size, without a single pixel in it."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + b"\0\0\0\0IDAT"
    )


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", BadPicture, "empty"),
        (b"hello, I am a text", BadPicture, "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", BadPicture, "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", BadPicture, "SVG drawing"),
        (saved(halves(), "JPEG")[:300], BadPicture, "damaged|not a picture"),
        (saved(halves(), "PNG")[:90], BadPicture, "damaged"),
        (png_header(30_000, 30_000), PictureTooLarge, "pixels"),
        (png_header(9_000, 9_000), PictureTooLarge, "9000 × 9000"),
        (b"\0" * (LIMIT + 1), PictureTooLarge, "MiB"),
        (saved(Image.new("L", (5000, 10)), "PNG"), BadPicture, "narrow"),
    ],
    ids=["nothing", "text", "eps", "svg", "cut jpeg", "cut png", "900 MP", "81 MP", "26 MiB", "500:1"],
)
def test_bad_uploads_get_one_plain_sentence(data: bytes, error: type[EngineError], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        read(data)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "Error" not in sentence


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "RGB", "YCbCr"])
def test_every_colour_mode_is_read_as_rgb(mode: str) -> None:
    kind = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    picture = read(saved(halves(mode), kind))
    assert picture.size == (40, 60)
    left, right = picture.frames[0].rgb[0, :, 20, 10], picture.frames[0].rgb[0, :, 20, 50]
    if mode in ("P", "CMYK", "RGB", "YCbCr"):
        assert left[0] > 0.8 > 0.3 > left[2]
        assert right[2] > 0.8 > 0.3 > right[0]
    assert picture.frames[0].alpha is None


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    rgb = read(saved(Image.fromarray(ramp), "PNG")).frames[0].rgb
    assert float(rgb.mean()) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_dark_sixteen_bit_picture_stays_dark(kind: str) -> None:
    night = np.full((32, 32), 200, np.uint16)
    assert float(read(saved(Image.fromarray(night), kind)).frames[0].rgb.max()) < 2 / 255


@pytest.mark.parametrize("values", [np.int32, np.float32], ids=["I", "F"])
@pytest.mark.parametrize("white", [255, 65535])
def test_white_in_a_thirty_two_bit_picture_is_guessed_from_its_values(values: type, white: int) -> None:
    ramp = np.linspace(0, white, 32 * 32).reshape(32, 32).astype(values)
    rgb = read(saved(Image.fromarray(ramp), "TIFF")).frames[0].rgb
    assert (float(rgb.min()), float(rgb.max())) == (0.0, 1.0)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparency_is_kept(kind: str) -> None:
    image = halves("RGBA")
    image.putalpha(Image.linear_gradient("L").resize((60, 40)))
    frame = read(saved(image, kind)).frames[0]
    assert frame.alpha is not None
    assert float(frame.alpha.min()) < 0.1 < 0.9 < float(frame.alpha.max())
    encoded = encode([frame], photographic=True)
    assert encoded.media_type == "image/png"
    assert Image.open(io.BytesIO(encoded.data)).mode == "RGBA"


def test_palette_transparency_is_kept_and_full_opacity_is_no_alpha() -> None:
    image = halves("P")
    data = saved(image, "PNG", transparency=int(image.getpixel((50, 20))))  # type: ignore[arg-type]
    alpha = read(data).frames[0].alpha
    assert alpha is not None
    assert (float(alpha[0, 0, 20, 10]), float(alpha[0, 0, 20, 50])) == (1.0, 0.0)
    assert read(saved(halves("RGBA"), "PNG")).frames[0].alpha is None


def test_a_wholly_transparent_picture_is_no_error() -> None:
    frame = read(saved(Image.new("RGBA", (20, 20), (9, 9, 9, 0)), "PNG")).frames[0]
    assert bool(torch.isfinite(frame.rgb).all())


def test_sideways_phone_photos_come_upright_and_lose_their_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn clockwise
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0)}  # GPS
    data = saved(halves(), "JPEG", exif=exif, quality=95)
    picture = read(data)
    assert picture.size == (60, 40)
    assert picture.frames[0].rgb[0, 0, 10, 20] > 0.8  # what was left is now on top
    for photographic in (True, False):
        out = Image.open(io.BytesIO(encode(list(picture.frames), photographic).data))
        assert not dict(out.getexif())
        assert not set(out.info) & {"exif", "icc_profile", "comment", "xmp"}


@pytest.mark.parametrize("kind", ["AVIF", "WEBP", "BMP", "GIF"])
def test_formats_of_phones_and_browsers_are_read(kind: str) -> None:
    picture = read(saved(halves(), kind))
    assert picture.size == (40, 60)
    assert picture.frames[0].rgb[0, 0, 20, 10] > 0.7


@pytest.mark.parametrize(("quarter_turns", "size"), [(0, (96, 128)), (1, (128, 96)), (3, (128, 96))])
def test_a_phones_heic_is_read_upright_and_a_damaged_one_is_refused(quarter_turns: int, size: tuple[int, int]) -> None:
    photo = halves().resize((128, 96), Image.Resampling.NEAREST)
    data = heic(photo, quarter_turns)
    picture = read(data)
    assert (picture.size, picture.photographic) == (size, True)
    shown = np.rot90(np.asarray(photo), quarter_turns)
    assert float((picture.frames[0].rgb[0].permute(1, 2, 0) * 255 - torch.tensor(shown.copy())).abs().mean()) < 10
    assert not is_film(data)
    with pytest.raises(BadPicture, match="damaged"):
        read(data[: len(data) // 2])


def test_a_heic_too_large_to_decode_is_refused_from_its_header() -> None:
    with pytest.raises(PictureTooLarge, match="128 × 96"):
        decode(heic(Image.new("RGB", (128, 96))), LIMIT, 100, 1024)


def test_a_wrong_extension_does_not_matter_and_a_profile_is_no_obstacle() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = read(saved(halves(), "JPEG", icc_profile=profile, quality=95))
    assert picture.frames[0].rgb[0, 0, 20, 10] > 0.9
    assert read(saved(halves(), "PNG", icc_profile=b"nonsense")).size == (40, 60)


def test_pictures_are_made_smaller_but_never_larger() -> None:
    data = saved(Image.new("RGB", (800, 400), "green"), "JPEG")
    assert read(data, max_side_px=200).size == (100, 200)
    assert read(data, max_side_px=4000).size == (400, 800)


def animation(frames: int = 5) -> bytes:
    images = [Image.new("RGB", (48, 32), (40 * number, 80, 200 - 30 * number)) for number in range(frames)]
    return saved(
        images[0], "GIF", save_all=True, append_images=images[1:], duration=[60 + 20 * n for n in range(frames)]
    )


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_an_animation_of_any_format_keeps_its_pace(kind: str) -> None:
    images = [Image.new("RGB", (48, 32), (40 * number, 80, 200)) for number in range(4)]
    data = saved(images[0], kind, save_all=True, append_images=images[1:], duration=[60, 300, 80, 500])
    assert [frame.duration_ms for frame in read(data, max_frames=120).frames] == [60, 300, 80, 500]


def test_a_gif_is_as_long_as_what_it_shows() -> None:
    images = [Image.new("RGB", (48, 32), (40 * number, 80, 200)) for number in range(6)]
    shown = read(pictures.gif(images, [67, 66, 67, 67, 66, 67]), max_frames=120)
    assert sum(frame.duration_ms for frame in shown.frames) == 400
    endless = read(pictures.gif(images[:2], [10**8, 60]), max_frames=120)
    assert [frame.duration_ms for frame in endless.frames] == [10_000, 60]


def softly_transparent(kind: str) -> bytes:
    """Four frames whose transparency runs smoothly, in another direction each."""
    images = []
    for number in range(4):
        image = Image.new("RGB", (48, 32), (60 * number, 80, 200))
        image.putalpha(Image.linear_gradient("L").rotate(90 * number).resize((48, 32)))
        images.append(image)
    return saved(images[0], kind, save_all=True, append_images=images[1:], duration=[60, 300, 80, 500])


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "AVIF"])
def test_an_animation_that_is_half_transparent_stays_so(kind: str) -> None:
    frames = list(read(softly_transparent(kind), max_frames=120).frames)
    for max_bytes in (0, len(encode(frames, photographic=False).data) - 1):
        written = encode(frames, photographic=False, max_bytes=max_bytes)
        assert (written.media_type, written.extension) == ("image/webp", "webp")
        again = read(written.data, max_frames=120).frames
        assert [frame.duration_ms for frame in again] == [60, 300, 80, 500]
        for one, other in zip(frames, again, strict=True):
            assert one.alpha is not None
            assert other.alpha is not None
            scaled = torch.nn.functional.interpolate(other.alpha, one.alpha.shape[-2:], mode="bilinear")
            assert float((one.alpha - scaled).abs().mean()) < 0.03
        assert bool(written.notes) == bool(max_bytes)


def test_an_animation_cut_out_sharply_stays_so() -> None:
    frames = list(read(animation(), max_frames=120).frames)
    hole = torch.ones(1, 1, 32, 48)
    hole[:, :, 8:16, 8:16] = 0
    written = encode([Frame(frame.rgb, hole, frame.duration_ms) for frame in frames], photographic=False)
    assert written.media_type == "image/webp"
    alpha = read(written.data, max_frames=120).frames[2].alpha
    assert alpha is not None
    assert torch.equal(alpha, hole)


def test_an_animation_keeps_its_frames_and_times() -> None:
    picture = read(animation(), max_frames=120)
    assert [frame.duration_ms for frame in picture.frames] == [60, 80, 100, 120, 140]
    encoded = encode(list(picture.frames), picture.photographic)
    assert (encoded.media_type, encoded.notes) == ("image/webp", (LOOPS_NOTE,))
    assert Image.open(io.BytesIO(encoded.data)).info["loop"] == 0, "for ever"
    again = read(encoded.data, max_frames=120)
    assert [frame.duration_ms for frame in again.frames] == [60, 80, 100, 120, 140]
    assert float((again.frames[3].rgb - picture.frames[3].rgb).abs().mean()) < 0.03


def test_frames_that_are_left_out_are_mentioned() -> None:
    assert read(animation(), max_frames=3).notes == ("I used only the first 3 of 5 frames.",)
    assert read(animation()).notes == ("I used only the first frame of the animation.",)
    assert read(animation(1), max_frames=3).notes == ()


def noise(side: int = 256) -> Frame:
    return Frame(torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)), None)


def test_a_result_fits_the_upload_limit_and_says_what_that_took() -> None:
    free = encode([noise()], photographic=True)
    assert free.notes == ()
    tighter = encode([noise()], photographic=True, max_bytes=len(free.data) - 1)
    assert len(tighter.data) < len(free.data)
    assert "Compressed more" in tighter.notes[0]
    png = encode([noise()], photographic=False)
    assert (png.media_type, png.notes) == ("image/png", ())
    instead = encode([noise()], photographic=False, max_bytes=len(png.data) - 1)
    assert instead.data == free.data
    assert instead.notes == ("Saved as JPEG instead of PNG, to fit the upload limit.",)
    tiny = encode([noise()], photographic=True, max_bytes=4000)
    assert len(tiny.data) <= 4000
    assert "Made smaller" in tiny.notes[0]
    assert tiny.width < 256
    with pytest.raises(PictureTooLarge):
        encode([noise()], photographic=True, max_bytes=50)


def test_before_and_after_stand_side_by_side() -> None:
    wide = Image.open(io.BytesIO(before_after(torch.zeros(1, 3, 100, 80), torch.ones(1, 3, 100, 80))))
    assert wide.size == (168, 100)
    tall = Image.open(io.BytesIO(before_after(torch.zeros(1, 3, 50, 200), torch.ones(1, 3, 50, 200))))
    assert tall.size == (200, 108)


def test_reading_an_animation_can_be_cancelled_between_frames() -> None:
    def gone(stage: str, fraction: float) -> None:
        assert stage == "decoding"
        if fraction > 0:
            raise Cancelled("The job was cancelled.")

    with pytest.raises(Cancelled):
        decode(animation(), LIMIT, 50_000_000, 1024, 10, gone)


def test_an_animation_of_huge_frames_is_read_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_FILM_PIXELS", 3 * 48 * 32)
    assert read(animation(), max_frames=10).notes == (
        "I used only the first 3 of 5 frames: all of them together are too large.",
    )
    monkeypatch.setattr(reading, "MOST_FILM_PIXELS", 10)
    assert len(read(animation(), max_frames=10).frames) == 1
