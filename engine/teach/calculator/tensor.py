"""A small tensor: shape and dtype by PyTorch's rules, and values by NumPy where there are few enough of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from engine.teach.calculator.layout import IN_ORDER, Layout, settled, strides, viewed
from engine.teach.calculator.limits import MAX_ELEMENTS, MAX_SHOWN, Mistaken, NotAllowed, checked_shape, whole

DTYPES = {
    "bool": np.bool_,
    "uint8": np.uint8,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "float16": np.float16,
    "float32": np.float32,
    "float64": np.float64,
}
SAME = {"long": "int64", "int": "int32", "short": "int16", "float": "float32", "half": "float16", "double": "float64"}


@dataclass(frozen=True)
class DType:
    name: str

    @property
    def category(self) -> int:
        """0 bool, 1 integer, 2 floating point: PyTorch's categories of promotion."""
        return 0 if self.name == "bool" else 2 if self.name.startswith("float") else 1

    @property
    def size(self) -> int:
        """Bytes."""
        return int(np.dtype(DTYPES[self.name]).itemsize)


INT64, FLOAT32, BOOL = DType("int64"), DType("float32"), DType("bool")


@dataclass(frozen=True)
class Tensor:
    shape: tuple[int, ...]
    dtype: DType
    values: np.ndarray | None
    """None where there are too many of them, or where they are random."""
    layout: Layout = IN_ORDER

    @property
    def count(self) -> int:
        return math.prod(self.shape)

    def known(self) -> np.ndarray:
        if self.values is None:
            raise NotAllowed("I only know the shape here: the values are random, or too many to compute.")
        return self.values


class Pair(NamedTuple):
    """What `max` along a dimension and `sort` give."""

    values: Tensor
    indices: Tensor


def made(array: np.ndarray, dtype: DType) -> Tensor:
    """`array` as a tensor of `dtype`."""
    with np.errstate(all="ignore"):
        return Tensor(tuple(array.shape), dtype, array.astype(DTYPES[dtype.name]))


def fits(number: float, dtype: DType) -> bool:
    """Whether a number of Python is one of `dtype`'s, fractions left aside."""
    if dtype.category == 1:
        range_of = np.iinfo(DTYPES[dtype.name])
        return math.isfinite(number) and range_of.min <= int(number) <= range_of.max
    return True


def literal(number: float, dtype: DType) -> None:
    """Raises where PyTorch refuses `number` as a value of a new tensor of `dtype`."""
    if dtype.name == "uint8" and -255 <= number < 0:
        raise NotAllowed("uint8 has no negative numbers; what becomes of one I leave to PyTorch.")
    if dtype.name == "float16" and 65504 < abs(number) < math.inf:
        raise NotAllowed("float16 ends at 65504; what becomes of a larger number I leave to PyTorch.")
    if not fits(number, dtype):
        raise Mistaken(f"{dtype.name} can't hold {number}: the value can't be converted without overflow.")


def filled(lengths: object, value: float | int | bool, dtype: DType) -> Tensor:
    shape = checked_shape(lengths)
    literal(value, dtype)
    if math.prod(shape) > MAX_ELEMENTS:
        return Tensor(shape, dtype, None)
    return made(np.full(shape, value), dtype)


def promoted(a: DType, b: DType) -> DType:
    """Of two tensors with dimensions: the higher category, and in it the smallest type that holds both."""
    if a.category != b.category:
        return a if a.category > b.category else b
    return DType(np.promote_types(DTYPES[a.name], DTYPES[b.name]).name)


def of_number(value: float | int | bool) -> DType:
    return BOOL if isinstance(value, bool) else INT64 if isinstance(value, int) else FLOAT32


def as_tensor(value: object) -> Tensor:
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (bool, int, float)):
        return Tensor((), of_number(value), np.asarray(value).astype(DTYPES[of_number(value).name]))
    raise NotAllowed("I expected a tensor or a number there.")


def result_dtype(a: object, b: object) -> DType:
    """Numbers and 0-d tensors only count where their category is higher."""
    x, y = as_tensor(a), as_tensor(b)
    weak_x, weak_y = not isinstance(a, Tensor) or not x.shape, not isinstance(b, Tensor) or not y.shape
    if weak_x != weak_y:
        strong, weak = (y, x) if weak_x else (x, y)
        return (
            strong.dtype
            if strong.dtype.category >= weak.dtype.category
            else (FLOAT32 if weak.dtype.category == 2 and not isinstance(a if weak_x else b, Tensor) else weak.dtype)
        )
    if not isinstance(a, Tensor) and isinstance(b, Tensor):
        return y.dtype if y.dtype.category >= x.dtype.category else x.dtype
    if not isinstance(b, Tensor) and isinstance(a, Tensor):
        return x.dtype if x.dtype.category >= y.dtype.category else y.dtype
    return promoted(x.dtype, y.dtype)


def broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    n = max(len(a), len(b))
    left, right = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b
    for x, y in zip(left, right, strict=True):
        if x != y and 1 not in (x, y):
            raise Mistaken(f"The shapes {a} and {b} don't broadcast: {x} meets {y}.")
    return tuple(y if x == 1 else x for x, y in zip(left, right, strict=True))


def elementwise(
    a: object, b: object, compute: Callable[[np.ndarray, np.ndarray], np.ndarray], dtype: DType | None = None
) -> Tensor:
    x, y = as_tensor(a), as_tensor(b)
    shape = broadcast(x.shape, y.shape)
    kind = result_dtype(a, b)
    target = dtype or kind
    if math.prod(shape) > MAX_ELEMENTS or x.values is None or y.values is None:
        return Tensor(checked_shape(shape), target, None)
    work = DTYPES[kind.name]
    with np.errstate(all="ignore"):
        left: np.ndarray = x.values.astype(work)
        right: np.ndarray = y.values.astype(work)
        for given, one, cast in ((a, x, left), (b, y, right)):
            weak = not isinstance(given, Tensor) or not given.shape
            if kind.name == "float16" and weak and not _same(one, cast):
                raise NotAllowed("float16 can't hold that number exactly, so I leave the rounding to PyTorch.")
        return made(np.asarray(compute(left, right)), target)


