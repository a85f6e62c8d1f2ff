"""Feels: who of the section plays what, whether it swings, and at which tempi. How far it swings is `band/swing.py`."""

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


def feel_of_tempo(tempo_bpm: float) -> Feel:
    return FEELS["ballad"] if tempo_bpm < 85 else FEELS["up"] if tempo_bpm > 225 else FEELS["swing"]
