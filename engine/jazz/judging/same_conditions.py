"""Can anything but the notes tell the two sides of a blind trial apart?

A classifier sees only what needs no listening to the solo (`outside.features_of`), learns from some trials and judges
others. `python -m benchmarks trials` makes the trials as a poll does. If the conditions are the same, it can do no
better than chance: the 95 % interval of its AUC holds .5.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.jazz.model.logistic import auc

FOLDS = 10
PENALTY = 0.1
SWAPS = 400
LARGEST_Z = 4.0

Table = dict[str, np.ndarray]
"""Feature -> one value a trial."""


@dataclass(frozen=True)
class Sides:
    """The features of both sides of some trials; `group` (N,) names what a human side comes from."""

    human: Table
    model: Table
    group: np.ndarray

    def __len__(self) -> int:
        return len(self.group)

    @classmethod
    def of(cls, rows: Sequence[tuple[dict[str, float], dict[str, float], str]]) -> Sides:
        names = list(rows[0][0])
        human = {name: np.array([row[0][name] for row in rows]) for name in names}
        model = {name: np.array([row[1][name] for row in rows]) for name in names}
        return cls(human, model, np.array([row[2] for row in rows]))

    def write(self, path: Path) -> None:
        """As a table, two rows a trial."""
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["trial", "from", "side", *self.human])
            for trial in range(len(self)):
                for side, table in (("human", self.human), ("model", self.model)):
                    values = [f"{column[trial]:.9g}" for column in table.values()]
                    writer.writerow([trial + 1, self.group[trial], side, *values])


@dataclass(frozen=True)
class Verdict:
    """An AUC with its 95 % interval."""

    auc: float
    low: float
    high: float

    @property
    def holds_chance(self) -> bool:
        return self.low <= 0.5 <= self.high

    def __str__(self) -> str:
        return f"{self.auc:.3f} [{self.low:.3f}, {self.high:.3f}]"


def tell_apart(sides: Sides, seed: int = 0) -> Verdict:
    """How well a fresh classifier tells human from model on trials that it didn't learn from: AUC over single sides.

    Trials of one group lie on one side of a fold."""

    def measured(human: np.ndarray, model: np.ndarray, fold: np.ndarray) -> float:
        scores = np.zeros((2, len(fold)))
        for n in np.unique(fold):
            rows = np.concatenate([human[fold != n], model[fold != n]])
            middle, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-12
            columns = [_with_squares((table - middle) / spread) for table in (human, model)]
            learned = np.concatenate([table[fold != n] for table in columns])
            weight = _ridge(learned, np.repeat([1.0, -1.0], len(learned) // 2))
            scale = (learned @ weight).std() + 1e-12  # folds count in units of their own
            for side, table in enumerate(columns):
                scores[side, fold == n] = table[fold == n] @ weight / scale
        return auc(scores[0], scores[1])

    return _judged(sides, seed, measured)


def tell_apart_in_pairs(sides: Sides, seed: int = 0) -> Verdict:
    """How often a fresh classifier that sees both sides of a pair, as a listener does, tells which is the human's.

    It learns from the differences of other pairs. The share of pairs that it gets right is the AUC within pairs."""

    def measured(human: np.ndarray, model: np.ndarray, fold: np.ndarray) -> float:
        difference = (human - model) / (human - model).std(axis=0).clip(1e-12)
        right = np.zeros(len(fold))
        for n in np.unique(fold):
            learned = difference[fold != n]
            lead = difference[fold == n] @ _ridge(learned, np.ones(len(learned)))
            right[fold == n] = np.where(np.abs(lead) < 1e-12, 0.5, lead > 0)
        return float(right.mean())

    return _judged(sides, seed, measured)


def _judged(sides: Sides, seed: int, measured: Callable[[np.ndarray, np.ndarray, np.ndarray], float]) -> Verdict:
    """What is `measured`, with an interval from the same measurement on trials whose sides are swapped by chance.

    If nothing tells the sides apart, they are exchangeable, and such swaps give the measurement's distribution exactly,
    with all that cross-validation does to it; bootstrapped scores don't know that a classifier could have been another
    (Bengio & Grandvalet, No Unbiased Estimator of the Variance of K-Fold Cross-Validation, JMLR 2004)."""
    names = [name for name in sides.human if _varies(sides, name)]
    if not names:
        return Verdict(0.5, 0.5, 0.5)
    human, model = (np.stack([table[name] for name in names], axis=1) for table in (sides.human, sides.model))
    generator = np.random.default_rng([seed, 3])
    fold = _folds(sides.group, generator)
    found = measured(human, model, fold)
    by_chance = []
    for _ in range(SWAPS):
        swap = (generator.random(len(sides)) < 0.5)[:, None]
        by_chance.append(measured(np.where(swap, model, human), np.where(swap, human, model), fold))
    low, high = np.quantile(by_chance, (0.025, 0.975))
    return Verdict(found, max(0.0, found - (float(high) - 0.5)), min(1.0, found - (float(low) - 0.5)))


def _with_squares(z: np.ndarray) -> np.ndarray:
    z = z.clip(-LARGEST_Z, LARGEST_Z)
    return np.concatenate([z, 0.5 * (z**2 - 1)], axis=1)


def _ridge(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Weights of the columns: a regularised linear discriminant."""
    size = rows.shape[1]
    weights: np.ndarray = np.linalg.solve(
        rows.T @ rows / len(rows) + PENALTY * np.eye(size), rows.T @ labels / len(rows)
    )
    return weights


def _folds(group: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The fold of each trial; those of one group share theirs, where there are enough groups."""
    groups = generator.permutation(np.unique(group))
    if len(groups) < FOLDS:  # few pieces, many trials of each: a fold is some of the trials then
        return generator.permutation(len(group)) % FOLDS
    place = {name: n % FOLDS for n, name in enumerate(groups)}
    return np.array([place[name] for name in group])


def _varies(sides: Sides, name: str) -> bool:
    values = np.concatenate([sides.human[name], sides.model[name]])
    return bool(np.ptp(values) > 1e-9)


def report(sides: Sides, seed: int) -> str:
    """What the classifier found, and the differences of single features, as Markdown."""
    verdict = tell_apart(sides, seed)
    in_pairs = tell_apart_in_pairs(sides, seed)
    holds = verdict.holds_chance and in_pairs.holds_chance
    word = "Both intervals hold .5: nothing outward tells the sides apart." if holds else "That is MORE than chance."
    varying = sum(_varies(sides, name) for name in sides.human)
    lines = [
        f"{len(sides)} trials; {varying} of {len(sides.human)} features vary at all."
        f" AUC of a fresh classifier on other trials: {verdict}; where it sees both sides of a pair: {in_pairs}"
        f" (95 %, from swapped sides). {word}",
        "",
        "| feature | mean difference human - model | its standard error | largest |",
        "|---|---|---|---|",
    ]
    for name in sides.human:
        difference = sides.human[name] - sides.model[name]
        error = difference.std(ddof=1) / np.sqrt(len(sides))
        lines.append(f"| {name} | {difference.mean():+.4g} | {error:.4g} | {np.abs(difference).max():.4g} |")
    return "\n".join(lines)
