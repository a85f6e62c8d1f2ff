"""The arguments of a method or function, by place or by name, as torch takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.teach.calculator.limits import Mistaken, NotAllowed
from engine.teach.calculator.tensor import Tensor, dimension

Given = list[Any]
Named = dict[str, Any]
Method = Callable[[Tensor, Given, Named], Any]


def take(given: Given, named: Named, names: tuple[str, ...], *defaults: Any) -> list[Any]:
    """The arguments called `names`, from their places or their names. Raises `NotAllowed` for others."""
    if len(given) > len(names) or not set(named) <= set(names) | {"axis", "keepdims"}:
        raise NotAllowed("I don't know those arguments.")
    named = {{"axis": "dim", "keepdims": "keepdim"}.get(key, key): value for key, value in named.items()}
    if any(key in names[: len(given)] for key in named) or not set(named) <= set(names):
        raise NotAllowed("I don't know those arguments.")
    values = dict(zip(names, defaults, strict=True)) | dict(zip(names, given, strict=False)) | named
    return [values[name] for name in names]


def numbers(given: Given) -> Any:
    return given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else tuple(given)


def dims_of(x: Tensor, dim: Any) -> tuple[int, ...]:
    if dim is None:
        return ()
    dims = tuple(dimension(x, d) for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))
    if len(set(dims)) != len(dims):
        raise Mistaken("A dimension is named twice.")
    return dims if x.shape else ()
