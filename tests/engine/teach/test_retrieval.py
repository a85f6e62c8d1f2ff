"""Students' questions find their card; everything else is answered with "I don't know"."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from engine.teach.deck import load_deck
from engine.teach.evaluate import false_answers, halves, interval, measure_known
from engine.teach.retrieval import Index
from engine.teach.words import stem, words

ASKED = tomllib.loads((Path(__file__).parent / "asked.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def index() -> Index:
    return Index(load_deck())


def test_the_set_of_questions_is_large_enough_and_names_cards_that_exist() -> None:
    ids = {card.id for card in load_deck()}
    in_scope = [*ASKED["known"], *ASKED["strangers"], *ASKED["fresh_known"]]
    assert len(in_scope) >= 60
    assert len(ASKED["unknown"]) + len(ASKED["fresh_unknown"]) >= 40
    assert {card for _, cards in in_scope for card in cards} <= ids


@pytest.mark.parametrize(
    ("part", "first", "among_three", "wrong", "false"),
    [("tuning half", 0.93, 0.97, 0.05, 0.05), ("other half", 0.88, 0.95, 0.09, 0.05), ("fresh", 0.8, 0.9, 0.14, 0.09)],
)
def test_students_find_their_card_and_others_are_told_that_none_fits(
    index: Index, part: str, first: float, among_three: float, wrong: float, false: float
) -> None:
    known, unknown = halves(ASKED)[part]
    figures = measure_known(index, known)
    assert figures.top_1 / figures.asked >= first, figures.failures
    assert figures.top_3 / figures.asked >= among_three
    assert figures.wrong / figures.asked <= wrong
    mistaken = false_answers(index, unknown)
    assert len(mistaken) / len(unknown) <= false, mistaken


def test_every_card_is_found_by_its_own_title(index: Index) -> None:
    for card in load_deck():
        answer = index.search(card.title)
        assert answer.known, card.title
        assert card.id in [match.card.id for match in answer.matches], card.title


@pytest.mark.parametrize("question", ["", " \n\t", "?!...", "\0", "😀" * 50, "什么是天气", "x" * 2000, "1 2 3"])
def test_a_question_without_words_is_not_answered(index: Index, question: str) -> None:
    assert not index.search(question).known


def test_two_thousand_characters_are_searched_like_any_other_question(index: Index) -> None:
    long = (
        "I have read the whole chapter and still wonder about broadcasting of tensors with different shapes. " * 30
    )[:2000]
    assert "broadcasting" in [match.card.id for match in index.search(long).matches]


@pytest.mark.parametrize("question", ["loss", "what time is it", "what about memory", "is the picture good"])
def test_a_question_that_says_next_to_nothing_is_not_answered(index: Index, question: str) -> None:
    assert not index.search(question).known


def test_a_pasted_error_message_finds_the_card_that_explains_it(index: Index) -> None:
    message = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x784 and 512x10)"
    assert index.search(message).matches[0].card.id == "matrix-multiplication"


@pytest.mark.parametrize(
    ("typo", "card"),
    [("brodcasting", "broadcasting"), ("perceptorn", "perceptron"), ("gumble softmax", "gumbel-softmax")],
)
def test_a_slip_of_the_keyboard_is_forgiven(index: Index, typo: str, card: str) -> None:
    answer = index.search(f"what is {typo}?")
    assert answer.known
    assert answer.matches[0].card.id == card


def test_british_and_american_spelling_are_one() -> None:
    assert words("normalization optimizer initialized color") == words("normalisation optimiser initialised color")


def test_names_of_the_library_are_taken_apart() -> None:
    assert words("nn.CrossEntropyLoss") == words("cross entropy loss")
    assert words("BatchNorm2d") == words("batch norm")
    assert "zero_grad" in words("optimizer.zero_grad()")


def test_endings_are_cut_alike() -> None:
    assert len({stem(word) for word in ("clip", "clips", "clipping", "clipped")}) == 1
    assert stem("loss") == "loss"


def test_the_interval_of_a_proportion_is_wilsons() -> None:
    low, high = interval(9, 10)
    assert (round(low, 3), round(high, 3)) == (0.596, 0.982)
