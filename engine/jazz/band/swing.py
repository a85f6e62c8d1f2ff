"""How far the band swings: where the off-beats of the ride cymbal, the bass and the piano lie at a tempo."""

from __future__ import annotations

from engine.jazz.theory.feel import Feel

TRIPLET = 2 / 3
"""Bass and piano put their off-beats on the triplet at most; only the ride cymbal goes beyond it."""


def swing_share(tempo_bpm: float, feel: Feel) -> float:
    """Share of the beat before the off-beat eighth of the ride cymbal: 0.5 straight, 0.667 triplet.

    The ride's long:short ratio falls about linearly with tempo, from 3.5:1 at slow to 1:1 at 300 bpm, its short note
    staying near 100 ms (Friberg & Sundström, Swing ratios and ensemble timing in jazz performance, 2002)."""
    if not feel.swings:
        return 0.5
    ratio = min(3.5, max(1.0, 3.5 - (tempo_bpm - 90.0) * 2.5 / 210.0))
    if tempo_bpm < 90:
        # a ballad's off-beats are triplets, softer than the dotted figure of a medium tempo
        ratio = 2.0 + max(0.0, tempo_bpm - 60.0) / 30.0 * 1.5
    return ratio / (1.0 + ratio)
