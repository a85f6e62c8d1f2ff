"""How likely the people who ask for a card would put a question so: naive Bayes over letters and over words.

Somebody who doesn't know a term says it in words of their own, so no single name of the card is near. But over all the
phrases of a card together (title, aliases, asked questions, and, weighing less, its text) its vocabulary shows. Each
card gets a smoothed unigram model of it, as in Zhai & Lafferty 2004 (https://doi.org/10.1145/984321.984322), Dirichlet
prior: p(x|card) = (n(x,card) + mu p(x)) / (n(card) + mu), and a question's score is the mean over what it's made of of
log(p(x|card) / p(x)), times the root of how much that is. Two such models: over stems, and over runs of four letters
that cross the borders of words, which see "numbers blow up" in "number blows up" and forgive spelling."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from engine.teach.words import FUNCTION_WORDS, words

RUN = 4
LONGEST = 600
"""Characters of a question that are looked at; what is asked stands at its beginning."""

TEXT_SHARE = 0.3
"""What a card's text counts of a phrase."""

WORD_PRIOR, RUN_PRIOR = 100.0, 1000.0
"""mu, in occurrences. A card has some 40 phrases of 4 stems and of 40 runs each."""


def stems(text: str) -> set[str]:
    return set(words(text[:LONGEST], FUNCTION_WORDS))


def runs(text: str) -> set[str]:
    """All runs of four characters of `text`, without its punctuation."""
    text = re.sub(r"[^a-z0-9]+", " ", text[:LONGEST].lower())
    text = f" {text.strip()} "
    return {text[i : i + RUN] for i in range(len(text) - RUN + 1)}


class Speech:
    """One model for each of the groups of phrases that it is made of."""

    def __init__(
        self,
        phrases: Sequence[Sequence[str]],
        texts: Sequence[str],
        parts: Callable[[str], set[str]],
        prior: float,
    ) -> None:
        """`phrases` and `texts` are those of each group in turn; `parts` takes a sentence apart."""
        self._parts = parts
        self._places: dict[str, int] = {}
        rows: list[int] = []
        columns: list[int] = []
        amounts: list[float] = []
        for group, (said, text) in enumerate(zip(phrases, texts, strict=True)):
            before = len(rows)
            for phrase in said:
                rows += map(self._place, parts(phrase))
            amounts += [1.0] * (len(rows) - before)
            rows += map(self._place, _parts_of_text(text, parts))
            amounts += [TEXT_SHARE] * (len(rows) - len(amounts))
            columns += [group] * (len(rows) - before)
        shape = (len(self._places), len(texts))
        cells = np.ravel_multi_index((rows, columns), shape)
        occurrences = np.bincount(cells, amounts, shape[0] * shape[1]).reshape(shape).astype(np.float32)
        everywhere = occurrences.sum(1, keepdims=True) + 0.5
        share = everywhere / everywhere.sum()
        size = occurrences.sum(0, keepdims=True)
        self._weights = np.log((occurrences + prior * share) / (size + prior) / share)

    def _place(self, part: str) -> int:
        return self._places.setdefault(part, len(self._places))

    def likeness(self, question: str) -> np.ndarray:
        """Of each group: above 0 where the question sounds more like it than like all of them together."""
        known = [self._places[part] for part in self._parts(question) if part in self._places]
        if not known:
            return np.zeros(self._weights.shape[1], np.float32)
        return self._weights[known].sum(0) / np.sqrt(len(known))


def _parts_of_text(text: str, parts: Callable[[str], set[str]]) -> set[str]:
    return {part for start in range(0, len(text), LONGEST) for part in parts(text[start : start + LONGEST])}
