"""The judge: fresh classifiers that try to tell generated windows from human ones.

They are trained from nothing for every question, on groups (tunes, clips) apart from those that they are asked about.
Two kinds look, and the better one counts: logistic regression on some 150 statistics of a window, and a small
convolutional network on its notes. `notes` sees pitches and rhythm on a grid of 1/12 beat; `feel` sees the performance
too. AUC .5: can't tell. Human solos against other human solos: see MODEL_CARD.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.jazz.windows import Window

MAX_NOTES = 112
GRID = 12


@dataclass(frozen=True)
class Verdict:
    """AUC of each kind of classifier over all held-out folds; `interval` is a 95 % bootstrap over groups of `auc`."""

    statistics_auc: float
    network_auc: float
    auc: float
    interval: tuple[float, float]
    human_scores: np.ndarray
    machine_scores: np.ndarray


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Area under the ROC curve: P(score of a positive > score of a negative), ties half (Mann & Whitney 1947)."""
    ranks = np.argsort(np.argsort(np.concatenate([negative, positive]), kind="stable"), kind="stable") + 1.0
    scores = np.concatenate([negative, positive])
    for value in np.unique(scores[np.isin(scores, positive) & np.isin(scores, negative)]):
        ranks[scores == value] = ranks[scores == value].mean()
    size = len(positive)
    return float((ranks[len(negative) :].sum() - size * (size + 1) / 2) / (size * len(negative)))


# --- statistics of a window -------------------------------------------------------------------------------------------


def _histogram(values: np.ndarray, edges: Sequence[float] | np.ndarray) -> np.ndarray:
    clipped = np.clip(values, edges[0], np.nextafter(edges[-1], -np.inf))
    return np.histogram(clipped, edges)[0] / max(1, len(values))


def _entropy(values: np.ndarray) -> float:
    _, counts = np.unique(values, return_counts=True)
    share = counts / counts.sum()
    return float(-(share * np.log2(share)).sum())


