"""What makes a tensor: `torch.zeros`, `torch.arange`, `torch.tensor` and their like."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.teach.calculator.limits import MAX_ELEMENTS, Mistaken, NotAllowed, checked_shape, whole
from engine.teach.calculator.tensor import BOOL, FLOAT32, INT64, DType, Tensor, filled, made, promoted

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
        return checked_shape(given[0] if len(given) == 1 else tuple(given))
    if name in ("zeros", "ones", "empty", "rand", "randn"):
        shape = given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else tuple(given)
        kind = dtype or FLOAT32
        if name in ("empty", "rand", "randn"):
            return Tensor(checked_shape(shape), kind, None)
        return filled(shape, 1 if name == "ones" else 0, kind)
    if name == "full":
        fill = named.get("fill_value", given[1] if len(given) > 1 else None)
        if not given or not isinstance(fill, (int, float)):
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
    if not all(math.isfinite(v) for v in numbers):
        raise NotAllowed(f"torch.{name} needs plain numbers.")
    if name == "linspace":
        count = whole(step, "number of steps")
        if count > MAX_ELEMENTS:
            return Tensor((count,), dtype or FLOAT32, None)
        return made(np.linspace(start, end, count), dtype or FLOAT32)
    if step == 0 or (end - start) * step < 0:
        raise Mistaken("arange's step doesn't lead from its start to its end.")
    count = max(0, math.ceil((end - start) / step))
    kind = dtype or (INT64 if all(isinstance(v, int) for v in numbers) else FLOAT32)
    if whole(count, "length of a dimension") > MAX_ELEMENTS:
        return Tensor((count,), kind, None)
    return made(start + step * np.arange(count), kind)


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
    return made(np.array(flat).reshape(shape), kind)
