"""The rhythm section as one: a solo in, the whole score out. The same for a network's solo and for a human's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.jazz.band import bass_feel, comping, drums, ending
from engine.jazz.band.listening import Attention, Pulse, in_time_bass, in_time_chords
from engine.jazz.band.swing import TRIPLET, swing_share
from engine.jazz.band.weights import BandWeights
from engine.jazz.theory.feel import Feel
from engine.jazz.theory.score import ChordSpan, Note, Score, Section


def accompany(
    weights: BandWeights,
    solo: tuple[Note, ...],
    changes: tuple[ChordSpan, ...],
    sections: tuple[Section, ...],
    bars: int,
    tempo_bpm: float,
    feel: Feel,
    instrument: str,
    seed: int,
    beats_per_bar: int = 4,
) -> Score:
    """Bass, comping, drums and an ending under `solo`. Each player draws from a stream of his own, so that a change in
    one part leaves the others' notes as they were; when and how loud bass and piano play them, the drummer and the
    soloist decide (`listening`)."""
    streams = [np.random.default_rng([seed % 2**63, player]) for player in range(4)]
    swing = swing_share(tempo_bpm, feel)
    softer = min(swing, TRIPLET)
    beats = bars * beats_per_bar
    ends = frozenset(round(section.onset) // beats_per_bar - 1 for section in sections if section.onset > 0)
    if not ends:
        ends = frozenset(range(7, bars, 8))
    family = feel.drums if beats_per_bar == 4 else "waltz"
    hits = drums.play(
        weights.drums,
        family,
        bars,
        tempo_bpm,
        swing,
        ends,
        activity(solo, bars, beats_per_bar),
        streams[2],
        beats_per_bar,
    )
    pulse = Pulse.of(hits, beats, swing, softer, tempo_bpm)
    attention = Attention.of(solo, beats)
    line = bass_feel.play(weights.bass, changes, bars, feel.bass, softer, streams[0], beats_per_bar)
    bass = in_time_bass(line, pulse, attention)
    strokes = comping.comp(changes, bars, feel, softer, solo, streams[1], beats_per_bar)
    chords = in_time_chords(strokes, pulse, attention)
    last_bass = bass[-1].pitch if bass else None
    symbol, final = ending.end(changes, float(beats), tempo_bpm, feel, softer, last_bass, streams[3])
    clear_of_ending = [note for note in bass if note.onset < beats]
    parts = {
        "solo": tuple(sorted(solo, key=lambda note: note.onset)),
        "bass": (*cut(clear_of_ending, beats), *final["bass"]),
        "comping": (*cut(chords, beats), *final["comping"]),
        "drums": (*(hit for hit in hits if hit.onset < beats - 0.05), *final["drums"]),
    }
    return Score(
        tempo_bpm=tempo_bpm,
        bars=bars,
        chords=(*changes, ChordSpan(float(beats), float(beats_per_bar), symbol)),
        parts=parts,
        beats_per_bar=beats_per_bar,
        sections=(*sections, Section(float(beats), "ending")),
        instrument=instrument,
        swing=swing,
    )


def cut(notes: list[Note], beat: float) -> tuple[Note, ...]:
    """Notes that stop at `beat` at the latest."""
    return tuple(replace(note, duration=min(note.duration, beat - note.onset)) for note in notes if note.onset < beat)


def activity(solo: tuple[Note, ...], bars: int, beats_per_bar: int) -> NDArray[np.float64]:
    """(bars,): the soloist's notes per beat in each bar."""
    counts = np.zeros(bars)
    for note in solo:
        bar = int(note.onset // beats_per_bar)
        if 0 <= bar < bars:
            counts[bar] += 1
    return counts / beats_per_bar
