"""One thing that the doctor found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["good", "warning", "trouble"]


@dataclass(frozen=True)
class Finding:
    """`warning`: it works, but look at it; `trouble`: something won't work until `mend` is done."""

    level: Level
    subject: str
    detail: str
    mend: str = ""
