"""Of thousands of lines as clumsy students write them, no answer is another than torch's; some are refused."""

from __future__ import annotations

import math
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from engine.errors import BadOption
from engine.teach.calculator.answering import RAISES, Mistaken, calculate
from tests.engine.teach.random_expressions import Lines

EXPRESSIONS, LAYERS = range(3000), range(1500)
_NUMBERS = re.compile(r"-?(?:\d+\.?\d*(?:e[+-]\d+)?|nan|inf)")


def _torch_says(code: str) -> str:
    """Only ever given lines of `random_expressions`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = eval(code, {"torch": torch, "nn": nn, "F": F})
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError, NotImplementedError):
        return RAISES
    if isinstance(value, tuple) and not isinstance(value, torch.Size):
        return "values " + ", indices ".join(map(str, value))
    return str(value)


def _we_say(code: str) -> str | None:
    """None where we refuse."""
    try:
        found = calculate(code)
    except Mistaken:
        return RAISES
    except BadOption:
        return None
    return None if found is None else found.answer


def _same(ours: str, torchs: str) -> bool:
    """Up to spaces, and the last digits of a float."""
    a, b = ("".join(text.split()) for text in (ours, torchs))
    if a == b:
        return True
    left, right = _NUMBERS.findall(a), _NUMBERS.findall(b)
    close = (x == y or math.isclose(float(x), float(y), rel_tol=1e-3, abs_tol=2e-4) for x, y in zip(left, right))  # noqa: B905
    return _NUMBERS.sub("#", a) == _NUMBERS.sub("#", b) and all(close)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("line_of", "seeds", "answered"),
    [
        (lambda seed: Lines(seed).expression(), EXPRESSIONS, 1800),
        (lambda seed: Lines(seed).applied(), LAYERS, 1100),
    ],
    ids=["expressions", "layers"],
)
def test_no_answer_to_a_clumsy_line_is_wrong(line_of: Callable[[int], str], seeds: range, answered: int) -> None:
    counts: Counter[str] = Counter()
    wrong = []
    for seed in seeds:
        code = line_of(seed)
        ours = _we_say(code)
        counts["refused" if ours is None else "an error" if ours == RAISES else "an answer"] += 1
        if ours is not None and not _same(ours, torchs := _torch_says(code)):
            wrong.append(f"{seed}: {code}\n  {ours}\n  {torchs}")
    assert not wrong, "\n".join(wrong[:20])
    assert counts["an answer"] + counts["an error"] >= answered, counts
    assert min(counts.values()) > 30, counts


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("torch.arange(6).view(2, 3).t().view(6)", RAISES),
        ("torch.arange(6).view(2, 3).t().reshape(6)", "tensor([0, 3, 1, 4, 2, 5])"),
        ("torch.arange(6).view(2, 3).t().contiguous().view(6)", "tensor([0, 3, 1, 4, 2, 5])"),
        ("torch.arange(12).view(3, 4)[:, 1:3].view(-1)", RAISES),
        ("torch.ones(3, 1).expand(3, 4).view(12)", RAISES),
        ("torch.tensor(0.1).item()", "0.10000000149011612"),
        ("torch.tensor([3.0, 4.0]).norm(1)", "tensor(7.)"),
        ("torch.tensor([True, False]) - torch.tensor([True, True])", RAISES),
        (
            "torch.tensor([0, 3, 1], dtype=torch.uint8).sort(descending=True).values",
            "tensor([3, 1, 0], dtype=torch.uint8)",
        ),
        ("torch.tensor([1.0, 2000.0])", "tensor([1.0000e+00, 2.0000e+03])"),
        ("torch.zeros(3, 0)", "tensor([], size=(3, 0))"),
        ("torch.tensor([300], dtype=torch.uint8)", RAISES),
        ("torch.rand(2, dtype=torch.int64)", RAISES),
        ("torch.mm(torch.ones(3), torch.ones(3))", RAISES),
        ("F.mean(torch.ones(3))", RAISES),
        ("nn.BatchNorm1d(4)(torch.zeros(1, 4)).shape", RAISES),
        ("nn.BatchNorm1d(4).eval()(torch.zeros(1, 4)).shape", "torch.Size([1, 4])"),
        ("nn.Linear(2, 3)(torch.zeros(5, 2, dtype=torch.float64)).shape", RAISES),
    ],
)
def test_what_students_stumble_over_is_computed_as_torch_does(code: str, answer: str) -> None:
    assert _we_say(code) == answer
    assert _torch_says(code) == answer
