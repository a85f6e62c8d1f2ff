"""The layers of torch.nn that the calculator knows: their arguments, and how many parameters they have.

Formulas: the "Shape" sections of the PyTorch documentation, https://docs.pytorch.org/docs/stable/nn.html."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
    "Softmax": ("dim",),
    "LogSoftmax": ("dim",),
}
"""Layer -> the names of its arguments, in the order in which they may be given without a name."""


@dataclass(frozen=True)
class Layer:
    name: str
    options: dict[str, Any] = field(default_factory=dict)
    parts: tuple[Layer, ...] = ()
    """Of an `nn.Sequential`."""
    training: bool = True

    def in_mode(self, training: bool) -> Layer:
        """After `.train()` or `.eval()`."""
        return replace(self, training=training, parts=tuple(part.in_mode(training) for part in self.parts))


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


def each(value: Any, n: int, name: str, low: int = 0) -> Shape:
    """One whole number per spatial dimension."""
    values = list(value) if isinstance(value, (tuple, list)) else [value] * n
    if len(values) != n:
        raise NotAllowed(f"The {name} needs one number or {n}.")
    return tuple(whole(v, name, low) for v in values)


def flag(options: dict[str, Any], name: str, default: bool) -> bool:
    value = options.get(name, default)
    if not isinstance(value, bool):
        raise NotAllowed(f"The {name} must be True or False.")
    return value


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
        bias = m if flag(o, "bias", True) else 0
        return _sum(steps, "Linear", [(f"{n} · {m} weights", n * m), (f"{m} biases", bias)])
    if of.name == "Embedding":
        n, d = whole(o["num_embeddings"], "num_embeddings", 1), whole(o["embedding_dim"], "embedding_dim", 1)
        return _sum(steps, "Embedding", [(f"{n} · {d} weights", n * d)])
    if of.name in NORMS or of.name in INSTANCE:
        c = whole(o["num_features"], "num_features", 1)
        learnt = c if flag(o, "affine", of.name in NORMS) else 0
        return _sum(steps, of.name, [(f"{c} scales", learnt), (f"{c} shifts", learnt)])
    if of.name == "GroupNorm":
        c = whole(o["num_channels"], "num_channels", 1)
        check_divided(of)
        learnt = c if flag(o, "affine", True) else 0
        return _sum(steps, of.name, [(f"{c} scales", learnt), (f"{c} shifts", learnt)])
    if of.name in ("LayerNorm", "RMSNorm"):
        n = math.prod(checked_shape(o["normalized_shape"]))
        learnt = n if flag(o, "elementwise_affine", True) else 0
        shift = learnt if of.name == "LayerNorm" and flag(o, "bias", True) else 0
        return _sum(steps, of.name, [(f"{n} scales", learnt), (f"{n} shifts", shift)])
    if of.name == "PReLU":
        n = whole(o.get("num_parameters", 1), "num_parameters", 1)
        return _sum(steps, of.name, [(f"{n} slopes", n)])
    if of.name == "MultiheadAttention":
        d = _heads(of)
        bias = 4 * d if flag(o, "bias", True) else 0
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
    groups = check_groups(of)
    kernel = each(o["kernel_size"], n, "kernel size", 1)
    bias = c_out if flag(o, "bias", True) else 0
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
    ways = 2 if flag(o, "bidirectional", False) else 1
    bias = 2 * h if flag(o, "bias", True) else 0
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


def check_groups(of: Layer) -> int:
    groups = whole(of.options.get("groups", 1), "groups", 1)
    if of.options["in_channels"] % groups or of.options["out_channels"] % groups:
        raise Mistaken("in_channels and out_channels must be divisible by groups.")
    return groups


def _heads(of: Layer) -> int:
    d, heads = whole(of.options["embed_dim"], "embed_dim", 1), whole(of.options["num_heads"], "num_heads", 1)
    if d % heads:
        raise Mistaken("embed_dim must be divisible by num_heads.")
    return d


def check_divided(of: Layer) -> int:
    groups = whole(of.options["num_groups"], "num_groups", 1)
    if whole(of.options["num_channels"], "num_channels", 1) % groups:
        raise Mistaken("num_channels must be divisible by num_groups.")
    return groups
