"""Calculations that are asked for in words: "kernel 5, dilation 2, no padding, on 28 pixels"."""

from __future__ import annotations

import itertools
import math
import re

from engine.teach.calculator.layer_shapes import convolved_size, transposed_size
from engine.teach.calculator.layers import Layer, parameters
from engine.teach.calculator.limits import Mistaken, NotAllowed, whole
from engine.teach.calculator.tensor import DTYPES, SAME, DType

Found = tuple[str, list[str]]

_NUMBER = r"(\d{1,3}(?:,\d{3})+|\d+)"
_SHAPE = re.compile(r"(?<![\w.])\(?\[?\s*(\d{1,9}(?:\s*[x×,]\s*\d{1,9}){1,7})\s*\)?\]?(?![\w.])")
_PARAMETERS = re.compile(r"\b(?:parameters?|params?|weights?|biases)\b")
_SIZE = re.compile(r"\b(?:size|shape|pixels?|px|output|width|height|left|comes? out|large|big|dimension|resolution)\b")

_WINDOW_BEFORE = re.compile(
    r"\b(\d+)\s*x\s*(\d+)(?:\s*x\s*\d+)?\s*(?=conv|kernel|filter|max|average|avg|pool|transposed|dilated)"
)
_WINDOW_AFTER = re.compile(
    r"\b(?:kernel|filter|pool|pooling|conv|convolution)(?: of)?(?: size)?\s*=?\s*(\d+)\s*x\s*(\d+)\b"
)
"""The size of a kernel as people write it: "a 3x3 conv", "max pool 2x2"."""


_ADJECTIVES = r"(?:(?:max|average|avg|dilated|causal|strided|stacked|depthwise)[ -]+){0,2}"
_WINDOWS = re.compile(
    rf"\b(\d+)\s*x\s*(\d+)(?:\s*x\s*\d+)?[ -]*{_ADJECTIVES}(?:conv|kernel|filter|max|average|avg|pool|transposed)"
)


def _is_one_layer(text: str) -> bool:
    """False where several different layers follow one another, or a window isn't square: nothing here knows that."""
    windows = {found.groups() for found in _WINDOWS.finditer(text)}
    windows |= {found.groups() for found in _WINDOW_AFTER.finditer(text)}
    several = len(windows) > 1 or bool(re.search(r"\bconv", text) and re.search(r"pool", text))
    uneven = any(a != b for a, b in windows) or re.search(
        r"\b(?:stride|padding|dilation|kernel)s?(?: size)?\s*(?:=|of)?\s*(?:\(|\[|-\d|(\d+)\s*x\s*(?!\1\b)\d)", text
    )
    return not several and not uneven


def _sizes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Height and width of a shape; of 32x32x3 they come first, because nobody's picture is three pixels wide."""
    if len(shape) >= 3 and shape[-1] <= 4 < min(shape[-3:-1]):
        return shape[-3:-1]
    return shape[-2:]


def _integer(text: str) -> int:
    return whole(int(text.replace(",", "")[:12]), "number")


def _after(words: str, text: str) -> int | None:
    """The number that follows one of `words`: "stride 2", "stride=2", "stride of 2"."""
    match = re.search(rf"\b(?:{words})\s*(?:size)?\s*(?:=|:|of|is)?\s*{_NUMBER}(?:\s*x\s*\d+)?", text)
    return _integer(match[1]) if match else None


def _kernel(text: str) -> int | None:
    square = _WINDOW_BEFORE.search(text) or _WINDOW_AFTER.search(text)
    if square and square[1] == square[2]:
        return _integer(square[1])
    return _after(r"kernels?|kernel_size|filters? size|filters? of size|k", text)


def shape_in(text: str) -> tuple[int, ...] | None:
    """The last shape that is written in `text`: `8x3x224x224`, `(8, 3, 224, 224)`, `8 × 3 × 224 × 224`."""
    found = _SHAPE.findall(text.replace("\u00d7", "x"))
    if not found:
        return None
    return tuple(_integer(part) for part in re.split(r"\s*[x,]\s*", found[-1]))


def in_words(question: str) -> Found | None:
    """The answer and its working, or None if nothing here is a calculation that is known."""
    text = re.sub(r"\s+", " ", question.lower().replace("\u00d7", "x"))
    for answer in (_bytes, _batches, _field, _entropy, _parameters, _convolution):
        found = answer(text)
        if found is not None:
            return found
    return None


