"""Finds the card that answers a question, or says that none does.

Each card is compared with the question in six ways, and a weighted sum of the six ranks the cards:

- `letters`, `stems`: how likely those who ask for the card put a question so (`speech.py`), over all its phrases;
- `names`: Dice's coefficient with the most similar title or alias, over the words that say what a text is about,
  weighted by how rare they are, squared;
- `wording`: the same over nearly all words (`phrases.py`);
- `term`: the same as `names` with the card's id alone, to the fourth power: who names a thing wants its own card;
- `message`: whether the error message is quoted that the card explains.

The best card always has some score. Whether it's an answer is decided by a logistic model of how strong the match is
and how far the best card is ahead, of how much of the question's information it covers, and of whether the question
sounds more like those that nothing here answers (`outside.toml`). All weights are in `weights.toml`; `fitting.py`
chose them, and docs/teach.md has the figures."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.teach.deck import Card
from engine.teach.phrases import Phrases
from engine.teach.speech import RUN_PRIOR, WORD_PRIOR, Speech, runs, stems
from engine.teach.topics import TOPICS
from engine.teach.words import PARTS, words

WEIGHTS = Path(__file__).parent / "weights.toml"
OUTSIDE = Path(__file__).parent / "outside.toml"

MAX_QUESTION_WORDS = 60
"""A pasted page says less with every further word; what is asked stands at its beginning."""

MESSAGE_GAIN, MESSAGE_PENALTY = 1.5, 1.0
"""What a quoted error message counts for the card that explains it, and what its absence counts against it: a card on
an error is what somebody who has it wants, and nobody else."""

QUOTED = 0.6
"""The share of a message's information from which on it counts as quoted."""

BY_NAME = 0.79
"""Likeness from which on a question is a card's name, be it with a slip of the keyboard."""

TYPO_WEIGHT = 0.8
"""What a word counts that was only understood after mending its spelling."""

TYPO_CUTOFF = 0.82
"""Ratio of difflib: one wrong letter in five or six, a swapped pair in seven."""

TEXT_COVERAGE = 0.6
"""What a word is covered that stands in the card's text or code, but in none of its phrases."""

MIN_INFORMATION = 2.0
"""Nats: what one word says that stands in one card of seven. A question that says less (a lone "time", "loss") is only
answered if it is exactly a card's title or alias."""

FEATURES = ("letters", "stems", "names", "wording", "term", "message")
SIGNS = (
    "score", "rivals", "coverage", "unknown_words", "letters", "stems", "letters_outside", "stems_outside", "name",
    "wording",
)  # fmt: skip
"""What decides whether the best card is an answer, in the order of `Index.signs`."""


@dataclass(frozen=True)
class Match:
    card: Card
    score: float
    """What cards are ranked by. A difference of 1 makes a card e times as likely."""
    coverage: float
    """0..1: how much of the question's information the card's words cover."""


@dataclass(frozen=True)
class Answer:
    known: bool
    matches: tuple[Match, ...]
    """Best first, at most as many as asked for; empty when no word of the question is in any card."""
    sureness: float = 0.0
    """0..1: how likely the best card is an answer, by the questions that the weights were fitted on."""
    is_near: bool = False
    """Whether the cards are worth a look where they are no answer."""


@dataclass(frozen=True)
class Weights:
    """`weights.toml`."""

    ranking: Mapping[str, float]
    refusal: Mapping[str, float]
    bias: float
    answer_from: float
    """The sureness from which on a card is given as the answer."""
    offer_from: float
    """The sureness from which on the nearest cards are worth a look."""

    @classmethod
    def read(cls, path: Path = WEIGHTS) -> Weights:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(found["ranking"], found["refusal"], found["bias"], found["answer_from"], found["offer_from"])


@dataclass(frozen=True)
class Compared:
    """A question against all cards."""

    features: np.ndarray
    """(cards, len(FEATURES))"""
    coverage: np.ndarray
    likeness: np.ndarray
    """(cards,), 0..1: Dice's coefficient with the most similar name."""
    outside: tuple[float, float]
    """How much the question sounds like those that no card answers: by letters, by stems."""
    information: float
    """Nats, of the whole question."""
    unknown_words: float
    """0..1: the share of the information that is in words that no card has."""
    asked: Mapping[str, float] = field(default_factory=dict)


