"""The teaching room's front: topics, answers from the cards, quiz questions. The server and the CLI call this only."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from engine.contract import engine_pb2 as pb
from engine.contract.typed import is_number_or_shape
from engine.errors import BadOption
from engine.progress import silent
from engine.teach.answering import Answering
from engine.teach.bank.reading import Fixed, ask_fixed, load_bank
from engine.teach.calculator.answering import may_be_calculation, read_calculation
from engine.teach.deck import Card, load_deck
from engine.teach.notes.reading import notes_upload, passages_of
from engine.teach.questions import GENERATORS
from engine.teach.questions.question import Generator, Kind, Question, as_typed, compose
from engine.teach.reference.index import Reference
from engine.teach.retrieval import Index
from engine.teach.topics import TOPICS, nearest_topic, normalise
from engine.uploads import CALCULATION, Reading, Upload

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_SEED = 2**64 - 1
"""Of the contract's uint64."""

DRAWN_SEEDS = 2**32
"""Seeds that are drawn here stay short enough to be typed in again."""

TYPED_SHARE = 0.25
"""Of the generated questions that could be typed: recalling is worth more than recognising, and takes longer."""

BUTTON_KINDS = frozenset({Kind.ONE, Kind.BUG})
"""Kinds that are answered by choosing exactly one option: what a request gets that names none."""


