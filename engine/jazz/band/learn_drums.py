"""Make the drummer's bank out of the Groove MIDI Dataset's jazz and bossa performances."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pretty_midi
from numpy.typing import NDArray

from engine.jazz.band.drums import CLOSED_HAT, CRASH, KICK, PEDAL_HAT, RIDE, RIDE_BELL, SNARE, TOMS, Hits, Performance

# The Roland TD-11 kit of the recordings -> General MIDI (Gillick et al. 2019, table 5).
TO_GENERAL_MIDI = {
    36: 36, 38: 38, 40: 38, 37: 37, 39: 37, 48: 48, 50: 50, 45: 45, 47: 47, 43: 43, 58: 43, 46: 46, 26: 46, 42: 42,
    22: 42, 44: 44, 49: 49, 55: 49, 57: 57, 52: 57, 51: 51, 59: 51, 53: 53,
}  # fmt: skip

FAMILIES = {
    "swing": ("drummer1/session1/47", "drummer1/session1/49", "drummer1/session1/52", "drummer1/session1/77",
              "drummer1/session1/78", "drummer7/session1/15"),
    "ballad": ("drummer1/session1/48", "drummer7/session1/14"),
    "bossa": ("drummer5/session1/1", "drummer5/session1/2"),
    "waltz": ("drummer1/session2/4", "drummer1/session2/5"),
}  # fmt: skip
"""Ride-led swing in 4/4 with the hi-hat on 2 and 4; the two slowest of them for ballads; bossa novas; jazz in 3/4."""
BEATS_PER_BAR = {"waltz": 3}

FILLS = tuple(f"drummer1/session1/{take}" for take in (53, *range(55, 71), 72, 73, 74))
"""Takes of one bar of jazz at 125 bpm that the dataset lists as fills."""
FILL_FAMILY = "fill"

MAX_BARS = 96
"""Bars kept of one performance: enough that a clip never runs in circles."""


@dataclass(frozen=True)
class _Hit:
    beat: float
    pitch: int
    velocity: int


def read_performances(folder: Path) -> tuple[Performance, ...]:
    """`folder`: the dataset's root, with `info.csv`."""
    with (folder / "info.csv").open(newline="") as file:
        info = {row["id"]: row for row in csv.DictReader(file)}
    return tuple(
        _performance(folder / info[name]["midi_filename"], name, family, float(info[name]["bpm"]))
        for family, names in FAMILIES.items()
        for name in names
        if name in info
    ) + _fills(folder, info)


def _fills(folder: Path, info: dict[str, dict[str, str]]) -> tuple[Performance, ...]:
    """The takes of `FILLS` as one performance in which no bar keeps time. Lateness, swing and loudness are taken over
    all of them: one bar tells little."""
    takes = [info[name] for name in FILLS if name in info]
    if not takes:
        return ()
    tempo_bpm = float(takes[0]["bpm"])
    beats = 4.0
    hits = [
        _Hit(hit.beat + beats * index, hit.pitch, hit.velocity)
        for index, take in enumerate(takes)
        for hit in _hits(folder / take["midi_filename"], tempo_bpm)
        if hit.beat < beats - 0.05
    ]
    hits = _balanced(_on_time(hits))
    bars = []
    for index in range(len(takes)):
        start = beats * index
        rows = [(h.beat - start, h.pitch, h.velocity) for h in hits if start - 0.12 <= h.beat < start + beats - 0.12]
        bars.append(np.array(sorted(rows), dtype=np.float32).reshape(-1, 3))
    kept = tuple(bar for bar in bars if not _rolls(bar, 0.5))
    return (Performance("drummer1/fills", FILL_FAMILY, tempo_bpm, _off_beat(hits, 0.667), kept, (True,) * len(kept)),)


def _performance(path: Path, name: str, family: str, tempo_bpm: float) -> Performance:
    hits = _on_time(_hits(path, tempo_bpm))
    swing = _off_beat(hits, 0.5 if family == "bossa" else 0.667)
    bars, fill = _bars(_balanced(hits), family)
    return Performance(name, family, tempo_bpm, swing, tuple(bars), tuple(fill))


def _hits(path: Path, tempo_bpm: float) -> list[_Hit]:
    midi = pretty_midi.PrettyMIDI(str(path))
    hits = [
        _Hit(note.start * tempo_bpm / 60.0, TO_GENERAL_MIDI[note.pitch], note.velocity)
        for instrument in midi.instruments
        for note in instrument.notes
        if note.pitch in TO_GENERAL_MIDI
    ]
    return _without_retriggers(hits, tempo_bpm)


def _on_time(hits: list[_Hit]) -> list[_Hit]:
    late = _lateness(hits)
    return [_Hit(hit.beat - late, hit.pitch, hit.velocity) for hit in hits]


