"""Find the melody of a piece, the phrase to play, and put it in the soloist's hands."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.errors import BadMidi
from engine.jazz.importing.midi_file import MidiPart, Piece
from engine.jazz.theory.instruments import Instrument
from engine.jazz.theory.score import Note

MELODY_NAMES = ("solo", "melody", "lead", "vocal", "voice", "sax", "trumpet", "trombone", "clarinet", "flute", "theme")
OTHER_NAMES = ("bass", "comp", "chord", "drum", "pad", "left", "lh", "rhythm", "string")
MASH = 4.5
"""Notes struck together on average from which on nobody can say which of them is the melody."""
TOGETHER = 1 / 16
"""Beats within which notes count as struck together."""


@dataclass(frozen=True, slots=True)
class Melody:
    """`notes`: one voice, onsets in beats of the piece. `part`: where it was found."""

    notes: tuple[Note, ...]
    part: MidiPart


def find_melody(piece: Piece, track: int = -1) -> Melody:
    """The melody's part and its top line. `track`: index of the file's track, -1 to find it.

    Raises `BadMidi` when the track has no notes, or when no part has anything like a melody."""
    pitched = [part for part in piece.parts if not part.drums]
    if track >= 0:
        chosen = [part for part in pitched if part.track == track]
        if not chosen:
            there = ", ".join(f"{part.track} ({part.name or 'no name'})" for part in pitched)
            raise BadMidi(f"There's no melody on track {track}. Tracks with notes: {there}.")
        part = max(chosen, key=melodiousness)
    else:
        part = max(pitched, key=melodiousness)
    if crowding(part.notes) > MASH:
        raise BadMidi(
            "I can't find a melody in that MIDI file: everything sounds at once. Choose a track, or send just the "
            "melody."
        )
    return Melody(top_line(part.notes), part)


def crowding(notes: tuple[Note, ...]) -> float:
    """Notes struck together on average, or sounding together, whichever is more."""
    groups = _struck_together(notes)
    struck = len(notes) / max(1, len(groups))
    span = max(n.onset + n.duration for n in notes) - min(n.onset for n in notes)
    sounding = sum(n.duration for n in notes) / max(1e-6, span)
    return max(struck, 0.6 * sounding)


def melodiousness(part: MidiPart) -> float:
    """Higher for parts that are named like a melody, play one note at a time, lie high and have much to say."""
    notes = part.notes
    name = part.name.lower()
    score = 3.0 * any(word in name for word in MELODY_NAMES) - 3.0 * any(word in name for word in OTHER_NAMES)
    score += 2.0 * (56 <= part.program <= 79) - 2.0 * (32 <= part.program <= 39)
    score -= 1.5 * (min(crowding(notes), 4.0) - 1.0)
    score += 2.5 * float(np.clip((np.mean([n.pitch for n in notes]) - 52) / 16, -1.0, 1.0))
    score += min(2.0, len(notes) / 40)
    score += min(1.0, len({n.pitch for n in notes}) / 12)
    return score


def _struck_together(notes: tuple[Note, ...]) -> list[list[Note]]:
    groups: list[list[Note]] = []
    for note in sorted(notes, key=lambda note: note.onset):
        if groups and note.onset - groups[-1][0].onset < TOGETHER:
            groups[-1].append(note)
        else:
            groups.append([note])
    return groups


def top_line(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """The highest note of each attack, cut where the next begins; accompaniment far below a held melody note is left
    out."""
    line: list[Note] = []
    for group in _struck_together(notes):
        top = max(group, key=lambda note: note.pitch)
        if line:
            held = line[-1]
            still = held.onset + held.duration - top.onset
            if still > 0.2 and top.pitch < held.pitch - 9:
                continue
            if still > 0:
                line[-1] = replace(held, duration=max(0.05, top.onset - held.onset))
        line.append(top)
    return tuple(line)


def phrase_window(notes: tuple[Note, ...], bar_beats: float, max_bars: int) -> tuple[float, int]:
    """(first beat, bars): whole bars from the melody's first one, at most `max_bars`, preferably a multiple of four.

    A pickup shorter than half a bar stays before its bar line, outside of the window."""
    first = notes[0].onset
    bar = int(first // bar_beats)
    pickup = (bar + 1) * bar_beats - first < 0.5 * bar_beats
    begins = any(bar * bar_beats - 1e-6 <= n.onset < (bar + 0.5) * bar_beats for n in notes)
    start = (bar + 1 if pickup and not begins and len(notes) > 1 else bar) * bar_beats
    last = max((n.onset + min(n.duration, 1.0) for n in notes), default=start)
    begun = int((notes[-1].onset - start + 1e-6) // bar_beats) + 1  # however short its last note is
    available = max(1, begun, int(np.ceil((last - start) / bar_beats - 0.05)))
    bars = min(available, max_bars)
    if bars > 4 and bars < available:
        bars -= bars % 4
    return start, bars


def cut_window(notes: tuple[Note, ...], start: float, beats: float) -> tuple[Note, ...]:
    """The notes of a window, from its first beat; the last one stops with it."""
    return tuple(
        replace(n, onset=n.onset - start, duration=min(n.duration, beats - (n.onset - start)))
        for n in notes
        if -0.12 <= n.onset - start < beats - 0.02
    )


def fit_range(notes: tuple[Note, ...], instrument: Instrument) -> tuple[tuple[Note, ...], int]:
    """The line in whole octaves so that it fits the instrument best, and by how many octaves it moved."""

    def outside(octaves: int) -> tuple[int, int]:
        moved = [note.pitch + 12 * octaves for note in notes]
        return sum(not instrument.lowest <= pitch <= instrument.highest for pitch in moved), abs(octaves)

    octaves = min(range(-4, 5), key=outside)
    fitted = []
    for note in notes:
        pitch = note.pitch + 12 * octaves
        while pitch < instrument.lowest:
            pitch += 12
        while pitch > instrument.highest:
            pitch -= 12
        fitted.append(replace(note, pitch=pitch))
    return tuple(fitted), octaves


def off_beat(notes: tuple[Note, ...]) -> float | None:
    """Median place of the off-beat eighths (0.5 straight, 0.667 triplet); None with fewer than eight of them."""
    by_beat: dict[int, list[float]] = {}
    for note in notes:
        by_beat.setdefault(int((note.onset + 0.1) // 1), []).append(note.onset % 1)
    phases = [phase for group in by_beat.values() if len(group) <= 2 for phase in group if 0.42 <= phase <= 0.75]
    return float(np.median(phases)) if len(phases) >= 8 else None
