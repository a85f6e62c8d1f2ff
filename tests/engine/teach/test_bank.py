"""Every fixed question is executed: torch says which options are right, which orders do the same, what a bug does."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from engine.contract.typed import same_answer
from engine.errors import Internal
from engine.teach.bank.reading import MAX_LINES, BankError, Fixed, ask_fixed, load_bank
from engine.teach.deck import load_deck
from engine.teach.questions import GENERATORS
from engine.teach.questions.question import Kind
from engine.teach.snippets import run_snippet
from engine.teach.topics import TOPICS

BANK = load_bank()
CARD_IDS = {card.id for card in load_deck()}
SHUFFLES = 3


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("fixed", BANK, ids=lambda f: f.name)
def test_a_fixed_question_is_what_its_code_does(fixed: Fixed) -> None:
    """`ask_fixed` raises if the code contradicts the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a bug may be one that PyTorch warns of
        questions = [ask_fixed(fixed, seed) for seed in range(SHUFFLES)]
    for question in questions:
        assert question.card_id in CARD_IDS
        assert question.kind == fixed.kind
        assert len(set(question.options)) == len(question.options)
        if fixed.kind is Kind.TYPED:
            assert same_answer(question.answer, run_snippet(question.code))
            for wrong, why in question.slips:
                assert not same_answer(question.answer, wrong)
                assert same_answer(wrong, wrong)
                assert why
                assert not why.endswith(".")
            continue
        if fixed.kind is Kind.ORDER:
            assert 3 <= len(question.options) <= MAX_LINES
            assert question.right in question.orders
            assert tuple(range(len(question.options))) not in question.orders, "it is shown in a right order"
            continue
        assert 3 <= len(question.options) <= 5
        assert {i for i, why in enumerate(question.reasons) if not why} == set(question.right)
    if fixed.kind is not Kind.TYPED:
        assert questions[0] == questions[0]
        assert len({question.options for question in questions}) > 1 or len(questions[0].options) < 4


@pytest.mark.parametrize("fixed", [f for f in BANK if f.kind is Kind.ORDER], ids=lambda f: f.name)
def test_orders_are_judged_by_what_they_print(fixed: Fixed) -> None:
    question = ask_fixed(fixed, 0)
    entry = fixed.fields
    wanted = run_snippet("\n".join((entry["setup"], *entry["lines"], entry["after"])))
    for order in question.orders:
        lines = [question.options[i] for i in order]
        assert run_snippet("\n".join((entry["setup"], *lines, entry["after"]))) == wanted


def test_there_are_enough_fixed_questions_of_every_kind_on_every_topic() -> None:
    assert len(BANK) >= 150
    assert min(Counter(fixed.kind for fixed in BANK).values()) >= 20
    assert {fixed.topic for fixed in BANK} == set(TOPICS)
    names = [fixed.name for fixed in BANK] + [generator.name for generator in GENERATORS]
    assert len(set(names)) == len(names)


def test_a_bug_that_changes_nothing_is_not_asked() -> None:
    fields = {
        "text": "?",
        "because": ".",
        "code": "print(1)",
        "fix": [["1", "1.0 * 1 // 1"]],
        "fault": "f",
        "wrong": [["a", "b"]],
    }
    with pytest.raises(Internal, match="changes nothing"):
        ask_fixed(Fixed("x", "tensors", "dtypes", Kind.BUG, fields | {"fix": [["print(1)", "print(1) "]]}), 0)
    assert ask_fixed(Fixed("x", "tensors", "dtypes", Kind.BUG, fields), 0).answer == "f"


def test_an_option_that_torch_calls_right_cannot_be_called_wrong() -> None:
    fields = {"setup": "", "options": ["1", "2", "3"], "test": "OPTION > 1", "text": "?", "because": "."}
    with pytest.raises(Internal, match="contradicts"):
        ask_fixed(Fixed("x", "tensors", "dtypes", Kind.SEVERAL, fields | {"why": ["", "", "w"]}), 0)
    asked = ask_fixed(Fixed("x", "tensors", "dtypes", Kind.SEVERAL, fields | {"why": ["w", "", ""]}), 0)
    assert {asked.options[i] for i in asked.right} == {"2", "3"}


GOOD = """
[[question]]
id = "a"
topic = "tensors"
card = "dtypes"
text = "?"
code = "print(1)"
answer = "1"
because = "."
"""


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("typed", GOOD.replace("answer", "anser"), "needs"),
        ("typed", GOOD + GOOD, "twice"),
        ("typed", GOOD.replace('"tensors"', '"cooking"'), "topic"),
        ("typed", "[[question", "TOML"),
        ("riddles", GOOD, "is called"),
    ],
)
def test_a_broken_file_of_questions_is_refused_with_its_name(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    path = tmp_path / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BankError, match=complaint) as refusal:
        load_bank(tmp_path)
    assert path.name in str(refusal.value)
