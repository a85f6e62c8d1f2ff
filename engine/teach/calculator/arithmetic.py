"""Methods that compute: sums and means, largest and smallest, functions of each element, softmax, sorting, products."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.teach.calculator.arguments import Given, Method, Named, dims_of, take
from engine.teach.calculator.limits import Mistaken, NotAllowed, whole
from engine.teach.calculator.tensor import BOOL, INT64, DType, Tensor, dimension, made, matmul, pointwise, reduced


def summed(dtype: DType) -> DType:
    return INT64 if dtype.category < 2 else dtype


def _floating(dtype: DType) -> DType:
    if dtype.category < 2:
        raise Mistaken(f"A mean needs floating point numbers, but this is {dtype.name}; write .float() first.")
    return dtype


def _reduction(compute: Callable[..., np.ndarray], kind: Callable[[DType], DType]) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        dim, keep = take(given, named, ("dim", "keepdim"), None, False)
        if not isinstance(keep, bool):
            raise NotAllowed("keepdim is True or False.")
        return reduced(x, dims_of(x, dim), keep, compute, kind(x.dtype))

    return method


def _spread(root: bool) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        dim, keep, correction = take(given, named, ("dim", "keepdim", "correction"), None, False, 1)
        _floating(x.dtype)
        correction = whole(correction, "correction")

        def compute(values: np.ndarray, axis: Any, keepdims: bool) -> np.ndarray:
            n = math.prod(values.shape[a] for a in axis)
            variance = np.var(values.astype(np.float64), axis=axis, keepdims=keepdims) * n
            variance = variance / (n - correction) if n > correction else variance * np.nan
            return np.sqrt(variance) if root else variance

        return reduced(x, dims_of(x, dim), keep is True, compute, x.dtype)

    return method


def _extreme(name: str) -> Method:
    best, where = {"max": (np.max, np.argmax), "min": (np.min, np.argmin)}[name]

    def method(x: Tensor, given: Given, named: Named) -> Any:
        dim, keep = take(given, named, ("dim", "keepdim"), None, False)
        if x.count == 0:
            raise Mistaken(f"An empty tensor has no {name}.")
        values = reduced(x, dims_of(x, dim), keep is True, best, x.dtype)
        return values if dim is None else (values, _position(where)(x, [dim, keep], {}))

    return method


def _position(where: Callable[..., Any]) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        dim, keep = take(given, named, ("dim", "keepdim"), None, False)
        if x.count == 0:
            raise Mistaken("An empty tensor has no largest element.")
        if dim is None:
            return made(np.asarray(where(x.known())), INT64)
        axis = dimension(x, dim)
        return made(np.asarray(where(x.known(), axis=axis, keepdims=keep is True)), INT64)

    return method


def _pointwise(compute: Callable[[np.ndarray], np.ndarray], floating: bool = True) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        take(given, named, ())
        return pointwise(x, compute, floating)

    return method


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def _softmax(log: bool) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        (dim,) = take(given, named, ("dim",), None)
        if dim is None:
            raise NotAllowed("A softmax needs a dim.")
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


def _cumulative(compute: Callable[..., np.ndarray]) -> Method:
    def method(x: Tensor, given: Given, named: Named) -> Any:
        (dim,) = take(given, named, ("dim",), None)
        axis = dimension(x, dim)
        return made(np.asarray(compute(x.known(), axis=axis)), summed(x.dtype))

    return method


def _norm(x: Tensor, given: Given, named: Named) -> Tensor:
    dim, keep = take(given, named, ("dim", "keepdim"), None, False)
    _floating(x.dtype)

    def root(values: np.ndarray, axis: Any, keepdims: bool) -> np.ndarray:
        return np.asarray(np.sqrt((values.astype(np.float64) ** 2).sum(axis=axis, keepdims=keepdims)))

    return reduced(x, dims_of(x, dim), keep is True, root, x.dtype)


def _sort(x: Tensor, given: Given, named: Named) -> Any:
    dim, descending = take(given, named, ("dim", "descending"), -1, False)
    axis = dimension(x, dim)
    order = np.argsort(-x.known() if descending is True else x.known(), axis=axis, kind="stable")
    return made(np.take_along_axis(x.known(), order, axis), x.dtype), made(order, INT64)


def _clamp(x: Tensor, given: Given, named: Named) -> Tensor:
    low, high = take(given, named, ("min", "max"), None, None)
    for bound in (low, high):
        if bound is not None and not isinstance(bound, (int, float)):
            raise NotAllowed("clamp takes numbers.")
    if low is None and high is None:
        raise Mistaken("clamp needs min or max.")
    return pointwise(x, lambda v: np.clip(v, low, high), floating=False)


def _product(x: Tensor, given: Given, named: Named) -> Tensor:
    (other,) = take(given, named, ("other",), None)
    if not isinstance(other, Tensor):
        raise NotAllowed("A matrix product needs two tensors.")
    return matmul(x, other)


ARITHMETIC: dict[str, Method] = {
    "sum": _reduction(np.sum, summed),
    "prod": _reduction(np.prod, summed),
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
    "clamp": _clamp,
    "matmul": _product,
    "mm": _product,
    "bmm": _product,
}