def outside_questions(path: Path = OUTSIDE) -> list[str]:
    """Questions that no card answers, from all sections of the file."""
    return [question for section in tomllib.loads(path.read_text(encoding="utf-8")).values() for question in section]


class Index:
    """The searchable deck. Building it takes about a second for 280 cards with 10,000 phrases."""

    def __init__(
        self, cards: Sequence[Card], weights: Weights | None = None, outside: Sequence[str] | None = None
    ) -> None:
        self._cards = tuple(cards)
        self.weights_used = Weights.read() if weights is None else weights
        nothing = tuple(outside_questions() if outside is None else outside)
        bodies = [f"{c.text} {c.code}" for c in cards]
        said = [(c.title, *c.aliases, *c.asked) for c in cards]
        self._letters = Speech([*said, nothing], [*bodies, ""], runs, RUN_PRIOR)
        self._stems = Speech([*said, nothing], [*bodies, ""], stems, WORD_PRIOR)
        self._wordings = Phrases([(c.title, *c.aliases) for c in cards])
        names = [[words(phrase) for phrase in (c.title, *c.aliases)] for c in cards]
        self._in_names = [
            {word for name in of_card for word in name} | set(words(card.id))
            for of_card, card in zip(names, self._cards, strict=True)
        ]
        self._in_phrases = [
            known.union(*(words(question) for question in card.asked))
            for known, card in zip(self._in_names, self._cards, strict=True)
        ]
        self._in_bodies = [
            set(words(f"{body} {TOPICS[card.topic]}")) for body, card in zip(bodies, self._cards, strict=True)
        ]
        self._rarity = self._rarities()
        self._unseen = max(self._rarity.values(), default=1.0)
        self._names = [self._telling(of_card, card) for of_card, card in zip(names, self._cards, strict=True)]
        self._terms = [self._sized(words(card.id)) for card in self._cards]
        self._messages = [{word for word in words(c.message) if word in self._rarity} for c in cards]
        by_beginning: dict[str, list[str]] = {}
        for word in sorted({word for name in self._in_names for word in name if len(word) > 4} | set(PARTS)):
            by_beginning.setdefault(word[:2], []).append(word)
        self._by_beginning = by_beginning

    def _rarities(self) -> dict[str, float]:
        frequency = Counter(word for a, b in zip(self._in_phrases, self._in_bodies, strict=True) for word in a | b)
        n = len(self._cards)
        return {word: math.log(1 + (n - f + 0.5) / (f + 0.5)) for word, f in frequency.items()}

    def _telling(self, names: Sequence[Sequence[str]], card: Card) -> list[tuple[set[str], float]]:
        """The names with what they say in nats. "yes or no loss" is only "loss" without its stop words: no name."""
        own = set(words(f"{card.id} {card.title}"))
        sized = [self._sized(name) for name in names]
        return [(name, size) for name, size in sized if name and (name <= own or size >= MIN_INFORMATION)]

    def _sized(self, name: Sequence[str]) -> tuple[set[str], float]:
        return set(name), sum(self._rarity[word] for word in set(name))

    # ------------------------------------------------------------ asking it

    def search(self, question: str, limit: int = 3) -> Answer:
        """The cards nearest to `question`, any text at all; `known` if the best one answers it."""
        compared = self.compare(question)
        if compared is None:
            return Answer(False, ())
        scores = self.scores(compared)
        order = sorted(range(len(scores)), key=lambda i: (-scores[i], self._cards[i].id))[:limit]
        matches = tuple(Match(self._cards[i], float(scores[i]), float(compared.coverage[i])) for i in order)
        sureness = self.sureness(compared, scores)
        likest = float(compared.likeness.max())
        named = likest >= BY_NAME and compared.likeness[order[0]] >= BY_NAME
        known = sureness >= (self.weights_used.offer_from if named else self.weights_used.answer_from)
        if compared.information < MIN_INFORMATION and likest < 0.999:
            known = False
        return Answer(known, matches, sureness, known or sureness >= self.weights_used.offer_from)

    def compare(self, question: str) -> Compared | None:
        """None if no word of the question is in any card."""
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
        by_stems = self._stems.likeness(question)
        if not asked and not by_stems.any():
            return None
        by_letters = self._letters.likeness(question)
        n = len(self._cards)
        total = sum(self._rarity[word] for word in asked) + unseen * self._unseen
        likeness = np.array([self._dice(names, asked, total) for names in self._names])
        wording = np.array(self._wordings.likeness(question))
        terms = np.array([self._dice([own], asked, total) for own in self._terms])
        messages = [0.0 if likeness[i] >= BY_NAME else self._of_message(i, asked) for i in range(n)]
        return Compared(
            features=np.stack(
                [by_letters[:n], by_stems[:n], likeness**2, wording**2, terms**4, np.array(messages)], axis=1
            ),
            coverage=np.array([self._coverage(i, asked, total) for i in range(n)]),
            likeness=likeness,
            outside=(float(by_letters[n]), float(by_stems[n])),
            information=total,
            unknown_words=unseen * self._unseen / total if total else 1.0,
            asked=asked,
        )

    def scores(self, compared: Compared) -> np.ndarray:
        """(cards,)"""
        ranking: np.ndarray = compared.features @ [self.weights_used.ranking[name] for name in FEATURES]
        return ranking

    def signs(self, compared: Compared, scores: np.ndarray) -> dict[str, float]:
        """What says whether the best card is an answer; the keys are `SIGNS`."""
        best = int(scores.argmax())
        letters, by_stems, _, wording, *_ = compared.features[best]
        values = (
            float(scores[best]),
            math.log(float(np.exp(scores - scores[best]).sum())),
            float(compared.coverage[best]),
            compared.unknown_words,
            float(letters),
            float(by_stems),
            *compared.outside,
            float(compared.likeness[best]),
            math.sqrt(float(wording)),
        )
        return dict(zip(SIGNS, values, strict=True))

    def sureness(self, compared: Compared, scores: np.ndarray) -> float:
        """0..1"""
        signs = self.signs(compared, scores)
        used = self.weights_used
        total = used.bias + sum(weight * signs[name] for name, weight in used.refusal.items())
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))

    def weights(self, text: str) -> dict[str, float]:
        """What each word of `text` says, in nats; one that no card has says as much as the rarest that one has."""
        return {word: self._rarity.get(word, self._unseen) for word in words(text)[:MAX_QUESTION_WORDS]}

    def likeness(self, one: str, other: str) -> float:
        """0..1: Dice's coefficient of two texts' words, weighted by what they say."""
        a, b = self.weights(one), self.weights(other)
        size = sum(a.values()) + sum(b.values())
        return 2 * sum(weight for word, weight in a.items() if word in b) / size if size else 0.0

    # ------------------------------------------------------------ one card

    def _mend(self, word: str) -> list[str]:
        """What `word` is a slip of the keyboard away from, among the words of the cards' names; else nothing."""
        if len(word) < 5 or not word.isascii():
            return []
        near = [other for other in self._by_beginning.get(word[:2], ()) if abs(len(other) - len(word)) <= 2]
        close = difflib.get_close_matches(word, near, n=1, cutoff=TYPO_CUTOFF)
        return words(close[0]) if close and close[0] in PARTS else close

    def _of_message(self, i: int, asked: Mapping[str, float]) -> float:
        """What a card on an error message gains where the message is quoted, and loses where it isn't."""
        message = self._messages[i]
        if not message:
            return 0.0
        size = sum(self._rarity[word] for word in message) or 1.0
        quoted = sum(self._rarity[word] for word in message if word in asked) / size
        return MESSAGE_GAIN * quoted if quoted >= QUOTED else -MESSAGE_PENALTY

    def _dice(self, names: Sequence[tuple[set[str], float]], asked: Mapping[str, float], total: float) -> float:
        """Dice's coefficient, weighted by rarity, of the question and the most similar of a card's names."""
        best = 0.0
        for name, size in names:
            common = sum(asked[word] * self._rarity[word] for word in name if word in asked)
            best = max(best, 2 * common / (size + total)) if common else best
        return best

    def _coverage(self, i: int, asked: Mapping[str, float], total: float) -> float:
        covered = 0.0
        for word, sureness in asked.items():
            if word in self._in_phrases[i]:
                covered += sureness * self._rarity[word]
            elif word in self._in_bodies[i]:
                covered += TEXT_COVERAGE * sureness * self._rarity[word]
        return covered / total if total else 0.0