def remainder(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """With the sign of `b`, as PyTorch's; but a zero keeps the sign of `a`, where NumPy's takes that of `b`."""
    if a.dtype.kind != "f":
        return np.asarray(np.mod(a, b))
    rest = np.fmod(a, b)
    return np.where((rest != 0) & ((b < 0) != (rest < 0)), rest + b, rest)


def first_of(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`a`, in the shape that both have together: for the dtype and the shape of what isn't arithmetic."""
    return np.broadcast_arrays(a, b)[0]


def _same(one: Tensor, cast: np.ndarray) -> bool:
    return bool(np.array_equal(one.known().astype(np.float64), cast.astype(np.float64), equal_nan=True))


def no_bool(x: Tensor, name: str) -> None:
    """Raises `Mistaken` where PyTorch has no such function for bool."""
    if x.dtype == BOOL:
        raise Mistaken(f"{name} isn't defined for bool; convert it first, for example with .int().")


def pointwise(x: Tensor, compute: Callable[[np.ndarray], np.ndarray], floating: bool = True) -> Tensor:
    """One value from each; whole numbers become float32 first where `floating`."""
    dtype = FLOAT32 if floating and x.dtype.category < 2 else x.dtype
    if x.values is None:
        return Tensor(x.shape, dtype, None)
    wide = np.float64 if floating else DTYPES[dtype.name]  # rounded once, to the nearest, as a good library does
    with np.errstate(all="ignore"):
        return made(np.asarray(compute(x.values.astype(DTYPES[dtype.name]).astype(wide))), dtype)


def matmul(a: Tensor, b: Tensor) -> Tensor:
    if not a.shape or not b.shape:
        raise Mistaken("A matrix product needs tensors of at least one dimension.")
    left = a.shape if len(a.shape) > 1 else (1, *a.shape)
    right = b.shape if len(b.shape) > 1 else (*b.shape, 1)
    if left[-1] != right[-2]:
        raise Mistaken(f"The inner lengths of {a.shape} and {b.shape} differ: {left[-1]} and {right[-2]}.")
    no_bool(a, "A matrix product")
    if a.dtype != b.dtype:
        raise Mistaken(f"A matrix product needs equal dtypes, not {a.dtype.name} and {b.dtype.name}.")
    shape = (*broadcast(left[:-2], right[:-2]), left[-2], right[-1])
    if len(b.shape) == 1:
        shape = shape[:-1]
    if len(a.shape) == 1:
        shape = (*shape[:-2], shape[-1]) if len(b.shape) > 1 else shape[:-1]
    work = math.prod(broadcast(left[:-2], right[:-2])) * left[-2] * left[-1] * right[-1]
    if a.values is None or b.values is None or work > 64 * MAX_ELEMENTS or math.prod(shape) > MAX_ELEMENTS:
        return Tensor(checked_shape(shape), a.dtype, None)
    with np.errstate(all="ignore"):
        return made(np.asarray(np.matmul(a.values, b.values)), a.dtype)


def dimension(x: Tensor, dim: object) -> int:
    """`dim` counted from the front. Raises `Mistaken` as PyTorch does."""
    if isinstance(dim, bool) or not isinstance(dim, int):
        raise NotAllowed("A dimension has to be a whole number.")
    n = max(1, len(x.shape))
    if not -n <= dim < n:
        raise Mistaken(f"There is no dimension {dim}: the tensor has {len(x.shape)}, so -{n} to {n - 1} are possible.")
    return dim % n


def reshaped(x: Tensor, lengths: object, copied: bool = True) -> Tensor:
    """`x` in another shape; where it may not be `copied`, as by view(), raises `Mistaken` if it would have to be."""
    if isinstance(lengths, int) and not isinstance(lengths, bool):
        lengths = (lengths,)
    if not isinstance(lengths, (tuple, list)) or len(lengths) > 8:
        raise NotAllowed("A shape has at most 8 whole numbers.")
    free = [i for i, length in enumerate(lengths) if length == -1]
    shape = [1 if i in free else whole(length, "length of a dimension") for i, length in enumerate(lengths)]
    rest = math.prod(shape)
    if len(free) > 1:
        raise Mistaken("Only one length can be -1.")
    if free:
        if rest == 0 or x.count % rest:
            raise Mistaken(f"{x.count} elements can't be cut into the shape {tuple(lengths)}.")
        shape[free[0]] = x.count // rest
    if math.prod(shape) != x.count:
        raise Mistaken(f"The shape {tuple(shape)} has {math.prod(shape)} elements, but the tensor has {x.count}.")
    target = checked_shape(shape)
    layout: Layout = IN_ORDER
    if x.layout != IN_ORDER and x.count > 1:
        known = strides(x.shape, x.layout)
        layout = viewed(x.shape, known, target) if known is not None else None
        if layout is None and not copied:
            if known is None:
                raise NotAllowed("I don't know how that lies in memory; with .reshape() it doesn't matter.")
            raise Mistaken("view() can't join dimensions that don't follow each other in memory; use .reshape().")
        if layout is None and known is not None:
            layout = IN_ORDER
    return Tensor(target, x.dtype, None if x.values is None else x.values.reshape(target), settled(target, layout))


def reordered(x: Tensor, order: tuple[int, ...]) -> Tensor:
    if sorted(order) != list(range(len(x.shape))):
        raise Mistaken(f"permute needs each of the {len(x.shape)} dimensions once.")
    shape = tuple(x.shape[d] for d in order)
    known = strides(x.shape, x.layout)
    layout = None if known is None else settled(shape, tuple(known[d] for d in order))
    return Tensor(shape, x.dtype, None if x.values is None else x.values.transpose(order), layout)


def after(result: object, inputs: Iterable[object]) -> object:
    """`result` of a function that says nothing of layouts: in order if all that went in is, unknown if not."""
    if not isinstance(result, Tensor):
        if isinstance(result, Pair):
            return Pair(*(replace(part, layout=_common(inputs)) for part in result))
        return result
    return replace(result, layout=_common(inputs)) if result.layout == IN_ORDER else result


def _common(inputs: Iterable[object]) -> Layout:
    for value in inputs:
        parts = value if isinstance(value, (list, tuple)) else [value]
        if any(isinstance(part, Tensor) and part.layout != IN_ORDER for part in parts):
            return None
    return IN_ORDER


def reduced(x: Tensor, dims: tuple[int, ...], keep: bool, compute: Callable[..., np.ndarray], dtype: DType) -> Tensor:
    """`compute(values, axis=..., keepdims=...)` over `dims`; all of them if there are none."""
    axes = dims or tuple(range(len(x.shape)))
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keep or i not in axes)
    if x.values is None:
        return Tensor(shape, dtype, None)
    with np.errstate(all="ignore"):
        return made(np.asarray(compute(x.values, axis=axes, keepdims=keep)), dtype)


def shown(x: Tensor) -> str:
    """As PyTorch prints it, on one line: whole floats with a point, others with four decimals, and powers of ten where
    the largest and the smallest lie far apart (`torch/_tensor_str.py`)."""
    values = x.known()
    if x.count > MAX_SHOWN:
        raise NotAllowed(f"The result has {x.count} elements; I write out at most {MAX_SHOWN}.")
    if x.count == 0:
        size = f", size={x.shape}" if len(x.shape) != 1 else ""
        return f"tensor([]{size}{'' if x.dtype == FLOAT32 else f', dtype=torch.{x.dtype.name}'})"
    flat = [float(v) for v in values.flatten()] if x.dtype.category == 2 else []
    sizes = [abs(v) for v in flat if math.isfinite(v) and v]
    integral = all(v == math.ceil(v) for v in sizes)
    powers = bool(sizes) and (max(sizes) / min(sizes) > 1000 or max(sizes) > 1e8 or min(sizes) < 1e-4)

    def write(value: object) -> str:
        if x.dtype.category == 0:
            return str(bool(value))
        if x.dtype.category == 1:
            return str(int(value))  # type: ignore[call-overload]
        number = float(value)  # type: ignore[arg-type]
        if not math.isfinite(number):
            return str(number)
        return f"{number:.4e}" if powers else f"{number:.0f}." if integral else f"{number:.4f}"

    def nested(array: np.ndarray) -> str:
        if array.ndim == 0:
            return write(array[()])
        return "[" + ", ".join(nested(part) for part in array) + "]"

    usual = x.dtype in (INT64, FLOAT32, BOOL)
    return f"tensor({nested(values)}{'' if usual else f', dtype=torch.{x.dtype.name}'})"
