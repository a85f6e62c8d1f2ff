"""What a question says reads well, whatever numbers were drawn, and what's right doesn't hang on how one rounds."""

from __future__ import annotations

import re

import pytest

from engine.teach.bank.reading import ask_fixed, load_bank
from engine.teach.questions import GENERATORS
from engine.teach.questions.question import Draft, Generator, Mistake, Question, compose, is_rounded_tie

BANK = load_bank()
SEEDS = 12
ONE_OF_MANY = re.compile(
    r"(?<![·-])(?<![-,·] )\b1 (?:batches|biases|bytes|channels|classes|elements|epochs|examples|filters|frames|groups|"
    r"layers|numbers|pairs|parameters|points|positions|rows|samples|semitones|steps|terms|times|values|weights|workers)\b"
)
SIGN_AFTER_A_SIGN = re.compile(r"(?:[·*+=] ?| - )-(?:\d|$)")


def looked_over(question: Question) -> None:
    said = f"{question.text}\n{question.explanation}\n{question.alt}"
    assert not ONE_OF_MANY.search(said), ONE_OF_MANY.search(said)
    prose = re.sub(r"`[^`]*`", "", said)
    signs = [found for found in SIGN_AFTER_A_SIGN.finditer(prose) if not found[0].startswith("=")]
    assert not signs, prose
    assert not any(re.fullmatch(r"-0(\.0*)?", option) for option in question.options), "a zero has no sign"
    assert not re.search(r"  |\(s\)", prose)


@pytest.mark.parametrize("generator", [g for g in GENERATORS if not g.pictured], ids=lambda g: g.name)
def test_numbers_and_words_agree(generator: Generator) -> None:
    for seed in range(SEEDS):
        question = compose(generator, seed)
        looked_over(question)
        assert not is_rounded_tie(question.code, question.answer), "0.3125 is 0.312 and 0.313"


@pytest.mark.parametrize("generator", [g for g in GENERATORS if g.pictured], ids=lambda g: g.name)
def test_numbers_and_words_agree_beside_a_picture(generator: Generator) -> None:
    for seed in range(4):
        looked_over(compose(generator, seed))


def test_numbers_and_words_agree_in_fixed_questions() -> None:
    for fixed in BANK:
        looked_over(ask_fixed(fixed, 0))


def test_a_number_that_rounds_both_ways_is_drawn_again() -> None:
    mistakes = [Mistake("1", "guesses"), Mistake("2", "guesses")]
    draws = iter([5 / 16, 13 / 16, 0.43])

    def draft(rng: object) -> Draft:
        value = next(draws)
        return Draft("?", f'print(f"{{{value}:.3f}}")', f"{value:.3f}", "so it is.", mistakes)

    assert is_rounded_tie('print(f"{0.3125:.3f}")', "0.312")
    assert not is_rounded_tie('print(f"{0.3126:.3f}")', "0.313")
    assert not is_rounded_tie("print(0.3125)", "0.3125")
    assert not is_rounded_tie('print(f"{3}")', "3")
    assert compose(Generator("made-up", "tensors", "tensor-shape", draft), 0).answer == "0.430"


def test_a_zero_is_written_without_a_sign() -> None:
    mistakes = [Mistake("-0.000", "guesses"), Mistake("-0.5", "guesses"), Mistake("-1", "guesses")]
    draft = Draft("?", "print(2)", "2", "so it is.", mistakes)
    question = compose(Generator("made-up", "tensors", "tensor-shape", lambda rng: draft), 0)
    assert sorted(question.options) == ["-0.5", "-1", "0.000", "2"]
