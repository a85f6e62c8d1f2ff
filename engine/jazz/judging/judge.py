"""The judge: fresh classifiers that try to tell generated windows from human ones.

They are trained from nothing for every question, on groups (tunes, clips) apart from those that they are asked about.
Three kinds look, and the best one (or their sum) counts: logistic regression on some 150 statistics of a window,
logistic regression on which short figures occur in it, and a small convolutional network on its notes. The soloist's
own critic looks at those statistics too, but not at figures. `notes` sees pitches and rhythm on a grid of 1/12 beat;
`feel` sees the performance too. AUC .5: can't tell. Human solos against other human solos: see MODEL_CARD.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.jazz.model.logistic import Logistic, auc
from engine.jazz.model.window_statistics import GRID, statistics
from engine.jazz.model.windows import Window

MAX_NOTES = 112


@dataclass(frozen=True)
class Verdict:
    """AUC of each kind of classifier over all held-out folds, of the best of them or their sum; `interval` is a 95 %
    bootstrap over groups of `auc`."""

    statistics_auc: float
    figures_auc: float
    network_auc: float
    auc: float
    interval: tuple[float, float]
    human_scores: np.ndarray
    machine_scores: np.ndarray


# --- short figures ------------------------------------------------------------------------------------------------

FIGURE_COLUMNS = 384
_FIGURE_PENALTY = 0.05


def figures(window: Window, feel: bool) -> np.ndarray:
    """(FIGURE_COLUMNS,): how often each group of figures of two or three notes occurs, square roots of shares.

    A figure is intervals with note values; with `feel` how two neighbouring notes are placed, held and stressed.
    Figures fall into groups by a hash (Weinberger et al., Feature Hashing, ICML 2009)."""
    grid = np.rint(window.onset * GRID).astype(int)
    step = np.clip(np.diff(window.pitch), -13, 13) + 13
    value = np.minimum(np.searchsorted([2, 4, 5, 8, 11, 15, 24, 40], np.diff(grid)), 8)
    figure = step * 9 + value
    runs = [figure, figure[1:] * 243 + figure[:-1], 60_000 + step[1:] * 27 + step[:-1]]
    if feel:
        late = np.digitize(np.mod(window.onset * GRID + 0.5, 1.0), [0.2, 0.4, 0.6, 0.8])
        gap = np.diff(window.onset, append=window.onset[-1:] + 2.0)
        held = np.digitize(window.duration / np.maximum(gap, 0.01), [0.3, 0.5, 0.7, 0.85, 0.99])
        louder = np.digitize(np.diff(window.velocity, prepend=window.velocity[:1]), [-12, -4, 4, 12])
        played = (late * 6 + held) * 5 + louder
        runs += [70_000 + played, 80_000 + played[1:] * 150 + played[:-1], 110_000 + played[1:] * 9 + value]
    counts = np.zeros(FIGURE_COLUMNS)
    for number, run in enumerate(runs):
        groups = (run.astype(np.uint64) + 1_000_003 * (number + 1)) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)
        counts += np.bincount((groups % FIGURE_COLUMNS).astype(int), minlength=FIGURE_COLUMNS) / max(1, len(run))
    return np.sqrt(counts)


# --- a network on the notes of a window ---------------------------------------------------------------------------

_CHANNELS_NOTES, _CHANNELS_FEEL = 48, 8


def note_channels(window: Window, feel: bool) -> np.ndarray:
    """(channels, MAX_NOTES): interval and inter-onset classes, place in the beat; with `feel` the performance too.
    Channel 0 is 1 where there is a note."""
    count = min(len(window.pitch), MAX_NOTES)
    pitch, onset = window.pitch[:count], window.onset[:count]
    grid = np.rint(onset * GRID).astype(int)
    out = np.zeros((_CHANNELS_NOTES + (_CHANNELS_FEEL if feel else 0), MAX_NOTES), np.float32)
    out[0, :count] = 1.0
    step = np.clip(np.diff(pitch, prepend=pitch[0]), -12, 12)
    out[1 + step + 12, np.arange(count)] = 1.0
    ioi = np.diff(grid, prepend=grid[0])
    classes = np.searchsorted([1, 2, 3, 4, 5, 6, 7, 8, 12, 18, 36], ioi, side="right")
    out[26 + np.clip(classes, 0, 11), np.arange(count)] = 1.0
    out[38, :count] = np.log2(np.maximum(ioi, 1)) / 4
    for i, period in enumerate((12, 24, 48)):
        out[39 + 2 * i, :count] = np.sin(2 * np.pi * grid / period)
        out[40 + 2 * i, :count] = np.cos(2 * np.pi * grid / period)
    out[45, :count] = (pitch - pitch.mean()) / 8
    out[46, :count] = (pitch - 65) / 12
    out[47, :count] = np.log(window.tempo_bpm / 160)
    if feel:
        base = _CHANNELS_NOTES
        gap = np.diff(window.onset, append=window.onset[-1] + 2)[:count]
        level = (window.velocity - window.velocity.mean()) / max(window.velocity.std(), 1.0)
        out[base, :count] = (onset - grid / GRID) * 12
        out[base + 1, :count] = np.sin(2 * np.pi * onset)
        out[base + 2, :count] = np.cos(2 * np.pi * onset)
        out[base + 3, :count] = np.clip(window.duration[:count] / np.maximum(gap, 1e-2), 0, 1.2)
        out[base + 4, :count] = np.log(window.duration[:count] * 60 / window.tempo_bpm + 0.02) + 2
        out[base + 5, :count] = level[:count]
        out[base + 6, :count] = (window.velocity[:count] - 88) / 16
        out[base + 7, :count] = np.log(np.maximum(gap, 0.02) * 60 / window.tempo_bpm) + 1.5
    return out


class WindowNet(nn.Module):
    """(B, channels, notes) -> log odds (B,) that a machine played it."""

    def __init__(self, channels: int, width: int = 48) -> None:
        super().__init__()
        self.lift = nn.Conv1d(channels, width, 3, padding=1)
        self.blocks = nn.ModuleList(nn.Conv1d(width, width, 3, padding=d, dilation=d) for d in (1, 2, 4))
        self.drop = nn.Dropout(0.3)
        self.out = nn.Linear(2 * width, 1)

    def forward(self, x: Tensor) -> Tensor:
        mask = x[:, :1]
        h = F.gelu(self.lift(x)) * mask
        for block in self.blocks:
            h = h + self.drop(F.gelu(block(h))) * mask
        mean = h.sum(-1) / mask.sum(-1).clamp_min(1)
        peak = (h - 10 * (1 - mask)).amax(-1)
        answer: Tensor = self.out(self.drop(torch.cat([mean, peak], dim=1)))
        return answer[:, 0]


def _network_scores(train: np.ndarray, labels: np.ndarray, test: np.ndarray, seed: int, epochs: int) -> np.ndarray:
    torch.manual_seed(seed)
    net = WindowNet(train.shape[1])
    x, y = torch.from_numpy(train), torch.from_numpy(labels.astype(np.float32))
    balance = torch.where(y > 0, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.05)
    steps = epochs * max(1, len(x) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps + 1)
    net.train()
    for _ in range(steps):
        rows = torch.randint(0, len(x), (64,))
        loss = F.binary_cross_entropy_with_logits(net(x[rows]), y[rows], weight=balance[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    net.eval()
    with torch.no_grad():
        return np.concatenate([net(part).numpy() for part in torch.from_numpy(test).split(256)])


# --- the verdict ------------------------------------------------------------------------------------------------------


def _folds(windows: Sequence[Window], folds: int, seed: int) -> np.ndarray:
    groups = sorted({window.group for window in windows})
    order = np.random.default_rng(seed).permutation(len(groups))
    fold_of = {groups[group]: i % folds for i, group in enumerate(order)}
    return np.array([fold_of[window.group] for window in windows])


def judge(
    human: Sequence[Window], machine: Sequence[Window], *, feel: bool, folds: int = 5, seed: int = 0, epochs: int = 8
) -> Verdict:
    """Cross-validated AUC with which fresh classifiers call machine windows machine; folds never share a group."""
    everything = [*human, *machine]
    labels = np.array([0] * len(human) + [1] * len(machine))
    fold = np.concatenate([_folds(human, folds, seed), _folds(machine, folds, seed + 1)])
    table = np.stack([statistics(window, feel) for window in everything])
    seen = np.stack([figures(window, feel) for window in everything])
    notes = np.stack([note_channels(window, feel) for window in everything])
    by_statistics, by_figures, by_network = np.zeros((3, len(everything)))
    for number in range(folds):
        test = fold == number
        by_statistics[test] = Logistic.fit(table[~test], labels[~test]).log_odds(table[test])
        by_figures[test] = Logistic.fit(seen[~test], labels[~test], _FIGURE_PENALTY).log_odds(seen[test])
        by_network[test] = _network_scores(notes[~test], labels[~test], notes[test], seed + number, epochs)
    is_machine = labels == 1
    looks = [by_statistics, by_figures, by_network]
    looks.append(np.sum([_standard(scores) for scores in looks], axis=0))
    aucs = [auc(scores[is_machine], scores[~is_machine]) for scores in looks]
    best = looks[int(np.argmax(aucs))]
    interval = _bootstrap(best, is_machine, np.array([window.group for window in everything]), seed)
    return Verdict(aucs[0], aucs[1], aucs[2], max(aucs), interval, best[~is_machine], best[is_machine])


def _standard(scores: np.ndarray) -> np.ndarray:
    return (scores - scores.mean()) / (scores.std() + 1e-9)


def _bootstrap(
    scores: np.ndarray, is_machine: np.ndarray, groups: np.ndarray, seed: int, draws: int = 300
) -> tuple[float, float]:
    """95 % interval of the AUC over redrawn groups (tunes and clips)."""
    generator = np.random.default_rng(seed)
    rows_of = [
        [np.flatnonzero((groups == group) & (is_machine == side)) for group in np.unique(groups[is_machine == side])]
        for side in (False, True)
    ]
    values = []
    for _ in range(draws):
        sides = [np.concatenate([rows[i] for i in generator.integers(0, len(rows), len(rows))]) for rows in rows_of]
        values.append(auc(scores[sides[1]], scores[sides[0]]))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
