"""Sound as this room handles it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000

Stereo = NDArray[np.float32]
"""(N, 2) samples at RATE_HZ."""
