"""`ask` and `quiz` for people without Discord."""

from __future__ import annotations

import argparse
import json

import pytest

from engine.errors import BadOption
from engine.teach import cli


def ask(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_ask_arguments(parser)
    return cli.run_ask(parser.parse_args(argv))


def quiz(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_quiz_arguments(parser)
    return cli.run_quiz(parser.parse_args(argv))


def test_ask_prints_text_code_output_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("what is broadcasting?") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Broadcasting\n")
    assert "import torch" in printed
    assert "torch.Size([8, 7, 6])" in printed
    assert "Source: PyTorch docs" in printed


def test_ask_takes_a_question_without_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("what", "is", "broadcasting?") == 0
    assert capsys.readouterr().out.startswith("Broadcasting\n")


def test_ask_says_that_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("capital of France") == 0
    assert capsys.readouterr().out.startswith("I don't know")
    assert ask("") == 0
    assert capsys.readouterr().out == "I don't know: no card of the course is about that.\n"


def test_quiz_as_json_holds_the_whole_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert quiz("--topic", "convolutions", "--seed", "3", "--json") == 0
    first = capsys.readouterr().out
    question = json.loads(first)
    assert question["topic"] == "convolutions"
    assert question["seed"] == 3
    assert 0 <= question["correct"] < len(question["options"])
    assert set(question) == {
        *("generator", "topic", "seed", "question", "code", "options", "correct", "explanation", "card_id")
    }
    quiz("--topic", "convolutions", "--seed", "3", "--json")
    assert capsys.readouterr().out == first


def test_quiz_keeps_the_answer_back_until_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    quiz("--seed", "3")
    question = capsys.readouterr().out
    assert "is right" not in question
    assert "--seed 3 --answer" in question
    quiz("--seed", "3", "--answer")
    assert "is right" in capsys.readouterr().out


@pytest.mark.parametrize(("guess", "verdict"), [("right", "Right."), ("wrong", "No."), ("", "No.")])
def test_on_a_terminal_a_letter_is_judged(
    guess: str, verdict: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    quiz("--seed", "3", "--json")
    correct = json.loads(capsys.readouterr().out)["correct"]
    letter = {"right": cli.LETTERS[correct].lower(), "wrong": cli.LETTERS[correct - 1], "": ""}[guess]
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda prompt: letter)
    assert quiz("--seed", "3") == 0
    assert verdict in capsys.readouterr().out


def test_bad_topics_and_seeds_are_refused() -> None:
    with pytest.raises(BadOption, match="nearest is optimisers"):
        quiz("--topic", "optimizer")
    with pytest.raises(BadOption, match="between 0"):
        quiz("--seed", "-1")
    with pytest.raises(BadOption, match="between 0"):
        quiz("--seed", str(2**64))
