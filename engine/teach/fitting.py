"""Chooses the weights of `retrieval.py` on questions that were asked, and writes `weights.toml`.

    python -m engine.teach.fitting

The ranking is a softmax over the cards of a weighted sum of their features: the weights that make the right cards most
likely, with a small L2 penalty. Whether the best card is an answer is a logistic regression on `SIGNS`: right answers
against wrong cards and questions that no card answers. The questions of `SPOKEN` count fully, those that the cards'
aliases were written from less. Both are fitted once more on four fifths of the questions for each fifth, to say what
is to be expected of the next question; the thresholds are chosen on those fifths."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.teach.deck import load_deck
from engine.teach.evaluate import FILES
from engine.teach.retrieval import FEATURES, SIGNS, WEIGHTS, Compared, Index, Weights
from engine.teach.traceback_text import asked_in

if TYPE_CHECKING:
    import torch

SPOKEN = ("asked_spoken.toml", "asked_judged.toml")
"""Written by people who didn't know the cards' names, and without looking at what is found."""
ALIASED = ("asked.toml", "asked_fresh.toml")
ALIASED_WEIGHT, ALIASED_UNKNOWN_WEIGHT = 0.6, 0.7

RANKING_PENALTY, REFUSAL_PENALTY = 1e-3, 3e-3
"""L2, on weights of features that are divided by their standard deviation."""

FALSE_ANSWERS = 0.01
"""The share of questions out of scope that may be answered, in cross-validation: a third of what is promised, because
`outside.toml` was written by somebody who had seen these, and the next ones are about other things."""
OFFERED = 0.98
"""The share of the questions in scope that get at least the nearest cards, in cross-validation."""
FOLDS = 5


@dataclass(frozen=True)
class Asked:
    """All questions, compared once."""

    questions: list[str]
    compared: list[Compared]
    right: np.ndarray
    """(questions, cards), 1 where the card answers; a row of zeros where none does."""
    weight: np.ndarray
    spoken: np.ndarray
    """(questions,), true where the question is of `SPOKEN`."""

    @property
    def answerable(self) -> np.ndarray:
        return np.asarray(self.right.any(axis=1))


def read(index: Index, ids: Sequence[str]) -> Asked:
    """Raises KeyError for a card that isn't there."""
    places = {card_id: place for place, card_id in enumerate(ids)}
    questions, compared, rows, weights, spoken = [], [], [], [], []
    for name in (*SPOKEN, *ALIASED):
        lists = tomllib.loads((FILES / name).read_text(encoding="utf-8"))
        lists.pop("computed", None)
        for entry in (entry for questions_of in lists.values() for entry in questions_of):
            question, right = (entry, ()) if isinstance(entry, str) else entry
            seen = index.compare(asked_in(question))
            if seen is None:
                continue
            row = np.zeros(len(ids))
            row[[places[card_id] for card_id in right]] = 1
            aliased = name in ALIASED
            questions.append(question)
            compared.append(seen)
            rows.append(row)
            weights.append((ALIASED_WEIGHT if right else ALIASED_UNKNOWN_WEIGHT) if aliased else 1.0)
            spoken.append(not aliased)
    return Asked(questions, compared, np.stack(rows), np.array(weights), np.array(spoken))


