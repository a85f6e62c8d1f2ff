"""Read a MIDI file that somebody handed in: parts in beats, tempo, metre and chord symbols, or one clear refusal."""

from __future__ import annotations

import io
import math
from collections import defaultdict, deque
from dataclasses import dataclass, replace

import mido
import structlog

from engine.errors import BadMidi
from engine.jazz.human.metres import Stretch, longest_stretch
from engine.jazz.theory.harmony import chords_among
from engine.jazz.theory.score import ChordSpan, Note

log = structlog.get_logger()

MAX_EVENTS = 400_000
MAX_BYTES = 2 * 2**20
"""Ten hours of six notes a second, at four bytes for each start and each end. Parsing 1 MiB takes about 3 s of a
processor and up to 180 MiB of memory, so what is larger is not parsed at all."""
DRUM_CHANNEL = 9
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
    eighths. `remarks`: sentences for whoever handed the file in."""

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
    """Parse a Standard MIDI File.

    Where the metre changes, the piece is its longest stretch in the metre that holds longest, and the pickup before.

    Raises `BadMidi`: not MIDI, truncated, larger than MAX_BYTES, no notes, only drums, longer than `max_duration_s`."""
    if not data:
        raise BadMidi("The file is empty.")
    if not data.startswith((b"MThd", b"RIFF")):
        raise BadMidi("That is not a MIDI file.")
    if data.startswith(b"RIFF"):  # RMID: the file sits in a chunk
        data = _unwrapped(data)
    if len(data) > MAX_BYTES:
        raise BadMidi(
            f"The MIDI file is larger than {MAX_BYTES // 2**20} MiB, which is enough for ten hours of piano and the "
            "most that I read."
        )
    try:
        file = mido.MidiFile(file=io.BytesIO(data), clip=True)
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        log.info("MIDI upload could not be parsed: %r", error)
        raise BadMidi("The MIDI file is damaged or cut off.") from error
    if file.ticks_per_beat <= 0:
        raise BadMidi("The MIDI file counts time in film frames, not in beats; export it with a tempo.")
    if sum(len(track) for track in file.tracks) > MAX_EVENTS:
        raise BadMidi(f"The MIDI file holds more than {MAX_EVENTS} events; hand in a shorter excerpt.")
    return _read(file, max_duration_s)


def _unwrapped(data: bytes) -> bytes:
    """The MIDI file in a RIFF file: its chunk `data`, without the sounds that may follow it."""
    start = max(0, data.find(b"MThd"))
    size = int.from_bytes(data[start - 4 : start], "little") if data[max(0, start - 8) : start - 4] == b"data" else None
    return data[start:] if size is None else data[start : start + size]


def _read(file: mido.MidiFile, max_duration_s: float) -> Piece:
    per_beat = file.ticks_per_beat
    tempi: list[tuple[int, int]] = []
    metres: list[tuple[int, int, int]] = []
    chords: list[tuple[float, str]] = []
    parts: list[MidiPart] = []
    title = ""
    for index, track in enumerate(file.tracks):
        texts: list[tuple[float, str]] = []
        name, found = _read_track(index, track, per_beat, tempi, metres, texts)
        title = title or name
        parts.extend(found)
        chords.extend(chords_among(texts))
    sounding = [part for part in parts if part.notes]
    if not sounding:
        raise BadMidi("There are no notes in that MIDI file.")
    if all(part.drums for part in sounding):
        raise BadMidi("There are only drums in that MIDI file; a melody is needed.")
    last = max(note.onset + note.duration for part in sounding for note in part.notes)
    tempi.sort()
    duration_s = _seconds(tempi, round(last * per_beat), per_beat)
    if duration_s > max_duration_s:
        raise BadMidi(f"The MIDI file is {spoken_length(duration_s)} long; "
                      f"{spoken_length(max_duration_s)} are the most that I take.")  # fmt: skip
    onsets = [round(note.onset * per_beat) for part in sounding if not part.drums for note in part.notes]
    stretch = longest_stretch(metres, onsets, round(last * per_beat), per_beat)
    piece = Piece(
        title=title,
        parts=tuple(sounding),
        tempo_bpm=_main_tempo(tempi, round(last * per_beat)),
        metre=float(stretch.bar / per_beat),
        chords=_spans(chords, last),
        notated=_notated(sounding),
        compound=stretch.compound,
    )
    return _barred(piece, stretch, per_beat)


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
            "The metre of the file changes; the clip is from its longest stretch in one metre, "
            f"{max(1, round((stretch.end - stretch.start) / stretch.bar))} bars.",
        )
    return replace(
        piece,
        parts=tuple(part for part in parts if part.notes),
        chords=tuple(ChordSpan(start + shift, stop - start, symbol) for start, stop, symbol in spans if stop > start),
        remarks=remarks,
    )


def _read_track(
    index: int,
    track: mido.MidiTrack,
    per_beat: int,
    tempi: list[tuple[int, int]],
    metres: list[tuple[int, int, int]],
    texts: list[tuple[float, str]],
) -> tuple[str, list[MidiPart]]:
    """The track's name and its parts, one a channel; tempo, metre and texts are added to the lists.

    Lyrics ("Go", "a") and markers ("A", "B") are no texts: they look like chords and are none."""
    now, name = 0, ""
    programs: dict[int, int] = {}
    open_notes: dict[tuple[int, int], deque[tuple[int, int]]] = defaultdict(deque)
    notes: dict[int, list[Note]] = defaultdict(list)

    def close(channel: int, pitch: int) -> None:
        started = open_notes[channel, pitch]
        if started:
            start, velocity = started.popleft()
            length = max(1, now - start)
            notes[channel].append(Note(start / per_beat, length / per_beat, pitch, velocity))

    for message in track:
        now += message.time
        if message.type == "note_on" and message.velocity > 0:
            open_notes[message.channel, message.note].append((now, message.velocity))
        elif message.type in ("note_off", "note_on"):
            close(message.channel, message.note)
        elif message.type == "program_change":
            programs.setdefault(message.channel, message.program)
        elif message.type == "set_tempo":
            tempi.append((now, message.tempo))
        elif message.type == "time_signature":
            metres.append((now, message.numerator, message.denominator))
        elif message.type == "track_name":
            name = name or message.name.strip()
        elif message.type == "text" and message.text.strip():
            texts.append((now / per_beat, message.text.strip()))
    for channel, pitch in [key for key, started in open_notes.items() if started]:
        while open_notes[channel, pitch]:
            close(channel, pitch)
    return name, [
        MidiPart(index, name, programs.get(channel, 0), channel == DRUM_CHANNEL, tuple(sorted(found, key=_by_onset)))
        for channel, found in sorted(notes.items())
    ]


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
