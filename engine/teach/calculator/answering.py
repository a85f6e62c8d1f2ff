"""From a question to a computed answer with its working, to "that's no calculation", or to a refusal.

Imports no torch, opens no file and runs nothing of the text; an engine runs it in a child process all the same."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import BadOption
from engine.progress import Progress
from engine.teach.calculator.expressions import Reader, parse
from engine.teach.calculator.layer_shapes import output
from engine.teach.calculator.layers import ARGUMENTS, SPATIAL, Layer, parameters
from engine.teach.calculator.limits import MAX_BRACKETS, MAX_CODE, MAX_TEXT, Mistaken, NotAllowed, checked_shape, whole
from engine.teach.calculator.sentences import as_code
from engine.teach.calculator.tensor import DType, Pair, Tensor, shown
from engine.teach.calculator.words import in_words, shape_in
from engine.uploads import Reading

RAISES = "It raises an error."
"""The answer where PyTorch would refuse; the working says why."""


IMPOSSIBLE = (ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError)
"""What NumPy says where it has no such function for these numbers: no reason to end the process that computes."""


@dataclass(frozen=True)
class Calculation:
    """A computed answer."""

    asked: str
    """What was understood: the code, or "" for a question in words."""
    answer: str
    steps: tuple[str, ...]
    """The working, formulas with their numbers."""


_KNOWN = sorted((*ARGUMENTS, "Sequential"), key=len, reverse=True)
_LAYER = re.compile(rf"(?<![\w.])(?:torch\.nn\.|nn\.)?(?:{'|'.join(_KNOWN)})\s*\(")
_START = re.compile(rf"(?<![\w.])(?:torch\.\w|F\.\w|nn\.\w|(?:{'|'.join(_KNOWN)})\s*\()")
_QUOTED = re.compile(r"```(?:python|py)?\s*(.+?)```|`([^`]+)`", re.DOTALL)
_ASKS_FOR_PARAMETERS = re.compile(r"\b(?:parameters?|params?|weights?|biases)\b", re.IGNORECASE)
_ASKS_FOR_WORK = re.compile(r"\b(?:macs?|multiply-adds?|multiplications?)\b", re.IGNORECASE)
_ASKS_WHY = re.compile(
    r"\b(?:why|how (?:do|does|can|should|would)|what do(?:es)?|explain|error|fails?|difference|"
    r"when (?:do|should)|should i|means|meaning)\b",
    re.IGNORECASE,
)
_ASKS_FOR_A_RESULT = re.compile(
    r"\bhow (?:many|large|big|much)\b|\bwhat (?:shape|size|is|dtype|comes)\b|"
    r"\b(?:shape|size) (?:of|comes)\b|\bprints?\b|\b(?:give|return|output|evaluate to)s?\s*[?.!]*\s*$|\bcan i add\b",
    re.IGNORECASE,
)
_NO_CODE = re.compile(r"`|\(?\[?\b\d+(?:\s*[x\u00d7,]\s*\d+)+\b\]?\)?|\([A-Za-z ,.'-]+\)|[:)]-?[()]")
"""What may stand around the code in a sentence: backticks, a shape, words in brackets, a smile."""

_CODE_AROUND = re.compile(r"[=;\[\]{}()<>&|~^*@+#\\%]")


def calculate(question: str) -> Calculation | None:
    """The answer to a calculation, or None if `question`, any text at all, asks for none.

    Raises `BadOption`, with one sentence, where the code in it is not allowed, too large, or a mistake."""
    if len(question) > MAX_TEXT or not question.strip():
        return None
    code = code_in(question)
    if code is not None:
        around = question.replace(code, " ", 1)
        asks_why = bool(_ASKS_WHY.search(around)) and not _ASKS_FOR_A_RESULT.search(around)
        if asks_why or re.fullmatch(r"[\w.]+|torch\.Size\(\[[\d, ]*\]\)", code):
            return None  # a sentence about code, a name alone, or a shape out of an error message
        if _CODE_AROUND.search(_NO_CODE.sub(" ", around)):
            raise NotAllowed("Please give me one expression of torch calls, and nothing else in code.")
        try:
            return _computed(code, around)
        except NotAllowed:
            if len(around.split()) > 12:  # a story with code in it; a line of code alone is refused
                return None
            raise
        except IMPOSSIBLE:
            raise NotAllowed("I can't compute that.") from None
    if _ASKS_WHY.search(question) and not _ASKS_FOR_A_RESULT.search(question):
        return None
    if found := in_words(question):
        return Calculation("", found[0], tuple(found[1]))
    meant = as_code(question)
    return _understood(*meant, question) if meant else None


def _understood(code: str, rule: str, question: str) -> Calculation | None:
    """What a sentence means; a sentence that was misread asks for nothing."""
    try:
        found = _computed(code, question)
        return Calculation(found.asked, found.answer, (rule, *found.steps) if rule else found.steps)
    except Mistaken:
        raise
    except (NotAllowed, *IMPOSSIBLE):
        return None


def read_calculation(data: bytes, options: Mapping[str, Any], progress: Progress) -> Reading:
    """The reader of kind "calculation": a question in UTF-8. Facts: `answer` (None where nothing is to be calculated),
    `asked` and `steps`; or `problem`, why it can't be computed. Never raises `BadOption`: a card may still answer."""
    try:
        found = calculate(data.decode("utf-8", "replace"))
    except Mistaken as error:
        return Reading({"answer": RAISES, "asked": "", "steps": [str(error)]})
    except BadOption as error:
        return Reading({"answer": None, "problem": str(error)})
    if found is None:
        return Reading({"answer": None})
    return Reading({"answer": found.answer, "asked": found.asked, "steps": list(found.steps)})


