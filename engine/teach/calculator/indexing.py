"""Indices: `x[1]`, `x[:, None]`, `x[..., 0]`, `x[[0, 2]]`, `x[mask]`."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine.teach.calculator.layout import IN_ORDER, Layout, settled, strides
from engine.teach.calculator.limits import MAX_ELEMENTS, Mistaken, NotAllowed
from engine.teach.calculator.tensor import BOOL, Tensor, made


def indexed(x: Tensor, index: list[Any]) -> Tensor:
    """`x[index]` with whole numbers, slices, None, dots, lists of whole numbers and masks."""
    for i in index:
        if isinstance(i, (bool, float, str, list)):
            _plain(i)
    used = sum(1 if not isinstance(i, Tensor) or i.dtype != BOOL else len(i.shape) for i in index if i is not None)
    if used - index.count(Ellipsis) > len(x.shape):
        raise Mistaken(f"There are more indices than dimensions: the tensor has {len(x.shape)}.")
    if index.count(Ellipsis) > 1:
        raise NotAllowed("I know one ... in an index.")
    keys: list[Any] = []
    for i in index:
        if isinstance(i, slice) and i.step is not None and i.step <= 0:
            raise Mistaken("PyTorch's slices only go forwards.")
        if isinstance(i, Tensor):
            if i.dtype.category == 2:
                raise Mistaken("Floating point numbers can't be indices.")
            keys.append(i.known())
        elif isinstance(i, list):
            keys.append(np.asarray(i, dtype=np.int64))
        elif i is None or i is Ellipsis or isinstance(i, slice) or (isinstance(i, int) and not isinstance(i, bool)):
            keys.append(i)
        else:
            raise NotAllowed("I don't know that kind of index.")
    picked = [key for key in keys if isinstance(key, np.ndarray)]
    if picked and (x.count == 0 or any(key is None or isinstance(key, int) for key in keys)):
        raise NotAllowed("I index with lists and masks, or with numbers and None, but not with both at once.")
    if x.values is None:
        return _indexed_shape(x, keys)
    try:
        found = np.asarray(x.values[tuple(keys)])
        if picked:
            layout = x.layout if len(keys) == 1 and x.layout == IN_ORDER else None
            return replace(made(np.ascontiguousarray(found).reshape(found.shape), x.dtype), layout=layout)
        return Tensor(tuple(found.shape), x.dtype, found, _layout(x, keys))
    except IndexError:
        if len(picked) < len(keys) and picked:
            raise NotAllowed("An index is out of range, or meets nothing.") from None
        raise Mistaken(f"An index is out of range for the shape {x.shape}.") from None


def _indexed_shape(x: Tensor, keys: list[Any]) -> Tensor:
    """The shape alone, for basic indices. A view of one zero is indexed: it takes no memory, whatever its shape."""
    if any(isinstance(key, np.ndarray) for key in keys):
        raise NotAllowed("I only know the shape here, and lists and masks need the values.")
    try:
        view = np.broadcast_to(np.zeros((), dtype=np.int8), x.shape)[tuple(keys)]
    except IndexError:
        raise Mistaken(f"An index is out of range for the shape {x.shape}.") from None
    except ValueError:
        raise NotAllowed("That is too large for me.") from None
    return Tensor(tuple(view.shape), x.dtype, None, _layout(x, keys))


def _plain(i: object) -> None:
    if not isinstance(i, list):
        raise NotAllowed("I don't know that kind of index.")
    if not all(isinstance(v, int) and not isinstance(v, bool) for v in i) or len(i) > MAX_ELEMENTS:
        raise NotAllowed("A list of indices takes whole numbers.")


def _layout(x: Tensor, keys: list[Any]) -> Layout:
    """Of a part that plain indices and slices pick out. One byte is indexed: strides take no memory."""
    known = strides(x.shape, x.layout)
    if known is None or math.prod(x.shape) > 2**62:
        return None
    part = as_strided(np.zeros(1, dtype=np.int8), x.shape, known)[tuple(keys)]
    return settled(tuple(part.shape), tuple(part.strides))
