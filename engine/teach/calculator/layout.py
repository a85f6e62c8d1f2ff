"""Where a tensor's elements lie in memory: what `view` can do without a copy, and what it can't.

A layout is a tensor's strides, in elements; `IN_ORDER` is that of a tensor that has just been made (row after row), and
None one that isn't known. The rule of `view`: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.view.html."""

from __future__ import annotations

import itertools
import math

Layout = tuple[int, ...] | None
IN_ORDER: tuple[int, ...] = ()


def row_after_row(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of elements that lie in order."""
    behind = itertools.accumulate(reversed(shape[1:]), lambda a, b: a * max(b, 1), initial=1)
    return tuple(reversed(list(behind)))[: len(shape)]


def strides(shape: tuple[int, ...], layout: Layout) -> tuple[int, ...] | None:
    """One stride for each dimension."""
    return row_after_row(shape) if layout == IN_ORDER else layout


def settled(shape: tuple[int, ...], layout: Layout) -> Layout:
    """`layout`, or `IN_ORDER` where it makes no difference: a dimension of length 1 may have any stride."""
    if layout is None or layout == IN_ORDER:
        return layout
    if math.prod(shape) < 2:
        return IN_ORDER
    usual = row_after_row(shape)
    return IN_ORDER if all(n == 1 or a == b for n, a, b in zip(shape, layout, usual, strict=True)) else layout


def viewed(shape: tuple[int, ...], layout: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...] | None:
    """The strides of the same elements in the shape `target`, or None where that needs a copy.

    Neighbouring dimensions whose elements follow each other at one distance make a run; each run has to be cut by
    lengths of `target` alone."""
    if math.prod(shape) == 0:
        return row_after_row(target)
    runs: list[tuple[int, int]] = []  # how many elements, how far apart
    for length, stride in zip(reversed(shape), reversed(layout), strict=True):
        if length == 1:
            continue
        if runs and stride == runs[-1][0] * runs[-1][1]:
            runs[-1] = (runs[-1][0] * length, runs[-1][1])
        else:
            runs.append((length, stride))
    found: list[int] = []
    rest = list(reversed(target))
    for count, stride in runs:
        covered = 1
        while covered < count and rest:
            found.append(stride * covered)
            covered *= rest.pop(0)
        if covered != count:
            return None
    found += [1] * len(rest)
    return tuple(reversed(found))
