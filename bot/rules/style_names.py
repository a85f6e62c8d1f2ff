"""What a server's own style may be called: like those of the style book, so that both are typed the same way."""

from __future__ import annotations

import re

from bot.errors import Refused

SHORTEST, LONGEST = 2, 32
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def as_typed(name: str) -> str:
    """The name that somebody means who types "Great Wave"."""
    return "-".join(name.lower().split())


def new_name(typed: str) -> str:
    """The name of a style to be added. Raises Refused for one that can't be typed like those of the style book."""
    name = as_typed(typed)
    if not (SHORTEST <= len(name) <= LONGEST and _NAME.fullmatch(name)):
        raise Refused(
            f"A style's name needs {SHORTEST} to {LONGEST} characters: letters a to z, digits, and hyphens between "
            "words, like `stained-glass`."
        )
    return name
