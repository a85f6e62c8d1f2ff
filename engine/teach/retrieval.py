"""Finds the card that answers a question, or says that none does.

Two BM25 indexes, one over names (title, aliases, topic), one over text and code; a match in a name counts more. BM25
alone can't say "I don't know": its best card always has some score. So two more things are asked: how much of the
question's information the best card covers (words weighted by their inverse document frequency; a word that no card
has weighs as much as the rarest), and how strong the match is.

A question that is nearly one of the card's titles or aliases, word for word, is raised further (Dice's coefficient).

BM25: Robertson & Zaragoza 2009, The Probabilistic Relevance Framework, https://doi.org/10.1561/1500000019."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.teach.deck import Card
from engine.teach.phrases import Phrases
from engine.teach.topics import TOPICS
from engine.teach.words import PARTS, words

MAX_QUESTION_WORDS = 60
"""A pasted page says less with every further word; what is asked stands at its beginning."""

NAME_WEIGHT = 2.0
NAME_B = 0.2
"""How much BM25 holds a long list of names against a card: a card with many aliases is no worse for it."""

PHRASE_WEIGHT = 6.0
"""Against a BM25 score of 1 for a match in the text."""

WORDING_WEIGHT = 10.0
"""Of the same comparison with nearly all words left in; see `phrases.py`."""

MESSAGE_WEIGHT = 6.0
"""What a quoted error message adds for the card that explains it: a card on an error is what somebody who has it
wants, and nobody else."""

MESSAGE_PENALTY = 4.0
QUOTED = 0.6
"""The share of a message's information from which on it counts as quoted."""

BY_NAME = 0.79
"""Likeness from which on a question is a card's name, be it with a slip of the keyboard."""

TYPO_WEIGHT = 0.8
"""What a word counts that was only understood after mending its spelling."""

TYPO_CUTOFF = 0.82
"""Ratio of difflib: one wrong letter in five or six, a swapped pair in seven."""

TEXT_COVERAGE = 0.6
"""What a word is covered that stands in the card's text or code, but in none of its names."""

COVERAGE_POINTS = 6.0
MIN_CONFIDENCE = 20.5
"""An answer is given if score + COVERAGE_POINTS * coverage reaches this. The weights and the threshold were chosen on
the tuning halves of tests/engine/teach/asked.toml; docs/teach.md has the figures."""


MIN_INFORMATION = 2.0
"""Nats: what one word says that stands in one card of seven. A question that says less (a lone "time", "loss") is only
answered if it is exactly a card's title or alias."""


@dataclass(frozen=True)
class Match:
    card: Card
    score: float
    coverage: float
    """0..1: how much of the question's information the card's words cover."""

    @property
    def confidence(self) -> float:
        """What cards are ranked by, and what decides whether the best one is an answer."""
        return self.score + COVERAGE_POINTS * self.coverage


@dataclass(frozen=True)
class Answer:
    known: bool
    matches: tuple[Match, ...]
    """Best first, at most as many as asked for; empty when no word of the question is in any card."""


