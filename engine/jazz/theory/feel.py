"""Feels: who of the section plays what, and where the off-beat lies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Feel:
    """`bass`: walking, two (half notes with pickups) or bossa. `drums`: the family of performances that the drummer
    draws on. `swings`: whether off-beats are long-short. `tempo_bpm`: range from which a tempo is drawn."""

    name: str
    bass: str
    drums: str
    swings: bool
    tempo_bpm: tuple[int, int]
    description: str


FEELS = {
    feel.name: feel
    for feel in (
        Feel("swing", "walking", "swing", True, (120, 220), "walking bass, ride cymbal"),
        Feel("ballad", "two", "ballad", True, (58, 80), "bass in two, brushes"),
        Feel("bossa", "bossa", "bossa", False, (118, 150), "straight eighths, cross stick"),
        Feel("modal", "walking", "swing", True, (130, 190), "walking bass, fourths in the left hand"),
        Feel("up", "walking", "swing", True, (230, 290), "fast: walking bass, nearly even ride"),
    )
}

SOLOIST_FEELS = {"swing": "swing", "up": "swing", "modal": "swing", "ballad": "ballad", "bossa": "latin"}
"""The soloist's word for each of the band's feels."""


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


def feel_of_tempo(tempo_bpm: float) -> Feel:
    return FEELS["ballad"] if tempo_bpm < 85 else FEELS["up"] if tempo_bpm > 225 else FEELS["swing"]
