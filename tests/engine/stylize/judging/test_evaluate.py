"""An evaluation judges pictures that nobody looked at before, knows how sure it is, and shows what it judged."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.errors import BadOption
from engine.stylize import book as book_module
from engine.stylize.book import StyleBook, export
from engine.stylize.corpus import is_held_out, is_watched
from engine.stylize.judging import evaluate as evaluate_module
from engine.stylize.judging.evaluate import (
    FEWEST_DRAWN,
    GAP_PX,
    MOST_SHOWN,
    Evaluation,
    bootstrap_interval,
    held_out_pictures,
    shown_pairs,
    write_contact_sheet,
)
from engine.stylize.judging.flaws import FLAWS
from engine.stylize.judging.judge import FIGURES, Judge
from engine.stylize.network import StyleNetwork
from engine.stylize.weights_file import network_of_checkpoint, weights_version
from tests.engine.stylize.training.loss_double import SmallFeatures
from tests.engine.stylize.training.test_training import TINY

SIDE_PX = 8


def judged(photos: int, paintings: int) -> Evaluation:
    """Blue pictures, of which each has a shade of its own."""
    pairs = [(i, j) for i in range(photos) for j in range(paintings) if (i + j) % 3 == 0]
    return Evaluation({}, flat([(0.0, 0.0, (40 + n) / 255) for n in range(len(pairs))]), pairs)


def flat(colours: list[tuple[float, float, float]]) -> torch.Tensor:
    return torch.tensor(colours)[:, :, None, None].expand(-1, -1, SIDE_PX, SIDE_PX)


@pytest.mark.parametrize(("photos", "paintings"), [(1, 1), (2, 2), (4, 5), (6, 6), (24, 24)])
def test_the_contact_sheet_shows_whole_judged_pairs_and_no_empty_cell(
    tmp_path: Path, photos: int, paintings: int
) -> None:
    evaluation = judged(photos, paintings)
    reds, greens = (
        flat([((40 + i) / 255, 0.0, 0.0) for i in range(photos)]),
        flat([(0.0, (40 + j) / 255, 0.0) for j in range(paintings)]),
    )
    write_contact_sheet(evaluation, reds, greens, tmp_path / "sheet.png", SIDE_PX)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB")).astype(int)
    found = []
    for top in range(0, sheet.shape[0], SIDE_PX + GAP_PX):
        for left in range(0, sheet.shape[1], 3 * SIDE_PX + GAP_PX):
            style, photo, result = (sheet[top + 4, left + 4 + part * SIDE_PX] for part in range(3))
            assert (style[0], style[2], photo[1], photo[2], result[0], result[1]) == (0,) * 6
            found.append((photo[0] - 40, style[1] - 40))
            assert evaluation.pairs[result[2] - 40] == found[-1]
    assert len(set(found)) == len(found) >= min(len(evaluation.pairs) // 4 * 4 or len(evaluation.pairs), MOST_SHOWN)


def test_the_contact_sheet_of_many_pairs_shows_many_photos_and_paintings() -> None:
    pairs = judged(24, 24).pairs
    shown = [pairs[number] for number in shown_pairs(len(pairs))]
    assert (len(shown), len(shown_pairs(7))) == (MOST_SHOWN, 4)
    assert len({i for i, _ in shown}) >= 20
    assert len({j for _, j in shown}) >= 20


def pictures(folder: Path, kept: int) -> Path:
    """Soft patches, `kept` files of each kind: for training, for watching it, and for evaluation."""
    folder.mkdir()
    generator = np.random.default_rng(len(folder.name))
    counts = {"training": 0, "watched": 0, "evaluation": 0}
    numbers = itertools.count()
    while min(counts.values()) < kept:
        path = folder / f"{next(numbers)}.png"
        kind = "training" if not is_held_out(path) else "watched" if is_watched(path) else "evaluation"
        if counts[kind] < kept:
            counts[kind] += 1
            coarse = Image.fromarray(generator.integers(0, 255, (9, 9, 3), dtype=np.uint8))
            coarse.resize((80, 100), Image.Resampling.BICUBIC).save(path)
    return folder


def test_an_interval_is_that_of_pictures_drawn_anew() -> None:
    """Values that depend on the photo alone: the interval must be that of so few photos, not of all their pairs."""
    photos, paintings = 25, 25
    generator = np.random.default_rng(1)
    of_photo = generator.normal(0, 1, photos)
    content, style = (torch.arange(photos * paintings) // paintings, torch.arange(photos * paintings) % paintings)
    values = torch.from_numpy(of_photo)[content]
    interval = bootstrap_interval(values, content, style, generator)
    assert interval.mean == pytest.approx(of_photo.mean())
    expected = 2 * 1.96 * of_photo.std() / photos**0.5
    assert interval.high - interval.low == pytest.approx(expected, rel=0.15)
    assert interval.low < interval.mean < interval.high
    constant = bootstrap_interval(torch.full((625,), 0.3), content, style, generator)
    assert constant.low == pytest.approx(constant.high)


def test_from_too_few_pictures_no_interval_is_told() -> None:
    few = torch.arange(FEWEST_DRAWN - 1).repeat(10)
    many = torch.arange(len(few)) % 10
    for content, style in ((few, many), (many, few)):
        assert str(bootstrap_interval(torch.ones(len(few)), content, style, np.random.default_rng(0))) == "1.000"


def test_only_pictures_that_training_never_looked_at_are_judged(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "photos", 3)
    found = held_out_pictures([folder], 10, 64)
    kept = [path for path in sorted(folder.iterdir()) if is_held_out(path) and not is_watched(path)]
    assert len(found.pictures) == len(kept) == 3
    assert (found.enlarged, found.unreadable) == (0, 0)
    assert held_out_pictures([folder], 10, 128).enlarged == 3
    kept[1].write_bytes(b"cut off")
    assert held_out_pictures([folder], 10, 64).unreadable == 1
    for path in kept:
        path.unlink()
    assert len(list(folder.iterdir())) == 6
    with pytest.raises(BadOption, match="kept for evaluation"):
        held_out_pictures([folder], 10, 64)


def test_the_judge_knows_both_bounds() -> None:
    style, content = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64).mul(0.5)
    judge = Judge(SmallFeatures())  # type: ignore[arg-type]
    itself, unchanged = judge(style, style, content), judge(content, style, content)
    for figure in ("style_deep", "style_random", "style_patches", "colour"):
        assert float(itself[figure].max()) < 0.01 < float(unchanged[figure].min())
    assert float(unchanged["ssim"].min()) == pytest.approx(1)
    assert float(unchanged["content_deep"].max()) < 0.01 < float(itself["content_deep"].min())


def test_an_evaluation_prints_every_figure_between_its_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evaluate_module, "DistilledVGG19", lambda _: SmallFeatures())
    photos, paintings = pictures(tmp_path / "photos", 5), pictures(tmp_path / "paintings", 6)
    told = ["--photos", photos, "--paintings", paintings, "--loss-weights", tmp_path, "--sheet", tmp_path / "s.png"]
    assert evaluate_module.main([*map(str, told), "--size-px", "64", "--count", "6", "--threads", "1"]) == 0
    printed = capsys.readouterr().out
    assert "10 pairs of 5 photos and 6 paintings, 64 px (0 photos and 0 paintings are smaller" in printed
    rows = {line.split(" | ")[0][2:]: line.split(" | ") for line in printed.splitlines() if line.startswith("| ")}
    for name in list(rows)[-4:]:
        _, network, unchanged, itself = rows.pop(name)
        if name == "1 + LPIPS-like":
            assert float(unchanged) == 1 < float(network) < float(itself.removesuffix(" |"))
        elif name == "1 + FID-like":
            assert float(itself.removesuffix(" |")) < float(network)
        else:
            assert "ArtFID" in name
    assert [name for name in rows if name != "figure"] == [*FIGURES, *FLAWS]
    for name, (_, network, unchanged, itself, *_) in rows.items():
        if name not in ("figure", "fringes", *FLAWS):
            value, interval = network.split(" [")
            low, high = (float(bound) for bound in interval.rstrip("]").split(", "))
            assert low <= float(value) <= high
            assert min(float(unchanged), float(itself)) <= float(value), name
    assert (tmp_path / "s.png").exists()


# ---------------------------------------------------------------- from a checkpoint to what ships


def checkpoint(path: Path) -> Path:
    network = StyleNetwork(TINY)
    state = {"shape": dataclasses.asdict(TINY), "average": network.state_dict(), "step": 7, "trained_s": 3.0}
    torch.save(state, path)
    return path


def test_weights_and_book_are_written_both_or_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, book = tmp_path / "network.safetensors", tmp_path / "book.safetensors"
    trained = checkpoint(tmp_path / "checkpoint.pt")
    with pytest.raises(FileNotFoundError):
        export(tmp_path / "no paintings", trained, weights, book)
    assert not weights.exists()
    assert not book.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.pt"]
    monkeypatch.setattr(book_module, "build_book", lambda paintings, painter, version: StyleBook((), {}, version))
    export(tmp_path, trained, weights, book)
    assert book_module.load_book(book).version == weights_version(weights)
    before = weights.read_bytes()
    export(tmp_path, None, weights, book)
    assert weights.read_bytes() == before


def test_what_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "holiday.pt"
    wrong.write_bytes(b"no checkpoint")
    with pytest.raises(BadOption, match=r"holiday\.pt is no checkpoint"):
        network_of_checkpoint(wrong)
    torch.save({"weights": 1}, wrong)
    with pytest.raises(BadOption, match=r"holiday\.pt is no checkpoint"):
        network_of_checkpoint(wrong)
    with pytest.raises(FileNotFoundError):
        network_of_checkpoint(tmp_path / "gone.pt")
