"""Which style a request means: a name in the style book, a picture, a saved code, a draw, or a blend of two."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.contract import engine_pb2 as pb
from engine.errors import BadOption
from engine.stylize.book import StyleBook, unpack_code
from engine.stylize.painter import Painter
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
    code: Tensor | None
    """(1, code); None when the style comes as a picture, whose code is the painter's work."""
    picture: Tensor | None = None
    """(1, 3, H, W) in [0, 1]."""
    other: Tensor | None = None
    """(1, code)"""
    blend: float = 0.0

    def code_by(self, painter: Painter) -> Tensor:
        """The code (1, code) to paint with."""
        code = self.code
        if code is None:
            assert self.picture is not None
            code = painter.encode_style(self.picture)
        return code if self.other is None else torch.lerp(code, self.other, self.blend)


def chosen_style(book: StyleBook, request: pb.StylizeRequest, seed: int, picture: Tensor | None) -> ChosenStyle:
    """The style that the request asks for; `picture` is its own style picture, once that is read.

    Raises `BadOption`, `StaleStyle`, `UnknownStyle`."""
    check_shares(request)
    drawn, code, shown = "", None, None
    if request.style:
        name = style_name(book, request.style)
        code = book.codes[name]
    elif request.style_image:
        name, shown = OWN_PICTURE, picture
    elif request.style_code:
        name = request.style_name[:LONGEST_NAME] or SAVED_STYLE
        code = unpack_code(request.style_code, book.code_length, book.version)
    else:
        name = drawn = random.Random(seed).choice(book.names)
        code = book.codes[name]
    if not (request.blend_with or request.blend_with_code):
        return ChosenStyle(name, drawn, code, shown)
    if request.blend_with:
        other_name = style_name(book, request.blend_with)
        other = book.codes[other_name]
    else:
        other_name = request.blend_with_name[:LONGEST_NAME] or SAVED_STYLE
        other = unpack_code(request.blend_with_code, book.code_length, book.version)
    return ChosenStyle(f"{name} + {other_name}", drawn, code, shown, other, request.blend)


def check_shares(request: pb.StylizeRequest) -> None:
    """Raises `BadOption` for a strength or blend outside 0..1."""
    for name, value in (("strength", request.strength), ("blend", request.blend)):
        if not (math.isfinite(value) and 0 <= value <= 1):
            raise BadOption(f"Please give a {name} between 0 and 1; {value:g} is outside that range.")
