"""Numbers that describe eight bars of a solo: intervals, rhythm, contour, repetition; and time feel and dynamics.

Both the judge, who is trained from nothing for every question, and the critic that chooses takes look at these.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.jazz.model.windows import Window

GRID = 12
"""Places in a beat to which onsets are rounded."""


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
    different, number = np.unique(symbols, return_inverse=True)
    runs = np.lib.stride_tricks.sliding_window_view(number, length)
    spelled = runs @ (len(different) ** np.arange(length))  # every run as one number
    _, counts = np.unique(spelled, return_counts=True)
    return float(counts[counts > 1].sum() / counts.sum())


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if len(a) < 3:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    size = float(a @ a) * float(b @ b)
    return float(a @ b) / size**0.5 if size > 1e-18 else 0.0


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


def harmony_statistics(window: Window) -> np.ndarray:
    """How the notes of a window stand to its chords: shares of scale and of chord tones among all notes, those on
    beats, on strong beats, off beats, long ones and those after leaps; and what follows notes outside the scale."""
    grid = np.rint(window.onset * GRID).astype(int)
    step, ioi = np.abs(np.diff(window.pitch)), np.diff(grid)
    known = window.belonging >= 0
    on_beat, strong = grid % GRID == 0, np.mod(grid, 2 * GRID) == 0
    held = np.append(ioi >= GRID, True)
    leapt = np.append(False, step > 4)
    outside = (window.belonging == 0) & known
    left, resolves = outside[:-1], (window.belonging[1:] == 2) & (step <= 2)
    among = (known, known & on_beat, known & strong, known & ~on_beat, known & held, known & leapt)

    def share(of: np.ndarray, where: np.ndarray) -> float:
        return float(of[where].mean()) if where.any() else 0.5

    return np.array([
        *(share(window.belonging >= least, where) for least in (1, 2) for where in among),
        share(resolves, left), share(outside[1:], left), known.mean(),
    ])  # fmt: skip


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