def may_be_calculation(question: str) -> bool:
    """False where `calculate` would surely say None: a calculation has a number in it, or brackets."""
    return bool(question.strip()) and len(question) <= MAX_TEXT and bool(re.search(r"[\d(]", question))


def code_in(question: str) -> str | None:
    """The question itself if it is Python with a call of torch in it; else the first piece of code that begins like
    such a call: in backticks, or in the sentence."""
    alone = _bare(re.sub(r"^\s*(?:what(?:'s| is)|compute|calculate|evaluate|and)\b", "", question, flags=re.IGNORECASE))
    if _START.search(alone) and "(" in alone and is_python(alone):
        return alone
    for block, inline in _QUOTED.findall(question):
        code = _bare(block or inline)
        if _START.match(code.lstrip("(-")) or (_START.search(code) and is_python(code)):
            return code
    match = _START.search(question)
    if match is None:
        return None
    start = match.start()
    while (
        start
        and question[start - 1] in "(-"
        and (start == 1 or not (question[start - 2].isalnum() or question[start - 2] == "_"))
    ):
        start -= 1  # "(torch.ones(2) + 1).sum()" and "-torch.ones(2)" begin before the name
    return _bare(_balanced(question[start:]))


def is_python(text: str) -> bool:
    """Whether all of `text` parses as Python; it is not run."""
    if len(text) > MAX_CODE or sum(text.count(letter) for letter in "([{") > 4 * MAX_BRACKETS:
        return False
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _bare(code: str) -> str:
    code = code.strip().rstrip("?!;").strip()
    printed = re.fullmatch(r"print\((.*)\)", code, re.DOTALL)
    return printed[1].strip() if printed else code


def _balanced(text: str) -> str:
    """`text` up to where the expression that it begins with ends: brackets closed, no operator that goes on."""
    depth = 0
    i = 0
    while i < len(text):
        letter = text[i]
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and letter.isspace():
            rest = text[i:].lstrip()
            before = text[:i].rstrip()[-1:]
            goes_on = re.match(r"(?:[-+*/%@]|\*\*|//|==|[<>]=?)\s*(?:torch\.|F\.|nn\.|[\d(-])", rest)
            if not goes_on and before not in "+-*/%@<>=":
                break
        elif depth == 0 and letter in ",;?!":
            break
        i += 1
    return text[:i].rstrip(" .")


def _computed(code: str, around: str) -> Calculation:
    reader = Reader()
    value = reader.value(parse(code))
    if isinstance(value, Layer):
        return _of_layer(value, reader, code, around)
    if isinstance(value, Tensor):
        wants_shape = re.search(r"\b(?:shape|size|dimensions?)\b", around, re.IGNORECASE)
        steps = [*reader.steps, f"shape {value.shape}, dtype torch.{value.dtype.name}"]
        if wants_shape:
            return Calculation(code, f"torch.Size({list(value.shape)})", tuple(reader.steps or steps))
        if value.values is None:
            answer = f"a tensor of shape {list(value.shape)}; its values are random, or too many to compute"
            return Calculation(code, answer, tuple(reader.steps or steps))
        return Calculation(code, shown(value), tuple(steps))
    return Calculation(code, written(value), tuple(reader.steps))


def _of_layer(of: Layer, reader: Reader, code: str, around: str) -> Calculation:
    if re.search(r"\bhow many biases\b", around, re.IGNORECASE):
        without = Layer(of.name, {**of.options, "bias": False})
        if "bias" not in ARGUMENTS.get(of.name, ()):
            raise NotAllowed(f"I don't count the biases of {of.name} by themselves.")
        biases = parameters(of, reader.steps) - parameters(without, [])
        return Calculation(code, str(biases), tuple(reader.steps))
    if _ASKS_FOR_PARAMETERS.search(around):
        return Calculation(code, str(reader.count(of)), tuple(reader.steps))
    shape = shape_in(around)
    if shape is None:
        count = reader.count(of)
        return Calculation(code, f"{count} parameters", tuple(reader.steps))
    if len(shape) == SPATIAL.get(of.name, 0):  # "on 56x56": of pixels only; the channels are the layer's
        shape = (whole(of.options["in_channels"], "in_channels"), *shape)
    out = output(of, checked_shape(shape), reader.steps)
    if _ASKS_FOR_WORK.search(around) and of.name in SPATIAL and "Transpose" not in of.name:
        weights = parameters(Layer(of.name, {**of.options, "bias": False}), [])
        places = math.prod(out) // of.options["out_channels"]
        reader.steps.append(f"{weights} weights · {places} places = {weights * places} multiply-adds")
        return Calculation(code, f"{weights * places} MACs", tuple(reader.steps))
    return Calculation(code, f"torch.Size({list(checked_shape(out))})", tuple(reader.steps))


def written(value: object) -> str:
    """A number, a shape, a dtype, or several tensors, as PyTorch writes them."""
    if isinstance(value, DType):
        return f"torch.{value.name}"
    if isinstance(value, (float, list)):
        return repr(value)  # as Python prints them
    if isinstance(value, Pair):
        return "values " + ", indices ".join(shown(part) for part in value)
    if isinstance(value, tuple) and all(isinstance(part, int) for part in value):
        return f"torch.Size({list(value)})"
    if isinstance(value, (int, bool)):
        return str(value)
    raise NotAllowed("I can't write that down as an answer.")


__all__ = ["Calculation", "Mistaken", "calculate", "code_in", "may_be_calculation", "read_calculation"]
