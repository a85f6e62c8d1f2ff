"""File headers and ids."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from playground.world.attachments import safe_filename
from playground.world.media import content_type, picture_size
from playground.world.snowflake import Snowflakes, created_at_s


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("size", [(1, 1), (640, 427), (300, 2000)])
def test_a_pictures_size_is_read_from_its_header(kind: str, size: tuple[int, int]) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", size, (200, 100, 50)).save(buffer, kind)
    assert picture_size(buffer.getvalue()) == size


def test_lossless_and_transparent_webp_are_read_too() -> None:
    for mode, lossless in (("RGB", True), ("RGBA", False)):
        buffer = io.BytesIO()
        Image.new(mode, (123, 45)).save(buffer, "WEBP", lossless=lossless)
        assert picture_size(buffer.getvalue()) == (123, 45)


@pytest.mark.parametrize("junk", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF0000WEBP", b"hello" * 10])
def test_junk_has_no_size(junk: bytes) -> None:
    assert picture_size(junk) is None


def test_names_are_made_safe_and_tell_the_type() -> None:
    assert safe_filename("../../etc/pass wd.PNG") == "pass_wd.PNG"
    assert safe_filename("..") == "unknown"
    assert content_type("solo.OGG") == "audio/ogg"
    assert content_type("mystery") is None


def test_ids_only_grow_even_when_the_clock_goes_back() -> None:
    now = 1_800_000_000.0
    ids = Snowflakes(lambda: now)
    first = ids.next()
    now -= 3600
    later = [int(ids.next()) for _ in range(100)]
    assert [int(first), *later] == sorted({int(first), *later})
    assert created_at_s(first) == 1_800_000_000.0
    assert int(Snowflakes(lambda: now, last=int(first)).next()) > int(first)
