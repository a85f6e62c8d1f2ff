"""A short film that shows a painting come over its photo: the strength rises from nothing to the picture's own.

The picture is painted at a few strengths, and the frames between are cross-fades of two of them. With seven strengths
no frame is further from the one painted at its own strength than 2 levels of 255 (root of the mean square; a photo in
2 styles, 8 strengths each; with five 2.8), less than what the film's compression changes. The change from frame to
frame is even, so the strength may simply follow a clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import overload

import torch
from torch import Tensor

from engine.stylize.pictures.picture import Frame

LONGEST_SIDE_PX = 720
"""Of the film, which is posted beside the picture itself; even, as an MP4's sides are."""
PAINTED_SHARES = (0.0, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6, 1.0)
"""Of the picture's strength, evenly: where it is painted."""
FRAME_MS = 40
BEFORE_MS, RISING_MS, AFTER_MS = 240, 1960, 800
"""How long the photo stands, the painting comes, and the painting stands: 3 s."""


def eased(share: float) -> float:
    """0..1 -> 0..1, slowly at both ends."""
    return 0.5 - 0.5 * math.cos(math.pi * min(1.0, max(0.0, share)))


class RisingFilm(Sequence[Frame]):
    """Frames of `FRAME_MS`, made when they are asked for: all of them together would be hundreds of MB."""

    def __init__(self, painted: Sequence[Tensor]) -> None:
        """`painted`: the picture (1, 3, H, W) at each of the `PAINTED_SHARES`."""
        assert len(painted) == len(PAINTED_SHARES)
        self._painted = painted

    def __len__(self) -> int:
        return (BEFORE_MS + RISING_MS + AFTER_MS) // FRAME_MS

    @overload
    def __getitem__(self, number: int) -> Frame: ...
    @overload
    def __getitem__(self, number: slice) -> list[Frame]: ...

    def __getitem__(self, number: int | slice) -> Frame | list[Frame]:
        if isinstance(number, slice):
            return [self._frame(one) for one in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        return self._frame(number % len(self))

    def __iter__(self) -> Iterator[Frame]:
        return (self._frame(number) for number in range(len(self)))

    def _frame(self, number: int) -> Frame:
        place = eased((number * FRAME_MS - BEFORE_MS) / RISING_MS) * (len(self._painted) - 1)
        before = min(int(place), len(self._painted) - 2)
        rgb = torch.lerp(self._painted[before], self._painted[before + 1], place - before)
        return Frame(rgb, None, FRAME_MS)
