"""A blind comparison: nobody can tell from the folder which side is which, and the count knows it all the same."""

from __future__ import annotations

import csv
import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from engine.errors import BadOption
from engine.stylize.corpus import is_held_out
from engine.stylize.judging import blind
from engine.stylize.network import StyleNetwork
from tests.engine.stylize.training.test_training import TINY

NEW, OLD = (200, 30, 30), (30, 30, 200)


def held_out(folder: Path, count: int, wanted: bool = True) -> list[Path]:
    """Pictures of 96 x 64 px on the wanted side of the split."""
    folder.mkdir(exist_ok=True)
    paths = (folder / f"{number}.png" for number in itertools.count())
    found = list(itertools.islice((path for path in paths if is_held_out(path) == wanted), count))
    for path in found:
        Image.new("RGB", (96, 64), "green").save(path)
    return found


def in_one_colour(colour: tuple[int, int, int]) -> blind.PaintInStyle:
    plain = torch.tensor(colour).view(1, 3, 1, 1) / 255

    def paint(photo: Tensor, painting: Tensor) -> Tensor:
        return plain.expand_as(photo)

    return paint


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sheets of six photos in six paintings' styles, of which the new network makes red pictures."""
    place = tmp_path_factory.mktemp("blind")
    photos, paintings = held_out(place / "photos", 6), held_out(place / "paintings", 6)
    blind.write_sheets(place / "sheets", photos, paintings, in_one_colour(NEW), in_one_colour(OLD), seed=5)
    return place / "sheets"


def pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def shown_pixel_by_pixel(sheet: NDArray[np.uint8], column: int) -> tuple[int, ...]:
    """The colour of A or B in the lower part of a sheet."""
    left = blind.SMALL_COLUMN_PX + 2 * blind.GAP_PX + column * (blind.COLUMN_PX + blind.GAP_PX)
    return tuple(sheet[blind.LABEL_PX + 2 * blind.GAP_PX + 64 + 30, left + 30].tolist())


def test_a_coin_decides_the_sides_and_only_the_key_beside_the_folder_tells(folder: Path) -> None:
    with blind.key_file(folder).open() as file:
        key = list(csv.DictReader(file))
    assert blind.key_file(folder).parent == folder.parent
    assert len(key) == 36
    sides = [row["new"] for row in key]
    assert 9 <= sides.count("A") <= 27
    for row in key:
        number = int(row["sheet"])
        sheet = pixels(folder / f"{number:03d}.png")
        shown = [shown_pixel_by_pixel(sheet, column) for column in (0, 1)]
        whole = [pixels(folder / "whole" / f"{number:03d}-{name}.png") for name in "AB"]
        assert shown == ([NEW, OLD] if row["new"] == "A" else [OLD, NEW])
        assert [tuple(one[5, 5].tolist()) for one in whole] == shown
        assert whole[0].shape == (64, 96, 3)
    told = "".join(path.read_text() for path in folder.iterdir() if path.suffix in (".csv", ".md"))
    assert not any(path.name in told for path in (folder.parent / "photos").iterdir())


def answer(folder: Path, name: str, answers: dict[str, str]) -> None:
    with (folder / f"answers-{name}.csv").open("w", newline="") as file:
        csv.writer(file).writerows([blind.FIELDS, *((number, choice, "") for number, choice in answers.items())])


def test_answers_are_counted_for_the_network_that_stood_on_that_side(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with blind.key_file(folder).open() as file:
        key = {row["sheet"]: row["new"] for row in csv.DictReader(file)}
    other = {"A": "B", "B": "A"}
    answer(folder, "all-new", key)
    answer(folder, "all-old", {number: other[side].lower() for number, side in key.items()})
    numbers = list(key)
    answer(folder, "some", {numbers[0]: key[numbers[0]], numbers[1]: "=", numbers[2]: ""})
    assert blind.main(["count", str(folder)]) == 0
    printed = capsys.readouterr().out
    rows = {line.split(" | ")[0][2:]: line.split(" | ")[1:] for line in printed.splitlines()}
    assert rows["answers-all-new"] == ["36", "0", "1.000 [1.000, 1.000] |"]
    assert rows["answers-all-old"] == ["36", "0", "0.000 [0.000, 0.000] |"]
    assert rows["answers-some"] == ["2", "1", "0.750 |"]
    assert rows["all"][:2] == ["74", "1"]
    assert rows["all"][2].startswith(f"{37.5 / 74:.3f} [")
    answer(folder, "some", {"37": "A"})
    with pytest.raises(BadOption, match="37,A is no sheet"):
        blind.choices(folder)
    answer(folder, "some", {"3": "both"})
    with pytest.raises(BadOption, match="3,BOTH is no sheet"):
        blind.choices(folder)


def test_two_weight_files_are_all_it_takes_and_trained_pictures_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    for name in ("new.pt", "old.pt"):
        network = StyleNetwork(TINY)
        state = {"shape": dataclasses.asdict(TINY), "average": network.state_dict(), "step": 7, "trained_s": 3.0}
        torch.save(state, tmp_path / name)
    (photo,), (painting,) = held_out(tmp_path / "photos", 1), held_out(tmp_path / "paintings", 1)
    generator = np.random.default_rng(0)
    for path in (photo, painting):  # of an even picture in an even style, all networks make the same
        Image.fromarray(generator.integers(0, 255, (64, 96, 3), dtype=np.uint8)).save(path)
    command = ["sheets", "--paintings", painting, "--new", tmp_path / "new.pt", "--old", tmp_path / "old.pt"]
    command += ["--out", tmp_path / "sheets", "--photos"]
    assert blind.main([str(part) for part in (*command, photo)]) == 0
    assert str(blind.key_file(tmp_path / "sheets")) in capsys.readouterr().out
    painted = [pixels(tmp_path / "sheets/whole" / f"001-{name}.png").astype(int) for name in "AB"]
    assert np.abs(painted[0] - painted[1]).mean() > 1, "each by its own network"
    (seen,) = held_out(tmp_path / "photos", 1, wanted=False)
    with pytest.raises(SystemExit):
        blind.main([str(part) for part in (*command, seen)])
    assert f"Training has seen {seen.name}" in capsys.readouterr().err


def test_without_answers_there_is_nothing_to_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos, paintings = held_out(tmp_path / "photos", 1), held_out(tmp_path / "paintings", 1)
    blind.write_sheets(tmp_path / "sheets", photos, paintings, in_one_colour(NEW), in_one_colour(OLD), seed=1)
    with pytest.raises(SystemExit):
        blind.main(["count", str(tmp_path / "sheets")])
    assert "There are no answers" in capsys.readouterr().err
