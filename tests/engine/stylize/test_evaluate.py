"""The contact sheet of an evaluation shows what was judged, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.stylize.evaluate import GAP_PX, MOST_SHOWN, Evaluation, shown_pairs, write_contact_sheet

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
