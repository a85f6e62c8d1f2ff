"""The teaching room's front: topics, answers from the cards, quiz questions. The server and the CLI call this only."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from engine.contract import engine_pb2 as pb
from engine.errors import BadOption
from engine.teach.deck import Card, load_deck
from engine.teach.questions import GENERATORS
from engine.teach.questions.question import Generator, compose
from engine.teach.retrieval import Index, Match
from engine.teach.topics import TOPICS, nearest_topic, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SEED = 2**64 - 1
"""Of the contract's uint64."""

DRAWN_SEEDS = 2**32
"""Seeds that are drawn here stay short enough to be typed in again."""

ALSO_WORTH_READING = 0.5
"""A second card is sent along with an answer if its score is at least this share of the first one's."""

NEAREST_COVERAGE = 0.25
"""Below it a card has so little to do with the question that it isn't even offered as a near topic."""


class Library:
    """Cards, retrieval and questions, all from files of this package. Importing and making it does not load torch;
    the first question does, and the first `ask` builds the search index (a second or two)."""

    def __init__(
        self,
        cards: Sequence[Card] | None = None,
        draw_seed: Callable[[], int] = lambda: secrets.randbelow(DRAWN_SEEDS),
    ) -> None:
        self._cards = tuple(load_deck() if cards is None else cards)
        self._draw_seed = draw_seed
        self._index: Index | None = None

    @property
    def card_count(self) -> int:
        return len(self._cards)

    @property
    def generator_count(self) -> int:
        return len(GENERATORS)

    def topics(self) -> list[str]:
        """The topics that a quiz can be asked for, in the course's order."""
        return list(TOPICS)

    def warm(self) -> None:
        """Does now what the first `ask` and the first `quiz` would otherwise wait for."""
        self.ask("tensor")
        self.quiz(pb.QuizRequest(seed=0))

    def ask(self, question: str) -> pb.AskReply:
        """The cards that answer `question`, best first; or, with `known` false, those of the nearest topics, if any."""
        if self._index is None:
            self._index = Index(self._cards)
        answer = self._index.search(question)
        if answer.known:
            best = answer.matches[0].score
            matches: Iterable[Match] = (m for m in answer.matches if m.score >= ALSO_WORTH_READING * best)
        else:
            matches = (m for m in answer.matches if m.coverage >= NEAREST_COVERAGE)
        return pb.AskReply(known=answer.known, cards=[_card_message(match) for match in matches])

    def quiz(self, request: pb.QuizRequest) -> pb.QuizReply:
        """One question; the same topic, seed and list to avoid give the same one again.

        Generators in `avoid` are left out as long as others of the topic are there. Raises `BadOption` for an unknown
        topic."""
        allowed = [g for g in GENERATORS if not request.topic or g.topic == self._topic(request.topic)]
        fresh = [g for g in allowed if g.name not in request.avoid] or allowed
        seed = request.seed if request.HasField("seed") else self._draw_seed()
        generator: Generator = random.Random(f"generator:{seed}").choice(fresh)
        question = compose(generator, seed)
        return pb.QuizReply(
            generator=question.generator,
            topic=question.topic,
            seed=question.seed,
            question=question.text,
            code=question.code,
            options=question.options,
            correct=question.correct,
            explanation=question.explanation,
            card_id=question.card_id,
        )

    def _topic(self, name: str) -> str:
        topic = normalise(name)
        if topic not in TOPICS:
            raise BadOption(f"There is no topic called {name[:40]!r}; the nearest is {nearest_topic(name)}.")
        return topic


def _card_message(match: Match) -> pb.Card:
    card = match.card
    return pb.Card(
        id=card.id,
        topic=card.topic,
        title=card.title,
        text=card.text,
        code=card.code,
        output=card.output,
        source=card.source,
        score=match.score,
    )
