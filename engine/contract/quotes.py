"""What a sentence quotes is what a member wrote, and that belongs in no log."""

from __future__ import annotations

import re

QUOTED = re.compile(r"“[^”]*”|`[^`]*`")


def unquoted(sentence: str) -> str:
    """The sentence as a log may have it: `I don't know the chord “H7”.` -> `I don't know the chord “…”.`"""
    return QUOTED.sub("“…”", sentence)
