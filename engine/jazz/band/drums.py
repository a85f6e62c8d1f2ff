"""Drums from human performances: bars of one drummer in a row, warped to the tempo's swing.

The bank (`DrumBank`) holds bars of the Groove MIDI Dataset as hits with their performed position and velocity, learned
by `engine.jazz.band.learn_drums`. A clip has one drummer: phrases are runs of consecutive bars of one performance where
he kept time, so accents answer each other as they were played. Phrases end with fills that drummers played
(`planned_fills` says where). Only the ride's off-beat moves: the part of each beat before it is stretched to where the
tempo puts it (`swing.py`), and every hit's micro-timing with it. The hi-hat closes on 2
and 4 in every bar of swing but in a fill of a whole bar.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.jazz.theory.score import Note

KICK, CROSS_STICK, SNARE, CLOSED_HAT, PEDAL_HAT, OPEN_HAT = 36, 37, 38, 42, 44, 46
CRASH, RIDE, RIDE_BELL, CRASH_2 = 49, 51, 53, 57
TOMS = (41, 43, 45, 47, 48, 50)
PHRASE = 2
"""Bars chosen at once; going straight on in the performance is the rule, a jump the exception."""
GOES_ON = 8.0
OWN_FILLS = 4
"""With fewer fills of his own a drummer borrows from others."""
FASTER, SLOWER = 1.45, 2.2
"""How much faster or slower than it was played a borrowed fill may sound: sped up it turns into a machine gun soon."""
FILL_FAMILIES = {"swing": ("fill",), "ballad": ("swing", "fill"), "waltz": ("swing", "fill"), "bossa": ()}
"""Where a family's drummer finds fills beside his own family's."""
EARLY = 0.12
"""Beats by which a hit may come before its beat and still belong to it."""
SECTION = 8
"""Bars of a section that earns a fill of a whole bar; shorter ones get the last two beats."""
FOUR_BARS = 4
INTO_THE_ENDING = 0.7
"""Probability of a fill that leads into the ending."""

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

    def lenders(self, family: str) -> tuple[Performance, ...]:
        """Whose fills suit a family, its own performances first."""
        return tuple(p for name in (family, *FILL_FAMILIES.get(family, ())) for p in self.of(name))


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
    he rests the drummer's busier phrases and fills are likelier, where he runs the sparser ones."""
    performance = _drummer(bank.of(family), tempo_bpm, rng)
    fills = planned_fills(section_ends, bars, activity, rng, beats_per_bar)
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
            time, bar_line = performance.bars[start + index], (bar + index) * beats_per_bar
            if bar + index in fills:
                since = fills[bar + index]
                fill, own_swing = _fill(performance, bank.lenders(family), tempo_bpm, beats_per_bar, rng)
                notes.extend(_notes(_until(time, since), bar_line, performance.swing, swing))
                notes.extend(_notes(_since(fill, since), bar_line, own_swing, swing))
            else:
                notes.extend(_notes(time, bar_line, performance.swing, swing))
        previous_end = start + length
        bar += length
    return _without_collisions(notes)


def planned_fills(
    section_ends: frozenset[int],
    bars: int,
    activity: NDArray[np.float64],
    rng: np.random.Generator,
    beats_per_bar: int = 4,
) -> dict[int, float]:
    """Bars with a fill, and the beat of the bar on which it begins.

    Every section ends with one: a whole bar after eight bars, the last two beats after fewer. So does, mostly, the last
    bar, into the ending. Within a section the fourth bar may have one, the likelier the less the soloist plays there.
    The share of bars comes out near the 8 to 18 % of the swing performances of the Groove dataset."""
    half = beats_per_bar - 2.0
    fills: dict[int, float] = {}
    begins = 0  # of the section
    for bar in range(bars):
        chance = rng.random()
        length = bar - begins + 1
        if bar == bars - 1:
            if bars >= FOUR_BARS and chance < INTO_THE_ENDING:
                fills[bar] = half
        elif bar in section_ends:
            fills[bar] = 0.0 if length >= SECTION else half
        elif length % FOUR_BARS == 0 and chance < float(np.clip(0.55 - 0.2 * activity[bar], 0.05, 0.5)):
            fills[bar] = half
        if bar in section_ends:
            begins = bar + 1
    return fills


def _until(time: Hits, beat: float) -> Hits:
    """What of a bar of time is left when a fill begins on `beat`: everything before, and the foot on the hi-hat."""
    kept: Hits = time[(time[:, 0] < beat - EARLY) | ((time[:, 1] == PEDAL_HAT) & (beat > 0))]
    return kept


def _since(fill: Hits, beat: float) -> Hits:
    """A fill from `beat` on; unless that is its first beat, the foot is the time's."""
    kept: Hits = fill[(fill[:, 0] >= beat - EARLY) & ((fill[:, 1] != PEDAL_HAT) | (beat <= 0))]
    return kept


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


def _fill(
    performance: Performance,
    lenders: tuple[Performance, ...],
    tempo_bpm: float,
    beats_per_bar: int,
    rng: np.random.Generator,
) -> tuple[Hits, float]:
    """A fill and the swing it was played with: the drummer's own or, at about this tempo, from another session of his;
    where those are fewer than `OWN_FILLS`, somebody else's too. A waltz takes the last three beats of one in 4/4."""
    person = performance.name.split("/")[0]
    own = [(bar, performance.swing) for bar in performance.fills]
    near = [
        (_last_beats(bar, beats_per_bar if other.family != performance.family else 0), other)
        for other in lenders
        if other is not performance and 1 / SLOWER < tempo_bpm / other.tempo_bpm < FASTER
        for bar in other.fills
    ]
    his = own + [(bar, other.swing) for bar, other in near if other.name.split("/")[0] == person]
    fills = his if len(his) >= OWN_FILLS else own + [(bar, other.swing) for bar, other in near]
    return fills[int(rng.integers(len(fills)))]


def _last_beats(bar: Hits, beats: int) -> Hits:
    """The last `beats` beats of a bar of 4/4, counted from their first; the bar itself for 0 and 4."""
    if beats in (0, 4):
        return bar
    first = 4 - beats
    kept: Hits = bar[bar[:, 0] >= first - EARLY] - np.array([first, 0, 0], dtype=np.float32)
    return kept


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