def _without_retriggers(hits: list[_Hit], tempo_bpm: float) -> list[_Hit]:
    """Bass-drum pads sound twice under one stroke: a softer second hit within 70 ms is the pad's, not the drummer's."""
    kept: list[_Hit] = []
    before: _Hit | None = None
    for hit in sorted(hits, key=lambda hit: hit.beat):
        if hit.pitch == KICK:
            if (
                before is not None
                and (hit.beat - before.beat) * 60 / tempo_bpm < 0.07
                and hit.velocity <= before.velocity
            ):
                continue
            before = hit
        kept.append(hit)
    return kept


def _rolls(array: Hits, within: float) -> bool:
    """Whether one drum is struck five times within so many beats: a roll or a bouncing stick, which samples turn into
    a machine gun."""
    return any(
        bool((onsets[4:] - onsets[:-4] < within).any())
        for onsets in (array[array[:, 1] == pitch, 0] for pitch in np.unique(array[:, 1]))
        if len(onsets) > 4
    )


def _lateness(hits: list[_Hit]) -> float:
    """Median distance of the ride's (or hi-hat's) on-beat strokes from the metronome, in beats: the drummer's constant
    lead or lag and the kit's latency, which would push against the rest of the band."""
    deviations = [hit.beat - round(hit.beat) for hit in hits if hit.pitch in (RIDE, CLOSED_HAT, PEDAL_HAT)]
    near = [deviation for deviation in deviations if abs(deviation) < 0.15]
    return float(np.median(near)) if near else 0.0


def _off_beat(hits: list[_Hit], otherwise: float) -> float:
    phases = [hit.beat % 1 for hit in hits if hit.pitch in (RIDE, RIDE_BELL) and 0.42 < hit.beat % 1 < 0.85]
    return float(np.median(phases)) if len(phases) >= 10 else otherwise


def _balanced(hits: list[_Hit]) -> list[_Hit]:
    """Velocities scaled so that the ride's median is 78: pads differ from kit to kit."""
    ride = [hit.velocity for hit in hits if hit.pitch in (RIDE, CLOSED_HAT)]
    scale = 78.0 / float(np.median(ride)) if ride else 1.0
    return [_Hit(hit.beat, hit.pitch, int(np.clip(round(hit.velocity * scale), 8, 118))) for hit in hits]


def _bars(hits: list[_Hit], family: str) -> tuple[list[Hits], list[bool]]:
    """Bars as arrays; bars that are neither time nor fill (the ride drops out, no hi-hat on 2 and 4) become gaps, and a
    run never crosses a gap: it is marked as a fill without being offered as one."""
    beats = BEATS_PER_BAR.get(family, 4)
    count = int(max(hit.beat for hit in hits) // beats)
    rows: list[list[tuple[float, int, int]]] = [[] for _ in range(count)]
    for hit in hits:
        bar = int((hit.beat + 0.12) // beats)  # just ahead of the bar line belongs behind it
        if 0 <= bar < count:
            rows[bar].append((hit.beat - bar * beats, hit.pitch, hit.velocity))
    arrays: list[NDArray[np.float32]] = [np.array(sorted(row), dtype=np.float32).reshape(-1, 3) for row in rows]
    kept: list[Hits] = []
    fill: list[bool] = []
    for array in arrays:
        keeps_time = _keeps_time(array, family)
        is_fill = not keeps_time and _is_fill(array)
        if keeps_time or is_fill:
            kept.append(array)
            fill.append(is_fill)
        elif kept and not fill[-1] and len(kept[-1]):
            kept.append(np.zeros((0, 3), dtype=np.float32))
            fill.append(True)
        if len(kept) >= MAX_BARS:
            break
    return kept, fill


def _near(array: Hits, pitches: tuple[int, ...], beat: float) -> bool:
    return bool(np.any(np.isin(array[:, 1], pitches) & (np.abs(array[:, 0] - beat) < 0.17)))


def _keeps_time(array: Hits, family: str) -> bool:
    if not len(array) or np.isin(array[:, 1], (CRASH, 57)).any() or _rolls(array, 0.75):
        return False
    if family == "bossa":
        time = np.isin(array[:, 1], (RIDE, RIDE_BELL, CLOSED_HAT)).sum()
        return bool(time >= 5) and _near(array, (KICK,), 0) and np.isin(array[:, 1], TOMS).sum() <= 2
    if family == "waltz":
        return _near(array, (RIDE, RIDE_BELL), 0) and np.isin(array[:, 1], (RIDE, RIDE_BELL)).sum() >= 3
    cymbal = sum(_near(array, (RIDE, RIDE_BELL), beat) for beat in range(4)) >= 3 and _near(array, (RIDE, RIDE_BELL), 0)
    hat = _near(array, (PEDAL_HAT,), 1) and _near(array, (PEDAL_HAT,), 3)
    return cymbal and hat and np.isin(array[:, 1], TOMS).sum() <= 3


def _is_fill(array: Hits) -> bool:
    drums = np.isin(array[:, 1], (SNARE, *TOMS)).sum()
    loud = float(array[:, 2].max()) if len(array) else 0.0
    return not _rolls(array, 0.5) and 6 <= drums <= 20 and loud > 50 and np.isin(array[:, 1], TOMS).sum() >= 2
