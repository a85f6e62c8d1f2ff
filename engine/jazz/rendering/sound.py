"""A score or a recording -> the finished clip: sound, its measures, and pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.jazz.rendering.codec import decode, encode_within
from engine.jazz.rendering.loudness import (
    CEILING_DBTP,
    LIMIT_DBTP,
    TARGET_LUFS,
    integrated_lufs,
    levelled,
    true_peak_dbtp,
)
from engine.jazz.rendering.render import Room, Synthesizer, mix, ring_out
from engine.jazz.rendering.samples import RATE_HZ, Stereo
from engine.jazz.theory.score import Score
from engine.progress import Progress

DECODE_LIMIT_S = 3600.0
MAX_ATTEMPTS = 5
TOLERANCE_LU = 0.3
TRIAL_TOLERANCE_LU = 0.02
"""Of one side of a blind trial: what is left is too little to be measured apart over many trials, let alone heard."""
LEVELLING_LU, TRIAL_LEVELLING_LU = 0.1, 0.005
"""How near the signal is brought to its level before it is encoded."""
TRIAL_RING_S = 2.5
TRIAL_FADE_S = 1.0
"""A side of a blind trial ends so long after its last bar, whatever rings on, fading over its last second."""


@dataclass(frozen=True, slots=True)
class Finished:
    """`audio`: OGG/Opus; the measures are of that file, decoded again."""

    audio: bytes
    duration_s: float
    loudness_lufs: float
    true_peak_dbtp: float


def play_score(synthesizer: Synthesizer, score: Score, brushes: bool, room: Room, progress: Progress) -> Stereo:
    """Stems, room and mix. Reports 0..1."""
    stems = synthesizer.stems(score, brushes, lambda share: progress("playing", 0.7 * share))
    progress("mixing", 0.75)
    mixed = ring_out(mix(stems, room))
    progress("mixing", 1.0)
    return mixed


def as_long_as(signal: Stereo, music_s: float) -> Stereo:
    """The signal cut or filled to exactly its music of `music_s` seconds and the ring of a blind trial."""
    length = round((music_s + TRIAL_RING_S) * RATE_HZ)
    cut = np.zeros((length, 2), np.float32)
    cut[: min(length, len(signal))] = signal[:length]
    fade = min(length, round(TRIAL_FADE_S * RATE_HZ))
    cut[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None] ** 2
    return cut


def finish(signal: Stereo, max_bytes: int, progress: Progress, *, for_trial: bool = False) -> Finished:
    """Level, encode and measure. Every clip goes through here, whoever played it. Reports 0..1.

    `for_trial`: closer to the target loudness, and at a constant bit rate."""
    ceiling, aim = LIMIT_DBTP, TARGET_LUFS
    tolerance_lu = TRIAL_TOLERANCE_LU if for_trial else TOLERANCE_LU
    levelling_lu = TRIAL_LEVELLING_LU if for_trial else LEVELLING_LU
    for attempt in range(MAX_ATTEMPTS):
        progress("levelling", 0.2 * attempt)
        level = levelled(signal, aim, ceiling, levelling_lu)
        progress("encoding", 0.2 * attempt + 0.1)
        audio = encode_within(level, max_bytes, constant=for_trial)
        heard = decode(audio, DECODE_LIMIT_S)
        peak, loudness = true_peak_dbtp(heard), integrated_lufs(heard)
        if peak <= CEILING_DBTP and (abs(loudness - TARGET_LUFS) < tolerance_lu or not math.isfinite(loudness)):
            break
        # the codec overshot by more than usual, or lost some of a noisy sound
        ceiling -= max(0.0, peak - CEILING_DBTP + 0.1)
        aim += TARGET_LUFS - loudness
    progress("encoding", 1.0)
    return Finished(audio, len(heard) / RATE_HZ, loudness, peak)
