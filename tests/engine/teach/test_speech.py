"""Whoever has no word for a thing is recognised by all that people say about it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.teach.speech import LONGEST, RUN_PRIOR, WORD_PRIOR, Speech, runs, stems

PHRASES = [
    ["the cat sleeps on the mat", "a purring cat"],
    ["the dog barks at night", "my dog runs away"],
    ["stormy weather"],
]
TEXTS = ["Cats eat mice.", "Dogs chase balls.", "Rain and wind."]


@pytest.fixture(params=[(stems, WORD_PRIOR), (runs, RUN_PRIOR)], ids=["stems", "runs"])
def speech(request: pytest.FixtureRequest) -> Speech:
    return Speech(PHRASES, TEXTS, *request.param)


def test_the_group_that_talks_like_it_is_the_likest(speech: Speech) -> None:
    assert speech.likeness("why does it sleep on my mat").argmax() == 0
    assert speech.likeness("it barks and runs").argmax() == 1


def test_a_text_counts_less_than_a_phrase_and_more_than_nothing() -> None:
    said = Speech([["balls", "bats"], ["bats"], ["bats", "bats"]], ["", "balls", ""], stems, WORD_PRIOR).likeness(
        "balls"
    )
    assert said[0] > said[1] > said[2]


def test_what_nobody_says_says_nothing(speech: Speech) -> None:
    assert np.array_equal(speech.likeness("?!"), np.zeros(3, np.float32))
    assert np.array_equal(speech.likeness(""), np.zeros(3, np.float32))


def test_the_likeness_is_the_dirichlet_smoothed_log_ratio() -> None:
    """By hand, for one word: log((n + mu p) / (size + mu) / p), with p = (all + 1/2) / (everything)."""
    speech = Speech([["cat", "dog"], ["dog"]], ["", ""], stems, 10.0)
    cat, dog = 1.5, 2.5
    share = cat / (cat + dog)
    expected = [np.log((1 + 10 * share) / (2 + 10) / share), np.log((0 + 10 * share) / (1 + 10) / share)]
    assert speech.likeness("cat") == pytest.approx(expected, rel=1e-5)


def test_runs_cross_the_borders_of_words_and_forgive_an_ending() -> None:
    assert "s up" in runs("blows up")
    assert len(runs("numbers blow up") & runs("number blows up")) > 6
    assert runs("x" * 10 * LONGEST) == {" xxx", "xxxx", "xxx "}