def fit_ranking(features: np.ndarray, right: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """`features` is (questions, cards, len(FEATURES))."""
    import torch

    spread = features.std(axis=(0, 1)) + 1e-6
    scaled, answers = torch.tensor(features / spread), torch.tensor(right)
    shares = torch.tensor(weight / weight.sum())
    chosen = torch.zeros(len(FEATURES), dtype=torch.float64, requires_grad=True)

    def loss() -> torch.Tensor:
        scores = scaled @ chosen
        of_right = torch.logsumexp(scores.masked_fill(answers == 0, -1e9), 1)
        unlikely: torch.Tensor = (shares * (torch.logsumexp(scores, 1) - of_right)).sum()
        return unlikely + RANKING_PENALTY * (chosen**2).sum()

    _minimise(loss, chosen)
    return dict(zip(FEATURES, (chosen.detach().numpy() / spread).tolist(), strict=True))


def fit_refusal(signs: np.ndarray, is_answer: np.ndarray, weight: np.ndarray) -> tuple[dict[str, float], float]:
    """The weights of `SIGNS`, and the bias."""
    import torch

    middle, spread = signs.mean(axis=0), signs.std(axis=0) + 1e-6
    scaled, answers = torch.tensor((signs - middle) / spread), torch.tensor(is_answer.astype(float))
    shares = torch.tensor(weight / weight.sum())
    chosen = torch.zeros(len(SIGNS) + 1, dtype=torch.float64, requires_grad=True)

    def loss() -> torch.Tensor:
        logits = scaled @ chosen[:-1] + chosen[-1]
        each = torch.nn.functional.binary_cross_entropy_with_logits(logits, answers, reduction="none")
        total: torch.Tensor = (shares * each).sum() + REFUSAL_PENALTY * (chosen[:-1] ** 2).sum()
        return total

    _minimise(loss, chosen)
    slopes = chosen.detach().numpy()[:-1] / spread
    return dict(zip(SIGNS, slopes.tolist(), strict=True)), float(chosen[-1].item() - (slopes * middle).sum())


def _minimise(loss: Callable[[], torch.Tensor], chosen: torch.Tensor) -> None:
    import torch

    optimiser = torch.optim.LBFGS([chosen], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value

    optimiser.step(closure)


def fit(index: Index, asked: Asked, chosen: np.ndarray) -> Weights:
    """The weights that suit the `chosen` questions (a mask); thresholds are left at 0."""
    known = np.flatnonzero(chosen & asked.answerable)
    features = np.stack([asked.compared[i].features for i in known])
    ranking = fit_ranking(features, asked.right[known], asked.weight[known])
    ranked = Weights(ranking, {}, 0.0, 0.0, 0.0)
    signs, is_answer = signs_of(index, asked, np.flatnonzero(chosen), ranked)
    refusal, bias = fit_refusal(signs, is_answer, asked.weight[chosen])
    return Weights(ranking, refusal, bias, 0.0, 0.0)


def signs_of(index: Index, asked: Asked, places: np.ndarray, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Of each question its signs, and whether its best card answers it."""
    index.weights_used = weights
    signs, is_answer = [], []
    for i in places:
        scores = index.scores(asked.compared[i])
        signs.append([index.signs(asked.compared[i], scores)[name] for name in SIGNS])
        is_answer.append(asked.right[i][int(scores.argmax())] > 0)
    return np.array(signs), np.array(is_answer)


def cross_validated(index: Index, asked: Asked) -> tuple[np.ndarray, np.ndarray]:
    """Of each question, by weights that were fitted without it: how sure, and whether the best card answers."""
    fold = np.random.default_rng(0).permutation(len(asked.questions)) % FOLDS
    sureness, is_right = np.zeros(len(fold)), np.zeros(len(fold), bool)
    for held_out in range(FOLDS):
        weights = fit(index, asked, fold != held_out)
        there = np.flatnonzero(fold == held_out)
        signs, is_right[there] = signs_of(index, asked, there, weights)
        logits = signs @ [weights.refusal[name] for name in SIGNS] + weights.bias
        sureness[there] = 1 / (1 + np.exp(-logits))
    return sureness, is_right


def main() -> int:
    cards = load_deck()
    index = Index(cards)
    asked = read(index, [card.id for card in cards])
    sureness, is_right = cross_validated(index, asked)
    outside = ~asked.answerable
    answer_from = float(np.quantile(sureness[outside], 1 - FALSE_ANSWERS))
    offer_from = float(np.quantile(sureness[asked.answerable & asked.spoken], 1 - OFFERED))
    for name, part in (("spoken", asked.spoken), ("the cards' aliases were written from", ~asked.spoken)):
        known, unknown = part & asked.answerable, part & outside
        given = sureness >= answer_from
        sys.stdout.write(
            f"{name}: {known.sum()} + {unknown.sum()}; in cross-validation right first {is_right[known].mean():.3f}, "
            f"answered rightly {(is_right & given)[known].mean():.3f}, "
            f"wrongly {(~is_right & given)[known].mean():.3f}, "
            f"out of scope answered {given[unknown].mean():.3f}, offered nearest cards "
            f"{(sureness >= offer_from)[unknown].mean():.3f}\n"
        )
    weights = fit(index, asked, np.ones(len(asked.questions), bool))
    WEIGHTS.write_text(_as_toml(weights, answer_from, offer_from), encoding="utf-8")
    return 0


def _as_toml(weights: Weights, answer_from: float, offer_from: float) -> str:
    lines = [
        "# Written by `python -m engine.teach.fitting`; what each number weighs, retrieval.py says.",
        f"bias = {weights.bias:.4f}",
        f"answer_from = {answer_from:.4f}",
        f"offer_from = {offer_from:.4f}",
    ]
    for name, numbers in (("ranking", weights.ranking), ("refusal", weights.refusal)):
        lines += ["", f"[{name}]", *(f"{key} = {value:.4f}" for key, value in numbers.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
