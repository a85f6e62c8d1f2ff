"""Read a MIDI file that somebody handed in: parts in beats, tempo, metre and chord symbols, or one clear refusal."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace

from engine.errors import BadMidi
from engine.jazz.importing.metres import Stretch, longest_stretch
from engine.jazz.importing.smf import SmfTrack, parse_smf
from engine.jazz.theory.harmony import chords_among
from engine.jazz.theory.score import ChordSpan, Note

EARLY = 0.12
"""Beats by which a note may be played before the bar line that it belongs to."""


@dataclass(frozen=True, slots=True)
class MidiPart:
    """The notes of one track and channel, onsets in quarter-note beats. `program`: General MIDI, from 0."""

    track: int
    name: str
    program: int
    drums: bool
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece as its file has it. `metre`: quarter notes in a bar; bar lines lie at its multiples. `chords`: symbols
    written into it, may be empty.

    `notated`: exactly on the grid, as out of a notation program. `compound`: in 6/8, 9/8 or 12/8, where a beat is three
    eighths. `remarks`: sentences for the member who sent the file."""

    title: str
    parts: tuple[MidiPart, ...]
    tempo_bpm: float
    metre: float
    chords: tuple[ChordSpan, ...]
    notated: bool
    compound: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def tracks(self) -> list[tuple[int, str, int]]:
        """(number, name, notes) of the tracks that hold something else than drums."""
        found: dict[int, tuple[str, int]] = {}
        for part in self.parts:
            if not part.drums:
                found[part.track] = (part.name, len(part.notes) + found.get(part.track, ("", 0))[1])
        return [(track, name, notes) for track, (name, notes) in found.items()]


def read_midi(data: bytes, max_duration_s: float) -> Piece:
    """A Standard MIDI File as a piece.

    Where the metre changes, the piece is its longest stretch in the metre that holds longest, and the pickup before.

    Raises `BadMidi`: not MIDI, damaged, larger than the limits of `smf`, no notes, only drums, or longer than
    `max_duration_s`."""
    song = parse_smf(data)
    per_beat = song.per_beat
    parts = [part for index, track in enumerate(song.tracks) for part in _parts(index, track, per_beat)]
    if not parts:
        raise BadMidi("There are no notes in that MIDI file.")
    if all(part.drums for part in parts):
        raise BadMidi("There are only drums in that MIDI file. Send one with a melody.")
    tempi = sorted(tempo for track in song.tracks for tempo in track.tempi)
    metres = [metre for track in song.tracks for metre in track.metres]
    last = max(end for track in song.tracks for _, end, *_ in track.notes)
    duration_s = _seconds(tempi, last, per_beat)
    if duration_s > max_duration_s:
        raise BadMidi(f"That MIDI file is {spoken_length(duration_s)} long; "
                      f"I take {spoken_length(max_duration_s)} at most.")  # fmt: skip
    chords = [
        (tick / per_beat, symbol) for track in song.tracks for tick, symbol in chords_among(track.texts)
    ]  # fmt: skip
    onsets = [round(note.onset * per_beat) for part in parts if not part.drums for note in part.notes]
    stretch = longest_stretch(metres, onsets, last, per_beat)
    piece = Piece(
        title=next((track.name for track in song.tracks if track.name), ""),
        parts=tuple(parts),
        tempo_bpm=_main_tempo(tempi, last),
        metre=float(stretch.bar / per_beat),
        chords=_spans(chords, last / per_beat),
        notated=_notated(parts),
        compound=stretch.compound,
    )
    return _barred(piece, stretch, per_beat)


def _parts(index: int, track: SmfTrack, per_beat: int) -> list[MidiPart]:
    """The parts of a track, one a channel."""
    notes: dict[int, list[Note]] = defaultdict(list)
    for start, end, channel, pitch, velocity in track.notes:
        notes[channel].append(Note(start / per_beat, (end - start) / per_beat, pitch, velocity))
    return [
        MidiPart(
            index, track.name, track.programs.get(channel, 0), channel in track.drum_channels,
            tuple(sorted(found, key=_by_onset)),
        )
        for channel, found in sorted(notes.items())
    ]  # fmt: skip


def _barred(piece: Piece, stretch: Stretch, per_beat: int) -> Piece:
    """The piece within the stretch of its metre, moved so that the stretch starts on a bar line.

    What comes before it stays if it is shorter than a bar: that is its pickup."""
    if not stretch.bar:
        return piece
    shift = float(-stretch.start % stretch.bar) / per_beat
    begin = 0.0 if stretch.start < stretch.bar else stretch.start / per_beat - EARLY
    end = stretch.end / per_beat if stretch.changes else math.inf  # chords may go on after the last note
    parts = []
    for part in piece.parts:
        kept = tuple(replace(note, onset=note.onset + shift) for note in part.notes if begin <= note.onset < end)
        parts.append(replace(part, notes=kept))
    spans = [(max(span.onset, begin), min(span.onset + span.beats, end), span.symbol) for span in piece.chords]
    remarks = piece.remarks
    if sum(len(part.notes) for part in parts) < sum(len(part.notes) for part in piece.parts):
        remarks += (
            "The file changes metre. The clip comes from the longest stretch in one metre, "
            f"{max(1, round((stretch.end - stretch.start) / stretch.bar))} bars.",
        )
    return replace(
        piece,
        parts=tuple(part for part in parts if part.notes),
        chords=tuple(ChordSpan(start + shift, stop - start, symbol) for start, stop, symbol in spans if stop > start),
        remarks=remarks,
    )


def spoken_length(duration_s: float) -> str:
    """ "45 minutes", "3.0 hours", "more than a day"."""
    if duration_s >= 86_400:
        return "more than a day"
    return f"{duration_s / 3600:.1f} hours" if duration_s >= 3600 else f"{duration_s / 60:.0f} minutes"


def _by_onset(note: Note) -> tuple[float, int]:
    return note.onset, note.pitch


def _seconds(tempi: list[tuple[int, int]], ticks: int, per_beat: int) -> float:
    total, before, tempo = 0.0, 0, 500_000
    for at, value in tempi:
        if at >= ticks:
            break
        total += (at - before) * tempo
        before, tempo = at, value
    return (total + (ticks - before) * tempo) / per_beat / 1e6


def _main_tempo(tempi: list[tuple[int, int]], ticks: int) -> float:
    """The tempo that holds longest, in quarter notes a minute."""
    held: dict[int, int] = defaultdict(int)
    before, tempo = 0, 500_000
    for at, value in tempi:
        held[tempo] += max(0, min(at, ticks) - before)
        before, tempo = min(at, ticks), value
    held[tempo] += max(0, ticks - before)
    return 60e6 / max(1, max(held, key=lambda value: held[value]))


def _spans(chords: list[tuple[float, str]], last: float) -> tuple[ChordSpan, ...]:
    """(beat, symbol) as spans, each up to the next; one alone is no line of chords."""
    if len(chords) < 2:
        return ()
    found = sorted(chords)
    ends = [beat for beat, _ in found[1:]] + [max(last, found[-1][0] + 1)]
    return tuple(
        ChordSpan(beat, end - beat, symbol) for (beat, symbol), end in zip(found, ends, strict=True) if end > beat
    )


def _notated(parts: list[MidiPart]) -> bool:
    notes = [note for part in parts if not part.drums for note in part.notes]
    off_grid = sum(abs(note.onset * 24 - round(note.onset * 24)) > 0.02 for note in notes)
    return off_grid <= 0.02 * len(notes)
