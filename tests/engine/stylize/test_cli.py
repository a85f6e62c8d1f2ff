"""`python -m engine stylize` does on files and folders what members do in Discord."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.__main__ import main
from engine.stylize.book import load_book
from engine.stylize.pictures.picture import to_image
from engine.stylize.pictures.sample_photo import sample_photo
from engine.stylize.pictures.writing import gif
from tests.engine.stylize.pictures.heic import heic
from tests.engine.stylize.pictures.uploads import encoded, flat, opened, photo


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    threads = torch.get_num_threads()
    monkeypatch.setenv("WOODSHED_CONFIG", str(Path(__file__).parents[3] / "config.toml"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(photo())
    yield tmp_path
    torch.set_num_threads(threads)


def stylize(*words: object) -> int:
    return main(["stylize", *map(str, words)])


def test_the_contact_sheet_shows_every_style_on_the_picture(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stylize("photo.png", "--sheet", "styles.jpg", "--see", "see.png") == 0
    pages = sorted(folder.glob("styles*.jpg"))
    assert [page.name for page in pages] == [*(f"styles-{n}.jpg" for n in range(2, 6)), "styles.jpg"]
    assert all(opened(page.read_bytes()).width > 1000 for page in pages)
    printed = capsys.readouterr().out
    assert all(name in printed for name in load_book().names)
    assert (folder / "see.png").exists()


def test_a_blend_lies_between_its_two_styles(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    painted = {}
    for share in (0, 0.5, 1):
        assert stylize(
            "photo.png", "--style", "scream", "--blend-with", "irises", "--blend", share, "--out", "o.png"
        ) == 0  # fmt: skip
        painted[share] = np.asarray(Image.open("o.png"), dtype=np.int16)
    assert "scream + irises" in capsys.readouterr().out
    whole = np.abs(painted[0] - painted[1]).mean()
    assert 0 < np.abs(painted[0.5] - painted[0]).mean() < whole
    assert 0 < np.abs(painted[0.5] - painted[1]).mean() < whole


def test_a_style_may_be_any_picture_and_is_called_by_its_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "dot.png").write_bytes(encoded(flat((1, 1), "red")))
    (folder / "wall.heic").write_bytes(heic(Image.new("RGB", (128, 96), "orange")))
    assert stylize("photo.png", "--style", "dot.png", "--blend-with", "wall.heic", "--out", "out.png") == 0
    assert "dot.png + wall.heic" in capsys.readouterr().out


def test_faces_are_painted_mildly_on_request(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to_image(sample_photo()).resize((256, 256)).save("portrait.png")
    for faces in ("as-the-rest", "mild"):
        assert stylize("portrait.png", "--style", "irises", "--faces", faces, "--out", f"{faces}.png") == 0
    assert (folder / "mild.png").read_bytes() != (folder / "as-the-rest.png").read_bytes()
    assert stylize("photo.png", "--style", "irises", "--faces", "mild", "--out", "o.png") == 0
    assert "I found no face" in capsys.readouterr().out


def test_films_stay_films_where_the_name_asks_for_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "dance.gif").write_bytes(gif([flat((48, 32), colour) for colour in ("red", "green", "blue")], [80] * 3))
    assert stylize("dance.gif", "--style", "scream", "--out", "out.mp4") == 0
    assert (folder / "out.mp4").read_bytes()[4:8] == b"ftyp"
    assert stylize("dance.gif", "--style", "scream", "--out", "out.gif") == 0
    assert opened((folder / "out.gif").read_bytes()).n_frames == 3  # type: ignore[attr-defined]
    assert stylize("dance.gif", "--style", "scream", "--out", "out.jpg") == 0
    assert "Only the first frame was written" in capsys.readouterr().out
    assert stylize("dance.gif", "--style", "scream", "--out", "out.webp") == 0
    assert opened((folder / "out.webp").read_bytes()).n_frames == 3  # type: ignore[attr-defined]
    assert "first frame" not in capsys.readouterr().out


def test_what_a_format_cannot_hold_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    glass = Image.new("RGBA", (48, 32), (200, 20, 20, 128))
    frames = {"save_all": True, "append_images": [Image.new("RGBA", (48, 32), (20, 200, 20, 90))], "duration": 80}
    (folder / "glass.webp").write_bytes(encoded(glass, "WEBP", **frames))
    said = {".gif": "half transparent", ".mp4": "painted over", ".jpg": "painted over", ".png": "", ".webp": ""}
    for suffix, words in said.items():
        assert stylize("glass.webp", "--style", "scream", "--out", f"out{suffix}") == 0
        told = capsys.readouterr().out
        assert words in told
        assert ("transparent" in told) == bool(words)
    assert opened((folder / "out.webp").read_bytes()).convert("RGBA").getchannel("A").getextrema() == (128, 128)


def test_a_picture_of_a_folder_can_be_made_again_from_what_is_printed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = folder / "pictures"
    pictures.mkdir()
    for number in range(3):
        (pictures / f"{number}.png").write_bytes(photo(seed=number))
    (pictures / "dance.gif").write_bytes(gif([flat((48, 32), colour) for colour in ("red", "green", "blue")], [80] * 3))
    monkeypatch.setenv("WOODSHED_STYLIZE__MAX_FRAMES", "2")
    assert stylize("pictures", "--out", "painted") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    told = dict(line.split(": ", 1) for line in lines)
    assert "; I used only the first 2 of 3 frames." in told[str(Path("painted/dance.webp"))]
    for number in range(3):
        style, _, seed = told[str(Path(f"painted/{number}.png"))].split(", ")
        assert style in load_book().names
        assert stylize(f"pictures/{number}.png", "--seed", seed.removeprefix("seed "), "--out", "again.png") == 0
        assert capsys.readouterr().out.startswith(f"again.png: {style}, ")
        assert (folder / "again.png").read_bytes() == (folder / "painted" / f"{number}.png").read_bytes()


def test_a_folder_is_painted_whole_and_what_cannot_be_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = folder / "pictures"
    pictures.mkdir()
    (pictures / "cat.jpg").write_bytes(photo(kind="JPEG"))
    (pictures / "cat.heic").write_bytes(heic(Image.new("RGB", (128, 96), "orange")))
    (pictures / "dog.png").write_bytes(photo(seed=3))
    (pictures / "text.png").write_bytes(b"no picture at all")
    (pictures / "notes.txt").write_bytes(b"not looked at")
    assert stylize("pictures", "--style", "scream", "--strength", 0.5, "--keep-colors", "--out", "painted") == 2
    assert sorted(path.name for path in (folder / "painted").iterdir()) == ["cat.heic.jpg", "cat.jpg.jpg", "dog.png"]
    told = capsys.readouterr().err
    assert "text.png: That's not a picture" in told
    assert told.rstrip().endswith("1 of 4 pictures could not be painted.")
    assert "Traceback" not in told


def test_strength_and_size_are_those_asked_for(folder: Path) -> None:
    assert stylize("photo.png", "--style", "scream", "--strength", 0, "--out", "same.png") == 0
    assert np.array_equal(np.asarray(Image.open("same.png")), np.asarray(Image.open("photo.png")))
    assert stylize("photo.png", "--style", "scream", "--size", 48, "--out", "small.png") == 0
    assert opened((folder / "small.png").read_bytes()).size == (48, 32)
