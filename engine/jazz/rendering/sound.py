"""A score or a recording -> the finished clip: sound, its measures, and pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from engine.jazz.rendering.codec import decode, encode_within
from engine.jazz.rendering.loudness import (
    CEILING_DBTP,
    LIMIT_DBTP,
    TARGET_LUFS,
    integrated_lufs,
    levelled,
    true_peak_dbtp,
)
from engine.jazz.rendering.render import Synthesizer, mix, ring_out
from engine.jazz.rendering.samples import RATE_HZ, Stereo
from engine.jazz.theory.score import Score
from engine.progress import Progress

DECODE_LIMIT_S = 3600.0
MAX_ATTEMPTS = 5
TOLERANCE_LU = 0.3


@dataclass(frozen=True, slots=True)
class Finished:
    """`audio`: OGG/Opus; the measures are of that file, decoded again."""

    audio: bytes
    duration_s: float
    loudness_lufs: float
    true_peak_dbtp: float


def play_score(
    synthesizer: Synthesizer, score: Score, brushes: bool, device: torch.device, progress: Progress
) -> Stereo:
    """Stems, room and mix. Reports 0..1."""
    stems = synthesizer.stems(score, brushes, lambda share: progress("playing", 0.7 * share))
    progress("mixing", 0.75)
    mixed = ring_out(mix(stems, device))
    progress("mixing", 1.0)
    return mixed


def finish(signal: Stereo, max_bytes: int, progress: Progress) -> Finished:
    """Level, encode and measure. Every clip goes through here, whoever played it. Reports 0..1."""
    ceiling, aim = LIMIT_DBTP, TARGET_LUFS
    for attempt in range(MAX_ATTEMPTS):
        progress("levelling", 0.2 * attempt)
        level = levelled(signal, aim, ceiling)
        progress("encoding", 0.2 * attempt + 0.1)
        audio = encode_within(level, max_bytes)
        heard = decode(audio, DECODE_LIMIT_S)
        peak, loudness = true_peak_dbtp(heard), integrated_lufs(heard)
        if peak <= CEILING_DBTP and (abs(loudness - TARGET_LUFS) < TOLERANCE_LU or not math.isfinite(loudness)):
            break
        # the codec overshot by more than usual, or lost some of a noisy sound
        ceiling -= max(0.0, peak - CEILING_DBTP + 0.1)
        aim += TARGET_LUFS - loudness
    progress("encoding", 1.0)
    return Finished(audio, len(heard) / RATE_HZ, loudness, peak)
