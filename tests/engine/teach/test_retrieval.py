"""Students' questions find their card; everything else is answered with "I don't know"."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from engine.teach.deck import load_deck
from engine.teach.evaluate import Judged, false_answers, halves, interval, judge, measure_known
from engine.teach.library import Library
from engine.teach.retrieval import FEATURES, MAX_QUESTION_WORDS, SIGNS, Index, Weights, outside_questions
from engine.teach.words import stem, words

ASKED = tomllib.loads((Path(__file__).parent / "asked.toml").read_text(encoding="utf-8"))
FRESH = tomllib.loads((Path(__file__).parent / "asked_fresh.toml").read_text(encoding="utf-8"))
IN_SCOPE = ("spoken", "messages", "computed")
PARTS = halves(ASKED) | halves(FRESH)


@pytest.fixture(scope="module")
def index() -> Index:
    return Index(load_deck())


def test_the_set_of_questions_is_large_enough_and_names_cards_that_exist() -> None:
    ids = {card.id for card in load_deck()}
    in_scope = [*ASKED["known"], *ASKED["strangers"], *ASKED["fresh_known"], *FRESH["known"], *FRESH["last_known"]]
    assert len(FRESH["known"]) >= 200
    assert len(FRESH["unknown"]) >= 80
    assert len(in_scope) >= 600
    assert {card for _, cards in in_scope for card in cards} <= ids


@pytest.mark.parametrize(
    ("part", "first", "among_three", "wrong", "false"),
    [
        ("tuning half", 0.96, 0.99, 0.03, 0.03),
        ("other half", 0.96, 0.99, 0.03, 0.05),
        ("fresh", 0.95, 0.99, 0.03, 0.05),
        ("looked at", 0.96, 0.99, 0.03, 0.03),
        ("kept apart", 0.97, 0.99, 0.03, 0.03),
        ("last", 0.92, 0.98, 0.05, 0.05),
    ],
)
def test_students_find_their_card_and_others_are_told_that_none_fits(
    index: Index, part: str, first: float, among_three: float, wrong: float, false: float
) -> None:
    known, unknown = PARTS[part]
    figures = measure_known(index, known)
    assert figures.top_1 / figures.asked >= first, figures.failures
    assert figures.top_3 / figures.asked >= among_three
    assert figures.wrong / figures.asked <= wrong
    mistaken = false_answers(index, unknown)
    assert len(mistaken) / len(unknown) <= false, mistaken


@pytest.mark.parametrize(
    ("file", "asked", "first", "right", "wrong", "unknown", "answered"),
    [
        ("asked_judged.toml", 50, 45, 41, 4, 40, 1),
        ("asked_spoken.toml", 120, 106, 86, 5, 60, 1),
        ("asked_unseen.toml", 193, 170, 148, 12, 95, 2),
    ],
)
def test_questions_in_students_own_words_find_their_card(
    file: str, asked: int, first: int, right: int, wrong: int, unknown: int, answered: int
) -> None:
    questions = tomllib.loads((Path(__file__).parent / file).read_text(encoding="utf-8"))
    counts, failures = judge(Library(), questions)
    total = sum((counts[name] for name in IN_SCOPE if name in counts), Judged(0, 0, 0, 0, 0))
    assert (total.asked, counts["unknown"].asked) == (asked, unknown)
    assert total.first >= first, failures
    assert total.right >= right, failures
    assert total.wrong <= wrong, failures
    assert counts["unknown"].wrong <= answered, failures


def test_what_is_said_to_be_outside_is_not_answered_and_was_not_copied_from_what_measures_it(index: Index) -> None:
    outside = outside_questions()
    assert len(outside) >= 300
    answered = false_answers(index, outside)
    assert len(answered) <= 0.03 * len(outside), answered
    measuring = {
        question.lower()
        for file in Path(__file__).parent.glob("asked*.toml")
        for name, questions in tomllib.loads(file.read_text(encoding="utf-8")).items()
        for question in questions
        if "unknown" in name
    }
    assert not measuring & {question.lower() for question in outside}


def test_the_weights_in_the_file_are_those_that_the_code_asks_for() -> None:
    weights = Weights.read()
    assert set(weights.ranking) == set(FEATURES)
    assert set(weights.refusal) == set(SIGNS)
    assert 0 < weights.offer_from < weights.answer_from < 1


def test_somebody_who_has_no_word_for_it_is_still_understood() -> None:
    """Nothing but the asked questions of a card tells what is meant."""
    cards = load_deck()
    question = "my numbers all go through the roof after a while"
    said = [replace(card, asked=(question,)) if card.id == "gelu-and-silu" else card for card in cards]
    assert Index(cards).search(question).matches[0].card.id != "gelu-and-silu"
    assert Index(said).search(question).matches[0].card.id == "gelu-and-silu"


def test_a_message_of_four_thousand_characters_is_searched_in_well_under_a_second(index: Index) -> None:
    """Words that no card has are compared with the cards' names for slips: never with all of them."""
    calls = []
    index_mend = index._mend
    index._mend = lambda word: calls.append(word) or index_mend(word)  # type: ignore[method-assign, func-returns-value]
    try:
        index.search(" ".join(f"zxq{i}word" for i in range(400))[:4000])
    finally:
        del index._mend
    assert len(calls) <= MAX_QUESTION_WORDS


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
    assert index.search(message).matches[0].card.id == "mat1-and-mat2"


def test_every_quoted_error_message_finds_its_card_among_the_first_three(index: Index) -> None:
    for card in load_deck():
        if card.message:
            assert card.id in [match.card.id for match in index.search(f"I get: {card.message}").matches], card.id


def test_a_card_on_an_error_is_no_answer_for_somebody_without_the_error(index: Index) -> None:
    for question in ("what is an optimizer", "how do I sum over a dimension", "what is the shape of a tensor"):
        best = index.search(question).matches[0].card
        assert not best.message, (question, best.id)


@pytest.mark.parametrize(
    ("question", "cards"),
    [
        ("BatchNorm acts differently in training and test", {"batch-normalisation", "train-and-eval-mode"}),
        ("how can i see the computational graph", {"computation-graph"}),
        ("stop autograd from tracking during validation", {"no-grad-and-detach", "inference-mode"}),
        ("formula of entropy", {"shannon-entropy"}),
        ("how can I look at what comes out of a middle layer of my network?", {"feature-maps-and-hooks"}),
        ("train loss goes down but val loss goes up", {"overfitting", "learning-curves"}),
    ],
)
def test_what_students_asked_in_vain_is_found(index: Index, question: str, cards: set[str]) -> None:
    answer = index.search(question)
    assert answer.known
    assert answer.matches[0].card.id in cards


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


def test_methods_signs_and_names_of_one_word_count_as_such() -> None:
    assert "train()" in words("what does model.train() do")
    assert "inplac" in words("is += allowed")
    assert words("AdaIN") == ["adain"]
    assert "gpu" in words("memory of my graphics card")


def test_a_small_word_decides_between_two_names() -> None:
    index = Index(load_deck())
    assert "cross-validation" in [match.card.id for match in index.search("few examples").matches]
    assert index.search("only few examples").matches[0].card.id == "cross-validation"
    assert index.search("which examples are hard").matches[0].card.id == "error-analysis"


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
