"""Solos of MIDI files: the part in one voice, its beats from the file's tempo map."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from engine.jazz.corpus.sides import side_of
from engine.jazz.corpus.solos import UNKNOWN, DroppedSolo, Solo
from engine.jazz.corpus.weimar import annotated_solo
from engine.jazz.theory.harmony import chords_among

# General MIDI programs (0-based) of solo instruments, for folders of MIDI.
_PROGRAMS = {65: "alto sax", 67: "baritone sax", 71: "clarinet", 26: "guitar", 0: "piano", 64: "soprano sax",
             66: "tenor sax", 57: "trombone", 56: "trumpet", 59: "trumpet", 11: "vibraphone"}  # fmt: skip


def read_midi(path: Path, sides: Mapping[str, str] | None = None, val_percent: int = 10) -> Solo:
    """The highest-voiced monophonic part of a MIDI file as a solo without chords annotations of its own: chord symbols
    are taken from its text events if most of them are chords, else the solo lies over NC. Beats come from the file's
    tempo map. The file's name is the tune's title; `sides` as in `read_database_solo`."""
    import pretty_midi  # slow to import, needed by this reader only

    midi = pretty_midi.PrettyMIDI(str(path))
    parts = [part for part in midi.instruments if not part.is_drum and len(part.notes) >= 24]
    if not parts:
        raise DroppedSolo("no part with 24 notes")
    part = max(parts, key=lambda part: (part.name.lower() == "solo", _share_alone(part.notes)))
    if _share_alone(part.notes) < 0.9:
        raise DroppedSolo("no part in one voice")
    beat_s = midi.get_beats()
    beats_per_bar = midi.time_signature_changes[0].numerator if midi.time_signature_changes else 4
    last = max(note.end for note in part.notes)
    step = beat_s[-1] - beat_s[-2] if len(beat_s) > 1 else 0.5
    onsets = list(beat_s)
    while onsets[-1] <= last:
        onsets.append(onsets[-1] + step)
    ordered = sorted(part.notes, key=lambda note: (note.start, -note.pitch))
    notes, previous_end = [], -math.inf
    for note in ordered:
        place = max(0, int(np.searchsorted(onsets, note.start + 1e-6, side="right")) - 1)
        length = onsets[place + 1] - onsets[place] if place + 1 < len(onsets) else step
        tatum = round((note.start - onsets[place]) / length * 12)
        carried = place + tatum // 12
        notes.append(
            (
                note.start,
                note.end - note.start,
                carried // beats_per_bar,
                carried % beats_per_bar + 1,
                tatum % 12 + 1,
                12,
                note.pitch,
                int(note.start - previous_end > length),
                40 + note.velocity / 4,
            )
        )
        previous_end = note.end
    symbols = _symbols_of_texts(midi, onsets)
    beats = [
        (onset, i // beats_per_bar, i % beats_per_bar + 1, symbols[i], i // (8 * beats_per_bar))
        for i, onset in enumerate(onsets)
    ]
    side = side_of([path.stem], sides or {}, val_percent)
    solo = annotated_solo(path.stem, notes, beats, f"{beats_per_bar}/4", {"title": path.stem}, side)
    instrument = _PROGRAMS.get(part.program, UNKNOWN)
    return Solo(**{**{name: getattr(solo, name) for name in solo.__dataclass_fields__}, "instrument": instrument})


def _share_alone(notes: list[Any]) -> float:
    """Share of notes that start after the one before has all but ended."""
    ordered = sorted(notes, key=lambda note: note.start)
    alone = sum(b.start >= a.end - 0.05 and b.start > a.start for a, b in pairwise(ordered))
    return alone / max(1, len(ordered) - 1)


def _symbols_of_texts(midi: Any, onsets: list[float]) -> list[str]:
    symbols = [""] * len(onsets)
    for time_s, symbol in sorted(chords_among([(event.time, event.text) for event in midi.text_events])):
        symbols[max(0, int(np.searchsorted(onsets, time_s + 1e-3, side="right")) - 1)] = symbol
    return symbols
