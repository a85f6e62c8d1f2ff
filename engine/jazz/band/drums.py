"""Drums from human performances: bars of one drummer in a row, warped to the tempo's swing.

The bank (`DrumBank`) holds bars of the Groove MIDI Dataset as hits with their performed position and velocity, learned
by `engine.jazz.band.learn_drums`. A clip has one drummer: phrases are runs of consecutive bars of one performance
where he kept time, so accents answer each other as they were played; the last bar of a section is one of his fills.
Only the ride's off-beat moves: the part of each beat before it is stretched to where the tempo puts it, and every
hit's micro-timing with it. The hi-hat closes on 2 and 4 in every bar of swing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.jazz.score import Note

KICK, CROSS_STICK, SNARE, CLOSED_HAT, PEDAL_HAT, OPEN_HAT = 36, 37, 38, 42, 44, 46
CRASH, RIDE, RIDE_BELL, CRASH_2 = 49, 51, 53, 57
TOMS = (41, 43, 45, 47, 48, 50)
PHRASE = 2
"""Bars chosen at once; going straight on in the performance is the rule, a jump the exception."""
GOES_ON = 8.0
OWN_FILLS = 4
NEAR_TEMPO = 1.45
"""Ratio of tempi up to which a fill of another performance is borrowed."""

Hits = NDArray[np.float32]
"""(N, 3): position in beats from the bar line, General MIDI pitch, velocity."""


@dataclass(frozen=True)
class Performance:
    """Consecutive bars of one recording. `fill[i]`: bar i is a fill. `swing`: its own ride's off-beat position."""

    name: str
    family: str
    tempo_bpm: float
    swing: float
    bars: tuple[Hits, ...]
    fill: tuple[bool, ...]

    @property
    def fills(self) -> list[Hits]:
        """Its fills; bars marked as fills that hold nothing are gaps between runs."""
        return [bar for bar, is_fill in zip(self.bars, self.fill, strict=True) if is_fill and len(bar)]


@dataclass(frozen=True)
class DrumBank:
    performances: tuple[Performance, ...]

    def of(self, family: str) -> tuple[Performance, ...]:
        return tuple(p for p in self.performances if p.family == family)


def warp(position: float, own_swing: float, swing: float) -> float:
    """Move a position in beats so that the performance's own off-beat lands on `swing`; the beats stay."""
    beat, phase = divmod(position, 1.0)
    if phase > 0.9:  # just ahead of the next beat: keep its distance to that beat
        return position
    if phase <= own_swing:
        return beat + phase * swing / own_swing
    return beat + swing + (phase - own_swing) * (0.9 - swing) / (0.9 - own_swing)


def play(
    bank: DrumBank,
    family: str,
    bars: int,
    tempo_bpm: float,
    swing: float,
    section_ends: frozenset[int],
    activity: NDArray[np.float64],
    rng: np.random.Generator,
    beats_per_bar: int = 4,
) -> list[Note]:
    """Drum notes for `bars` bars; the family's performances must have bars of `beats_per_bar` beats.

    `section_ends`: bars that end a section, which get a fill. `activity` (bars,): notes per beat of the soloist; where
    he rests the drummer's busier phrases are likelier, where he runs the sparser ones."""
    performance = _drummer(bank.of(family), tempo_bpm, rng)
    notes: list[Note] = []
    bar = 0
    previous_end = -1
    keeps = None
    while bar < bars:
        length = min(PHRASE - bar % PHRASE, bars - bar)
        if bar - 1 in section_ends:
            keeps = None  # a new section may move from the ride to the hi-hat, or back
        start = _run(performance, length, float(activity[bar : bar + length].mean()), previous_end, keeps, rng)
        keeps = _timekeeper(performance.bars[start + length - 1])
        for index in range(length):
            hits, own_swing = performance.bars[start + index], performance.swing
            if bar + index in section_ends and bar + index < bars - 1:
                hits, own_swing = _fill(performance, bank.of(family), rng)
            notes.extend(_notes(hits, (bar + index) * beats_per_bar, own_swing, swing))
        previous_end = start + length
        bar += length
    return _without_collisions(notes)


