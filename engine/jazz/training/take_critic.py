"""The stage after the soloist is finished: the critic that chooses takes learns to tell its bars from human ones."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.jazz.corpus.solos import Solo
from engine.jazz.model.changes import changes_of_solo
from engine.jazz.model.logistic import auc
from engine.jazz.model.take_critic import BEATS_PER_BAR, LOOKS, Look, TakeCritic
from engine.jazz.model.tokens import encode
from engine.jazz.model.windows import (
    MIN_WINDOW_NOTES,
    WINDOW_BARS,
    Columns,
    Window,
    first_bar,
    notated_columns,
    window_at,
    windows_of_solo,
)
from engine.jazz.playing.matched import Clip
from engine.jazz.training.stage import save_checkpoint


def train_take_critic(train: Sequence[Solo], val: Sequence[Solo], clips: Sequence[Clip], out: Path) -> dict[str, float]:
    """Fit on the train solos and most of the `clips`; writes `out`/takes.pt. Returns the AUC of each look on the val
    solos against the clips that were held back."""
    held_back = max(1, len(clips) // 6)
    human, machine = windows_of_humans(train), windows_of_clips(clips[held_back:])
    critic = TakeCritic.fit(human, machine)
    other_human, other_machine = windows_of_humans(val), windows_of_clips(clips[:held_back])
    found: dict[str, float] = {}
    for look in LOOKS:
        human_odds, machine_odds = (critic.log_odds(side[look], look) for side in (other_human, other_machine))
        found[look] = auc(human_odds, machine_odds)
        sys.stdout.write(
            f"{look}: {len(human[look])} human and {len(machine[look])} generated windows; "
            f"AUC {found[look]:.3f} on {len(other_human[look])} and {len(other_machine[look])} others\n"
        )
    save_checkpoint(out / "takes.pt", average=critic.state_dict(), shape=critic.columns, step=len(clips))
    return found


def windows_of_humans(solos: Sequence[Solo]) -> dict[Look, list[Window]]:
    """All windows of solos in 4/4, in both looks."""
    found: dict[Look, list[Window]] = {"score": [], "performance": []}
    for solo in solos:
        performed = windows_of_solo(solo)
        found["performance"] += performed
        start = first_bar(solo)
        if performed and start is not None:
            columns = notated_columns(encode(solo), changes_of_solo(solo))
            last = float(columns.onset[-1]) + 1.0
            found["score"] += _cut(columns, start, last, solo.tempo_bpm, performed[0].group)
    return found


def windows_of_clips(clips: Sequence[Clip]) -> dict[Look, list[Window]]:
    """All windows of generated clips, in both looks."""
    found: dict[Look, list[Window]] = {"score": [], "performance": []}
    for clip in clips:
        found["performance"] += clip.windows()
        events, request = clip.improvisation.events, clip.request
        if events is not None and len(events):
            columns, last = notated_columns(events, request.table()), float(request.beats)
            found["score"] += _cut(columns, 0.0, last, request.tempo_bpm, f"machine {clip.seed}")
    return found


def _cut(
    columns: Columns,
    start: float,
    last: float,
    tempo_bpm: float,
    group: str,
) -> list[Window]:
    size = WINDOW_BARS * BEATS_PER_BAR
    starts = np.arange(start, last - size + 1e-6, size)
    windows = [window_at(columns, float(beat), size, tempo_bpm, group) for beat in starts]
    return [window for window in windows if len(window.pitch) >= MIN_WINDOW_NOTES]
