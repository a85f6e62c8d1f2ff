"""Sentences that mean one line of code: "softmax of [1, 2, 3]", "add a 4x1x3 and a 5x1 tensor".

What they mean is computed like any other code, and shown, so that a reader sees what was understood."""

from __future__ import annotations

import itertools
import re

from engine.teach.calculator.tensor import DTYPES

MOST_NUMBERS = 32

_NUMBER = r"-?\d+(?:\.\d+)?"
_LIST = rf"[\[(]\s*{_NUMBER}(?:\s*,\s*{_NUMBER})*\s*,?\s*[\])]"
_ROW = rf"({_LIST}|{_NUMBER}(?:\s*,\s*{_NUMBER})+(?:\s*,?\s*and\s+{_NUMBER})?)"
_OF_A_ROW = {
    "log_softmax": "F.log_softmax({}, dim=0)",
    "log softmax": "F.log_softmax({}, dim=0)",
    "softmax": "F.softmax({}, dim=0)",
    "sigmoid": "torch.sigmoid({})",
    "tanh": "torch.tanh({})",
    "relu": "F.relu({})",
    "mean": "{}.mean()",
    "average": "{}.mean()",
    "std": "{}.std()",
    "standard deviation": "{}.std()",
    "variance": "{}.var()",
    "argmax": "{}.argmax()",
    "cumsum": "{}.cumsum(0)",
}
_RULES = {
    "log_softmax": "x - ln Σ eˣ",
    "log softmax": "x - ln Σ eˣ",
    "softmax": "eˣ of each, divided by the sum of them all",
    "sigmoid": "1/(1 + e⁻ˣ)",
    "tanh": "(eˣ - e⁻ˣ)/(eˣ + e⁻ˣ)",
    "relu": "max(0, x)",
    "mean": "the sum, divided by how many there are",
    "average": "the sum, divided by how many there are",
    "std": "√(Σ(x - mean)²/(n - 1))",
    "standard deviation": "√(Σ(x - mean)²/(n - 1))",
    "variance": "Σ(x - mean)²/(n - 1)",
    "argmax": "the position of the largest, counted from 0",
    "cumsum": "each with all before it",
}
_FUNCTION = re.compile(rf"\b({'|'.join(_OF_A_ROW)})\s+(?:of|for)\s+(?:the )?(?:list |values |numbers |logits )?{_ROW}")
_ONE_NUMBER = re.compile(rf"\b(sigmoid|tanh|relu)\s+(?:of|at|for)\s+({_NUMBER})(?![\w.,]*\d)")

_SIZES = r"(?:\(\s*\d{1,9}\s*,\s*\)|[\[(]?\s*\d{1,9}(?:\s*[x,]\s*\d{1,9}){1,7}\s*[\])]?)"
_TWO_SHAPES = re.compile(rf"(?<![\w.])({_SIZES})(?![\w.])(.*?)(?<![\w.])({_SIZES})(?![\w.])")
_PRODUCT = re.compile(
    r"@|\bmatmul\b|\bmm\b|\bbmm\b|\bmatri(?:x|ces)\b.*\b(?:times|multipl|product)|\bmatrix[ -]product\b"
)
_SUM = re.compile(r"\+|\bplus\b|\badd(?:ed|ing)?\b|\bbroadcast|\bsum of\b|\belement-?wise\b")
_A_MESSAGE = re.compile(r"error|cannot|can't be multiplied|must match|mat1|expected|invalid|mismatch")

_CELL = re.compile(r"\b(lstm|gru|rnn)\b")
_PARAMETERS = re.compile(r"\b(?:parameters?|params?|weights?)\b")
_TYPES = "|".join(name for name in DTYPES if re.search(r"\d", name))
_TWO_TYPES = re.compile(rf"\b({_TYPES})\s*(?:\+|\*|plus|times|and|with)\s*(?:an? )?({_TYPES})\b")
_FLATTENED = re.compile(rf"\bflatten(?:ed|ing|s)?\b\D*?({_SIZES})")


def as_code(question: str) -> tuple[str, str] | None:
    """The code that a sentence means, and the rule by which it can be worked out by hand ("" if the code says how)."""
    text = re.sub(r"\s+", " ", question.lower().replace("\u00d7", "x")).strip()
    if _A_MESSAGE.search(text):
        return None
    for meaning in (_function, _together, _cell, _table, _types, _flattened):
        found = meaning(text)
        if found is not None:
            return found if isinstance(found, tuple) else (found, "")
    return None


