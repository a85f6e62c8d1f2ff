"""What the calculator refuses to do, and the error that says so."""

from __future__ import annotations

from engine.errors import BadOption

MAX_TEXT = 2000
"""Characters of a question; longer ones are no calculation."""

MAX_CODE = 400
MAX_NODES = 160
MAX_DEPTH = 24
MAX_BRACKETS = 16
"""Of the code in it: characters, nodes of its tree, the tree's depth, brackets that are open at once."""

MAX_ELEMENTS = 4096
"""Of a tensor whose values are computed; larger ones have a shape only."""

MAX_SHOWN = 64
"""Elements of an answer that is written out."""

MAX_DIMENSIONS = 8
MAX_LENGTH = 10**9
"""Of one dimension, and of any whole number in a layer."""

MAX_POWER = 64


class NotAllowed(BadOption):
    """The code asks for something that isn't on the list, or is too large."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)


class Mistaken(BadOption):
    """The code is allowed, and PyTorch would raise an error; the sentence says why."""


def whole(value: object, name: str, low: int = 0) -> int:
    """`value` as a whole number of at least `low`. Raises `NotAllowed`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise NotAllowed(f"I need a whole number for {name}.")
    if not low <= value <= MAX_LENGTH:
        raise NotAllowed(f"The {name} must lie between {low} and {MAX_LENGTH}.")
    return value


def checked_shape(lengths: object) -> tuple[int, ...]:
    """A shape within the limits. Raises `NotAllowed`."""
    if isinstance(lengths, int) and not isinstance(lengths, bool):
        lengths = (lengths,)
    if not isinstance(lengths, (tuple, list)) or len(lengths) > MAX_DIMENSIONS:
        raise NotAllowed(f"A shape has at most {MAX_DIMENSIONS} whole numbers.")
    return tuple(whole(length, "length of a dimension") for length in lengths)
