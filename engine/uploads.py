"""What members send, on its way to being read, and what reading it gives: plain numbers and plain arrays.

Readers know nothing of torch and open no files: they run in a process of their own that may do neither
(`engine/serving/intake`). What comes out of it isn't trusted; whoever builds something from a `Reading` checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.progress import Progress

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Upload:
    """Bytes that a member sent; `kind` names the reader, `options` are its bounds: numbers, strings and booleans."""

    kind: str
    data: bytes = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What a reader found: facts that JSON can hold, and arrays of numbers."""

    facts: dict[str, Any]
    arrays: tuple[Array, ...] = ()
    seconds: float = 0.0
    """What the reading took."""


Reader = Callable[[bytes, Mapping[str, Any], Progress], Reading]
"""`reader(data, options, progress)`. Raises `engine.errors.CallerError`s only, and whatever `progress` raises."""

PICTURE, SOUND, MIDI, CALCULATION, NOTES = "picture", "sound", "midi", "calculation", "notes"
"""Kinds of uploads; a picture may turn out to be a film. A calculation is a question that may ask for one."""
