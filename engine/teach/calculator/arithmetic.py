"""Methods that compute: sums and means, largest and smallest, functions of each element, softmax, sorting, products."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.teach.calculator.arguments import Given, Method, Named, dims_of, take
from engine.teach.calculator.limits import Mistaken, NotAllowed, whole
from engine.teach.calculator.tensor import (
    BOOL,
    INT64,
    DType,
    Pair,
    Tensor,
    dimension,
    elementwise,
    first_of,
    fits,
    made,
    matmul,
    no_bool,
    pointwise,
    reduced,
)


def summed(dtype: DType) -> DType:
    return INT64 if dtype.category < 2 else dtype


def _floating(dtype: DType) -> DType:
    if dtype.category < 2:
        raise Mistaken(f"A mean needs floating point numbers, but this is {dtype.name}; write .float() first.")
    return dtype


def _flag(keep: object) -> bool:
    if not isinstance(keep, bool):
        raise NotAllowed("keepdim is True or False.")
    return keep


def _along(given: Given, named: Named, several: bool = True) -> tuple[Any, bool]:
    """`dim` and `keepdim` of what either takes a dim (or several), or nothing at all."""
    dim, keep = take(given, named, ("dim", "keepdim"), None, False)
    if dim is None and (named or (given and not several)):
        raise NotAllowed("I know that with a dim, or with nothing at all.")
    if isinstance(dim, (tuple, list)) and not (several and dim):
        raise NotAllowed("I know that with one dimension at a time.")
    return dim, _flag(keep)


def _reduction(compute: Callable[..., np.ndarray], kind: Callable[[DType], DType], several: bool = True) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        dim, keep = _along(given, named, several)
        return reduced(x, dims_of(x, dim), keep, compute, kind(x.dtype))

    return method


def _not_too_large(values: np.ndarray) -> None:
    """PyTorch squares in the tensor's own dtype, and this here in float64."""
    if values.size and values.dtype != np.float64 and np.abs(values[np.isfinite(values)]).max(initial=0) > 1e18:
        raise NotAllowed("The squares of these are too large for me.")


def _spread(root: bool) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        if len(given) > 1 or any(isinstance(value, bool) for value in given):
            raise NotAllowed("Please name keepdim and correction: the second place is taken by an old argument.")
        dim, keep, correction = take(given, named, ("dim", "keepdim", "correction"), None, False, 1)
        _floating(x.dtype)
        correction = whole(correction, "correction")

        def compute(values: np.ndarray, axis: Any, keepdims: bool) -> np.ndarray:
            n = math.prod(values.shape[a] for a in axis)
            _not_too_large(values)
            if n == 0:
                raise NotAllowed("I don't know the spread of nothing.")
            variance = np.var(values.astype(np.float64), axis=axis, keepdims=keepdims) * n
            variance = np.true_divide(variance, max(n - correction, 0))
            return np.sqrt(variance) if root else variance

        return reduced(x, dims_of(x, dim), _flag(keep), compute, x.dtype)

    return method


def _not_empty(x: Tensor, dim: Any) -> None:
    if x.count == 0:
        if dim is None:
            raise Mistaken("An empty tensor has no largest or smallest element.")
        raise NotAllowed("I don't look for the largest or smallest element of nothing.")


def _outermost(best: Callable[..., np.ndarray]) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        dim, keep = _along(given, named)
        _not_empty(x, dim)
        return reduced(x, dims_of(x, dim), keep, best, x.dtype)

    return method


def _extreme(name: str) -> Method:
    best, where = {"max": (np.max, np.argmax), "min": (np.min, np.argmin)}[name]

    def method(x: Tensor, given: Given, named: Named) -> Any:
        dim, keep = _along(given, named, several=False)
        _not_empty(x, dim)
        values = reduced(x, dims_of(x, dim), keep, best, x.dtype)
        return values if dim is None else Pair(values, _places(where, x, dim, keep))

    return method


def _position(where: Callable[..., Any]) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        dim, keep = take(given, named, ("dim", "keepdim"), None, False)
        no_bool(x, "argmax or argmin")
        _not_empty(x, dim)
        return _places(where, x, dim, _flag(keep))

    return method


def _places(where: Callable[..., Any], x: Tensor, dim: Any, keep: bool) -> Tensor:
    axis = None if dim is None else dimension(x, dim)
    if x.values is None:
        return reduced(x, () if axis is None else dims_of(x, axis), keep, np.max, INT64)
    if not x.shape:
        return made(np.zeros((), np.int64), INT64)
    return made(np.asarray(where(x.values, axis=axis, keepdims=keep)), INT64)


def _pointwise(compute: Callable[[np.ndarray], np.ndarray], floating: bool = True) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        take(given, named, ())
        return pointwise(x, compute, floating)

    return method


def _no_bool(name: str, compute: Callable[[np.ndarray], np.ndarray]) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        take(given, named, ())
        no_bool(x, name)
        if name == "relu":
            _no_negative_zero(x)
        return pointwise(x, compute, floating=False)

    return method


def _no_negative_zero(x: Tensor) -> None:
    if x.values is not None and x.dtype.category == 2 and bool((np.signbit(x.values) & (x.values == 0)).any()):
        raise NotAllowed("There's a negative zero in this; which zero comes out I leave to PyTorch.")


def _mean(values: np.ndarray, axis: Any, keepdims: bool) -> np.ndarray:
    """Rounded once; nan of nothing."""
    total = np.sum(values, axis=axis, keepdims=keepdims, dtype=np.float64)
    return np.asarray(np.true_divide(total, math.prod(values.shape[a] for a in axis)))


def _sign(x: np.ndarray) -> np.ndarray:
    return x if x.dtype == np.bool_ else np.nan_to_num(np.sign(x), nan=0.0)