def _bytes(text: str) -> Found | None:
    shape = shape_in(text)
    if shape is None or not re.search(r"\b(?:bytes?|memory|mb|mib|megabytes?|kb|gb)\b", text):
        return None
    name = re.search(r"\b(" + "|".join((*DTYPES, *SAME, "fp16", "fp32", "bfloat16", "bf16")) + r")\b", text)
    sizes = {"fp16": 2, "fp32": 4, "bfloat16": 2, "bf16": 2}
    kind = name[1] if name else "float32"
    size = sizes.get(kind) or DType(SAME.get(kind, kind)).size
    several = re.search(
        rf"\b(?:batch of {_NUMBER}|{_NUMBER} (?:\w+ )?(?:images|pictures|examples|samples|tensors))\b", text
    )
    if several:
        shape = (_integer(several[1] or several[2]), *shape)
    count = math.prod(shape)
    total = count * size
    steps = [f"{' · '.join(map(str, shape))} = {count} elements", f"{count} · {size} bytes ({kind}) = {total} bytes"]
    return f"{total} bytes ({total / 2**20:.4g} MiB)", steps


def _batches(text: str) -> Found | None:
    if not re.search(
        r"\bhow many (?:batches|steps|iterations)\b|\bnumber of batches\b|\b(?:steps|batches|iterations) per epoch\b",
        text,
    ):
        return None
    size = _after(r"batch(?:es)?(?:[ _-]size)?(?: of)?", text)
    n = re.search(rf"{_NUMBER} (?:\w+ )?(?:examples|samples|images|pictures|rows|items|data points|clips)", text)
    if not size or not n:
        return None
    count = _integer(n[1])
    full, rest = divmod(count, size)
    if re.search(r"drop_last(?!\s*=\s*false)|\bdrop last\b|\bdropping the last\b", text):
        answer, steps = full, [f"⌊{count}/{size}⌋ = {full}: the incomplete batch of {rest} is dropped"]
    else:
        answer = full + (rest > 0)
        steps = [f"⌈{count}/{size}⌉ = {answer}" + (f": {full} full batches and one of {rest}" if rest else "")]
    epochs = re.search(rf"\b{_NUMBER} epochs\b", text)
    if epochs and "per epoch" not in text:
        steps.append(f"{epochs[1]} epochs · {answer} = {_integer(epochs[1]) * answer}")
        answer *= _integer(epochs[1])
    return str(answer), steps


def _field(text: str) -> Found | None:
    if "receptive field" not in text:
        return None
    names = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    layers = re.search(
        rf"\b({'|'.join(names)}|\d+)\s+(?:stacked |dilated |causal |more )*(?:{_NUMBER}\s*x\s*\d+|conv|layers?)", text
    )
    kernel = _kernel(text)
    dilations = re.search(r"dilations?(?: of| are|:|=)?\s*((?:\d+(?:\s*,\s*|\s+and\s+|\s+))+\d+)", text)
    if kernel is None or not (layers or dilations):
        return None
    if re.search(r"\bstride\b|\bpool", text) or not _is_one_layer(text):
        return None
    if dilations:
        listed = [_integer(part) for part in re.findall(r"\d+", dilations[1])]
    else:
        assert layers is not None
        count = names.index(layers[1]) + 1 if layers[1] in names else _integer(layers[1])
        if count > 1000:
            raise NotAllowed("I count at most 1000 layers.")
        doubling = re.search(r"\bdoubl\w+|\btwice the dilation\b", text)
        if doubling and count > 30:
            raise NotAllowed("I double a dilation at most 30 times.")
        listed = [2**i for i in range(count)] if doubling else [_after("dilation", text) or 1] * count
    answer = 1 + (kernel - 1) * sum(listed)
    return str(answer), [f"1 + (k - 1) · Σ dilations = 1 + {kernel - 1} · {sum(listed)} = {answer}"]


def _entropy(text: str) -> Found | None:
    found = re.search(
        r"(?<!cross )(?<!cross-)\bentropy of\D{0,30}((?:0?\.\d+|[01](?:\.0+)?)(?:\s*(?:,|and)\s*(?:0?\.\d+|[01]))+)",
        text,
    )
    if found is None:
        return None
    shares = [float(part) for part in re.findall(r"\d*\.?\d+", found[1])]
    if len(shares) > 32 or abs(sum(shares) - 1) > 0.01:
        return None
    bits = abs(sum(p * math.log2(p) for p in shares if p))
    terms = " + ".join(f"{p:g}·log₂(1/{p:g})" for p in shares if p)
    return f"{bits:.4g} bits", [f"{terms} = {bits:.4g} bits", f"· ln 2 = {bits * math.log(2):.4g} nats"]


def _between(text: str) -> tuple[int, int] | None:
    """ "16 to 32", "from 16 to 32 channels", "16 -> 32", "3 in, 64 out"."""
    match = re.search(rf"{_NUMBER}\s*(?:channels?|inputs?|features?|units?)?\s*(?:to|->|→|into)\s*{_NUMBER}", text)
    match = match or re.search(
        rf"{_NUMBER} (?:input|in)\w*(?: channels?| features?)?\W+(?:and )?{_NUMBER} (?:output|out)", text
    )
    return (_integer(match[1]), _integer(match[2])) if match else None


