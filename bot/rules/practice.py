"""Practice that remembers: what was wrong comes back soon and with other numbers, what was right comes back later.

When a generator is due again is decided by FSRS-6, a model of human memory with three quantities (stability,
difficulty, retrievability), fitted to hundreds of millions of reviews; Ye et al., "A stochastic shortest path
algorithm for optimizing spaced repetition scheduling", KDD 2022, and the library `fsrs`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fsrs import Card, Rating, Scheduler

WANTED_RETENTION = 0.9
"""A question is due when the chance of answering it right has fallen to this."""
MASTERED = 0.9

_SCHEDULER = Scheduler(desired_retention=WANTED_RETENTION, enable_fuzzing=False)


@dataclass(frozen=True, slots=True)
class Memory:
    """What one member remembers of one generator. `state` is FSRS's own, as JSON; `due_at` in seconds since 1970."""

    generator: str
    topic: str
    state: str
    due_at: float


def review(before: Memory | None, generator: str, topic: str, right: bool, now: float) -> Memory:
    """The memory after one more answer. A wrong answer counts as forgotten, a right one as remembered.

    FSRS also knows "hard" and "easy", which only the member could tell; asking would cost more than it gains."""
    card = Card(card_id=0, due=_date(now)) if before is None else Card.from_dict(json.loads(before.state))
    card, _ = _SCHEDULER.review_card(card, Rating.Good if right else Rating.Again, review_datetime=_date(now))
    return Memory(generator, topic, json.dumps(card.to_dict()), card.due.timestamp())


def retrievability(memory: Memory, now: float) -> float:
    """The chance of a right answer now, 0..1 (FSRS-6's power forgetting curve)."""
    return float(_SCHEDULER.get_card_retrievability(Card.from_dict(json.loads(memory.state)), _date(now)))


def was_wrong(memory: Memory) -> bool:
    """Whether the last answer was wrong: only that puts FSRS's first learning step in front of a question."""
    return json.loads(memory.state).get("step") == 0


def due(memories: Iterable[Memory], now: float) -> list[Memory]:
    """What is to be asked again now, the most overdue first."""
    return sorted((memory for memory in memories if memory.due_at <= now), key=lambda memory: memory.due_at)


@dataclass(frozen=True, slots=True)
class Mastery:
    """How well a member knows a topic: `met` of the topic's generators have been asked, `share` is the mean chance of
    answering those right today. One that was wrong last time counts as 0: for FSRS it's fresh in memory, because the
    answer has just been shown."""

    topic: str
    met: int
    share: float

    @property
    def mastered(self) -> bool:
        return self.share >= MASTERED


def mastery(memories: Sequence[Memory], now: float) -> list[Mastery]:
    """By topic, the shakiest first."""
    topics = sorted({memory.topic for memory in memories})
    by_topic = [
        (topic, [0.0 if was_wrong(m) else retrievability(m, now) for m in memories if m.topic == topic])
        for topic in topics
    ]
    found = [Mastery(topic, len(chances), sum(chances) / len(chances)) for topic, chances in by_topic]
    return sorted(found, key=lambda one: (one.share, one.topic))


def _date(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
