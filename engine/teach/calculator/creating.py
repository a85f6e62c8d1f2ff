"""What makes a tensor: `torch.zeros`, `torch.arange`, `torch.tensor` and their like."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.teach.calculator.limits import MAX_ELEMENTS, Mistaken, NotAllowed, checked_shape, whole
from engine.teach.calculator.tensor import BOOL, FLOAT32, INT64, DType, Tensor, filled, literal, made, promoted

CREATORS = frozenset({"zeros", "ones", "empty", "rand", "randn", "full", "arange", "linspace", "eye", "tensor", "Size"})
_OPTIONS = frozenset({"dtype", "requires_grad", "device"})


def create(name: str, given: list[Any], named: dict[str, Any]) -> Any:
    """What `torch.<name>(...)` makes. Raises `NotAllowed` or `Mistaken`."""
    if not set(named) <= _OPTIONS | ({"fill_value"} if name == "full" else set()) | (
        {"steps", "start", "end", "step"} if name in ("arange", "linspace") else set()
    ):
        raise NotAllowed(f"I don't know that argument of torch.{name}.")
    dtype = named.get("dtype")
    if dtype is not None and not isinstance(dtype, DType):
        raise NotAllowed("The dtype must be one of torch's.")
    if name == "Size":
        if named or len(given) != 1 or not isinstance(given[0], (tuple, list)):
            raise NotAllowed("torch.Size takes a list of whole numbers.")
        return checked_shape(given[0])
    device, gradient = named.get("device"), named.get("requires_grad", False)
    if device not in (None, "cpu", "meta") or not isinstance(gradient, bool):
        raise NotAllowed("I know the devices cpu and meta, and requires_grad is True or False.")
    made_one = _created(name, given, named, dtype)
    if gradient and made_one.dtype.category < 2:
        raise Mistaken("Only tensors of floating point numbers can require gradients.")
    if gradient or device == "meta":  # how those are printed isn't how others are, so there's the shape alone
        return Tensor(made_one.shape, made_one.dtype, None)
    return made_one


def _created(name: str, given: list[Any], named: dict[str, Any], dtype: DType | None) -> Tensor:
    if name in ("zeros", "ones", "empty", "rand", "randn"):
        shape = given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else tuple(given)
        kind = dtype or FLOAT32
        if name in ("rand", "randn") and kind.category < 2:
            raise Mistaken(f"torch.{name} makes floating point numbers, not {kind.name}.")
        if name in ("empty", "rand", "randn"):
            return Tensor(checked_shape(shape), kind, None)
        return filled(shape, 1 if name == "ones" else 0, kind)
    if name == "full":
        fill = named.get("fill_value", given[1] if len(given) > 1 else None)
        if not 1 <= len(given) <= 2 or not isinstance(fill, (int, float)):
            raise NotAllowed("torch.full needs a shape and a number.")
        return filled(
            given[0], fill, dtype or (BOOL if isinstance(fill, bool) else INT64 if isinstance(fill, int) else FLOAT32)
        )
    if name == "eye":
        if not given or len(given) > 2:
            raise NotAllowed("torch.eye needs one or two numbers.")
        n = whole(given[0], "size of the matrix")
        m = whole(given[-1], "size of the matrix")
        if n * m > MAX_ELEMENTS:
            return Tensor((n, m), dtype or FLOAT32, None)
        return made(np.eye(n, m), dtype or FLOAT32)
    if name in ("arange", "linspace"):
        return _range(name, given, named, dtype)
    if len(given) != 1:
        raise NotAllowed("torch.tensor needs one number or nested lists of numbers.")
    return _tensor(given[0], dtype)


def _range(name: str, given: list[Any], named: dict[str, Any], dtype: DType | None) -> Tensor:
    numbers = list(given)
    if name == "arange":
        if len(numbers) == 1:
            numbers = [0, *numbers]
        numbers = [named.get("start", 0), named["end"]] if not numbers and "end" in named else numbers
        if len(numbers) == 2:
            numbers.append(named.get("step", 1))
    elif "steps" in named:
        numbers.append(named["steps"])
    if len(numbers) != 3 or any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in numbers):
        raise NotAllowed(f"torch.{name} needs plain numbers.")
    start, end, step = numbers
    if dtype == BOOL and name == "linspace":
        raise NotAllowed("A linspace of bools: that I leave to PyTorch.")
    if dtype == BOOL:
        raise Mistaken(f"torch.{name} doesn't make bool.")
    if dtype is not None and dtype.category == 1:
        if any(v != int(v) for v in numbers if math.isfinite(v)):
            raise NotAllowed("A whole-number dtype with fractions: that rounding I leave to PyTorch.")
        for number in numbers[:2]:
            literal(number, dtype)
    if not all(math.isfinite(v) for v in numbers):
        raise NotAllowed(f"torch.{name} needs plain numbers.")
    if name == "linspace":
        count = whole(step, "number of steps")
        if count > MAX_ELEMENTS:
            return Tensor((count,), dtype or FLOAT32, None)
        if dtype is not None and dtype.category == 1:
            raise NotAllowed("A linspace of whole numbers: that rounding I leave to PyTorch.")
        return made(
            _steps(start, end, count, np.float64 if dtype and dtype.size == 8 else np.float32), dtype or FLOAT32
        )
    if step == 0 or (end - start) * step < 0:
        raise Mistaken("arange's step doesn't lead from its start to its end.")
    count = max(0, math.ceil((end - start) / step))
    kind = dtype or (INT64 if all(isinstance(v, int) for v in numbers) else FLOAT32)
    if whole(count, "length of a dimension") > MAX_ELEMENTS:
        return Tensor((count,), kind, None)
    return made(start + step * np.arange(count), kind)


def _steps(start: float, end: float, count: int, kind: type[np.floating[Any]]) -> np.ndarray:
    """As PyTorch steps: the first half from the start, the second from the end, so that it's the same both ways."""
    if count < 2:
        return np.full(count, start, kind)
    first, last = kind(start), kind(end)
    step = (last - first) / kind(count - 1)
    places = np.arange(count).astype(kind)
    half = np.arange(count) < count // 2
    return np.where(half, first + step * places, last - step * places[::-1])


def _tensor(data: Any, dtype: DType | None) -> Tensor:
    flat: list[Any] = []

    def shape_of(part: Any, level: int) -> tuple[int, ...]:
        if isinstance(part, (list, tuple)):
            if level > 6:
                raise NotAllowed("That is nested too deeply for me.")
            shapes = {shape_of(item, level + 1) for item in part}
            if len(shapes) > 1:
                raise Mistaken("The lists have different lengths; torch.tensor needs a rectangle.")
            return (len(part), *(shapes.pop() if shapes else ()))
        if not isinstance(part, (bool, int, float)):
            raise NotAllowed("torch.tensor needs one number or nested lists of numbers.")
        flat.append(part)
        return ()

    shape = shape_of(data, 0)
    if len(flat) > MAX_ELEMENTS:
        raise NotAllowed("That is too many numbers.")
    kinds = [BOOL if isinstance(v, bool) else INT64 if isinstance(v, int) else FLOAT32 for v in flat]
    kind = dtype
    if kind is None:
        kind = FLOAT32 if not kinds else kinds[0]
        for other in kinds:
            kind = promoted(kind, other)
    for number in flat:
        literal(number, kind)
    if not flat:
        return made(np.zeros(shape), kind)
    return made(np.array(flat).reshape(shape), kind)
