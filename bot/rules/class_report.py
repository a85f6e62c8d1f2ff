"""What a class has understood: how hard each question was, how well it tells who knows, and what is believed instead.

Classical test theory: difficulty is the share of right answers, discrimination the correlation of being right on the
question with being right on the others (the corrected item-total correlation; Henrysson, Psychometrika 28, 1963).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

MIN_ANSWERS = 5
"""Fewer say nothing about a question."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One member's answer to one question that was asked in class. `item` tells questions apart, across seeds."""

    member: int
    item: str
    topic: str
    right: bool
    reasons: tuple[str, ...]
    """the misconceptions behind what was chosen wrongly, as far as they are known"""


@dataclass(frozen=True, slots=True)
class Item:
    """How a question did."""

    item: str
    topic: str
    answers: int
    right: int
    discrimination: float | None
    """-1..1; None where too few answered, or all alike"""
    misconception: str
    """what most of those who were wrong believe; "" when nobody was"""
    believers: int

    @property
    def difficulty(self) -> float:
        """Share of right answers, 0..1: high is easy, as the literature has it."""
        return self.right / self.answers


@dataclass(frozen=True, slots=True)
class Report:
    """`items` the hardest first; `topics` with the share of right answers, the weakest first; `students` with their
    right and all answers by topic."""

    items: tuple[Item, ...]
    topics: tuple[tuple[str, float, int], ...]
    students: dict[int, dict[str, tuple[int, int]]]


def report(replies: Sequence[Reply]) -> Report:
    """The report on all replies of a class."""
    by_item: defaultdict[str, list[Reply]] = defaultdict(list)
    by_topic: defaultdict[str, list[bool]] = defaultdict(list)
    students: defaultdict[int, dict[str, tuple[int, int]]] = defaultdict(dict)
    for reply in replies:
        by_item[reply.item].append(reply)
        by_topic[reply.topic].append(reply.right)
        right, all_of = students[reply.member].get(reply.topic, (0, 0))
        students[reply.member][reply.topic] = (right + reply.right, all_of + 1)
    items = [_item(name, own, replies) for name, own in by_item.items()]
    topics = [(topic, sum(rights) / len(rights), len(rights)) for topic, rights in by_topic.items()]
    return Report(
        tuple(sorted(items, key=lambda item: (item.difficulty, item.item))),
        tuple(sorted(topics, key=lambda topic: (topic[1], topic[0]))),
        dict(students),
    )


def _item(name: str, own: Sequence[Reply], replies: Sequence[Reply]) -> Item:
    beliefs = Counter(reason for reply in own if not reply.right for reason in reply.reasons)
    misconception, believers = beliefs.most_common(1)[0] if beliefs else ("", 0)
    right = sum(reply.right for reply in own)
    return Item(name, own[0].topic, len(own), right, _discrimination(name, own, replies), misconception, believers)


def _discrimination(name: str, own: Sequence[Reply], replies: Sequence[Reply]) -> float | None:
    others: defaultdict[int, list[bool]] = defaultdict(list)
    for reply in replies:
        if reply.item != name:
            others[reply.member].append(reply.right)
    pairs = [
        (float(reply.right), sum(others[reply.member]) / len(others[reply.member]))
        for reply in own
        if others[reply.member]
    ]
    return correlation(pairs) if len(pairs) >= MIN_ANSWERS else None


def correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Pearson's r; None where one side is constant."""
    count = len(pairs)
    mean_x, mean_y = sum(x for x, _ in pairs) / count, sum(y for _, y in pairs) / count
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in pairs)
    spread = math.sqrt(sum((x - mean_x) ** 2 for x, _ in pairs) * sum((y - mean_y) ** 2 for _, y in pairs))
    return covariance / spread if spread else None
