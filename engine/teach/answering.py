"""Puts an answer together: what was computed, the cards, the documentation, and the course's own notes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from engine.contract import engine_pb2 as pb
from engine.contract.course_words import in_course_words, numbers_in
from engine.errors import BadOption
from engine.teach.deck import Card
from engine.teach.retrieval import BY_NAME, MIN_INFORMATION, Index, Match
from engine.teach.traceback_text import asked_in
from engine.teach.words import words

if TYPE_CHECKING:
    from engine.teach.reference.index import Reference
    from engine.uploads import Reading

ALSO_WORTH_READING = 3.0
"""A second card is sent along with an answer if its score is no further below the first one's: e**3 is 20, so it's
at least a twentieth as likely."""

QUOTED, QUOTED_BESIDE_A_CARD = 0.6, 0.75
"""The share of a question's information that a passage of the notes must have to be quoted."""

LONGEST_QUESTION = 8000
"""Characters; Discord has 4000. Questions share one thread, and one of a megabyte would hold it for seconds."""
MOST_ALIASES, MOST_PASSAGES = 500, 100
"""Of a server, that a question brings along; the bot sends 200 and 12."""

MOST_QUOTES, MOST_ENTRIES, MOST_STEPS = 2, 2, 40
MOST_TEXT = 2000

_WANTS_THE_DOCUMENTATION = re.compile(
    r"\b(?:signature|arguments?|args|parameters?|defaults?|docs?|documentation|docstring|keyword|kwargs)\b",
    re.IGNORECASE,
)


class Answering:
    """The deck, its index and the reference, and what a question gets out of them."""

    def __init__(self, cards: Sequence[Card], index: Index, reference: Reference) -> None:
        self._cards = {card.id: card for card in cards}
        self._index, self._reference = index, reference

    def reply(self, request: pb.AskRequest, calculated: Reading | None) -> pb.AskReply:
        """Raises `BadOption` for a card or an entry that is asked for by its name and isn't there."""
        if request.card_id:
            card = self._cards.get(request.card_id)
            if card is None:
                raise BadOption("That card isn't in the deck any more.")
            return pb.AskReply(known=True, cards=[self._message(Match(card, 0.0, 1.0))])
        if request.symbol:
            entry = self._reference.find(request.symbol)
            if entry is None:
                raise BadOption(
                    "I don't have that page of the documentation right now; please try again in a few minutes."
                )
            return pb.AskReply(entries=[self._reference.message(entry)])
        return self._searched(request, calculated)

    def _searched(self, request: pb.AskRequest, calculated: Reading | None) -> pb.AskReply:
        question = asked_in(request.question[:LONGEST_QUESTION])
        answer = self._index.search(question)
        matches = answer.matches
        named = self._reference.named_in(question)
        if "\n" in question.strip() and not _WANTS_THE_DOCUMENTATION.search(question):
            named = []  # lines of code ask about what they do, not for the page of the first name in them
        alias = self._given_by_staff(question, request.aliases[:MOST_ALIASES])
        known = answer.known
        if alias is not None:
            matches = (Match(alias, 0.0, 1.0), *(m for m in matches if m.card is not alias))
            known, kept = True, list(matches[:1])
        elif known and named and self._wants_entry(question, named):
            known, kept = False, list(matches[:1])
        elif known:
            kept = [m for m in matches if m.score >= matches[0].score - ALSO_WORTH_READING]
        else:
            kept = list(matches) if answer.is_near else []
        entries = named or ([] if known else self._reference.search(question))
        reply = pb.AskReply(
            known=known,
            cards=[self._message(match) for match in kept],
            entries=[self._reference.message(entry, question) for entry in entries[:MOST_ENTRIES]],
            quotes=self._quotes(question, request.passages[:MOST_PASSAGES], known),
        )
        if calculated is not None and (calculation := _calculation(calculated)) is not None:
            reply.calculation.CopyFrom(calculation)
        return reply

    def _wants_entry(self, question: str, named: Sequence[object]) -> bool:
        """Whether a question that names something of PyTorch's asks for its documentation, not for the concept."""
        return bool(_WANTS_THE_DOCUMENTATION.search(question)) or len(question.split()) == 1

    def _given_by_staff(self, question: str, aliases: Iterable[pb.Alias]) -> Card | None:
        best: tuple[float, Card | None] = (BY_NAME, None)
        for alias in aliases:
            card = self._cards.get(alias.card_id)
            like = self._index.likeness(question, alias.question)
            if card is not None and like >= best[0]:
                best = (like, card)
        return best[1]

    def _quotes(self, question: str, passages: Sequence[pb.Passage], known: bool) -> list[int]:
        """The places of the passages that say most of what is asked; "exercise 3" isn't answered by exercise 2's."""
        asked = in_course_words(question)
        weights, numbers = self._index.weights(asked), numbers_in(asked)
        total = sum(weights.values())
        if total < MIN_INFORMATION:
            return []
        least = QUOTED_BESIDE_A_CARD if known else QUOTED
        covered = []
        for i, passage in enumerate(passages):
            text = in_course_words(f"{passage.heading}\n{passage.text}")
            there = set(words(text))
            share = sum(weight for word, weight in weights.items() if word in there) / total
            if share >= least:
                covered.append((not numbers <= numbers_in(text), -share, i))
        covered.sort()
        return [i for otherwise, _, i in covered if otherwise == covered[0][0]][:MOST_QUOTES]

    def _message(self, match: Match) -> pb.Card:
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
            see=[pb.Card.Link(id=other, title=self._cards[other].title) for other in card.see if other in self._cards],
            message=card.message,
            symbol=self._reference.symbol_of(card.source),
        )


def _calculation(calculated: Reading) -> pb.AskReply.Calculation | None:
    """What intake says it computed; it isn't trusted, so it's cut to what an answer can be."""
    facts = calculated.facts
    if problem := facts.get("problem"):
        return pb.AskReply.Calculation(problem=str(problem)[:300])
    if not facts.get("answer"):
        return None
    steps = facts.get("steps")
    return pb.AskReply.Calculation(
        asked=str(facts.get("asked", ""))[:MOST_TEXT],
        answer=str(facts["answer"])[:MOST_TEXT],
        steps=[str(step)[:500] for step in steps[:MOST_STEPS]] if isinstance(steps, list) else [],
    )