def _square(x: Tensor, given: Given, named: Named) -> Tensor:
    take(given, named, ())
    return elementwise(x, 2, np.power)


def _truth(dtype: DType) -> DType:
    """Of any() and all(): bool, but of uint8 it stays uint8, as it was before there was a bool."""
    return dtype if dtype.name == "uint8" else BOOL


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def _softmax(log: bool) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        (dim,) = take(given, named, ("dim",), None)
        if dim is None:
            raise NotAllowed("A softmax needs a dim.")
        axis = dimension(x, dim)
        if x.count == 0:
            raise NotAllowed("I don't compute the softmax of nothing.")
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


def _cumulative(compute: Callable[..., np.ndarray]) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        (dim,) = take(given, named, ("dim",), None)
        axis = dimension(x, dim)
        values = x.known()
        _no_negative_zero(x)
        return made(np.asarray(compute(values, axis=axis)) if x.shape else values, summed(x.dtype))

    return method


def _norm(x: Tensor, given: Given, named: Named) -> Tensor:
    p, dim, keep = take(given, named, ("p", "dim", "keepdim"), 2, None, False)
    _floating(x.dtype)
    if (
        isinstance(p, bool)
        or p not in (1, 2)
        or not {"axis", "keepdims"}.isdisjoint(named)
        or (isinstance(dim, (tuple, list)) and not dim)
    ):
        raise NotAllowed("I compute norms of p = 1 and p = 2; the first argument of norm is p, not dim.")

    def root(values: np.ndarray, axis: Any, keepdims: bool) -> np.ndarray:
        sizes = np.abs(values.astype(np.float64))
        _not_too_large(values)
        total = (sizes if p == 1 else sizes**2).sum(axis=axis, keepdims=keepdims)
        return np.asarray(total if p == 1 else np.sqrt(total))

    return reduced(x, dims_of(x, dim), _flag(keep), root, x.dtype)


def _sort(x: Tensor, given: Given, named: Named) -> Any:
    dim, descending = take(given, named, ("dim", "descending"), -1, False)
    axis = dimension(x, dim)
    if not isinstance(descending, bool):
        raise NotAllowed("descending is True or False.")
    values = x.known()
    if not x.shape:
        return Pair(x, made(np.zeros((), np.int64), INT64))
    if descending:  # turned round twice: equal ones stay in their order, and no sign overflows
        order = x.shape[axis] - 1 - np.flip(np.argsort(np.flip(values, axis), axis=axis, kind="stable"), axis)
    else:
        order = np.argsort(values, axis=axis, kind="stable")
    return Pair(made(np.take_along_axis(values, order, axis), x.dtype), made(order, INT64))


def _clamp(x: Tensor, given: Given, named: Named) -> Tensor:
    low, high = take(given, named, ("min", "max"), None, None)
    for bound in (low, high):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, (int, float))):
            raise NotAllowed("clamp takes numbers.")
    if low is None and high is None:
        raise Mistaken("clamp needs min or max.")
    kind = x
    for bound in (low, high):
        kind = kind if bound is None else elementwise(kind, bound, first_of)
    if kind.dtype.category == 1 and any(b is not None and not fits(b, kind.dtype) for b in (low, high)):
        raise NotAllowed(f"{kind.dtype.name} can't hold that bound.")

    _no_negative_zero(kind)

    def between(values: np.ndarray) -> np.ndarray:
        low_side = values if low is None else np.maximum(values, np.asarray(low, values.dtype))
        return low_side if high is None else np.minimum(low_side, np.asarray(high, values.dtype))

    return pointwise(kind, between, floating=False)


def _product(x: Tensor, given: Given, named: Named) -> Tensor:
    (other,) = take(given, named, ("other",), None)
    if not isinstance(other, Tensor):
        raise NotAllowed("A matrix product needs two tensors.")
    return matmul(x, other)


def _product_of(dimensions: int) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Tensor:
        (other,) = take(given, named, ("mat2",), None)
        if not isinstance(other, Tensor):
            raise NotAllowed("A matrix product needs two tensors.")
        if len(x.shape) != dimensions or len(other.shape) != dimensions:
            raise Mistaken(f"That takes tensors of {dimensions} dimensions; matmul takes any.")
        if dimensions == 3 and x.shape[0] != other.shape[0]:
            raise Mistaken(f"The batches have {x.shape[0]} and {other.shape[0]} matrices; bmm doesn't broadcast.")
        return matmul(x, other)

    return method


ARITHMETIC: dict[str, Method] = {
    "sum": _reduction(np.sum, summed),
    "prod": _reduction(np.prod, summed, several=False),
    "mean": _reduction(_mean, _floating),
    "any": _reduction(np.any, _truth),
    "all": _reduction(np.all, _truth),
    "var": _spread(root=False),
    "std": _spread(root=True),
    "max": _extreme("max"),
    "min": _extreme("min"),
    "amax": _outermost(np.max),
    "amin": _outermost(np.min),
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
    "relu": _no_bool("relu", lambda v: np.maximum(v, 0)),
    "abs": _no_bool("abs", np.abs),
    "neg": _no_bool("Negation", np.negative),
    "sign": _pointwise(_sign, floating=False),
    "square": _square,
    "round": _no_bool("round", np.round),
    "floor": _no_bool("floor", np.floor),
    "ceil": _no_bool("ceil", np.ceil),
    "softmax": _softmax(log=False),
    "log_softmax": _softmax(log=True),
    "cumsum": _cumulative(np.cumsum),
    "cumprod": _cumulative(np.cumprod),
    "norm": _norm,
    "sort": _sort,
    "clamp": _clamp,
    "matmul": _product,
    "mm": _product_of(2),
    "bmm": _product_of(3),
}