class Library:
    """Cards, retrieval and questions, all from files of this package. Importing and making it does not load torch;
    the first question does, and the first `ask` builds the search index (a second or two)."""

    def __init__(
        self,
        cards: Sequence[Card] | None = None,
        draw_seed: Callable[[], int] = lambda: secrets.randbelow(DRAWN_SEEDS),
        reference: Reference | None = None,
    ) -> None:
        self.reference = Reference() if reference is None else reference
        self._cards = tuple(load_deck() if cards is None else cards)
        self._bank = load_bank()
        self._draw_seed = draw_seed
        self._index: Index | None = None

    @property
    def card_count(self) -> int:
        return len(self._cards)

    @property
    def generator_count(self) -> int:
        return len(GENERATORS)

    @property
    def fixed_count(self) -> int:
        return len(self._bank)

    def names(self, topic: str = "", kinds: Collection[Kind] = BUTTON_KINDS, pictures: bool = False) -> list[str]:
        """The names of the generators and fixed questions that may be asked; all topics without `topic`."""
        return [_name(source) for source in self._sources(topic, kinds, pictures)]

    def topics(self) -> list[str]:
        """The topics that a quiz can be asked for, in the course's order."""
        return list(TOPICS)

    def warm(self) -> None:
        """Does now what the first `ask` and the first `quiz` would otherwise wait for."""
        self.reference.load_or_harvest()
        self.ask("tensor")
        self.quiz(pb.QuizRequest(seed=0))

    def ask(self, question: str) -> pb.AskReply:
        """`answer` to a question on this machine: no notes, no aliases, and what it asks to compute computed here."""
        request = pb.AskRequest(question=question)
        upload = self.calculation(request)
        return self.answer(request, read_calculation(upload.data, {}, silent) if upload else None)

    def calculation(self, request: pb.AskRequest) -> Upload | None:
        """What intake is to compute before `answer`, if anything."""
        if request.card_id or request.symbol or not may_be_calculation(request.question):
            return None
        return Upload(CALCULATION, request.question.encode("utf-8", "replace"))

    def answer(self, request: pb.AskRequest, calculated: Reading | None) -> pb.AskReply:
        """What answers a question: the calculation, cards, entries of the reference, passages of the request, best
        first of each; or, with `known` false, the cards of the nearest topics, if any."""
        return Answering(self._cards, self._index_of_cards(), self.reference).reply(request, calculated)

    def notes_upload(self, request: pb.ReadNotesRequest) -> Upload:
        """Raises `BadNotes`."""
        return notes_upload(request.data, request.filename)

    def notes(self, reading: Reading) -> pb.ReadNotesReply:
        """The passages that intake read. Raises `BadNotes`."""
        passages, cut = passages_of(reading)
        return pb.ReadNotesReply(passages=[pb.Passage(heading=p.heading, text=p.text) for p in passages], cut=cut)

    def reference_state(self) -> str:
        """For `/about`."""
        return self.reference.state()

    def _index_of_cards(self) -> Index:
        if self._index is None:
            self._index = Index(self._cards)
        return self._index

    def question(
        self,
        topic: str = "",
        seed: int | None = None,
        avoid: Sequence[str] = (),
        kinds: Collection[Kind] = BUTTON_KINDS,
        pictures: bool = False,
        name: str = "",
        card: str = "",
    ) -> Question:
        """One question of one of the `kinds`; the same arguments with the same seed give the same one again.

        Generators and fixed questions in `avoid` (the latest first) are left out as long as others of the topic are
        there; then the one that was asked longest ago comes again. With `name` it is that one that asks; with `card`
        those that the card answers do, if there are any. Where a question may be typed, a part of the generated ones
        with a number or a shape for an answer is. Raises `BadOption` for an unknown topic or name."""
        allowed = self._sources(topic, kinds, pictures)
        if name:
            allowed = [source for source in self._sources("", tuple(Kind), True) if _name(source) == name]
            if not allowed:
                raise BadOption(f"There is no question called {name[:40]!r}.")
        allowed = [source for source in allowed if card and source.card_id == card] or allowed
        seed = self._draw_seed() if seed is None else seed
        source = random.Random(f"generator:{seed}").choice(_fresh(allowed, avoid))
        if isinstance(source, Fixed):
            return ask_fixed(source, seed)
        question = compose(source, seed)
        if Kind.TYPED in kinds and is_number_or_shape(question.answer):
            return as_typed(question) if random.Random(f"kind:{seed}").random() < TYPED_SHARE else question
        return question

    def quiz(self, request: pb.QuizRequest) -> pb.QuizReply:
        """One question of a kind that the request can show, with one right option if it names none; the same request
        with the same seed gives the same one again. A generator that is no longer there is as good as none named.

        Raises `BadOption` for an unknown topic or kind."""
        seed = request.seed if request.HasField("seed") else None
        unknown = set(request.kinds) - set(Kind)
        if unknown:
            raise BadOption(f"There is no kind of question called {min(unknown)[:40]!r}.")
        kinds = frozenset(map(Kind, request.kinds)) or BUTTON_KINDS
        known = request.generator in self.names("", kinds, request.pictures)
        name = request.generator if known else ""
        topic = self._topic_of_card(request.card) or request.topic
        question = self.question(topic, seed, request.avoid, kinds, request.pictures, name, request.card)
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
            reasons=question.reasons,
            kind=question.kind,
            answer=question.answer,
            right=question.right,
            orders=[pb.QuizReply.Order(places=order) for order in question.orders],
            picture=question.picture,
            alt=question.alt,
            slips=[pb.QuizReply.Slip(answer=answer, reason=reason) for answer, reason in question.slips],
            fixed=question.is_fixed,
        )

    def _sources(self, topic: str, kinds: Collection[Kind], pictures: bool) -> list[Generator | Fixed]:
        wanted = self._topic(topic) if topic else ""
        generators = [g for g in GENERATORS if Kind.ONE in kinds and (pictures or not g.pictured)]
        fixed = [f for f in self._bank if f.kind in kinds]
        sources: list[Generator | Fixed] = [*generators, *fixed]
        return [source for source in sources if not wanted or source.topic == wanted]

    def _topic_of_card(self, card: str) -> str:
        return next((one.topic for one in self._cards if one.id == card), "")

    def _topic(self, name: str) -> str:
        topic = normalise(name)
        if topic not in TOPICS:
            raise BadOption(f"There is no topic called {name[:40]!r}; the nearest is {nearest_topic(name[:40])}.")
        return topic


def _name(source: Generator | Fixed) -> str:
    return source.name


def _fresh(allowed: Sequence[Generator | Fixed], avoid: Sequence[str]) -> Sequence[Generator | Fixed]:
    """Those that aren't to be avoided, or else the one that was asked longest ago; `avoid` names the latest first."""
    asked = {name: place for place, name in reversed(list(enumerate(avoid)))}
    fresh = [source for source in allowed if source.name not in asked]
    return fresh or [max(allowed, key=lambda source: asked[source.name])]
