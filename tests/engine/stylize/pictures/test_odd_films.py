"""Films that other programs stumble over are read as players show them, or refused with a true sentence."""

from __future__ import annotations

import io
import struct
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.errors import BadPicture, PictureTooLarge
from engine.media import demuxer_of
from engine.stylize.pictures import film_reading
from engine.stylize.pictures.film_reading import is_film, read_film
from engine.stylize.pictures.reading import Bounds
from engine.uploads import Reading


def read(data: bytes, max_frames: int = 120, max_pixels: int = 50_000_000) -> Reading:
    return read_film(data, asdict(Bounds(25 << 20, max_pixels, 1024, max_frames, 480)))


def bars(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Grey, a red bar growing from the left."""
    frames = []
    for number in range(count):
        frame = np.full((height, width, 3), 70, np.uint8)
        frame[:, : max(2, 2 * number % width)] = (210, 50, 40)
        frames.append(frame)
    return frames


def film(
    frames: list[np.ndarray],
    kind: str = "mp4",
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    shape: Fraction | None = None,
    colour: tuple[int, int, int] | None = None,
    pts: list[int] | None = None,
    options: dict[str, str] | None = None,
    path: Path | None = None,
) -> bytes:
    out = io.BytesIO()
    container_options = {"movflags": "faststart"} if path else {}
    with av.open(str(path) if path else out, "w", format=kind, options=container_options) as container:
        stream = container.add_stream(codec, rate=15, options=options or {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        if shape is not None:
            stream.codec_context.sample_aspect_ratio = shape
        if colour:
            context = stream.codec_context
            context.color_primaries, context.color_trc, context.colorspace = colour
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgba" if pixels.shape[2] == 4 else "rgb24")
            frame = frame.reformat(format=pix_fmt)
            frame.pts, frame.time_base = number if pts is None else pts[number], Fraction(1, 15)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes() if path else out.getvalue()


def song(kind: str = "ipod") -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        for start in range(0, 20 * 1024, 1024):
            tone = 0.2 * np.sin((np.arange(1024) + start) * 2 * np.pi * 440 / 44100)
            frame = av.AudioFrame.from_ndarray(tone[None].astype(np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 44100, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def test_a_song_is_called_a_song() -> None:
    with pytest.raises(BadPicture, match="That's a song"):
        read(song())


@pytest.mark.parametrize(("shape", "size"), [(Fraction(2, 1), (48, 128)), (Fraction(1, 2), (96, 64))])
def test_pixels_that_are_not_square_are_shown_as_they_are_meant(shape: Fraction, size: tuple[int, int]) -> None:
    assert read(film(bars(6), shape=shape)).arrays[0].shape == (6, *size, 3)


@pytest.mark.parametrize("transfer", [16, 18])
def test_a_film_for_hdr_screens_is_toned_down_and_said(transfer: int) -> None:
    flat = [np.full((48, 64, 3), 148, np.uint8)] * 4
    reading = read(film(flat, pix_fmt="yuv420p10le", colour=(9, transfer, 9)))
    assert "HDR" in reading.facts["notes"][0]
    assert reading.arrays[0][0, 24, 32].min() > 155, "148 of 255 is much brighter there than here"


@pytest.mark.parametrize(("codec", "options"), [("libvpx", {}), ("libvpx-vp9", {"cpu-used": "8"})])
def test_a_sticker_keeps_its_transparency(codec: str, options: dict[str, str]) -> None:
    sticker = np.zeros((64, 64, 4), np.uint8)
    sticker[16:48, 16:48] = (250, 200, 0, 255)
    data = film(
        [sticker] * 5, "webm", codec, "yuva420p", options={"auto-alt-ref": "0", "deadline": "realtime", **options}
    )
    reading = read(data)
    alpha = reading.arrays[0][..., 3]
    assert alpha[0, 32, 32] > 240
    assert alpha[0, 4, 4] < 15
    assert not reading.facts["photographic"], "it becomes a format that has transparency"


def test_a_film_that_was_cut_gives_what_came_before(tmp_path: Path) -> None:
    whole = film(bars(90), path=tmp_path / "film.mp4")
    reading = read(whole[: len(whole) * 2 // 3])
    assert 20 < len(reading.arrays[0]) < 90
    assert "damaged" in reading.facts["notes"][-1]
    behind = film(bars(90))
    with pytest.raises(BadPicture, match="damaged"):
        read(behind[: len(behind) * 2 // 3])


def test_lost_bytes_cost_some_frames_not_the_film(tmp_path: Path) -> None:
    data = bytearray(film(bars(90), path=tmp_path / "film.mp4"))
    at = len(data) * 3 // 4
    data[at : at + 60] = bytes(60)
    reading = read(bytes(data))
    assert len(reading.arrays[0]) > 60
    assert any("damaged" in note for note in reading.facts["notes"])


def test_the_largest_of_several_pictures_is_taken() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        streams = []
        for width, height in ((64, 48), (128, 96)):
            stream = container.add_stream("libx264", rate=15)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            streams.append(stream)
        for stream in streams:
            for pixels in bars(4, stream.width, stream.height):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode())
    assert read(out.getvalue()).arrays[0].shape == (4, 96, 128, 3)


def test_a_frame_is_shown_for_ten_seconds_at_most() -> None:
    reading = read(film(bars(2), pts=[0, 15 * 3600]))
    assert max(reading.facts["durations_ms"]) == 10_000
    assert "10 seconds" in reading.facts["notes"][0]


def test_frames_that_all_come_at_once_are_shown_one_after_the_other() -> None:
    data = bytearray(film(bars(20)))
    at = data.index(b"stts")
    for entry in range(struct.unpack_from(">I", data, at + 8)[0]):
        struct.pack_into(">I", data, at + 12 + 8 * entry + 4, 0)
    assert len(read(bytes(data)).arrays[0]) > 10


@pytest.mark.parametrize(("kind", "codec"), [("avi", "mpeg4"), ("mpegts", "libx264"), ("mov", "libx264")])
def test_films_of_cameras_and_old_programs_are_read(kind: str, codec: str) -> None:
    data = film(bars(8), kind, codec)
    assert is_film(data)
    assert len(read(data).arrays[0]) == 8


def test_a_mov_may_begin_with_anything_quicktime_writes() -> None:
    data = film(bars(8))
    size = struct.unpack(">I", data[:4])[0]
    wide = struct.pack(">I", size) + b"wide" + data[8:]
    assert demuxer_of(wide) == "mov"
    assert len(read(wide).arrays[0]) == 8


def test_a_film_whose_size_changes_keeps_its_shape() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="webm") as container:
        stream = container.add_stream("libvpx", rate=15)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number, (width, height) in enumerate(((64, 48), (48, 96))):
            coder = stream if number == 0 else av.CodecContext.create("libvpx", "w")
            if number:
                coder.width, coder.height, coder.pix_fmt = width, height, "yuv420p"
                coder.time_base, coder.framerate = Fraction(1, 15), Fraction(15, 1)
            packets = []
            for index in range(6):
                frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), 200, np.uint8), format="rgb24")
                frame = frame.reformat(format="yuv420p")
                frame.pts, frame.time_base = 6 * number + index, Fraction(1, 15)
                packets += coder.encode(frame)
            for packet in [*packets, *coder.encode(None)]:
                packet.stream = stream
                container.mux(packet)
    frames = read(out.getvalue()).arrays[0]
    assert frames.shape == (12, 48, 64, 3)
    assert frames[-1, 24, 32].min() > 180
    assert frames[-1, 24, 2].max() < 30, "a high picture in a wide window has black beside it"


@pytest.mark.parametrize("size", [(63, 47), (2, 480), (480, 2)])
def test_films_of_odd_sizes_are_read(size: tuple[int, int]) -> None:
    width, height = size
    codec = ("webm", "libvpx") if width % 2 or height % 2 else ("mp4", "libx264")
    assert len(read(film([np.full((height, width, 3), 90, np.uint8)] * 4, *codec)).arrays[0]) == 4


def test_a_film_is_bounded_in_pixels_a_frame_and_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PictureTooLarge, match="64 × 48"):
        read(film(bars(4)), max_pixels=1000)
    monkeypatch.setattr(film_reading, "MOST_DECODED_PIXELS", 10 * 64 * 48)
    reading = read(film(bars(60)))
    assert len(reading.arrays[0]) == 10
    assert "only the first" in reading.facts["notes"][0]
