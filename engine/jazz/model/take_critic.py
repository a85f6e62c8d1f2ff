"""The critic that chooses takes: how much likelier eight bars are a human's than the soloist's.

Log odds of a fair classifier are the log of the density ratio human : soloist. So whoever draws among many takes of
the soloist in proportion to these odds plays as a human would, as far as the classifier can see the difference
(sampling-importance-resampling, Rubin 1987; the energy of Deng et al., Residual Energy-Based Models for Text
Generation, ICLR 2020; the discriminator of a GAN put to the same use: Azadi et al., Discriminator Rejection
Sampling, ICLR 2019). It looks twice: at the score of a line over its chords, and at how the line is performed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from torch import nn

from engine.jazz.model.logistic import Logistic
from engine.jazz.model.window_statistics import harmony_statistics, statistics
from engine.jazz.model.windows import MIN_WINDOW_NOTES, Window

Look = Literal["score", "performance"]
LOOKS: tuple[Look, Look] = ("score", "performance")
LARGEST_LOG_ODDS = 6.0
BEATS_PER_BAR = 4
"""It has heard nothing but 4/4, and only whole windows of eight bars."""


class TakeCritic(nn.Module):
    """`columns`: how many statistics each look has."""

    def __init__(self, columns: dict[str, int]) -> None:
        super().__init__()
        self.models = nn.ModuleDict({look: Logistic(size) for look, size in columns.items()})

    @classmethod
    def fit(
        cls, human: dict[Look, list[Window]], machine: dict[Look, list[Window]], penalty: float = 0.004
    ) -> TakeCritic:
        """From windows of both sides; the soloist's must be played without a critic."""
        models: dict[str, Logistic] = {}
        for look in LOOKS:
            rows = np.stack([_row(window, look) for window in (*machine[look], *human[look])])
            labels = np.array([0] * len(machine[look]) + [1] * len(human[look]))
            models[look] = Logistic.fit(rows, labels, penalty)
        critic = cls({look: model.mean.numel() for look, model in models.items()})
        critic.models = nn.ModuleDict(models)
        return critic

    @property
    def columns(self) -> dict[str, int]:
        return {look: len(model.mean) for look, model in self.models.items()}  # type: ignore[arg-type]

    def log_odds(self, windows: Sequence[Window], look: Look) -> np.ndarray:
        """Log odds human : soloist of each window; nearly empty ones, of which it knows nothing, have the least."""
        odds = np.full(len(windows), -LARGEST_LOG_ODDS)
        full = [i for i, window in enumerate(windows) if len(window.pitch) >= MIN_WINDOW_NOTES]
        if full:
            rows = np.stack([_row(windows[i], look) for i in full])
            model = self.models[look]
            assert isinstance(model, Logistic)
            odds[full] = np.clip(model.log_odds(rows), -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
        return odds


def _row(window: Window, look: Look) -> np.ndarray:
    if look == "performance":  # of notes that are chosen already
        return statistics(window, feel=True)
    return np.concatenate([statistics(window, feel=False), harmony_statistics(window)])