class Index:
    """The searchable deck. Building it takes some hundredths of a second for a hundred cards."""

    def __init__(self, cards: Sequence[Card]) -> None:
        import bm25s  # pulls in scipy: a second or two, only for those who ask

        self._cards = tuple(cards)
        names = [words(" ".join((c.title, c.title, *c.aliases, c.id))) for c in cards]
        bodies = [words(f"{c.text} {c.code} {TOPICS[c.topic]}") for c in cards]
        self._indexes = []
        for corpus, weight, b in ((names, NAME_WEIGHT, NAME_B), (bodies, 1.0, 0.75)):
            index = bm25s.BM25(method="lucene", b=b)
            index.index(corpus, show_progress=False)
            self._indexes.append((index, weight))
        self._in_names = [set(name) for name in names]
        self._in_bodies = [set(body) for body in bodies]
        self._phrases = [[set(words(phrase)) for phrase in (c.title, *c.aliases)] for c in cards]
        self._wordings = Phrases([(c.title, *c.aliases) for c in cards])
        self._messages = [set(words(c.message)) for c in cards]
        frequency = Counter(word for a, b in zip(self._in_names, self._in_bodies, strict=True) for word in a | b)
        n = len(cards)
        self._rarity = {word: math.log(1 + (n - f + 0.5) / (f + 0.5)) for word, f in frequency.items()}
        # "yes or no loss" is only "loss" without its stop words: no name of a card
        self._phrases = [
            [
                phrase
                for phrase in phrases
                if phrase <= set(words(f"{card.id} {card.title}"))
                or sum(self._rarity[word] for word in phrase) >= MIN_INFORMATION
            ]
            for phrases, card in zip(self._phrases, self._cards, strict=True)
        ]
        self._messages = [{word for word in message if word in self._rarity} for message in self._messages]
        self._unseen = max(self._rarity.values(), default=1.0)
        self._name_words = sorted({word for name in self._in_names for word in name if len(word) > 4} | set(PARTS))

    def _mend(self, word: str) -> list[str]:
        """What `word` is a slip of the keyboard away from, among the words of the cards' names; else nothing."""
        if len(word) < 5 or not word.isascii():
            return []
        close = difflib.get_close_matches(word, self._name_words, n=1, cutoff=TYPO_CUTOFF)
        if not close or close[0][:2] != word[:2] or abs(len(close[0]) - len(word)) > 2:
            return []
        return words(close[0]) if close[0] in PARTS else close

    def search(self, question: str, limit: int = 3) -> Answer:
        """The cards nearest to `question`, any text at all; `known` if the best one answers it."""
        asked: dict[str, float] = {}  # word -> how sure we are of it
        unseen = 0
        for word in dict.fromkeys(words(question)[:MAX_QUESTION_WORDS]):
            if word in self._rarity:
                asked[word] = 1.0
            elif mended := self._mend(word):
                for each in mended:
                    asked.setdefault(each, TYPO_WEIGHT)
            else:
                unseen += 1
        if not asked:
            return Answer(False, ())
        scores = [0.0] * len(self._cards)
        for index, weight in self._indexes:
            for word, sureness in asked.items():
                for i, score in enumerate(index.get_scores([word])):
                    scores[i] += weight * sureness * float(score)
        total = sum(self._rarity[word] for word in asked) + unseen * self._unseen
        likeness = [self._likeness(i, asked, total) for i in range(len(scores))]
        wordings = self._wordings.likeness(question)
        scores = [
            score
            + PHRASE_WEIGHT * like**2
            + WORDING_WEIGHT * worded**2
            + (0.0 if like >= BY_NAME else self._of_message(i, asked))
            for i, (score, like, worded) in enumerate(zip(scores, likeness, wordings, strict=True))
        ]
        found = [
            Match(card, score, self._coverage(i, asked, total))
            for i, (card, score) in enumerate(zip(self._cards, scores, strict=True))
            if score > 0
        ]
        matches = tuple(sorted(found, key=lambda match: (-match.confidence, match.card.id))[:limit])
        named = max(likeness) >= BY_NAME and bool(matches) and likeness[self._cards.index(matches[0].card)] >= BY_NAME
        known = bool(matches) and (matches[0].confidence >= MIN_CONFIDENCE or named)
        if total < MIN_INFORMATION and max(likeness) < 0.999:
            known = False
        return Answer(known, matches)

    def weights(self, text: str) -> dict[str, float]:
        """What each word of `text` says, in nats; one that no card has says as much as the rarest that one has."""
        return {word: self._rarity.get(word, self._unseen) for word in words(text)[:MAX_QUESTION_WORDS]}

    def likeness(self, one: str, other: str) -> float:
        """0..1: Dice's coefficient of two texts' words, weighted by what they say."""
        a, b = self.weights(one), self.weights(other)
        size = sum(a.values()) + sum(b.values())
        return 2 * sum(weight for word, weight in a.items() if word in b) / size if size else 0.0

    def _of_message(self, i: int, asked: dict[str, float]) -> float:
        """What a card on an error message gains where the message is quoted, and loses where it isn't."""
        message = self._messages[i]
        if not message:
            return 0.0
        size = sum(self._rarity[word] for word in message) or 1.0
        quoted = sum(self._rarity[word] for word in message if word in asked) / size
        return MESSAGE_WEIGHT * quoted if quoted >= QUOTED else -MESSAGE_PENALTY

    def _likeness(self, i: int, asked: dict[str, float], total: float) -> float:
        """Dice's coefficient, weighted by rarity, of the question and the card's most similar title or alias."""
        best = 0.0
        for phrase in self._phrases[i]:
            common = sum(asked[word] * self._rarity[word] for word in phrase if word in asked)
            size = sum(self._rarity[word] for word in phrase)
            best = max(best, 2 * common / (size + total)) if common else best
        return best

    def _coverage(self, i: int, asked: dict[str, float], total: float) -> float:
        covered = 0.0
        for word, sureness in asked.items():
            if word in self._in_names[i]:
                covered += sureness * self._rarity[word]
            elif word in self._in_bodies[i]:
                covered += TEXT_COVERAGE * sureness * self._rarity[word]
        return covered / total