def _repeated(symbols: np.ndarray, length: int) -> float:
    """Share of runs of `length` that occur more than once."""
    if len(symbols) <= length:
        return 0.0
    runs = np.lib.stride_tricks.sliding_window_view(symbols, length)
    _, counts = np.unique(runs, axis=0, return_counts=True)
    return float(counts[counts > 1].sum() / counts.sum())


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if len(a) < 3 or a.std() < 1e-9 or b.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def statistics(window: Window, feel: bool) -> np.ndarray:
    """Some 150 numbers of a window; with `feel` about 75 more on timing, dynamics and articulation."""
    grid = np.rint(window.onset * GRID).astype(int)
    pitch = window.pitch
    step = np.diff(pitch)
    ioi = np.diff(grid)
    turns = np.sign(step[1:]) * np.sign(step[:-1])
    log_ioi = np.log2(np.maximum(ioi, 1))
    length_runs = np.diff(np.flatnonzero(np.concatenate([[True], np.diff(np.sign(step)) != 0, [True]])))
    parts = [
        _histogram(step, [*(np.arange(-13, 14) - 0.5), 13.5]),
        _histogram(ioi, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 18, 20, 24, 30, 36, 48, 72, 96, 1e9]),
        _histogram(grid % GRID, np.arange(GRID + 1) - 0.5),
        _histogram(np.mod(grid // GRID, 4), np.arange(5) - 0.5),
        _histogram(length_runs, [1, 2, 3, 4, 5, 6, 8, 100]),
        _histogram(np.abs(step), [0, 1, 2, 3, 5, 8, 13, 100]),
        np.bincount(pitch % 12, minlength=12)[np.argsort(-np.bincount(pitch % 12, minlength=12))] / len(pitch),
        np.array([
            len(pitch) / window.beats, np.log(len(pitch)), pitch.mean() / 12, pitch.std(), np.ptp(pitch),
            (turns < 0).mean() if len(turns) else 0.0, (turns == 0).mean() if len(turns) else 0.0,
            (step == 0).mean(), np.abs(step).mean(), step.std(), _entropy(step), _entropy(ioi), _entropy(pitch),
            _entropy(pitch % 12), _entropy(step * 1000 + np.append(ioi[1:], 0)), log_ioi.mean(), log_ioi.std(),
            _correlation(log_ioi[1:], log_ioi[:-1]), _correlation(step[1:].astype(float), step[:-1].astype(float)),
            _correlation(np.abs(step).astype(float), log_ioi), (ioi[1:] == ioi[:-1]).mean() if len(ioi) > 1 else 0.0,
            (ioi >= 24).mean(), ioi.max(), (ioi > 0).mean(), window.onset[0], window.beats - window.onset[-1],
            np.log(window.tempo_bpm), np.log(window.tempo_bpm) * len(pitch) / window.beats,
            *(_repeated(step, n) for n in (2, 3, 4, 6)), *(_repeated(ioi, n) for n in (2, 3, 4, 6)),
            *(_repeated(step * 1000 + ioi, n) for n in (1, 2, 3)),
            *(_correlation(pitch[lag:].astype(float), pitch[:-lag].astype(float)) for lag in (1, 2, 4, 8)),
            *(((ioi[1:] == a) & (ioi[:-1] == b)).mean() if len(ioi) > 1 else 0.0
              for a, b in ((6, 6), (3, 3), (4, 4), (12, 12), (6, 12), (8, 4), (4, 8), (7, 5), (5, 7))),
        ]),
    ]  # fmt: skip
    if feel:
        parts.append(_feel_statistics(window, grid))
    return np.nan_to_num(np.concatenate(parts).astype(np.float64))


def _feel_statistics(window: Window, grid: np.ndarray) -> np.ndarray:
    beat_ms = 60_000.0 / window.tempo_bpm
    in_beat = np.mod(window.onset + 0.04, 1.0) - 0.04
    gap = np.diff(window.onset)
    ratio = window.duration[:-1] / np.maximum(gap, 1e-3)
    held_ms = window.duration * beat_ms
    level = (window.velocity - window.velocity.mean()) / max(window.velocity.std(), 1.0)
    off = (np.mod(grid, GRID) >= 5) & (np.mod(grid, GRID) <= 8)
    on = np.mod(grid, GRID) <= 1
    late = np.where(on, in_beat, np.nan)
    pitch = window.pitch.astype(float)
    ratio_change = np.diff(gap) / np.maximum(gap[1:], 0.02)
    return np.concatenate([
        _histogram(in_beat, np.linspace(-0.04, 0.96, 21)),
        _histogram(ratio, [0, 0.2, 0.4, 0.55, 0.65, 0.75, 0.8, 0.85, 0.9, 0.95, 0.995, 1.01, 100]),
        _histogram(held_ms, [0, 40, 60, 80, 100, 120, 150, 200, 300, 500, 1000, 1e9]),
        _histogram(level, [-9, -2, -1, -0.5, 0, 0.5, 1, 2, 9]),
        np.array([
            np.nanmean(late) * beat_ms if on.any() else 0.0, np.nanstd(late) * beat_ms if on.any() else 0.0,
            in_beat[off].mean() if off.any() else 0.57, in_beat[off].std() if off.any() else 0.1,
            window.velocity.std(), _correlation(level[1:], level[:-1]), _correlation(level, pitch),
            _correlation(np.diff(level), np.diff(pitch)), level[off].mean() if off.any() else 0.0,
            level[on].mean() if on.any() else 0.0, ratio.mean(), ratio.std(), np.log(held_ms + 1).mean(),
            np.log(held_ms + 1).std(), _correlation(ratio[1:], ratio[:-1]), _correlation(level[:-1], ratio),
            _correlation(level[:-1], np.log(gap + 0.02)), _correlation(ratio, np.log(gap + 0.02)),
            np.abs(ratio_change).mean() if len(ratio_change) else 0.0, (gap * beat_ms < 60).mean(),
            (ratio > 0.995).mean(), np.clip(window.duration[-1], 0, 8), np.abs(np.diff(level)).mean(),
            np.percentile(gap * beat_ms, 10), np.percentile(ratio, 10), np.percentile(ratio, 90),
        ]),
    ])  # fmt: skip


def _logistic(train: np.ndarray, labels: np.ndarray, test: np.ndarray, penalty: float = 0.02) -> np.ndarray:
    """Log odds for `test` by L2-penalised logistic regression on standardised columns and their squares."""
    mean, deviation = train.mean(0), train.std(0) + 1e-6

    def scaled(rows: np.ndarray) -> Tensor:
        z = np.clip((rows - mean) / deviation, -4, 4)
        return torch.from_numpy(np.concatenate([z, 0.5 * (z**2 - 1)], axis=1))

    x, y = scaled(train), torch.from_numpy(labels.astype(np.float64))
    weight = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    balance = torch.where(y > 0, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = (
            F.binary_cross_entropy_with_logits(x @ weight + bias, y, weight=balance) + penalty * weight.square().sum()
        )
        loss.backward()
        return loss

    optimiser.step(closure)
    with torch.no_grad():
        return np.asarray(scaled(test) @ weight + bias)


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
    notes = np.stack([note_channels(window, feel) for window in everything])
    by_statistics, by_network = np.zeros(len(everything)), np.zeros(len(everything))
    for number in range(folds):
        test = fold == number
        by_statistics[test] = _logistic(table[~test], labels[~test], table[test])
        by_network[test] = _network_scores(notes[~test], labels[~test], notes[test], seed + number, epochs)
    is_machine = labels == 1
    both = _standard(by_statistics) + _standard(by_network)
    aucs = [auc(scores[is_machine], scores[~is_machine]) for scores in (by_statistics, by_network, both)]
    best = (by_statistics, by_network, both)[int(np.argmax(aucs))]
    interval = _bootstrap(best, is_machine, np.array([window.group for window in everything]), seed)
    return Verdict(aucs[0], aucs[1], max(aucs), interval, best[~is_machine], best[is_machine])


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
