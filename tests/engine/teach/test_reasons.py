"""A reason for a wrong option is true of the numbers that it stands beside."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import torch

from engine.errors import Internal
from engine.teach.questions import GENERATORS
from engine.teach.questions.question import Draft, Generator, Mistake, Question, compose
from engine.teach.snippets import run_snippet

BY_NAME = {generator.name: generator for generator in GENERATORS}


def asked(name: str, seeds: int) -> Iterator[Question]:
    for seed in range(seeds):
        yield compose(BY_NAME[name], seed)


def reasons_of(question: Question) -> dict[str, str]:
    return {option: why for option, why in zip(question.options, question.reasons, strict=True) if why}


def generator_of(draft: Draft) -> Generator:
    return Generator("made-up", "tensors", "tensor-shape", lambda rng: draft)


def test_a_mistake_whose_reason_does_not_hold_is_no_option() -> None:
    mistakes = [Mistake("3", "guesses"), Mistake("4", "guesses"), Mistake("5", "rounds a tie", holds=False)]
    question = compose(generator_of(Draft("2?", "print(2)", "2", "so it is.", mistakes)), 0)
    assert sorted(question.options) == ["2", "3", "4"]


def test_a_mistake_is_left_out_where_its_reason_leads_elsewhere() -> None:
    misread = [("+", "*")]
    mistakes = [Mistake("3", "guesses"), Mistake("4", "guesses"), Mistake("9", "multiplies", instead=misread)]
    question = compose(generator_of(Draft("2 + 3?", "print(2 + 3)", "5", "so it is.", mistakes)), 0)
    assert "9" not in question.options, "2 * 3 is not 9"
    mistakes[-1] = Mistake("6", "multiplies", instead=misread)
    assert "6" in compose(generator_of(Draft("2 + 3?", "print(2 + 3)", "5", "so it is.", mistakes)), 0).options


def test_a_mistake_that_misreads_code_that_is_not_there_is_a_fault_of_the_generator() -> None:
    mistakes = [Mistake("6", "multiplies", instead=[("-", "*")]), Mistake("4", "guesses"), Mistake("3", "guesses")]
    with pytest.raises(Internal, match="isn't shown"):
        compose(generator_of(Draft("2 + 3?", "print(2 + 3)", "5", "so it is.", mistakes)), 0)


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda g: g.name)
def test_every_wrong_option_has_a_reason_and_the_right_one_has_none(generator: Generator) -> None:
    for seed in range(8):
        question = compose(generator, seed)
        assert [bool(why) for why in question.reasons] == [i != question.correct for i in range(len(question.options))]
        assert all(not why.endswith(".") for why in question.reasons)


def test_half_precision_speaks_of_a_nearer_number_only_where_one_is_nearer() -> None:
    ties = 0
    for question in asked("half-precision", 300):
        value = float(re.search(r"tensor\(([\d.]+),", question.code)[1])
        right = float(question.answer)
        for option, why in reasons_of(question).items():
            if "nearer" in why:
                assert abs(right - value) < abs(float(option) - value), (question.code, option, why)
            if "tie" in why:
                ties += 1
                assert abs(right - value) == abs(float(option) - value) > 0, (question.code, option, why)
            if "kept exactly;" in why or "can be kept exactly" in why:
                assert right == value
    assert ties > 5


def test_nobody_overlooks_no_grad_where_it_changes_nothing() -> None:
    seen = 0
    for question in asked("requires-grad-flow", 300):
        without = question.code.replace("with torch.no_grad():\n    ", "")
        for option, why in reasons_of(question).items():
            if "no_grad() around a" in why and "and" not in why:
                seen += 1
                assert run_snippet(without) == option
        assert without == question.code or run_snippet(without) != question.answer
    assert seen > 20


def test_a_sampler_hands_examples_out_twice_only_where_the_division_leaves_a_rest() -> None:
    for question in asked("samples-of-a-rank", 200):
        n, ranks = map(int, re.search(r"range\((\d+)\), num_replicas=(\d+)", question.code).groups())
        assert ("twice" in question.explanation) == (n % ranks != 0)
        assert ("comes out even, so" in question.explanation) == (n % ranks == 0)


def test_the_moving_average_of_the_momentum_question_is_one() -> None:
    seen = 0
    for question in asked("sgd-with-momentum", 60):
        rate, momentum = map(float, re.search(r"lr=([\d.]+), momentum=([\d.]+)", question.code).groups())
        gradient, steps = (
            float(re.search(r"grad = torch.tensor\(([\d.]+)", question.code)[1]),
            int(re.search(r"range\((\d)\)", question.code)[1]),
        )
        w = v = torch.tensor(0.0, dtype=torch.float64)
        for _ in range(steps):
            v = torch.lerp(v, torch.tensor(gradient, dtype=torch.float64), 1 - momentum)
            w = w - rate * v
        for option, why in reasons_of(question).items():
            if "moving average" in why:
                seen += 1
                assert float(option) == pytest.approx(w.item(), abs=1e-3)
    assert seen > 10


def test_a_relu_has_no_slope_below_zero() -> None:
    for question in asked("sigmoid-gradient", 80):
        x = float(re.search(r"tensor\((-?[\d.]+),", question.code)[1])
        for option, why in reasons_of(question).items():
            if "slope of a ReLU" in why:
                assert float(option) == (1.0 if x > 0 else 0.0)


def test_nobody_reverses_or_transposes_what_is_not_transposed() -> None:
    for question in asked("transpose-then-flatten", 80):
        for why in reasons_of(question).values():
            assert "transpose" not in why or ".t()" in question.code, (question.code, why)


def test_nobody_joins_outer_lengths_of_matrices_that_fit() -> None:
    for question in asked("matmul-shape", 80):
        for option, why in reasons_of(question).items():
            if "without comparing" in why:
                assert question.answer == "RuntimeError", option


def test_promotion_lets_types_meet_that_cannot_hold_each_other() -> None:
    met = {question.answer for question in asked("dtype-promotion", 400) if "so they meet" in question.explanation}
    assert met == {"torch.float32", "torch.int16"}
