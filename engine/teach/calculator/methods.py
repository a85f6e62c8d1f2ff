"""The properties, methods and functions of tensors that the calculator knows, each by its name in torch.

What computes is in `arithmetic.py`, what rearranges in `shapes.py`; here are the rest, and the tables of them all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.teach.calculator.arguments import Given, Method, Named, take
from engine.teach.calculator.arithmetic import ARITHMETIC
from engine.teach.calculator.limits import MAX_ELEMENTS, MAX_SHOWN, Mistaken, NotAllowed, checked_shape
from engine.teach.calculator.shapes import SHAPES, joined, transpose
from engine.teach.calculator.tensor import (
    BOOL,
    SAME,
    DType,
    Tensor,
    broadcast,
    dimension,
    elementwise,
    first_of,
    fits,
    made,
    reordered,
)


def _turned(x: Tensor) -> Tensor:
    return reordered(x, tuple(reversed(range(len(x.shape)))))


def _matrices_turned(x: Tensor) -> Tensor:
    if len(x.shape) == 1:
        raise Mistaken("mT is for matrices, and batches of them.")
    return transpose(x, [-1, -2], {}) if x.shape else x


PROPERTIES: dict[str, Callable[[Tensor], Any]] = {
    "shape": lambda x: x.shape,
    "ndim": lambda x: len(x.shape),
    "dtype": lambda x: x.dtype,
    "T": _turned,
    "mT": _matrices_turned,
    "nbytes": lambda x: x.count * x.dtype.size,
    "itemsize": lambda x: x.dtype.size,
}


def _to(x: Tensor, given: Given, named: Named) -> Tensor:
    (dtype,) = take(given, named, ("dtype",), None)
    if not isinstance(dtype, DType):
        raise NotAllowed("I only convert to a dtype.")
    if dtype == x.dtype:
        return x
    if x.values is None:
        return Tensor(x.shape, dtype, None)
    if dtype.category == 1 and not all(fits(float(v), dtype) for v in x.values.flatten()):
        raise NotAllowed(f"{dtype.name} can't hold all of these numbers; what becomes of them I leave to PyTorch.")
    return made(x.values, dtype)


def _cast(name: str) -> Method:
    return lambda x, given, named: _to(x, [*take(given, named, ()), DType(name)], {})


def _item(x: Tensor, given: Given, named: Named) -> Any:
    take(given, named, ())
    if x.count != 1:
        raise Mistaken(f"item() needs exactly one element, but there are {x.count}.")
    return x.known().reshape(()).item()


def _size(x: Tensor, given: Given, named: Named) -> Any:
    (dim,) = take(given, named, ("dim",), None)
    if dim is None:
        return x.shape
    place = dimension(x, dim)
    if not x.shape:
        raise Mistaken("A tensor without dimensions has no size along one.")
    return x.shape[place]


def _listed(x: Tensor, given: Given, named: Named) -> Any:
    take(given, named, ())
    if x.count > MAX_SHOWN:
        raise NotAllowed(f"The result has {x.count} elements; I write out at most {MAX_SHOWN}.")
    return x.known().tolist()


def _itself(x: Tensor, given: Given, named: Named) -> Tensor:
    take(given, named, ())
    return x


METHODS: dict[str, Method] = {
    **ARITHMETIC,
    **SHAPES,
    "clone": _itself,
    "detach": _itself,
    "numel": lambda x, given, named: x.count if not take(given, named, ()) else 0,
    "dim": lambda x, given, named: len(x.shape) if not take(given, named, ()) else 0,
    "element_size": lambda x, given, named: x.dtype.size if not take(given, named, ()) else 0,
    "size": _size,
    "item": _item,
    "tolist": _listed,
    "to": _to,
    **{name: _cast(SAME.get(name, name)) for name in (*SAME, "bool")},
}


ONLY_METHODS = frozenset(
    {"view", "expand", "repeat", "item", "tolist", "to", "contiguous", "dim", "element_size", "size", "bool", *SAME}
)
"""What `torch` itself doesn't have: `torch.view(x)` is an error, and `torch.float` a dtype."""
FUNCTIONAL = frozenset({"softmax", "log_softmax", "relu", "sigmoid", "tanh"})
"""What `torch.nn.functional` has of them."""
KEEP_TRACK = frozenset(
    {*("transpose", "permute", "t", "view", "reshape", "flatten", "ravel", "expand", "unsqueeze", "squeeze")}
    | {"contiguous", "detach"}
)
"""Methods that say themselves where the elements of their result lie."""


def _as_function(name: str) -> Callable[[Given, Named], Any]:
    def function(given: Given, named: Named) -> Any:
        rest = dict(named)
        x = given[0] if given else rest.pop("input", None)
        if not isinstance(x, Tensor):
            raise NotAllowed(f"torch.{name} needs a tensor.")
        return METHODS[name](x, given[1:], rest)

    return function


def _where(given: Given, named: Named) -> Tensor:
    condition, a, b = take(given, named, ("condition", "input", "other"), None, None, None)
    if not isinstance(condition, Tensor) or condition.dtype != BOOL:
        raise NotAllowed("torch.where needs a boolean tensor.")
    both = elementwise(a, b, first_of)
    shape = broadcast(condition.shape, both.shape)
    pick = lambda v: np.broadcast_to(np.asarray(v.known() if isinstance(v, Tensor) else v), shape)  # noqa: E731
    if math.prod(shape) > MAX_ELEMENTS:
        return Tensor(checked_shape(shape), both.dtype, None)
    return made(np.where(np.broadcast_to(condition.known(), shape), pick(a), pick(b)), both.dtype)


FUNCTIONS: dict[str, Callable[[Given, Named], Any]] = {
    **{name: _as_function(name) for name in METHODS if name not in ONLY_METHODS},
    "cat": joined(stack=False),
    "stack": joined(stack=True),
    "where": _where,
}
