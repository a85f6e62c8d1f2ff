"""A question's right answer is what its code prints, its wrong ones are named mistakes, and a seed fixes it all."""

from __future__ import annotations

import contextlib
import io
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.errors import Internal
from engine.teach.deck import load_deck
from engine.teach.questions import GENERATORS
from engine.teach.questions.question import (
    MAX_CODE,
    MAX_EXPLANATION,
    MAX_OPTION,
    MAX_OPTIONS,
    MAX_QUESTION,
    MIN_OPTIONS,
    Draft,
    Generator,
    Mistake,
    Question,
    clash,
    compose,
)
from engine.teach.snippets import run_snippet
from engine.teach.topics import TOPICS

ROOT = Path(__file__).parents[3]
CARD_IDS = {card.id for card in load_deck()}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def printed_by(code: str) -> str:
    """What `code` prints, run in the ordinary way: not by the function that made the question."""
    stdout = io.StringIO()
    with contextlib.redirect_stdout(stdout):
        exec(compile(code, "<question>", "exec"), {"__name__": "question"})
    return stdout.getvalue().removesuffix("\n")


@pytest.mark.parametrize("generator", [g for g in GENERATORS if not g.pictured], ids=lambda g: g.name)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(min_value=0, max_value=2**64 - 1))
def test_the_right_option_is_what_the_code_prints_and_no_other_is(generator: Generator, seed: int) -> None:
    question = compose(generator, seed)
    assert question.options[question.correct] == printed_by(question.code)
    check_options_and_lengths(question)
    assert not question.picture
    assert compose(generator, seed) == question


def check_options_and_lengths(question: Question) -> None:
    assert MIN_OPTIONS <= len(question.options) <= MAX_OPTIONS
    for i, option in enumerate(question.options):
        assert 0 < len(option) <= MAX_OPTION
        assert not any(clash(option, other) for other in question.options[i + 1 :])
        assert f"`{option}`" in question.explanation
    assert len(question.text) <= MAX_QUESTION
    assert len(question.code) <= MAX_CODE
    assert len(question.explanation) <= MAX_EXPLANATION
    assert question.card_id in CARD_IDS


def test_there_are_questions_on_every_topic_under_names_of_their_own() -> None:
    assert len(GENERATORS) >= 110
    assert {generator.topic for generator in GENERATORS} == set(TOPICS)
    assert len({generator.name for generator in GENERATORS}) == len(GENERATORS)


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda g: g.name)
def test_a_generator_asks_many_different_questions(generator: Generator) -> None:
    questions = [compose(generator, seed) for seed in range(20)]
    assert len({(q.code, q.alt, q.options[q.correct]) for q in questions}) >= 8
    assert len({q.correct for q in questions}) >= 3, "the right answer stands at the same place too often"


def test_a_seed_gives_the_same_question_in_another_process() -> None:
    """Python salts its hashes anew in every process; a question must not depend on them."""
    program = (
        "from engine.teach.questions import GENERATORS\nfrom engine.teach.questions.question import compose\n"
        "import sys\nsys.stdout.write(repr([compose(g, 7) for g in GENERATORS[:12]]))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout == repr([compose(generator, 7) for generator in GENERATORS[:12]])


@pytest.mark.parametrize("generator", [g for g in GENERATORS if g.pictured], ids=lambda g: g.name)
def test_a_picture_is_a_png_that_is_described_in_words_and_the_same_every_time(generator: Generator) -> None:
    """What the code reads is what was drawn: both come from the numbers of one draw."""
    for seed in range(3):
        question = compose(generator, seed)
        check_options_and_lengths(question)
        with Image.open(io.BytesIO(question.picture)) as picture:
            picture.load()
            assert picture.format == "PNG"
            assert min(picture.size) >= 300
        assert len(question.picture) < 200_000
        assert 40 < len(question.alt) < 1000
        assert not question.code
        assert compose(generator, seed).picture == question.picture


def test_asking_leaves_the_random_state_of_the_engine_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    for generator in GENERATORS:
        compose(generator, 1)
    assert torch.equal(torch.get_rng_state(), before)


def generator_of(draw: Draft) -> Generator:
    return Generator("made-up", "tensors", "tensor-shape", lambda rng: draw)


def test_a_generator_that_contradicts_torch_is_not_asked() -> None:
    wrong = Draft("1 + 1?", "print(1 + 1)", "3", "it is not.", [Mistake("4", "doubles"), Mistake("5", "guesses")])
    with pytest.raises(Internal, match="made-up"):
        compose(generator_of(wrong), 0)


def test_a_mistake_that_happens_to_be_right_is_no_option() -> None:
    draft = Draft("2?", "print(2)", "2", "so it is.", [Mistake(a, "guesses") for a in ("2", "3", "3", "4")])
    question = compose(generator_of(draft), 0)
    assert sorted(question.options) == ["2", "3", "4"]


def test_a_question_without_enough_wrong_answers_is_not_asked() -> None:
    draft = Draft("2?", "print(2)", "2", "so it is.", [Mistake("2", "is right"), Mistake("3", "guesses")])
    with pytest.raises(Internal, match="options"):
        compose(generator_of(draft), 0)


def test_numbers_that_differ_by_rounding_only_are_never_two_options() -> None:
    assert clash("0.693", "0.694")
    assert not clash("0.693", "1.000")
    assert not clash("2048.0", "2049.0")
    assert not clash("100", "101")
    assert clash("(2, 3)", "(2, 3)")
    assert not clash("nan", "0.1")
    assert not clash("inf", "65504.0")
    assert clash("0.0", "-0.0")


def test_two_draws_of_one_generator_differ_by_their_seed_only() -> None:
    assert GENERATORS[0].draw(random.Random(1)) == GENERATORS[0].draw(random.Random(1))


def test_what_a_snippet_prints_never_reaches_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_snippet('print("a", 1, sep="-")\nprint("b", end="")') == "a-1\nb"
    assert capsys.readouterr().out == ""
