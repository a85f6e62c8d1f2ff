"""Which style a request means: a name in the style book, a picture, a saved code, a draw, or a blend of two."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.contract import engine_pb2 as pb
from engine.errors import BadOption
from engine.stylize.book import StyleBook, unpack_codes
from engine.stylize.painter import Painter
from engine.stylize.style_codes import CodeAt, brush_factor, code_at, remembered
from engine.stylize.style_names import style_name

OWN_PICTURE = "your picture"
SAVED_STYLE = "saved style"
LONGEST_NAME = 64


@dataclass(frozen=True)
class ChosenStyle:
    """One style, or two and how far to go from the first to the second."""

    name: str
    drawn: str
    """The name in the style book that the seed drew; empty when the request said which."""
    codes: Tensor | None
    """(len(CODE_SIZES_PX), code); None when the style comes as a picture, whose code is the painter's work."""
    picture: Tensor | None = None
    """(1, 3, H, W) in [0, 1]."""
    other: Tensor | None = None
    """(len(CODE_SIZES_PX), code)"""
    blend: float = 0.0
    brush: float = 1.0
    """Width of the strokes, relative to those of a painting as large as the result."""

    @property
    def is_bold(self) -> bool:
        """Whether the brush is broader than the painting's own."""
        return self.brush > 1

    def code_at(self, painter: Painter) -> CodeAt:
        """The code (1, code) to paint with a picture whose short side has so many px."""

        def code(side_px: float) -> Tensor:
            seen_px = self.brush * side_px
            if self.codes is None:
                assert self.picture is not None
                own = painter.encode_style(self.picture, seen_px)
            else:
                own = code_at(self.codes, seen_px)
            return own if self.other is None else torch.lerp(own, code_at(self.other, seen_px), self.blend)

        return remembered(code)


def chosen_style(book: StyleBook, request: pb.StylizeRequest, seed: int, picture: Tensor | None) -> ChosenStyle:
    """The style that the request asks for; `picture` is its own style picture, once that is read.

    Raises `BadOption`, `StaleStyle`, `UnknownStyle`."""
    check_shares(request)
    brush = brush_factor(request.brush)
    drawn, codes, shown = "", None, None
    if request.style:
        name = style_name(book, request.style)
        codes = book.codes[name]
    elif request.style_image:
        name, shown = OWN_PICTURE, picture
    elif request.style_code:
        name = request.style_name[:LONGEST_NAME] or SAVED_STYLE
        codes = unpack_codes(request.style_code, book.code_length, book.version)
    else:
        name = drawn = random.Random(seed).choice(book.names)
        codes = book.codes[name]
    if not (request.blend_with or request.blend_with_code):
        return ChosenStyle(name, drawn, codes, shown, brush=brush)
    if request.blend_with:
        other_name = style_name(book, request.blend_with)
        other = book.codes[other_name]
    else:
        other_name = request.blend_with_name[:LONGEST_NAME] or SAVED_STYLE
        other = unpack_codes(request.blend_with_code, book.code_length, book.version)
    return ChosenStyle(f"{name} + {other_name}", drawn, codes, shown, other, request.blend, brush)


def check_shares(request: pb.StylizeRequest) -> None:
    """Raises `BadOption` for a strength or blend outside 0..1."""
    for name, value in (("strength", request.strength), ("blend", request.blend)):
        if not (math.isfinite(value) and 0 <= value <= 1):
            raise BadOption(f"Please give a {name} between 0 and 1; {value:g} is outside that range.")
