"""A piece of music as the rooms of the engine hand it to each other.

Time is counted in quarter-note beats from the first beat of the first bar. Onsets and durations are as performed:
time feel is part of the number, nothing is quantised.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PARTS = ("solo", "bass", "comping", "drums")
"""Names of the parts, and of the tracks in a MIDI file, in this order."""


@dataclass(frozen=True, slots=True)
class Note:
    """One note. `onset` and `duration` in beats, `pitch` a MIDI number (for drums the General MIDI drum map),
    `velocity` 1..127."""

    onset: float
    duration: float
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord symbol, as written, over `beats` beats from `onset`."""

    onset: float
    beats: float
    symbol: str


@dataclass(frozen=True, slots=True)
class Section:
    """A named part of the form ("A", "bridge", "ending") that starts at beat `onset`."""

    onset: float
    name: str


@dataclass(frozen=True, slots=True)
class Score:
    """A whole clip: four parts over chords, at one tempo.

    `instrument` names the soloist's instrument ("tenor sax"); `swing` is the share of the beat before the off-beat
    eighth of the rhythm section (0.5 straight, 0.667 triplet)."""

    tempo_bpm: float
    bars: int
    chords: tuple[ChordSpan, ...]
    parts: dict[str, tuple[Note, ...]] = field(default_factory=dict)
    beats_per_bar: int = 4
    sections: tuple[Section, ...] = ()
    instrument: str = "tenor sax"
    swing: float = 0.62

    @property
    def beats(self) -> float:
        """Length of the form in beats (notes may ring on after it)."""
        return float(self.bars * self.beats_per_bar)

    def seconds(self, beats: float) -> float:
        """Beats -> seconds at the score's tempo."""
        return beats * 60.0 / self.tempo_bpm
