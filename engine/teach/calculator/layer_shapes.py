"""What shape comes out of a layer of torch.nn, and which inputs PyTorch refuses.

Formulas: the "Shape" sections of the PyTorch documentation, https://docs.pytorch.org/docs/stable/nn.html; what is
refused: `torch/nn/modules/batchnorm.py`, `instancenorm.py` and `torch/nn/functional.py`."""

from __future__ import annotations

import math
from collections.abc import Callable

from engine.teach.calculator.layers import (
    ADAPTIVE,
    INSTANCE,
    NORMS,
    POOLS,
    RECURRENT,
    SPATIAL,
    Layer,
    Shape,
    Steps,
    check_divided,
    check_groups,
    each,
    flag,
)
from engine.teach.calculator.limits import Mistaken, NotAllowed, checked_shape, whole

TAKES_NOTHING = frozenset({"Linear", "Embedding", "Flatten", "ReLU", "Sigmoid", "Tanh", "Identity", "GELU"})
"""Layers that take an input without elements; the others differ in what they say of one."""


def output(of: Layer, shape: Shape, steps: Steps) -> Shape:
    """The shape that comes out for an input of `shape`. Raises `Mistaken` where PyTorch would refuse it."""
    o = of.options
    if of.name == "Sequential":
        for part in of.parts:
            shape = output(part, shape, steps)
        return shape
    if 0 in shape and of.name not in TAKES_NOTHING:
        raise NotAllowed("I don't know what a layer makes of an input without elements.")
    if of.name in SPATIAL:
        return _convolved(of, shape, steps)
    if of.name in POOLS:
        return _pooled(of, shape, steps)
    if of.name in ADAPTIVE:
        n = ADAPTIVE[of.name]
        if len(shape) not in (n + 1, n + 2):
            raise NotAllowed(f"{of.name} is for {n + 1} or {n + 2} dimensions; of others I say nothing.")
        lead = _lead(of.name, shape, n)
        return _said(steps, of.name, (*lead, *each(o["output_size"], n, "output size", 1)))
    if of.name == "Linear":
        n, m = whole(o["in_features"], "in_features", 1), whole(o["out_features"], "out_features", 1)
        if not shape or shape[-1] != n:
            raise Mistaken(f"Linear({n}, {m}) needs a last dimension of {n}, but the input's shape is {shape}.")
        return _said(steps, f"Linear acts on the last dimension, {n} → {m}", (*shape[:-1], m))
    if of.name == "Embedding":
        return _said(steps, "Embedding adds a dimension", (*shape, whole(o["embedding_dim"], "embedding_dim", 1)))
    if of.name == "Flatten":
        return _flattened(of, shape, steps)
    if of.name == "Upsample":
        return _upsampled(of, shape, steps)
    if of.name == "PixelShuffle":
        r = whole(o["upscale_factor"], "upscale factor", 1)
        if len(shape) < 3 or shape[-3] % (r * r):
            raise Mistaken(f"PixelShuffle({r}) needs a number of channels divisible by {r * r}.")
        return _said(steps, of.name, (*shape[:-3], shape[-3] // (r * r), shape[-2] * r, shape[-1] * r))
    if of.name in RECURRENT or of.name == "MultiheadAttention":
        raise NotAllowed(
            f"nn.{of.name} gives several tensors; ask for its parameters, or for one of its parts in words."
        )
    _check(of, shape)
    return _said(steps, f"{of.name} keeps the shape", shape)


def _said(steps: Steps, text: str, shape: Shape) -> Shape:
    steps.append(f"{text}: {checked_shape(shape)}")
    return shape


def _lead(name: str, shape: Shape, n: int) -> Shape:
    if len(shape) not in (n + 1, n + 2):
        raise Mistaken(f"{name} needs {n + 1} or {n + 2} dimensions, but the input's shape is {shape}.")
    return shape[:-n]


def _check(of: Layer, shape: Shape) -> None:
    """Of layers that keep the shape. Raises `Mistaken` where PyTorch refuses it."""
    check = _CHECKS.get(of.name)
    if check is not None:
        check(of, shape)


def _needs(of: Layer, shape: Shape, *dimensions: int) -> None:
    if len(shape) not in dimensions:
        wanted = " or ".join(map(str, dimensions))
        raise Mistaken(f"{of.name} needs {wanted} dimensions, but the input's shape is {shape}.")


def _needs_channels(of: Layer, shape: Shape, place: int, channels: object) -> int:
    count = whole(channels, "number of channels", 1)
    if len(shape) <= place or shape[place] != count:
        raise Mistaken(f"{of.name} was built for {count} channels, but the input's shape is {shape}.")
    return count


def _check_batch_norm(of: Layer, shape: Shape) -> None:
    _needs(of, shape, *{"BatchNorm1d": (2, 3), "BatchNorm2d": (4,), "BatchNorm3d": (5,)}[of.name])
    channels = _needs_channels(of, shape, 1, of.options["num_features"])
    if of.training and math.prod(shape) == channels:
        raise Mistaken(f"{of.name} needs more than one value for each channel while it trains; .eval() doesn't.")


def _check_instance_norm(of: Layer, shape: Shape) -> None:
    n = INSTANCE[of.name]
    _needs(of, shape, n + 1, n + 2)
    place = len(shape) - n - 1
    if flag(of.options, "affine", False):
        _needs_channels(of, shape, place, of.options["num_features"])
    if flag(of.options, "track_running_stats", False):
        raise NotAllowed("I don't follow running statistics of an instance norm.")
    if math.prod(shape[place + 1 :]) == 1:
        raise Mistaken(f"{of.name} needs more than one pixel for each channel.")


def _check_group_norm(of: Layer, shape: Shape) -> None:
    groups = check_divided(of)
    channels = _needs_channels(of, shape, 1, of.options["num_channels"])
    if shape[0] * (channels // groups) * math.prod(shape[2:]) == 1:
        raise Mistaken("GroupNorm needs more than one value for each group.")


def _check_last(of: Layer, shape: Shape) -> None:
    last = checked_shape(of.options["normalized_shape"])
    if shape[-len(last) :] != last:
        raise Mistaken(f"{of.name} was built for a last shape of {last}, but the input's shape is {shape}.")


def _check_softmax(of: Layer, shape: Shape) -> None:
    dim, n = of.options.get("dim"), max(1, len(shape))
    if dim is None:
        raise NotAllowed(f"{of.name} should be told its dim.")
    if isinstance(dim, bool) or not isinstance(dim, int):
        raise NotAllowed("A dimension has to be a whole number.")
    if not -n <= dim < n:
        raise Mistaken(f"There is no dimension {dim}: the input's shape is {shape}.")


def _check_dropout(of: Layer, shape: Shape) -> None:
    if of.name == "Dropout1d":
        _needs(of, shape, 2, 3)
    elif len(shape) not in (3, 4):
        raise NotAllowed("Dropout2d is for 3 or 4 dimensions.")


def _check_slopes(of: Layer, shape: Shape) -> None:
    slopes = whole(of.options.get("num_parameters", 1), "num_parameters", 1)
    if slopes > 1:
        _needs_channels(of, shape, 1, slopes)


_CHECKS: dict[str, Callable[[Layer, Shape], None]] = {
    **dict.fromkeys(NORMS, _check_batch_norm),
    **dict.fromkeys(INSTANCE, _check_instance_norm),
    **dict.fromkeys(("LayerNorm", "RMSNorm"), _check_last),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _check_softmax),
    **dict.fromkeys(("Dropout1d", "Dropout2d"), _check_dropout),
    "GroupNorm": _check_group_norm,
    "PReLU": _check_slopes,
}


def _convolved(of: Layer, shape: Shape, steps: Steps) -> Shape:
    o, n = of.options, SPATIAL[of.name]
    lead = _lead(of.name, shape, n)
    c_in, c_out = whole(o["in_channels"], "in_channels", 1), whole(o["out_channels"], "out_channels", 1)
    check_groups(of)
    if lead[-1] != c_in:
        raise Mistaken(f"{of.name} expects {c_in} channels, but the input has {lead[-1]}.")
    kernel, stride = each(o["kernel_size"], n, "kernel size", 1), each(o.get("stride", 1), n, "stride", 1)
    dilation = each(o.get("dilation", 1), n, "dilation", 1)
    if o.get("padding") == "same":
        if any(s != 1 for s in stride):
            raise Mistaken("padding='same' needs a stride of 1.")
        return _said(steps, "padding='same' keeps the size", (*lead[:-1], c_out, *shape[-n:]))
    padding = each(0 if o.get("padding") == "valid" else o.get("padding", 0), n, "padding")
    if of.name.startswith("ConvTranspose"):
        extra = each(o.get("output_padding", 0), n, "output padding")
        sizes = [
            transposed_size(size, k, s, p, d, e, steps)
            for size, k, s, p, d, e in zip(shape[-n:], kernel, stride, padding, dilation, extra, strict=True)
        ]
    else:
        sizes = [
            convolved_size(size, k, s, p, d, steps)
            for size, k, s, p, d in zip(shape[-n:], kernel, stride, padding, dilation, strict=True)
        ]
    return _said(steps, f"{c_out} channels come out", (*lead[:-1], c_out, *sizes))


def convolved_size(size: int, k: int, s: int, p: int, d: int, steps: Steps) -> int:
    """⌊(n + 2p - d(k - 1) - 1)/s⌋ + 1."""
    span = d * (k - 1) + 1
    if size + 2 * p < span:
        raise Mistaken(f"The kernel spans {span} pixels, but the padded input has only {size + 2 * p}.")
    out = (size + 2 * p - span) // s + 1
    line = f"⌊({size} + 2·{p} - {d}·({k} - 1) - 1)/{s}⌋ + 1 = {out}"
    if line not in steps:
        steps.append(line)
    return out


def transposed_size(size: int, k: int, s: int, p: int, d: int, extra: int, steps: Steps) -> int:
    """(n - 1)s - 2p + d(k - 1) + output_padding + 1."""
    if extra >= max(s, d):
        raise Mistaken("output_padding must be smaller than the stride or the dilation.")
    out = (size - 1) * s - 2 * p + d * (k - 1) + extra + 1
    if out == 0:
        raise NotAllowed("Nothing would be left of that.")
    if out < 0:
        raise Mistaken("The padding takes away more than there is.")
    line = f"({size} - 1)·{s} - 2·{p} + {d}·({k} - 1) + {extra} + 1 = {out}"
    if line not in steps:
        steps.append(line)
    return out


def _pooled(of: Layer, shape: Shape, steps: Steps) -> Shape:
    o, n = of.options, POOLS[of.name]
    lead = _lead(of.name, shape, n)
    kernel = each(o["kernel_size"], n, "kernel size", 1)
    stride = kernel if o.get("stride") is None else each(o["stride"], n, "stride", 1)
    padding, dilation = each(o.get("padding", 0), n, "padding"), each(o.get("dilation", 1), n, "dilation", 1)
    if flag(o, "ceil_mode", False):
        raise NotAllowed("I don't compute ceil_mode.")
    if of.name == "AvgPool3d" and any(k > size for k, size in zip(kernel, shape[-n:], strict=True)):
        raise NotAllowed("A kernel larger than the input: that I leave to PyTorch.")
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise Mistaken("The padding may be at most half of the kernel.")
    sizes = [
        convolved_size(size, k, s, p, d, steps)
        for size, k, s, p, d in zip(shape[-n:], kernel, stride, padding, dilation, strict=True)
    ]
    return _said(steps, of.name, (*lead, *sizes))


def _flattened(of: Layer, shape: Shape, steps: Steps) -> Shape:
    start, end = of.options.get("start_dim", 1), of.options.get("end_dim", -1)
    if isinstance(start, bool) or isinstance(end, bool) or not isinstance(start, int) or not isinstance(end, int):
        raise NotAllowed("Flatten takes whole numbers.")
    n = len(shape)
    if not (-n <= start < n and -n <= end < n):
        raise Mistaken(f"Flatten names a dimension that the shape {shape} doesn't have.")
    start, end = start % n, end % n
    if start > end:
        raise Mistaken("Flatten's start comes after its end.")
    joined = math.prod(shape[start : end + 1])
    product = " · ".join(map(str, shape[start : end + 1]))
    return _said(steps, f"Flatten joins {product} = {joined}", (*shape[:start], joined, *shape[end + 1 :]))


def _upsampled(of: Layer, shape: Shape, steps: Steps) -> Shape:
    o, n = of.options, len(shape) - 2
    if n not in (1, 2, 3):
        raise Mistaken(f"Upsample needs 3 to 5 dimensions, but the input's shape is {shape}.")
    if o.get("mode") == "bilinear" and n != 2:
        raise Mistaken(f"A bilinear Upsample needs 4 dimensions, but the input's shape is {shape}.")
    if o.get("size") is not None:
        return _said(steps, of.name, (*shape[:2], *each(o["size"], n, "size", 1)))
    factor = o.get("scale_factor")
    if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0 < factor < 1000:
        raise NotAllowed("Upsample needs a size or a scale_factor.")
    return _said(steps, f"{of.name} by {factor:g}", (*shape[:2], *(math.floor(size * factor) for size in shape[2:])))
