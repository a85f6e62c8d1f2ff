"""The photo that the contact sheet is painted on when nobody sends one.

Commodore Grace Hopper, whose A-0 of 1952 was called the first compiler, by James S. Davis for the U.S. Navy, 1984: in
the public domain as a work of the United States government (Wikimedia Commons, "Commodore Grace M. Hopper, USN
(covered)"). Matplotlib's wheels bring it as sample data. A face, cloth, stars and an empty wall show what a style does.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

FILE = "grace_hopper.jpg"
TOP_PX = 14
"""Where the square begins that holds hat and ribbons; the photo is higher than wide."""


@cache
def sample_photo() -> Tensor:
    """The picture, (1, 3, 512, 512) in [0, 1]. Raises `FileNotFoundError` where Matplotlib came without its samples."""
    found = find_spec("matplotlib")  # where it is, without a quarter of a second of loading it
    folder = Path(found.origin or "").parent if found else Path()
    with Image.open(folder / "mpl-data" / "sample_data" / FILE) as photo:
        width, _ = photo.size
        pixels = np.asarray(photo.convert("RGB").crop((0, TOP_PX, width, TOP_PX + width)), dtype=np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()
