"""All figures of a set of votes together: what results, charts and exports show."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.rules.listening.confidence import Calibration, area_under_roc, brier_score, calibration, roc
from bot.rules.listening.detection import (
    Calls,
    balanced_accuracy,
    criterion,
    d_prime,
    human_call_ratio,
    pair_d_prime,
)
from bot.rules.listening.intervals import Interval, wilson_interval
from bot.rules.listening.judgements import (
    Judgement,
    Reason,
    Share,
    TrialScore,
    share_of,
    trial_scores,
)
from bot.rules.listening.resampling import RESAMPLES, Counts, Statistic, bootstrap_intervals, counted
from bot.rules.listening.verdict import MARGIN, Verdict, verdict

SHRINKING_VOTES = 10
"""A listener's accuracy counts as if they had given so many votes more, at the accuracy of the class."""
FEWEST_VOTES_ON_BOARD = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its bootstrap interval; None where there are too few listeners or clips for one."""

    value: float
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """How a class did against one version of the model. Wilson's interval takes votes for independent: a look at the
    curve, no verdict."""

    name: str
    first_closed_at: float
    share: Share
    interval: Interval


@dataclass(frozen=True, slots=True)
class Summary:
    """`figures` by name, in the order of `STATISTICS`; missing are those that the votes say nothing of."""

    votes: int
    listeners: int
    trials: tuple[TrialScore, ...]
    share: Share
    verdict: Verdict
    calls: Calls
    pairs_right: int
    pairs: int
    figures: Mapping[str, Figure]
    brier: float | None
    area_under_roc: float | None
    roc: tuple[tuple[float, float], ...]
    calibration: tuple[Calibration, ...]
    musicians: Share
    others: Share
    reasons: tuple[Share, ...]
    versions: tuple[Version, ...]


def _pairs(statistic: Statistic) -> Statistic:
    """Raises ValueError without pairs."""

    def checked(counts: Counts) -> float:
        if not counts.pairs:
            raise ValueError("no pairs")
        return statistic(counts)

    return checked


STATISTICS: Mapping[str, Statistic] = {
    "pairs right": _pairs(lambda counts: counts.pairs_right / counts.pairs),
    "d' of pairs": _pairs(lambda counts: pair_d_prime(counts.pairs_right, counts.pairs)),
    "balanced accuracy": lambda counts: balanced_accuracy(counts.calls),
    "human-call ratio": lambda counts: human_call_ratio(counts.calls),
    "d' of singles": lambda counts: d_prime(counts.calls),
    "criterion": lambda counts: criterion(counts.calls),
}


def summarise(judgements: Sequence[Judgement], margin: float = MARGIN, resamples: int = RESAMPLES) -> Summary:
    """Everything, from the votes alone: the same votes give the same figures (the bootstrap's seed is fixed).

    Takes about a second at 6,000 votes; not for the event loop."""
    scores = trial_scores(judgements)
    counts = counted(judgements)
    intervals = bootstrap_intervals(judgements, STATISTICS, random.Random(0), resamples)
    figures = {}
    for name, statistic in STATISTICS.items():
        try:
            figures[name] = Figure(statistic(counts), intervals.get(name))
        except ValueError:
            continue
    return Summary(
        votes=len(judgements),
        listeners=len({judgement.listener for judgement in judgements}),
        trials=tuple(scores),
        share=share_of(judgements),
        verdict=verdict(scores, margin),
        calls=counts.calls,
        pairs_right=round(counts.pairs_right),
        pairs=round(counts.pairs),
        figures=figures,
        brier=brier_score(judgements),
        area_under_roc=area_under_roc(judgements),
        roc=tuple(roc(judgements)),
        calibration=tuple(calibration(judgements)),
        musicians=share_of((j for j in judgements if j.is_musician is True), "musicians"),
        others=share_of((j for j in judgements if j.is_musician is not True), "others"),
        reasons=tuple(share_of((j for j in judgements if reason in j.reasons), reason) for reason in Reason),
        versions=tuple(_versions(judgements)),
    )


def _versions(judgements: Sequence[Judgement]) -> list[Version]:
    """In the order in which they were first heard."""
    by_name: dict[str, list[Judgement]] = {}
    for judgement in sorted(judgements, key=lambda j: j.closed_at):
        by_name.setdefault(judgement.model_version, []).append(judgement)
    versions = []
    for name, votes in by_name.items():
        share = share_of(votes, name)
        versions.append(Version(name, votes[0].closed_at, share, wilson_interval(share.right, share.votes)))
    return versions


@dataclass(frozen=True, slots=True)
class Ear:
    """A listener on the board. `shrunken`: their accuracy, pulled towards the class average when votes are few."""

    listener: int
    share: Share
    shrunken: float


def best_ears(judgements: Sequence[Judgement], shown: Sequence[int]) -> list[Ear]:
    """Those of `shown` with enough votes, best first.

    Shrunken accuracy: (right + k a) / (votes + k) with the class's accuracy a and k = `SHRINKING_VOTES`, the mean of a
    beta posterior (Efron & Morris 1975, JASA 70, 311-319, for why): three lucky votes don't lead the board."""
    whole = share_of(judgements)
    if not whole.votes:
        return []
    ears = []
    for listener in shown:
        share = share_of(judgement for judgement in judgements if judgement.listener == listener)
        if share.votes >= FEWEST_VOTES_ON_BOARD:
            shrunken = (share.right + SHRINKING_VOTES * whole.accuracy) / (share.votes + SHRINKING_VOTES)
            ears.append(Ear(listener, share, shrunken))
    return sorted(ears, key=lambda ear: (-ear.shrunken, -ear.share.votes, ear.listener))