def _row(text: str) -> str:
    numbers = re.findall(_NUMBER, text)[: MOST_NUMBERS + 1]
    return f"torch.tensor([{', '.join(n if '.' in n else f'{n}.' for n in numbers)}])"


def _function(text: str) -> tuple[str, str] | None:
    found = _FUNCTION.search(text) or _ONE_NUMBER.search(text)
    if found is None:
        return None
    return _OF_A_ROW[found[1]].format(_row(found[2])), _RULES[found[1]]


def _zeros(shape: str) -> str:
    return f"torch.zeros({', '.join(re.findall(r'[0-9]+', shape))})"


def _together(text: str) -> tuple[str, str] | None:
    found = _TWO_SHAPES.search(text)
    if found is None:
        return None
    one, other = (re.findall(r"[0-9]+", shape) for shape in (found[1], found[3]))
    if _PRODUCT.search(text):
        rule = f"the last of {one} and the last but one of {other} are the same and go; the rest is broadcast"
        return f"({_zeros(found[1])} @ {_zeros(found[3])}).shape", rule.replace("'", "")
    if _SUM.search(text):
        pairs = itertools.zip_longest(reversed(one), reversed(other), fillvalue="1")
        shown = ", ".join(f"{a} with {b}" for a, b in reversed(list(pairs)))
        rule = f"from the right, where one is 1 the other counts, else both must be the same: {shown}"
        return f"({_zeros(found[1])} + {_zeros(found[3])}).shape", rule
    return None


def _after(words: str, text: str) -> str | None:
    found = re.search(
        rf"\b(?:{words})\w*(?:[ _]?(?:size|units?|dim(?:ension)?s?|features))?\s*(?:=|:|of|is)?\s*(\d+)", text
    )
    return found[1] if found else None


def _cell(text: str) -> str | None:
    cell = _CELL.search(text)
    wide, hidden = _after("input", text), _after("hidden", text)
    if cell is None or wide is None or hidden is None or not _PARAMETERS.search(text):
        return None
    layers = re.search(r"\b(\d+)[ -]layers?\b", text) or re.search(r"\bnum_layers\s*=\s*(\d+)", text)
    more = (f", num_layers={layers[1]}" if layers else "") + (", bidirectional=True" if "bidirectional" in text else "")
    return f"nn.{cell[1].upper()}({wide}, {hidden}{more})"


def _table(text: str) -> str | None:
    """An embedding, or a batch norm: layers whose sizes are said in their own words."""
    if not _PARAMETERS.search(text):
        return None
    if "embedding" in text:
        rows = re.search(r"\b(\d[\d,]*)\s*(?:words|tokens|entries|rows|items|categories)\b", text)
        rows = rows or re.search(r"\bvocab(?:ulary)?(?: size)?\s*(?:=|of|is)?\s*(\d[\d,]*)", text)
        wide = re.search(r"\b(\d+)\s*(?:-?dim|numbers|features)", text) or re.search(
            r"\b(?:dim(?:ension)?s?|vectors of|size)\s*(?:=|of|is)?\s*(\d+)\b", text
        )
        return f"nn.Embedding({rows[1].replace(',', '')}, {wide[1]})" if rows and wide else None
    norm = re.search(r"\bbatch ?norm(?:2d|alisation|alization)?\b\D{0,30}\b(\d+)\b", text)
    return f"nn.BatchNorm2d({norm[1]})" if norm else None


def _types(text: str) -> tuple[str, str] | None:
    found = _TWO_TYPES.search(text)
    if found is None:
        return None
    code = f"(torch.zeros(1, dtype=torch.{found[1]}) + torch.zeros(1, dtype=torch.{found[2]})).dtype"
    return code, "a floating type wins over an integer one; of two of a kind it's the smallest that holds both"


def _flattened(text: str) -> tuple[str, str] | None:
    found = _FLATTENED.search(text)
    if found is None or re.search(r"\bbatch(?! ?norm)|\bstart_dim\b|\bafter\s+(?:the\s+)?(?:first|batch)", text):
        return None
    return f"{_zeros(found[1])}.flatten().shape", " · ".join(re.findall(r"[0-9]+", found[1])) + " elements in a row"
