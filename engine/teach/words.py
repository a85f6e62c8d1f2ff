"""From a sentence to the words that retrieval compares: names taken apart, endings cut, synonyms made equal.

>>> words("How do I normalise my optimizers' batches? nn.BatchNorm2d")
['normal', 'optim', 'batch', 'batch', 'norm']
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

STOP_WORDS = frozenset((Path(__file__).parent / "stop_words.txt").read_text(encoding="utf-8").split())
"""Words that say nothing about which concept is meant; `torch` and `pytorch` go without saying here."""

FUNCTION_WORDS = frozenset((Path(__file__).parent / "function_words.txt").read_text(encoding="utf-8").split())
"""The few that say nothing even about which of many similar phrases is meant."""

PARTS = {
    "amp": "automatic mixed precision",
    "avgpool": "average pooling",
    "backprop": "back propagation",
    "backpropagate": "back propagation",
    "backpropagation": "back propagation",
    "batchnorm": "batch norm",
    "bce": "binary cross entropy",
    "bf16": "bfloat16",
    "convnet": "cnn",
    "crossentropy": "cross entropy",
    "dataloader": "data loader",
    "dataloaders": "data loader",
    "dataloading": "data loading",
    "deconvolution": "transposed convolution",
    "featuremap": "feature map",
    "finetune": "fine tune",
    "finetuning": "fine tuning",
    "fp16": "float16",
    "fp32": "float32",
    "grad": "gradient",
    "grads": "gradient",
    "groupnorm": "group norm",
    "hyperparameter": "hyper parameter",
    "hyperparameters": "hyper parameters",
    "instancenorm": "instance norm",
    "kld": "kl divergence",
    "layernorm": "layer norm",
    "lr": "learning rate",
    "mae": "mean absolute error",
    "maxpool": "max pooling",
    "maxpooling": "max pooling",
    "minibatch": "mini batch",
    "minibatches": "mini batch",
    "mse": "mean squared error",
    "multigpu": "several gpu",
    "nll": "negative log likelihood",
    "numworkers": "num workers",
    "oom": "out_of_memory memory",
    "rmsnorm": "rms norm",
    "wgangp": "wgan gradient penalty",
}
"""A name and the words that it is made of, as the cards spell them."""

_SAME = {
    "axe": "dim",
    "axi": "dim",
    "conv": "convolution",
    "convolutional": "convolution",
    "convolv": "convolution",
    "cuda": "gpu",
    "derivativ": "gradient",
    "differentiat": "gradient",
    "dimension": "dim",
    "dimensional": "dim",
    "imag": "pictur",
    "img": "pictur",
    "init": "initial",
    "initialis": "initial",
    "int": "integer",
    "multiproces": "parallel",
    "norm": "normal",
    "normalis": "normal",
    "optimis": "optim",
    "param": "parameter",
    "photo": "pictur",
    "ram": "memory",
    "regularis": "regular",
    "reproduc": "reproducibility",
    "reproducibl": "reproducibility",
    "sound": "audio",
    "standardis": "normal",
    "stor": "sav",
    "tokenis": "token",
    "tokeniser": "token",
    "vram": "memory",
}
"""Stem -> the stem of the word that means the same in this course."""

_ENDINGS = (
    *((ending, "is") for ending in ("isations", "isation", "isers", "iser", "ising", "ised", "ises", "ise")),
    *((ending, "at") for ending in ("ations", "ation", "ators", "ator", "ating", "ated", "ates", "ate")),
    *((ending, "") for ending in ("ings", "ing")),
    *((ending, "y") for ending in ("ies", "ied")),
    ("sses", "ss"),
    ("ness", ""),
    ("ally", "al"),
    *((ending, "") for ending in ("ed", "es", "s", "e")),
)
"""An ending and what it leaves; the first one that fits is cut."""

_WRITTEN_AS_ONE = re.compile(r"\b(AdaIN|AdamW|cGAN|NumPy|OpenCV|TensorBoard|GitHub)\b")
"""Names with a capital inside that aren't made of words."""

_PHRASES = (
    (re.compile(r"\bgraphics? cards?\b"), "gpu"),
    (re.compile(r"[+\-*/]="), " inplace "),
    (re.compile(r" @ "), " matmul "),
)
"""What is written in several words, or in signs, and the word for it."""

_METHOD = re.compile(r"\b([a-z]\w*)\(\)")
"""`model.train()` is about the method, and only in passing about models and training."""

_SHAPE = re.compile(r"\d+|\d{2,}(?:x\d+)+|\d+x\d{2,}(?:x\d+)*")
"""A number or a shape in an error message: it says nothing about which error it is. `1x1` and `3x3` are kernels."""


_AMERICAN = re.compile(r"iz(?=[ae]|ing)")


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """`word` without its ending, so that `clipping`, `clips` and `clipped` all give `clip`.

    Cruder than Porter's stemmer; what matters is that questions and cards are cut alike."""
    word = _AMERICAN.sub("is", word)
    if len(word) < 4 or any(letter.isdigit() for letter in word) or word.endswith(("ss", "us")):
        return word
    for ending, kept in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: len(word) - len(ending)] + kept
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] in "bdgmnprt":
        word = word[:-1]
    return word


_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SNAKE_CASE = re.compile(r"[a-z]+(?:_[a-z]+)+")
_ONE_LETTER = re.compile(r"\b([a-z])-(?=[a-z])")
"""q-learning is no kind of learning; one word."""
_TOKEN = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")
_CONV2D = re.compile(r"(?<=[a-z]{3})[123]d$")


def words(text: str, without: frozenset[str] = STOP_WORDS) -> list[str]:
    """The stems of `text` that say what it is about, in order and with repetitions; none of the words `without`.

    Names are taken apart (`CrossEntropyLoss`, `F.relu`); `zero_grad` counts as a whole and in its parts. A run in a
    script without spaces is one word."""
    if text.lower() != text:
        text = _WRITTEN_AS_ONE.sub(lambda name: name[1].lower(), text)
        text = _CAMEL_CASE.sub(" ", text).lower()
    text = text.replace("\u2019", "'").replace("'", "")
    text = _ONE_LETTER.sub(r"\1", text) if "-" in text else text
    for pattern, instead in _PHRASES:
        text = pattern.sub(instead, text)
    found = [f"{method}()" for method in _METHOD.findall(text)] if "()" in text else []
    found += _SNAKE_CASE.findall(text) if "_" in text else []
    found += [cut for token in _TOKEN.findall(text) for part, cut in _cut(token) if part not in without]
    return found


@lru_cache(maxsize=20_000)
def _cut(token: str) -> tuple[tuple[str, str], ...]:
    """What a token is made of, each part with its stem."""
    parts = PARTS.get(token := _CONV2D.sub("", token), token).split()
    stems = [(part, stem(part)) for part in parts if len(part) > 1 and not _SHAPE.fullmatch(part)]
    return tuple((part, _SAME.get(cut, cut)) for part, cut in stems)
