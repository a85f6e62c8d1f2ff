"""A style seen at the size of the result: between two sizes its code lies between, and a bolder brush is a nearer look."""

from __future__ import annotations

import pytest
import torch

from engine.contract import engine_pb2 as pb
from engine.errors import BadOption
from engine.stylize.book import load_book
from engine.stylize.painter import Painter
from engine.stylize.pictures.sample_photo import sample_photo
from engine.stylize.style_codes import CODE_SIZES_PX, brush_factor, code_at, encoded_side_px
from engine.stylize.weights_file import load_network

CODES = torch.arange(len(CODE_SIZES_PX) * 2.0).view(len(CODE_SIZES_PX), 2)


def test_at_a_kept_size_the_code_is_that_one_between_two_it_lies_between_and_beyond_it_is_the_nearest() -> None:
    for number, size in enumerate(CODE_SIZES_PX):
        assert torch.allclose(code_at(CODES, size), CODES[number : number + 1])
    between = code_at(CODES, (256 * 384) ** 0.5)
    assert torch.allclose(between, CODES[:2].mean(0, keepdim=True))
    assert torch.equal(code_at(CODES, 40), CODES[:1])
    assert torch.allclose(code_at(CODES, 5000), CODES[-1:])


def test_a_small_style_picture_is_enlarged_a_little_and_never_below_the_smallest_size() -> None:
    assert encoded_side_px(512, 2000) == 512
    assert encoded_side_px(1024, 400) == 700
    assert encoded_side_px(1024, 40) == encoded_side_px(100, 2000) == 256
    assert encoded_side_px(4000, 4000) == 1024


def test_a_brush_is_fine_medium_or_bold() -> None:
    assert [brush_factor(brush) for brush in (pb.BRUSH_FINE, pb.BRUSH_MEDIUM, pb.BRUSH_BOLD)] == [0.5, 1.0, 2.0]
    with pytest.raises(BadOption, match="fine, medium or bold"):
        brush_factor(7)


def test_a_code_between_two_kept_sizes_is_nearly_that_of_the_painting_at_that_size() -> None:
    painter, picture = Painter(load_network(), torch.device("cpu"), 512), sample_photo()
    codes = torch.cat([painter.encode_style(picture, side) for side in CODE_SIZES_PX[:3]])
    exact = painter.encode_style(picture, 440)
    between = code_at(torch.cat([codes, codes[-1:].repeat(len(CODE_SIZES_PX) - 3, 1)]), 440)
    book = torch.stack([code_at(codes, 440)[0] for codes in load_book().codes.values()])
    assert float((exact - between).norm() / torch.pdist(book).median()) < 0.1
