"""Methods that rearrange: transposing, reshaping, repeating, and joining several tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from engine.teach.calculator.arguments import Given, Method, Named, dims_of, numbers, take
from engine.teach.calculator.layout import IN_ORDER, settled, strides
from engine.teach.calculator.limits import MAX_ELEMENTS, Mistaken, NotAllowed, checked_shape
from engine.teach.calculator.tensor import Tensor, broadcast, dimension, reordered, reshaped


def transpose(x: Tensor, given: Given, named: Named) -> Tensor:
    first, second = take(given, named, ("dim0", "dim1"), None, None)
    a, b = dimension(x, first), dimension(x, second)
    order = list(range(len(x.shape)))
    order[a], order[b] = order[b], order[a]
    return reordered(x, tuple(order))


def _permute(x: Tensor, given: Given, named: Named) -> Tensor:
    take([], named, ())
    return reordered(x, tuple(dimension(x, d) for d in numbers(given)))


def _t(x: Tensor, given: Given, named: Named) -> Tensor:
    take(given, named, ())
    if len(x.shape) > 2:
        raise Mistaken("t() is for at most two dimensions.")
    return reordered(x, tuple(reversed(range(len(x.shape)))))


def _unsqueeze(x: Tensor, given: Given, named: Named) -> Tensor:
    (dim,) = take(given, named, ("dim",), None)
    n = len(x.shape) + 1
    if isinstance(dim, bool) or not isinstance(dim, int) or not -n <= dim < n:
        raise Mistaken(f"unsqueeze needs a dimension from {-n} to {n - 1}.")
    place = dim % n
    return reshaped(x, checked_shape((*x.shape[:place], 1, *x.shape[place:])), copied=False)


def _squeeze(x: Tensor, given: Given, named: Named) -> Tensor:
    (dim,) = take(given, named, ("dim",), None)
    places = dims_of(x, dim) if dim is not None else tuple(range(len(x.shape)))
    return reshaped(x, tuple(n for i, n in enumerate(x.shape) if i not in places or n != 1), copied=False)


def _flatten(x: Tensor, given: Given, named: Named) -> Tensor:
    start, end = take(given, named, ("start_dim", "end_dim"), 0, -1)
    a, b = dimension(x, start), dimension(x, end)
    if a > b:
        raise Mistaken("flatten's start comes after its end.")
    return reshaped(x, (*x.shape[:a], math.prod(x.shape[a : b + 1]), *x.shape[b + 1 :]))


def _expand(x: Tensor, given: Given, named: Named) -> Tensor:
    take([], named, ())
    wanted = numbers(given)
    if not isinstance(wanted, (tuple, list)) or len(wanted) < len(x.shape):
        raise Mistaken("expand needs at least as many lengths as there are dimensions.")
    lead = len(wanted) - len(x.shape)
    shape = checked_shape([x.shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted)])
    if broadcast(x.shape, shape) != shape:
        raise Mistaken(f"The shape {x.shape} can't be expanded to {shape}.")
    small = x.values is not None and math.prod(shape) <= MAX_ELEMENTS
    known = strides(x.shape, x.layout)
    layout = None
    if known is not None:
        layout = (0,) * lead + tuple(0 if n != m else s for n, m, s in zip(x.shape, shape[lead:], known, strict=True))
    values = np.broadcast_to(x.known(), shape) if small else None
    return Tensor(shape, x.dtype, values, settled(shape, layout))


def _repeat(x: Tensor, given: Given, named: Named) -> Tensor:
    take([], named, ())
    times = checked_shape(numbers(given))
    if len(times) < len(x.shape):
        raise Mistaken("repeat needs at least as many numbers as there are dimensions.")
    padded = (1,) * (len(times) - len(x.shape)) + x.shape
    shape = checked_shape(tuple(a * b for a, b in zip(padded, times, strict=True)))
    small = x.values is not None and math.prod(shape) <= MAX_ELEMENTS
    return Tensor(shape, x.dtype, np.tile(x.known(), times) if small else None)


def _flip(x: Tensor, given: Given, named: Named) -> Tensor:
    take([], named, ("dims",), None)
    dims = dims_of(x, named.get("dims", numbers(given)))
    return Tensor(x.shape, x.dtype, None if x.values is None else np.flip(x.values, dims).copy())


def _contiguous(x: Tensor, given: Given, named: Named) -> Tensor:
    take(given, named, ())
    return replace(x, layout=IN_ORDER)


def joined(stack: bool) -> Callable[[Given, Named], Any]:
    def function(given: Given, named: Named) -> Any:
        tensors, dim = take(given, named, ("tensors", "dim"), None, 0)
        if not isinstance(tensors, (list, tuple)) or not tensors or not all(isinstance(t, Tensor) for t in tensors):
            raise NotAllowed("cat and stack need a list of tensors.")
        if len({t.dtype for t in tensors}) > 1:
            raise NotAllowed("I join tensors of one dtype.")
        if not stack and any(t.shape == (0,) for t in tensors):
            raise NotAllowed("An empty tensor among others is a special case of cat; I leave it to PyTorch.")
        if stack:
            tensors = [_unsqueeze(t, [dim], {}) for t in tensors]
        axis = dimension(tensors[0], dim)
        rest = {(*t.shape[:axis], *t.shape[axis + 1 :]) for t in tensors}
        if len(rest) > 1 or not tensors[0].shape:
            raise Mistaken("The tensors must have equal lengths in all the other dimensions.")
        shape = list(tensors[0].shape)
        shape[axis] = sum(t.shape[axis] for t in tensors)
        small = math.prod(shape) <= MAX_ELEMENTS and all(t.values is not None for t in tensors)
        values = np.concatenate([t.known() for t in tensors], axis) if small else None
        return Tensor(checked_shape(shape), tensors[0].dtype, values)

    return function


SHAPES: dict[str, Method] = {
    "flip": _flip,
    "t": _t,
    "transpose": transpose,
    "permute": _permute,
    "view": lambda x, given, named: reshaped(x, numbers([*given, *take([], named, ())]), copied=False),
    "reshape": lambda x, given, named: reshaped(x, numbers([*given, *take([], named, ())])),
    "flatten": _flatten,
    "ravel": lambda x, given, named: _flatten(x, take(given, named, ()), {}),
    "unsqueeze": _unsqueeze,
    "squeeze": _squeeze,
    "expand": _expand,
    "repeat": _repeat,
    "contiguous": _contiguous,
}
