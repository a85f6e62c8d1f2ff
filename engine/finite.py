"""Weights that aren't numbers: one NaN in a file would make every picture grey and every solo one note."""

from torch import Tensor

from engine.errors import Internal


def require_finite(name: str, value: Tensor) -> Tensor:
    """`value` itself. Raises `Internal` if it holds an infinity or a NaN."""
    if value.is_floating_point() and not bool(value.isfinite().all()):
        raise Internal(f"A file holds weights that aren't numbers ({name}).")
    return value