def _parameters(text: str) -> Found | None:
    if not re.search(r"\b(?:parameters?|params?|weights?)\b", text):
        return None  # how many biases there are is what comes out
    product = re.compile(r"\b(\d{1,6})\s*[*x]\s*(\d{1,6})\s*(?=to\b|->|→|into\b)")
    if re.search(r"\b(?:linear|dense|fully[ -]connected|fc)\b", text):
        text = product.sub(lambda found: f"{int(found[1]) * int(found[2])} ", text)
    ends = _between(text)
    if ends is None:
        return None
    bias = not re.search(r"\b(?:no|not|without|except)\s*(?:a |the |any )?bias(?:es)?\b|bias\s*=\s*false", text)
    steps: list[str] = []
    if re.search(r"\bconv", text):
        kernel = _kernel(text)
        if kernel is None:
            return None
        n = 1 if re.search(r"\b(?:1d|conv1d)\b", text) else 3 if re.search(r"\b(?:3d|conv3d)\b", text) else 2
        groups = 1 if "depthwise" not in text else ends[0]
        options = {
            "in_channels": ends[0],
            "out_channels": ends[1],
            "kernel_size": kernel,
            "bias": bias,
            "groups": _after("groups?", text) or groups,
        }
        return str(parameters(Layer(f"Conv{n}d", options), steps)), steps
    if re.search(r"\b(?:linear|dense|fully[ -]connected|fc)\b", text):
        chain = re.search(r"\d[\d,]*(?:\s*(?:to|->|→|-)\s*\d[\d,]*)+", text)
        widths = [_integer(part) for part in re.findall(_NUMBER, chain[0])] if chain else list(ends)
        layers = [
            Layer("Linear", {"in_features": a, "out_features": b, "bias": bias}) for a, b in itertools.pairwise(widths)
        ]
        whole_net = layers[0] if len(layers) == 1 else Layer("Sequential", {}, tuple(layers))
        return str(parameters(whole_net, steps)), steps
    return None


def _times(text: str) -> int:
    """How many such layers one after the other: "three max pools of 2"."""
    names = ["two", "three", "four", "five"]
    found = re.search(rf"\b({'|'.join(names)}|[2-9])\s+(?:max|average|avg)?[ -]?(?:pool|conv)\w*s\b", text)
    if not found:
        return 1
    return names.index(found[1]) + 2 if found[1] in names else int(found[1])


def _convolution(text: str) -> Found | None:
    kernel = _kernel(text) or _after(r"(?:max|average|avg|mean)?[ -]?pool(?:s|ing)?", text)
    if re.search(r"\bmacs?\b|\bmultipl", text) or not _is_one_layer(text):
        return None
    if kernel is None or not (_SIZE.search(text) or re.search(r"\bon\b|\bfor\b", text)) or _PARAMETERS.search(text):
        return None
    shape = shape_in(_WINDOW_AFTER.sub("", _WINDOW_BEFORE.sub("", text)))
    bare = re.sub(r"\b(?:kernel|stride|padding|dilation)(?: size)?\s*(?:=|of)?\s*\d+", "", text)
    single = re.search(rf"{_NUMBER}\s*(?:pixels?|px|samples|steps|inputs?|wide|long)\b", text)
    single = single or re.search(
        r"\b(?:on|input(?: size)?(?: of)?|(?:image|picture) of(?: size)?|size|from)\s*(?:an? )?"
        rf"(?:input |image |picture )?(?:of )?{_NUMBER}\b(?!\s*(?:to|->|→))",
        bare,
    )
    if shape is None and single is None:
        return None
    sizes = _sizes(shape) if shape and len(shape) >= 2 else (_integer(single[1]),) if single else ()
    pool = bool(re.search(r"\b(?:max|avg|average|mean)?[ -]?pool", text))
    stride, dilation = _after("strides?", text), _after("dilation|dilated by", text)
    stride = stride if stride is not None else kernel if pool else 1
    dilation = 1 if dilation is None else dilation
    padding = _after("padding|padded by|pad", text)
    if padding is None:
        padding = dilation * (kernel - 1) // 2 if re.search(r"\bsame\b", text) else 0
    if kernel < 1 or stride < 1 or dilation < 1:
        raise Mistaken("Kernel, stride and dilation are at least 1.")
    steps: list[str] = []
    if "transposed" in text or "deconv" in text:
        extra = _after(r"output[ _]padding", text) or 0
        out = [transposed_size(n, kernel, stride, padding, dilation, extra, steps) for n in sizes]
    else:
        out = list(sizes)
        for _ in range(_times(text)):
            out = [convolved_size(n, kernel, stride, padding, dilation, steps) for n in out]
    return " x ".join(map(str, out)), steps
