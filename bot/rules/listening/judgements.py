"""One counted vote of a closed trial, and the shares right of whole trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Design(StrEnum):
    """How a trial asks."""

    PAIR = "pair"
    """two clips, A and B, one of each kind: which one is the human?"""
    SINGLE = "single"
    """one clip: a human or the model?"""


class Reason(StrEnum):
    """What a listener went by."""

    TIMING = "timing"
    NOTES = "notes"
    SOUND = "sound"
    FORM = "form"
    FEELING = "feeling"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Who said what of which trial, and what was right.

    `clip` is what listeners' ears hang on: of a pair the human clip, of a single the clip that was heard. `is_human`:
    of a single whether a human played it, of a pair whether the human was A; `called_human` likewise."""

    listener: int
    trial: int
    clip: int
    design: Design
    is_human: bool
    called_human: bool
    series: int = 0
    confidence: int | None = None
    """in percent, 50 to 100"""
    reasons: tuple[Reason, ...] = ()
    is_musician: bool | None = None
    """None: hasn't said"""
    model_version: str = ""
    closed_at: float = 0.0

    @property
    def right(self) -> bool:
        return self.is_human is self.called_human


@dataclass(frozen=True, slots=True)
class TrialScore:
    """How many of a trial's votes were right."""

    trial: int
    right: int
    votes: int

    @property
    def share(self) -> float:
        return self.right / self.votes


@dataclass(frozen=True, slots=True)
class Share:
    """So many right of so many, of some part of the votes."""

    right: int = 0
    votes: int = 0
    label: str = field(default="", compare=False)

    @property
    def accuracy(self) -> float:
        """Raises ZeroDivisionError without votes."""
        return self.right / self.votes


def share_of(judgements: Iterable[Judgement], label: str = "") -> Share:
    right = votes = 0
    for judgement in judgements:
        votes += 1
        right += judgement.right
    return Share(right, votes, label)


def trial_scores(judgements: Sequence[Judgement]) -> list[TrialScore]:
    """One score a trial, in the order in which the series closed and their trials were numbered."""
    counts: dict[tuple[float, int], list[int]] = {}
    for judgement in judgements:
        count = counts.setdefault((judgement.closed_at, judgement.trial), [0, 0])
        count[0] += judgement.right
        count[1] += 1
    return [TrialScore(trial, right, votes) for (_, trial), (right, votes) in sorted(counts.items())]


@dataclass(frozen=True, slots=True)
class ClipResult:
    """One trial's clip as listeners took it. `reasons`: what those went by who were right, most frequent first."""

    trial: int
    fooled: int
    votes: int
    reasons: tuple[tuple[Reason, int], ...]

    @property
    def share(self) -> float:
        """Of the votes that took one kind for the other."""
        return self.fooled / self.votes


def clip_results(judgements: Iterable[Judgement]) -> list[ClipResult]:
    """Those that fooled most listeners first; of equal ones, those with more votes."""
    by_trial: dict[int, list[Judgement]] = {}
    for judgement in judgements:
        by_trial.setdefault(judgement.trial, []).append(judgement)
    found = []
    for trial, votes in by_trial.items():
        reasons = Counter(reason for judgement in votes if judgement.right for reason in judgement.reasons)
        found.append(ClipResult(trial, sum(not j.right for j in votes), len(votes), tuple(reasons.most_common())))
    return sorted(found, key=lambda clip: (-clip.share, -clip.votes, clip.trial))
