"""The layers of torch.nn that the calculator knows: how many parameters they have, and what shape comes out.

Formulas: the "Shape" sections of the PyTorch documentation, https://docs.pytorch.org/docs/stable/nn.html."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.teach.calculator.limits import Mistaken, NotAllowed, checked_shape, whole

Shape = tuple[int, ...]
Steps = list[str]

SPATIAL = {"Conv1d": 1, "Conv2d": 2, "Conv3d": 3, "ConvTranspose1d": 1, "ConvTranspose2d": 2, "ConvTranspose3d": 3}
POOLS = {"MaxPool1d": 1, "MaxPool2d": 2, "MaxPool3d": 3, "AvgPool1d": 1, "AvgPool2d": 2, "AvgPool3d": 3}
ADAPTIVE = {"AdaptiveAvgPool1d": 1, "AdaptiveAvgPool2d": 2, "AdaptiveMaxPool1d": 1, "AdaptiveMaxPool2d": 2}
NORMS = {"BatchNorm1d": None, "BatchNorm2d": 2, "BatchNorm3d": 3}
INSTANCE = {"InstanceNorm1d": 1, "InstanceNorm2d": 2, "InstanceNorm3d": 3}
PLAIN = frozenset(
    [
        "ReLU",
        "LeakyReLU",
        "ELU",
        "GELU",
        "SiLU",
        "Sigmoid",
        "Tanh",
        "Softplus",
        "Softmax",
        "LogSoftmax",
        "Dropout",
        "Dropout1d",
        "Dropout2d",
        "Identity",
        "Hardtanh",
        "ReLU6",
        "Mish",
        "Softsign",
        "LogSigmoid",
    ]
)
RECURRENT = {"RNN": 1, "GRU": 3, "LSTM": 4}

ARGUMENTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("Conv1d", "Conv2d", "Conv3d"),
        (
            "in_channels",
            "out_channels",
            "kernel_size",
            "stride",
            "padding",
            "dilation",
            "groups",
            "bias",
            "padding_mode",
        ),
    ),
    **dict.fromkeys(
        ("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"),
        (
            "in_channels",
            "out_channels",
            "kernel_size",
            "stride",
            "padding",
            "output_padding",
            "groups",
            "bias",
            "dilation",
        ),
    ),
    **dict.fromkeys(POOLS, ("kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode")),
    **dict.fromkeys(("AvgPool1d", "AvgPool2d", "AvgPool3d"), ("kernel_size", "stride", "padding", "ceil_mode")),
    **dict.fromkeys(ADAPTIVE, ("output_size",)),
    **dict.fromkeys(NORMS, ("num_features", "eps", "momentum", "affine", "track_running_stats")),
    **dict.fromkeys(INSTANCE, ("num_features", "eps", "momentum", "affine", "track_running_stats")),
    **dict.fromkeys(PLAIN, ("p", "inplace", "dim", "negative_slope", "approximate", "alpha", "beta", "threshold")),
    **dict.fromkeys(
        RECURRENT,
        ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional"),
    ),
    "Linear": ("in_features", "out_features", "bias"),
    "Embedding": ("num_embeddings", "embedding_dim", "padding_idx"),
    "LayerNorm": ("normalized_shape", "eps", "elementwise_affine", "bias"),
    "RMSNorm": ("normalized_shape", "eps", "elementwise_affine"),
    "GroupNorm": ("num_groups", "num_channels", "eps", "affine"),
    "MultiheadAttention": ("embed_dim", "num_heads", "dropout", "bias", "batch_first"),
    "Flatten": ("start_dim", "end_dim"),
    "Upsample": ("size", "scale_factor", "mode", "align_corners"),
    "PixelShuffle": ("upscale_factor",),
    "PReLU": ("num_parameters", "init"),
}
"""Layer -> the names of its arguments, in the order in which they may be given without a name."""


@dataclass(frozen=True)
class Layer:
    name: str
    options: dict[str, Any] = field(default_factory=dict)
    parts: tuple[Layer, ...] = ()
    """Of an `nn.Sequential`."""


def layer(name: str, given: Sequence[Any], named: dict[str, Any]) -> Layer:
    """The layer that `nn.<name>(*given, **named)` is. Raises `NotAllowed`."""
    if name == "Sequential":
        if named or not all(isinstance(part, Layer) for part in given):
            raise NotAllowed("nn.Sequential takes layers only.")
        return Layer(name, {}, tuple(given))
    names = ARGUMENTS[name]
    if len(given) > len(names):
        raise NotAllowed(f"nn.{name} takes at most {len(names)} arguments.")
    options = dict(zip(names, given, strict=False))
    for key, value in named.items():
        if key not in names or key in options:
            raise NotAllowed(f"nn.{name} has no free argument called {key[:30]!r}.")
        options[key] = value
    needed = {
        "Linear": 2,
        "Embedding": 2,
        "GroupNorm": 2,
        "MultiheadAttention": 2,
        "LayerNorm": 1,
        "RMSNorm": 1,
        "PixelShuffle": 1,
    }.get(
        name,
        3 if name in SPATIAL else 2 if name in RECURRENT else 1 if name in POOLS | ADAPTIVE | NORMS | INSTANCE else 0,
    )
    missing = [key for key in names[:needed] if key not in options]
    if missing:
        raise NotAllowed(f"nn.{name} needs {', '.join(missing)}.")
    return Layer(name, options)


def _each(value: Any, n: int, name: str, low: int = 0) -> Shape:
    """One whole number per spatial dimension."""
    values = list(value) if isinstance(value, (tuple, list)) else [value] * n
    if len(values) != n:
        raise NotAllowed(f"The {name} needs one number or {n}.")
    return tuple(whole(v, name, low) for v in values)


def _flag(options: dict[str, Any], name: str, default: bool) -> bool:
    value = options.get(name, default)
    if not isinstance(value, bool):
        raise NotAllowed(f"The {name} must be True or False.")
    return value


# ---------------------------------------------------------------- parameters


def parameters(of: Layer, steps: Steps) -> int:
    """How many numbers the layer learns; `steps` gets the working."""
    o = of.options
    if of.name == "Sequential":
        counts = [parameters(part, steps) for part in of.parts]
        if len(counts) > 1:
            steps.append(f"together {' + '.join(map(str, counts))} = {sum(counts)}")
        return sum(counts)
    if of.name in SPATIAL:
        return _convolution_parameters(of, steps)
    if of.name == "Linear":
        n, m = whole(o["in_features"], "in_features", 1), whole(o["out_features"], "out_features", 1)
        bias = m if _flag(o, "bias", True) else 0
        return _sum(steps, "Linear", [(f"{n} · {m} weights", n * m), (f"{m} biases", bias)])
    if of.name == "Embedding":
        n, d = whole(o["num_embeddings"], "num_embeddings", 1), whole(o["embedding_dim"], "embedding_dim", 1)
        return _sum(steps, "Embedding", [(f"{n} · {d} weights", n * d)])
    if of.name in NORMS or of.name in INSTANCE:
        c = whole(o["num_features"], "num_features", 1)
        learnt = c if _flag(o, "affine", of.name in NORMS) else 0
        return _sum(steps, of.name, [(f"{c} scales", learnt), (f"{c} shifts", learnt)])
    if of.name == "GroupNorm":
        c = whole(o["num_channels"], "num_channels", 1)
        learnt = c if _flag(o, "affine", True) else 0
        return _sum(steps, of.name, [(f"{c} scales", learnt), (f"{c} shifts", learnt)])
    if of.name in ("LayerNorm", "RMSNorm"):
        n = math.prod(checked_shape(o["normalized_shape"]))
        learnt = n if _flag(o, "elementwise_affine", True) else 0
        shift = learnt if of.name == "LayerNorm" and _flag(o, "bias", True) else 0
        return _sum(steps, of.name, [(f"{n} scales", learnt), (f"{n} shifts", shift)])
    if of.name == "PReLU":
        n = whole(o.get("num_parameters", 1), "num_parameters", 1)
        return _sum(steps, of.name, [(f"{n} slopes", n)])
    if of.name == "MultiheadAttention":
        d = _heads(of)
        bias = 4 * d if _flag(o, "bias", True) else 0
        return _sum(steps, of.name, [(f"4 · {d} · {d} weights", 4 * d * d), (f"4 · {d} biases", bias)])
    if of.name in RECURRENT:
        return _recurrent_parameters(of, steps)
    steps.append(f"{of.name}: no parameters")
    return 0


def _sum(steps: Steps, name: str, terms: list[tuple[str, int]]) -> int:
    kept = [(text, n) for text, n in terms if n]
    total = sum(n for _, n in kept)
    steps.append(f"{name}: {' + '.join(text for text, _ in kept) or 'nothing to learn'} = {total}")
    return total


def _convolution_parameters(of: Layer, steps: Steps) -> int:
    o, n = of.options, SPATIAL[of.name]
    c_in, c_out = whole(o["in_channels"], "in_channels", 1), whole(o["out_channels"], "out_channels", 1)
    groups = _groups(of)
    kernel = _each(o["kernel_size"], n, "kernel size", 1)
    bias = c_out if _flag(o, "bias", True) else 0
    weights = c_out * c_in // groups * math.prod(kernel)
    shown = " · ".join(map(str, kernel))
    text = f"{c_out} · {c_in} · {shown} weights" if groups == 1 else f"{c_out} · {c_in}/{groups} · {shown} weights"
    return _sum(steps, of.name, [(text, weights), (f"{c_out} biases", bias)])


def _recurrent_parameters(of: Layer, steps: Steps) -> int:
    o, gates = of.options, RECURRENT[of.name]
    d, h = whole(o["input_size"], "input_size", 1), whole(o["hidden_size"], "hidden_size", 1)
    layers = whole(o.get("num_layers", 1), "num_layers", 1)
    if layers > 100:
        raise NotAllowed("I count at most 100 layers.")
    ways = 2 if _flag(o, "bidirectional", False) else 1
    bias = 2 * h if _flag(o, "bias", True) else 0
    total = 0
    for i in range(layers):
        width = d if i == 0 else h * ways
        one = ways * gates * (width * h + h * h + bias)
        ends = f" + 2·{h}" if bias else ""
        steps.append(f"layer {i + 1}: {'2 · ' if ways == 2 else ''}{gates} · ({width}·{h} + {h}·{h}{ends}) = {one}")
        total += one
    if layers > 1:
        steps.append(f"together {total}")
    return total


def _groups(of: Layer) -> int:
    groups = whole(of.options.get("groups", 1), "groups", 1)
    if of.options["in_channels"] % groups or of.options["out_channels"] % groups:
        raise Mistaken("in_channels and out_channels must be divisible by groups.")
    return groups


def _heads(of: Layer) -> int:
    d, heads = whole(of.options["embed_dim"], "embed_dim", 1), whole(of.options["num_heads"], "num_heads", 1)
    if d % heads:
        raise Mistaken("embed_dim must be divisible by num_heads.")
    return d


# ---------------------------------------------------------------- shapes


def output(of: Layer, shape: Shape, steps: Steps) -> Shape:
    """The shape that comes out for an input of `shape`. Raises `Mistaken` where PyTorch would refuse it."""
    o = of.options
    if of.name == "Sequential":
        for part in of.parts:
            shape = output(part, shape, steps)
        return shape
    if of.name in SPATIAL:
        return _convolved(of, shape, steps)
    if of.name in POOLS:
        return _pooled(of, shape, steps)
    if of.name in ADAPTIVE:
        n = ADAPTIVE[of.name]
        lead = _lead(of.name, shape, n)
        return _said(steps, of.name, (*lead, *_each(o["output_size"], n, "output size", 1)))
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
    _check_channels(of, shape)
    return _said(steps, f"{of.name} keeps the shape", shape)


def _said(steps: Steps, text: str, shape: Shape) -> Shape:
    steps.append(f"{text}: {checked_shape(shape)}")
    return shape


def _lead(name: str, shape: Shape, n: int) -> Shape:
    if len(shape) not in (n + 1, n + 2):
        raise Mistaken(f"{name} needs {n + 1} or {n + 2} dimensions, but the input's shape is {shape}.")
    return shape[:-n]


def _check_channels(of: Layer, shape: Shape) -> None:
    o = of.options
    if of.name in NORMS or of.name in INSTANCE or of.name == "GroupNorm":
        c = whole(o.get("num_features", o.get("num_channels")), "num_features", 1)
        if len(shape) < 2 or shape[1] != c:
            raise Mistaken(f"{of.name} was built for {c} channels, but the input's shape is {shape}.")
    if of.name in ("LayerNorm", "RMSNorm"):
        last = checked_shape(o["normalized_shape"])
        if shape[-len(last) :] != last:
            raise Mistaken(f"{of.name} was built for a last shape of {last}, but the input's shape is {shape}.")


def _convolved(of: Layer, shape: Shape, steps: Steps) -> Shape:
    o, n = of.options, SPATIAL[of.name]
    lead = _lead(of.name, shape, n)
    c_in, c_out = whole(o["in_channels"], "in_channels", 1), whole(o["out_channels"], "out_channels", 1)
    _groups(of)
    if lead[-1] != c_in:
        raise Mistaken(f"{of.name} expects {c_in} channels, but the input has {lead[-1]}.")
    kernel, stride = _each(o["kernel_size"], n, "kernel size", 1), _each(o.get("stride", 1), n, "stride", 1)
    dilation = _each(o.get("dilation", 1), n, "dilation", 1)
    if o.get("padding") == "same":
        if any(s != 1 for s in stride):
            raise Mistaken("padding='same' needs a stride of 1.")
        return _said(steps, "padding='same' keeps the size", (*lead[:-1], c_out, *shape[-n:]))
    padding = _each(0 if o.get("padding") == "valid" else o.get("padding", 0), n, "padding")
    if of.name.startswith("ConvTranspose"):
        extra = _each(o.get("output_padding", 0), n, "output padding")
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
    if out < 1:
        raise Mistaken("The padding takes away more than there is.")
    line = f"({size} - 1)·{s} - 2·{p} + {d}·({k} - 1) + {extra} + 1 = {out}"
    if line not in steps:
        steps.append(line)
    return out


def _pooled(of: Layer, shape: Shape, steps: Steps) -> Shape:
    o, n = of.options, POOLS[of.name]
    lead = _lead(of.name, shape, n)
    kernel = _each(o["kernel_size"], n, "kernel size", 1)
    stride = kernel if o.get("stride") is None else _each(o["stride"], n, "stride", 1)
    padding, dilation = _each(o.get("padding", 0), n, "padding"), _each(o.get("dilation", 1), n, "dilation", 1)
    if _flag(o, "ceil_mode", False):
        raise NotAllowed("I don't compute ceil_mode.")
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
    if o.get("size") is not None:
        return _said(steps, of.name, (*shape[:2], *_each(o["size"], n, "size", 1)))
    factor = o.get("scale_factor")
    if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0 < factor < 1000:
        raise NotAllowed("Upsample needs a size or a scale_factor.")
    return _said(steps, f"{of.name} by {factor:g}", (*shape[:2], *(math.floor(size * factor) for size in shape[2:])))
