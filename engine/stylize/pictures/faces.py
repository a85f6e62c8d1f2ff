"""Where the faces in a picture are, so that they may be painted more mildly than the rest.

The finder is dlib's: histograms of oriented gradients (Dalal & Triggs, Histograms of oriented gradients for human
detection, CVPR 2005) under linear filters that were trained on whole pictures (King, Max-margin object detection,
2015). It knows upright faces from the front and slightly from the side, not profiles. Its filters are part of the
library.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.contract import engine_pb2 as pb
from engine.stylize.pictures.picture import to_image

FACES_NAMES = {"as-the-rest": pb.FACES_AS_THE_REST, "mild": pb.FACES_MILD}
LOOKED_AT_PX = 800
"""Longer side of the copy in which faces are looked for. The smallest that are found have a tenth of that."""
LEAST_SCORE = 0.0
"""The finder's own threshold: of 107 photos without people, none had a face by it."""
MILD_PART = 0.5
"""Strength of a face, relative to the rest's."""
ELLIPSE_WIDTH, ELLIPSE_HEIGHT = 1.1, 1.4
"""Of a face with its forehead and chin, relative to the square that the finder gives, from the brows to the lips."""
MOVED_UP = 0.1
"""Of the square's height: there's more of a face above it than below."""
WHOLE = 0.6
"""Distance from the ellipse's middle, relative to its rim's, up to which the mask is 1; from the rim on it is 0. With
a mask that reached further, a blue wall of the photo's shone around the head."""
ONE_AT_A_TIME = threading.Lock()
"""The finder keeps its pyramid of the picture in itself."""


@dataclass(frozen=True)
class Face:
    """The square around a face, px."""

    top: float
    bottom: float
    left: float
    right: float


def find_faces(rgb: Tensor) -> tuple[Face, ...]:
    """The faces in a picture (1, 3, H, W) in [0, 1] of any size, in its px, the surest first. A tenth of a second."""
    image = to_image(rgb)
    scale = max(1.0, max(image.size) / LOOKED_AT_PX)
    image.thumbnail((LOOKED_AT_PX, LOOKED_AT_PX))
    with ONE_AT_A_TIME:
        found, _, _ = _finder().run(np.array(image), 0, LEAST_SCORE)
    return tuple(
        Face(scale * one.top(), scale * (one.bottom() + 1), scale * one.left(), scale * (one.right() + 1))
        for one in found
    )


@cache
def _finder() -> Any:
    """Made when the first picture needs it: that takes two thirds of a second, once."""
    import dlib

    return dlib.get_frontal_face_detector()


def faces_mask(faces: tuple[Face, ...], size: tuple[int, int]) -> Tensor:
    """(1, 1, H, W) in [0, 1] for a picture of size (H, W): 1 in the faces, softly down to 0 around them."""
    mask = torch.zeros(1, 1, *size)
    for face in faces:
        height, width = face.bottom - face.top, face.right - face.left
        middle_y, middle_x = (face.top + face.bottom) / 2 - MOVED_UP * height, (face.left + face.right) / 2
        y, rows = _across(middle_y, ELLIPSE_HEIGHT * height / 2, size[0])
        x, columns = _across(middle_x, ELLIPSE_WIDTH * width / 2, size[1])
        distance = (y.square()[:, None] + x.square()).sqrt()
        share = ((1 - distance) / (1 - WHOLE)).clamp(0, 1)
        soft = share.square() * (3 - 2 * share)
        mask[0, 0, rows, columns] = torch.maximum(mask[0, 0, rows, columns], soft)
    return mask


def _across(middle_px: float, radius_px: float, side_px: int) -> tuple[Tensor, slice]:
    """Along one side of a picture, how far the px that an ellipse may reach are from its middle, relative to its
    radius, and which they are."""
    first = max(0, math.floor(middle_px - radius_px))
    end = max(first, min(side_px, math.ceil(middle_px + radius_px)))
    return (torch.arange(first, end) + 0.5 - middle_px) / radius_px, slice(first, end)