def _drummer(performances: tuple[Performance, ...], tempo_bpm: float, rng: np.random.Generator) -> Performance:
    """A performance near the tempo: weight falls by e for every 15 % of difference."""
    distance = np.array([abs(np.log(p.tempo_bpm / tempo_bpm)) / 0.15 for p in performances])
    weights = np.exp(-(distance - distance.min()))
    return performances[int(rng.choice(len(performances), p=weights / weights.sum()))]


def _run(
    performance: Performance, length: int, activity: float, follows: int, keeps: str | None, rng: np.random.Generator
) -> int:
    """First bar of a run of `length` bars without a fill; going straight on is `GOES_ON` times likelier than a jump.

    `keeps`: the cymbal that kept time until now and had better go on; None when either may."""
    starts = [
        start
        for start in range(len(performance.bars) - length + 1)
        if not any(performance.fill[start : start + length])
    ]
    density = np.array([sum(_comping_hits(performance.bars[s + i]) for i in range(length)) / length for s in starts])
    standard = (density - density.mean()) / (density.std() + 1e-6)
    # a soloist plays about two notes a beat: more asks for room, fewer for company
    weights = np.exp(-0.6 * standard * np.clip(activity - 2.0, -1.5, 1.5))
    weights = weights * np.array([GOES_ON if start == follows else 1.0 for start in starts])
    if keeps is not None:
        cymbals = [{_timekeeper(performance.bars[start + i]) for i in range(length)} for start in starts]
        weights = weights * np.array([1.0 if same == {keeps} else 0.01 for same in cymbals])
    return starts[int(rng.choice(len(starts), p=weights / weights.sum()))]


def _timekeeper(hits: Hits) -> str:
    """Whether the ride or the hi-hat's tip keeps time in a bar."""
    ride, hat = (int(np.isin(hits[:, 1], pitches).sum()) for pitches in ((RIDE, RIDE_BELL), (CLOSED_HAT, OPEN_HAT)))
    return "ride" if ride >= hat else "hi-hat"


def _comping_hits(hits: Hits) -> int:
    return int(np.isin(hits[:, 1], (KICK, SNARE, CROSS_STICK, *TOMS)).sum())


def _fill(performance: Performance, family: tuple[Performance, ...], rng: np.random.Generator) -> tuple[Hits, float]:
    """A fill and the swing it was played with: the drummer's own, or where he has fewer than `OWN_FILLS` one played
    at about his tempo."""
    own = [(bar, performance.swing) for bar in performance.fills]
    near = [
        (bar, other.swing)
        for other in family
        if abs(np.log(other.tempo_bpm / performance.tempo_bpm)) < np.log(NEAR_TEMPO)
        for bar in other.fills
    ]
    fills = own if len(own) >= OWN_FILLS or not near else near
    return fills[int(rng.integers(len(fills)))]


def _notes(hits: Hits, bar_line: float, own_swing: float, swing: float) -> list[Note]:
    notes = []
    for position, pitch, velocity in hits.tolist():
        onset = max(0.0, bar_line + (position if position < 0 else warp(position, own_swing, swing)))
        length = 0.5 if int(pitch) in (RIDE, RIDE_BELL, CRASH, CRASH_2, OPEN_HAT) else 0.25
        notes.append(Note(float(onset), length, int(pitch), int(velocity)))
    return notes


def _without_collisions(notes: list[Note]) -> list[Note]:
    """Sorted, without two hits of one drum within a twelfth of a beat (where two runs meet)."""
    kept: list[Note] = []
    last: dict[int, float] = {}
    for note in sorted(notes, key=lambda note: (note.onset, note.pitch)):
        if note.onset - last.get(note.pitch, -9.0) < 1 / 12:
            continue
        last[note.pitch] = note.onset
        kept.append(note)
    return kept
