"""Indices: `x[1]`, `x[:, None]`, `x[..., 0]`, `x[[0, 2]]`, `x[mask]`."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.teach.calculator.limits import MAX_ELEMENTS, Mistaken, NotAllowed
from engine.teach.calculator.tensor import BOOL, Tensor, made


def indexed(x: Tensor, index: list[Any]) -> Tensor:
    """`x[index]` with whole numbers, slices, None, dots, lists of whole numbers and masks."""
    used = sum(1 if not isinstance(i, Tensor) or i.dtype != BOOL else len(i.shape) for i in index if i is not None)
    if used - index.count(Ellipsis) > len(x.shape):
        raise Mistaken(f"There are more indices than dimensions: the tensor has {len(x.shape)}.")
    if index.count(Ellipsis) > 1:
        raise Mistaken("There can only be one ... in an index.")
    keys: list[Any] = []
    for i in index:
        if isinstance(i, slice) and i.step is not None and i.step <= 0:
            raise Mistaken("PyTorch's slices only go forwards.")
        if isinstance(i, Tensor):
            if i.dtype.category == 2:
                raise Mistaken("Floating point numbers can't be indices.")
            keys.append(i.known())
        elif isinstance(i, list):
            if not all(isinstance(v, int) and not isinstance(v, bool) for v in i) or len(i) > MAX_ELEMENTS:
                raise NotAllowed("A list of indices takes whole numbers.")
            keys.append(i)
        elif i is None or i is Ellipsis or isinstance(i, slice) or (isinstance(i, int) and not isinstance(i, bool)):
            keys.append(i)
        else:
            raise NotAllowed("I don't know that kind of index.")
    if x.values is None:
        return _indexed_shape(x, keys)
    try:
        return made(np.asarray(x.values[tuple(keys)]), x.dtype)
    except IndexError:
        raise Mistaken(f"An index is out of range for the shape {x.shape}.") from None


def _indexed_shape(x: Tensor, keys: list[Any]) -> Tensor:
    """The shape alone, for basic indices. A view of one zero is indexed: it takes no memory, whatever its shape."""
    if any(isinstance(key, (list, np.ndarray)) for key in keys):
        raise NotAllowed("I only know the shape here, and lists and masks need the values.")
    try:
        view = np.broadcast_to(np.zeros((), dtype=np.int8), x.shape)[tuple(keys)]
    except (IndexError, ValueError):
        raise Mistaken(f"An index is out of range for the shape {x.shape}.") from None
    return Tensor(tuple(view.shape), x.dtype, None)
