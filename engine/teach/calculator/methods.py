"""The methods and functions of tensors that the calculator knows, each by its name in torch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.teach.calculator.limits import MAX_ELEMENTS, Mistaken, NotAllowed, checked_shape, whole
from engine.teach.calculator.tensor import (
    BOOL,
    DTYPES,
    FLOAT32,
    INT64,
    SAME,
    DType,
    Tensor,
    broadcast,
    dimension,
    elementwise,
    made,
    matmul,
    pointwise,
    reduced,
    reordered,
    reshaped,
)

Given = list[Any]
Named = dict[str, Any]
Method = Callable[[Tensor, Given, Named], Any]

PROPERTIES: dict[str, Callable[[Tensor], Any]] = {
    "shape": lambda x: x.shape,
    "ndim": lambda x: len(x.shape),
    "dtype": lambda x: x.dtype,
    "T": lambda x: reordered(x, tuple(reversed(range(len(x.shape))))),
    "mT": lambda x: _transpose(x, [-1, -2], {}),
    "nbytes": lambda x: x.count * x.dtype.size,
    "itemsize": lambda x: x.dtype.size,
}


def _take(given: Given, named: Named, names: tuple[str, ...], *defaults: Any) -> list[Any]:
    """The arguments called `names`, from their places or their names. Raises `NotAllowed` for others."""
    if len(given) > len(names) or not set(named) <= set(names) | {"axis", "keepdims"}:
        raise NotAllowed("I don't know those arguments.")
    named = {{"axis": "dim", "keepdims": "keepdim"}.get(key, key): value for key, value in named.items()}
    if any(key in names[: len(given)] for key in named) or not set(named) <= set(names):
        raise NotAllowed("I don't know those arguments.")
    values = dict(zip(names, defaults, strict=True)) | dict(zip(names, given, strict=False)) | named
    return [values[name] for name in names]


def _numbers(given: Given) -> Any:
    return given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else tuple(given)


def _dims(x: Tensor, dim: Any) -> tuple[int, ...]:
    if dim is None:
        return ()
    dims = tuple(dimension(x, d) for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))
    if len(set(dims)) != len(dims):
        raise Mistaken("A dimension is named twice.")
    return dims if x.shape else ()


def _reduction(compute: Callable[..., np.ndarray], kind: Callable[[DType], DType]) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        dim, keep = _take(given, named, ("dim", "keepdim"), None, False)
        if not isinstance(keep, bool):
            raise NotAllowed("keepdim is True or False.")
        return reduced(x, _dims(x, dim), keep, compute, kind(x.dtype))

    return method


def _summed(dtype: DType) -> DType:
    return INT64 if dtype.category < 2 else dtype


def _floating(dtype: DType) -> DType:
    if dtype.category < 2:
        raise Mistaken(f"A mean needs floating point numbers, and this is {dtype.name}; write .float() first.")
    return dtype


def _spread(root: bool) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        dim, keep, correction = _take(given, named, ("dim", "keepdim", "correction"), None, False, 1)
        _floating(x.dtype)
        correction = whole(correction, "correction")

        def compute(values: np.ndarray, axis: Any, keepdims: bool) -> np.ndarray:
            n = math.prod(values.shape[a] for a in axis)
            variance = np.var(values.astype(np.float64), axis=axis, keepdims=keepdims) * n
            variance = variance / (n - correction) if n > correction else variance * np.nan
            return np.sqrt(variance) if root else variance

        return reduced(x, _dims(x, dim), keep is True, compute, x.dtype)

    return method


def _extreme(name: str) -> Method:
    best, where = {"max": (np.max, np.argmax), "min": (np.min, np.argmin)}[name]

    def method(x: Tensor, given: Given, named: Named) -> Any:
        dim, keep = _take(given, named, ("dim", "keepdim"), None, False)
        if x.count == 0:
            raise Mistaken(f"An empty tensor has no {name}.")
        values = reduced(x, _dims(x, dim), keep is True, best, x.dtype)
        return values if dim is None else (values, _position(where)(x, [dim, keep], {}))

    return method


def _position(where: Callable[..., Any]) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        dim, keep = _take(given, named, ("dim", "keepdim"), None, False)
        if x.count == 0:
            raise Mistaken("An empty tensor has no largest element.")
        if dim is None:
            return made(np.asarray(where(x.known())), INT64)
        axis = dimension(x, dim)
        return made(np.asarray(where(x.known(), axis=axis, keepdims=keep is True)), INT64)

    return method


def _pointwise(compute: Callable[[np.ndarray], np.ndarray], floating: bool = True) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        _take(given, named, ())
        return pointwise(x, compute, floating)

    return method


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def _softmax(log: bool) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        (dim,) = _take(given, named, ("dim",), None)
        if dim is None:
            raise NotAllowed("A softmax needs its dim.")
        axis = dimension(x, dim)
        if x.dtype.category < 2:
            raise Mistaken("A softmax needs floating point numbers; write .float() first.")

        def compute(values: np.ndarray) -> np.ndarray:
            if values.ndim == 0:
                return values * 0 + (0 if log else 1)
            z = values - values.max(axis=axis, keepdims=True)
            total = np.exp(z).sum(axis=axis, keepdims=True)
            return np.asarray(z - np.log(total) if log else np.exp(z) / total)

        return pointwise(x, compute)

    return method


def _transpose(x: Tensor, given: Given, named: Named) -> Tensor:
    first, second = _take(given, named, ("dim0", "dim1"), None, None)
    a, b = dimension(x, first), dimension(x, second)
    order = list(range(len(x.shape)))
    order[a], order[b] = order[b], order[a]
    return reordered(x, tuple(order))


def _permute(x: Tensor, given: Given, named: Named) -> Tensor:
    _take([], named, ())
    return reordered(x, tuple(dimension(x, d) for d in _numbers(given)))


def _t(x: Tensor, given: Given, named: Named) -> Tensor:
    _take(given, named, ())
    if len(x.shape) > 2:
        raise Mistaken("t() is for at most two dimensions.")
    return reordered(x, tuple(reversed(range(len(x.shape)))))


def _unsqueeze(x: Tensor, given: Given, named: Named) -> Tensor:
    (dim,) = _take(given, named, ("dim",), None)
    n = len(x.shape) + 1
    if isinstance(dim, bool) or not isinstance(dim, int) or not -n <= dim < n:
        raise Mistaken(f"unsqueeze needs a dimension from {-n} to {n - 1}.")
    place = dim % n
    return reshaped(x, checked_shape((*x.shape[:place], 1, *x.shape[place:])))


def _squeeze(x: Tensor, given: Given, named: Named) -> Tensor:
    (dim,) = _take(given, named, ("dim",), None)
    places = _dims(x, dim) if dim is not None else tuple(range(len(x.shape)))
    return reshaped(x, tuple(n for i, n in enumerate(x.shape) if i not in places or n != 1))


def _flatten(x: Tensor, given: Given, named: Named) -> Tensor:
    start, end = _take(given, named, ("start_dim", "end_dim"), 0, -1)
    a, b = dimension(x, start), dimension(x, end)
    if a > b:
        raise Mistaken("flatten's start comes after its end.")
    return reshaped(x, (*x.shape[:a], math.prod(x.shape[a : b + 1]), *x.shape[b + 1 :]))


def _expand(x: Tensor, given: Given, named: Named) -> Tensor:
    _take([], named, ())
    wanted = _numbers(given)
    if not isinstance(wanted, (tuple, list)) or len(wanted) < len(x.shape):
        raise Mistaken("expand needs at least as many lengths as there are dimensions.")
    lead = len(wanted) - len(x.shape)
    shape = checked_shape([x.shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted)])
    if broadcast(x.shape, shape) != shape:
        raise Mistaken(f"The shape {x.shape} can't be expanded to {shape}.")
    small = x.values is not None and math.prod(shape) <= MAX_ELEMENTS
    return Tensor(shape, x.dtype, np.broadcast_to(x.known(), shape) if small else None)


def _repeat(x: Tensor, given: Given, named: Named) -> Tensor:
    _take([], named, ())
    times = checked_shape(_numbers(given))
    if len(times) < len(x.shape):
        raise Mistaken("repeat needs at least as many numbers as there are dimensions.")
    padded = (1,) * (len(times) - len(x.shape)) + x.shape
    shape = checked_shape(tuple(a * b for a, b in zip(padded, times, strict=True)))
    small = x.values is not None and math.prod(shape) <= MAX_ELEMENTS
    return Tensor(shape, x.dtype, np.tile(x.known(), times) if small else None)


def _clamp(x: Tensor, given: Given, named: Named) -> Tensor:
    low, high = _take(given, named, ("min", "max"), None, None)
    for bound in (low, high):
        if bound is not None and not isinstance(bound, (int, float)):
            raise NotAllowed("clamp takes numbers.")
    if low is None and high is None:
        raise Mistaken("clamp needs min or max.")
    return pointwise(x, lambda v: np.clip(v, low, high), floating=False)


def _cumulative(compute: Callable[..., np.ndarray]) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        (dim,) = _take(given, named, ("dim",), None)
        axis = dimension(x, dim)
        return made(np.asarray(compute(x.known(), axis=axis)), _summed(x.dtype))

    return method


def _flip(x: Tensor, given: Given, named: Named) -> Tensor:
    _take([], named, ("dims",), None)
    dims = _dims(x, named.get("dims", _numbers(given)))
    return Tensor(x.shape, x.dtype, None if x.values is None else np.flip(x.values, dims))


def _to(x: Tensor, given: Given, named: Named) -> Tensor:
    (dtype,) = _take(given, named, ("dtype",), None)
    if not isinstance(dtype, DType):
        raise NotAllowed("I only convert to a dtype.")
    return Tensor(x.shape, dtype, None) if x.values is None else made(x.values, dtype)


def _cast(name: str) -> Method:
    return lambda x, given, named: _to(x, [*_take(given, named, ()), DType(name)], {})


def _item(x: Tensor, given: Given, named: Named) -> Any:
    _take(given, named, ())
    if x.count != 1:
        raise Mistaken(f"item() needs exactly one element, and there are {x.count}.")
    return x.known().reshape(()).item()


def _size(x: Tensor, given: Given, named: Named) -> Any:
    (dim,) = _take(given, named, ("dim",), None)
    return x.shape if dim is None else x.shape[dimension(x, dim)]


def _itself(x: Tensor, given: Given, named: Named) -> Tensor:
    _take(given, named, ())
    return x


def _norm(x: Tensor, given: Given, named: Named) -> Tensor:
    dim, keep = _take(given, named, ("dim", "keepdim"), None, False)
    _floating(x.dtype)

    def root(values: np.ndarray, axis: Any, keepdims: bool) -> np.ndarray:
        return np.asarray(np.sqrt((values.astype(np.float64) ** 2).sum(axis=axis, keepdims=keepdims)))

    return reduced(x, _dims(x, dim), keep is True, root, x.dtype)


def _sort(x: Tensor, given: Given, named: Named) -> Any:
    dim, descending = _take(given, named, ("dim", "descending"), -1, False)
    axis = dimension(x, dim)
    order = np.argsort(-x.known() if descending is True else x.known(), axis=axis, kind="stable")
    return made(np.take_along_axis(x.known(), order, axis), x.dtype), made(order, INT64)


def _product(x: Tensor, given: Given, named: Named) -> Tensor:
    (other,) = _take(given, named, ("other",), None)
    if not isinstance(other, Tensor):
        raise NotAllowed("A matrix product needs two tensors.")
    return matmul(x, other)


METHODS: dict[str, Method] = {
    "sum": _reduction(np.sum, _summed),
    "prod": _reduction(np.prod, _summed),
    "mean": _reduction(np.mean, _floating),
    "any": _reduction(np.any, lambda _: BOOL),
    "all": _reduction(np.all, lambda _: BOOL),
    "var": _spread(root=False),
    "std": _spread(root=True),
    "max": _extreme("max"),
    "min": _extreme("min"),
    "amax": _reduction(np.max, lambda dtype: dtype),
    "amin": _reduction(np.min, lambda dtype: dtype),
    "argmax": _position(np.argmax),
    "argmin": _position(np.argmin),
    "exp": _pointwise(np.exp),
    "log": _pointwise(np.log),
    "log2": _pointwise(np.log2),
    "log10": _pointwise(np.log10),
    "sqrt": _pointwise(np.sqrt),
    "sin": _pointwise(np.sin),
    "cos": _pointwise(np.cos),
    "tanh": _pointwise(np.tanh),
    "sigmoid": _pointwise(_sigmoid),
    "relu": _pointwise(lambda v: np.maximum(v, 0), floating=False),
    "abs": _pointwise(np.abs, floating=False),
    "neg": _pointwise(np.negative, floating=False),
    "sign": _pointwise(np.sign, floating=False),
    "square": _pointwise(np.square, floating=False),
    "round": _pointwise(np.round, floating=False),
    "floor": _pointwise(np.floor, floating=False),
    "ceil": _pointwise(np.ceil, floating=False),
    "softmax": _softmax(log=False),
    "log_softmax": _softmax(log=True),
    "cumsum": _cumulative(np.cumsum),
    "cumprod": _cumulative(np.cumprod),
    "norm": _norm,
    "sort": _sort,
    "flip": _flip,
    "clamp": _clamp,
    "t": _t,
    "transpose": _transpose,
    "permute": _permute,
    "view": lambda x, given, named: reshaped(x, _numbers([*given, *_take([], named, ())])),
    "reshape": lambda x, given, named: reshaped(x, _numbers([*given, *_take([], named, ())])),
    "flatten": _flatten,
    "ravel": lambda x, given, named: _flatten(x, _take(given, named, ()), {}),
    "unsqueeze": _unsqueeze,
    "squeeze": _squeeze,
    "expand": _expand,
    "repeat": _repeat,
    "contiguous": _itself,
    "clone": _itself,
    "detach": _itself,
    "numel": lambda x, given, named: x.count if not _take(given, named, ()) else 0,
    "dim": lambda x, given, named: len(x.shape) if not _take(given, named, ()) else 0,
    "element_size": lambda x, given, named: x.dtype.size if not _take(given, named, ()) else 0,
    "size": _size,
    "item": _item,
    "tolist": _itself,
    "to": _to,
    "matmul": _product,
    "mm": _product,
    "bmm": _product,
    **{name: _cast(SAME.get(name, name)) for name in (*SAME, "bool")},
}


def _as_function(name: str) -> Callable[[Given, Named], Any]:
    def function(given: Given, named: Named) -> Any:
        rest = dict(named)
        x = given[0] if given else rest.pop("input", None)
        if not isinstance(x, Tensor):
            raise NotAllowed(f"torch.{name} needs a tensor.")
        return METHODS[name](x, given[1:], rest)

    return function


def _joined(stack: bool) -> Callable[[Given, Named], Any]:
    def function(given: Given, named: Named) -> Any:
        tensors, dim = _take(given, named, ("tensors", "dim"), None, 0)
        if not isinstance(tensors, (list, tuple)) or not tensors or not all(isinstance(t, Tensor) for t in tensors):
            raise NotAllowed("cat and stack need a list of tensors.")
        if len({t.dtype for t in tensors}) > 1:
            raise NotAllowed("I join tensors of one dtype.")
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


def _where(given: Given, named: Named) -> Tensor:
    condition, a, b = _take(given, named, ("condition", "input", "other"), None, None, None)
    if not isinstance(condition, Tensor) or condition.dtype != BOOL:
        raise NotAllowed("torch.where needs a boolean tensor.")
    both = elementwise(a, b, np.add)
    shape = broadcast(condition.shape, both.shape)
    pick = lambda v: np.broadcast_to(np.asarray(v.known() if isinstance(v, Tensor) else v), shape)  # noqa: E731
    if math.prod(shape) > MAX_ELEMENTS:
        return Tensor(checked_shape(shape), both.dtype, None)
    return made(np.where(np.broadcast_to(condition.known(), shape), pick(a), pick(b)), both.dtype)


FUNCTIONS: dict[str, Callable[[Given, Named], Any]] = {
    **{
        name: _as_function(name) for name in METHODS if name not in ("view", "expand", "repeat", "item", "tolist", "to")
    },
    "cat": _joined(stack=False),
    "stack": _joined(stack=True),
    "where": _where,
}


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
                raise NotAllowed("A list of indices has whole numbers.")
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


__all__ = ["DTYPES", "FLOAT32", "FUNCTIONS", "METHODS", "PROPERTIES", "indexed"]
