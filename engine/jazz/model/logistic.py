"""Logistic regression on standardised columns and their squares."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

LARGEST_Z = 4.0
"""Standardised values are cut there: one freak must not decide."""


class Logistic(nn.Module):
    """Log odds that a row of `columns` numbers belongs to class 1, as if both classes were equally frequent."""

    mean: Tensor
    deviation: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, columns: int) -> None:
        super().__init__()
        for name, size in (("mean", columns), ("deviation", columns), ("weight", 2 * columns), ("bias", 1)):
            self.register_buffer(name, torch.zeros(size, dtype=torch.float64))

    @classmethod
    def fit(cls, rows: np.ndarray, labels: np.ndarray, penalty: float = 0.02) -> Logistic:
        """From `rows` (N, columns) with `labels` (N,) 0 or 1; `penalty` on the squared weights."""
        model = cls(rows.shape[1])
        model.mean.copy_(torch.from_numpy(rows.mean(0)))
        model.deviation.copy_(torch.from_numpy(rows.std(0)).clamp_min(1e-3))
        x, y = model._scaled(rows), torch.from_numpy(labels.astype(np.float64))
        weight = model.weight.clone().requires_grad_()
        bias = model.bias.clone().requires_grad_()
        balance = torch.where(y > 0, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
        optimiser = torch.optim.LBFGS([weight, bias], max_iter=60, line_search_fn="strong_wolfe")

        def closure() -> Tensor:
            optimiser.zero_grad()
            loss = F.binary_cross_entropy_with_logits(x @ weight + bias, y, weight=balance)
            loss = loss + penalty * weight.square().sum()
            loss.backward()
            return loss

        optimiser.step(closure)
        model.weight.copy_(weight.detach())
        model.bias.copy_(bias.detach())
        return model

    def _scaled(self, rows: np.ndarray) -> Tensor:
        z = ((torch.from_numpy(rows) - self.mean) / self.deviation).clamp(-LARGEST_Z, LARGEST_Z)
        return torch.cat([z, 0.5 * (z.square() - 1)], dim=1)

    @torch.no_grad()
    def log_odds(self, rows: np.ndarray) -> np.ndarray:
        """(N, columns) -> (N,)."""
        return np.asarray(self._scaled(rows) @ self.weight + self.bias)


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Area under the ROC curve: P(score of a positive > score of a negative), ties half (Mann & Whitney 1947)."""
    ranks = np.argsort(np.argsort(np.concatenate([negative, positive]), kind="stable"), kind="stable") + 1.0
    scores = np.concatenate([negative, positive])
    for value in np.unique(scores[np.isin(scores, positive) & np.isin(scores, negative)]):
        ranks[scores == value] = ranks[scores == value].mean()
    size = len(positive)
    return float((ranks[len(negative) :].sum() - size * (size + 1) / 2) / (size * len(negative)))
