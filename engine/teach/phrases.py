"""How much a question is like one of the cards' names, word for word.

Which words say something differs from one use to another: "hard", "same" or "without" tell no card's text from
another's, but they tell "which examples are hard" from "few examples". So the names are compared with nearly all of
their words, each weighted by how rare it is among the names."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from engine.teach.words import FUNCTION_WORDS, words

MAX_WORDS = 80
UNSEEN = 0.7
"""What a word weighs that no name has, as a share of the most that a word can weigh: a question is longer than a name,
and its further words are no reason against it."""


class Phrases:
    """The names of all cards: titles and aliases."""

    def __init__(self, names: Sequence[Sequence[str]]) -> None:
        """`names`: of each card in turn."""
        self._cards = len(names)
        phrases = [(i, set(words(name, FUNCTION_WORDS))) for i, card in enumerate(names) for name in card]
        frequency = Counter(word for _, phrase in phrases for word in phrase)
        n = len(phrases)
        self._weights = {word: math.log(1 + (n - f + 0.5) / (f + 0.5)) for word, f in frequency.items()}
        self._unseen = UNSEEN * math.log(1 + n)
        self._owners = [i for i, _ in phrases]
        self._sizes = [self._size(phrase) for _, phrase in phrases]
        self._having: dict[str, list[int]] = defaultdict(list)
        for place, (_, phrase) in enumerate(phrases):
            for word in phrase:
                self._having[word].append(place)

    def likeness(self, question: str) -> list[float]:
        """Of each card, 0..1: Dice's coefficient, weighted, of the question and the most similar of its names."""
        asked = set(words(question, FUNCTION_WORDS)[:MAX_WORDS])
        common: dict[int, float] = defaultdict(float)
        for word in asked & self._having.keys():
            for place in self._having[word]:
                common[place] += self._weights[word]
        size = self._size(asked)
        best = [0.0] * self._cards
        for place, weight in common.items():
            owner = self._owners[place]
            best[owner] = max(best[owner], 2 * weight / (size + self._sizes[place]))
        return best

    def _size(self, phrase: set[str]) -> float:
        return sum(self._weights.get(word, self._unseen) for word in phrase)
