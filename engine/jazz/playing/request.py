"""What a soloist is asked for, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.contract.limits import MAX_BARS, MAX_TAKES
from engine.errors import BadOption
from engine.jazz.corpus.solos import FEELS, INSTRUMENTS, STYLES
from engine.jazz.model.changes import Changes, changes_of_spans
from engine.jazz.model.tokens import Events
from engine.jazz.theory.score import ChordSpan, Note


@dataclass(frozen=True)
class Improvisation:
    """A solo. Onsets and durations in beats from the first bar, as performed.

    `takes`: how many were played, of which this one was picked; `longest_copied_run`: notes in a row that a training
    solo has too, at most (`copying`); `critic_score`: the critic's mean log odds that a human played eight bars of it
    (0 without a critic); `redrawn`: how often all takes were thrown away because they copied; `events`: the notes as
    tokens."""

    notes: tuple[Note, ...]
    takes: int
    longest_copied_run: int
    critic_score: float
    style: str
    redrawn: int = 0
    events: Events | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Request:
    """What a solo is asked to be."""

    changes: tuple[ChordSpan, ...]
    bars: int
    tempo_bpm: float
    instrument: str = "tenor sax"
    beats_per_bar: int = 4
    style: str = ""
    feel: str = ""

    @property
    def beats(self) -> int:
        return self.bars * self.beats_per_bar

    def table(self) -> Changes:
        """Chords and metre beat by beat; sections of 12 bars where only those fit, else of 8."""
        section_bars = 12 if self.bars % 12 == 0 and self.bars % 8 else 8
        return changes_of_spans(self.changes, self.beats, self.beats_per_bar, section_bars)

    def numbers(self) -> tuple[int, int, int]:
        """Class numbers of instrument, style and feel; 0 where it was left open."""
        return (
            INSTRUMENTS.index(self.instrument) + 1,
            STYLES.index(self.style) + 1 if self.style else 0,
            FEELS.index(self.feel) + 1 if self.feel else 0,
        )

    def check(self, takes: int) -> None:
        """Raises `BadOption`."""
        known: list[tuple[str, Any, tuple[Any, ...]]] = [
            ("instrument", self.instrument, INSTRUMENTS),
            ("style", self.style, ("", *STYLES)),
            ("feel", self.feel, ("", *FEELS)),
            ("metre", self.beats_per_bar, (3, 4)),
        ]
        for what, value, among in known:
            if value not in among:
                named = ", ".join(str(item) for item in among if item != "")
                raise BadOption(f"The soloist doesn't know the {what} “{value}”. Choose one of these: {named}.")
        for what, number, low, high in (
            ("number of bars", self.bars, 1, MAX_BARS),
            ("number of takes", takes, 1, MAX_TAKES),
            ("tempo", self.tempo_bpm, 30, 400),
        ):
            if not low <= number <= high:
                raise BadOption(f"The {what} must be between {low} and {high}, not {number:g}.")
