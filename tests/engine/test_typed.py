"""A typed answer counts however it is written, and nothing else counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contract.typed import same_answer
from engine.teach.questions import GENERATORS
from engine.teach.questions.question import Kind, as_typed, compose

RIGHT = [
    *[
        ("(8, 3, 32)", typed)
        for typed in ("8x3x32", "8 x 3 x 32", "8×3×32", "[8,3,32]", "8 3 32", "torch.Size([8, 3, 32])")
    ],
    *[("(5,)", typed) for typed in ("5", "(5)", "[5]", "(5,)")],
    *[("0.693", typed) for typed in ("0.693", "0,693", ".693", "0.6931", "0.69", "0,69", "`0.693`", " 0.693 ")],
    *[("1024", typed) for typed in ("1024", "1,024", "1 024", "1024.0", "1'024", "1024.")],
    *[("120000", typed) for typed in ("120,000", "1.2e5", "1.2*10^5", "1.2x10^5")],
    *[("0.25", typed) for typed in ("1/4", "0.25", ".25", "25e-2")],
    *[("-2.0", typed) for typed in ("-2", "−2", "-2.0")],
    *[("[3, 12]", typed) for typed in ("3, 12", "3 12", "[3,12]", "(3; 12)")],
    *[("True False", typed) for typed in ("true false", "True, False")],
    ("torch.float32", "float32"),
    ("nan", "NaN"),
    ("inf", "inf"),
    ("RuntimeError", "runtime error"),
]
WRONG = [
    *[("(8, 3, 32)", typed) for typed in ("8x3x33", "8x3", "3x8x32", "24x32", "")],
    *[("0.693", typed) for typed in ("0.7", "0.694", "-0.693", "1", "693", "0.693 0.693", "abc")],
    *[("1024", typed) for typed in ("1023", "1024.4", "1,02", "1e3", "10 24 1")],
    *[("2.0", typed) for typed in ("2.04", "1.9", "3")],
    *[("3.0", typed) for typed in ("2.9", "4")],
    *[("True False", typed) for typed in ("true", "false true")],
    *[("nan", typed) for typed in ("0", "inf", "none")],
    ("0.25", "1/0"),
    ("0.25", "__import__('os')"),
    ("4", "2+2"),
    ("1024", "9" * 500),
]


@pytest.mark.parametrize(("expected", "typed"), RIGHT)
def test_the_same_answer_in_other_notation_counts(expected: str, typed: str) -> None:
    assert same_answer(expected, typed)


@pytest.mark.parametrize(("expected", "typed"), WRONG)
def test_another_answer_does_not_count(expected: str, typed: str) -> None:
    assert not same_answer(expected, typed)


@given(st.text(max_size=300))
def test_any_text_at_all_can_be_typed(text: str) -> None:
    for expected in ("(1, 2)", "0.5", "7", "True"):
        assert same_answer(expected, text) in (True, False)


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda g: g.name)
def test_a_generator_can_ask_for_a_typed_answer_and_no_wrong_option_counts(generator) -> None:  # type: ignore[no-untyped-def]
    for seed in range(4):
        question = compose(generator, seed)
        typed = as_typed(question)
        assert typed.kind is Kind.TYPED
        assert typed.options == ()
        assert same_answer(typed.answer, question.options[question.correct])
        for option, why in zip(question.options, question.reasons, strict=True):
            assert not why or not same_answer(typed.answer, option), (typed.answer, option)
