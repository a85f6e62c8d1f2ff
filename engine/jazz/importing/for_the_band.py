"""A piece from a MIDI file (or corpus) -> what the band needs to play under it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.contract.limits import MAX_TEMPO_BPM, MIN_TEMPO_BPM
from engine.errors import BadMidi, BadOption
from engine.jazz.importing.chords import chords_in_window, estimate_chords
from engine.jazz.importing.melody import (
    Melody,
    cut_window,
    find_melody,
    fit_range,
    off_beat,
    phrase_window,
)
from engine.jazz.importing.midi_file import Piece
from engine.jazz.theory.feel import FEELS, Feel, feel_of_tempo
from engine.jazz.theory.harmony import format_changes, parse_changes
from engine.jazz.theory.instruments import DRAWN_INSTRUMENTS, find_instrument, instrument_of_program
from engine.jazz.theory.keys import home_key
from engine.jazz.theory.score import ChordSpan, Note, Section

STRAIGHT_BELOW = 0.535
"""A performed melody whose off-beats lie before this is straight, and so is its rhythm section."""


@dataclass(frozen=True, slots=True)
class HumanSolo:
    """`notated`: the solo lies on the grid; nobody has played it yet. `dynamics`: its notes differ in loudness, so they
    keep it, whoever plays them. `estimated`: nobody wrote these changes. `track`: where in the file the solo was found.
    `remarks`: sentences for the member who sent the piece, on what was found or assumed."""

    solo: tuple[Note, ...]
    changes: tuple[ChordSpan, ...]
    sections: tuple[Section, ...]
    bars: int
    beats_per_bar: int
    tempo_bpm: float
    feel: Feel
    instrument: str
    key: str
    notated: bool
    estimated: bool
    track: int
    remarks: tuple[str, ...]

    @property
    def dynamics(self) -> bool:
        return len({note.velocity for note in self.solo}) > 1


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase to be answered. `chords`: its own as text, if it brings any."""

    notes: tuple[Note, ...]
    bars: int
    tempo_bpm: float
    changes: tuple[ChordSpan, ...]
    chords: str


def human_score(
    piece: Piece, chords: str, tempo_bpm: float, instrument: str, track: int, seed: int, duration_s: float
) -> HumanSolo:
    """Melody, changes and feel of a clip of about `duration_s`.

    `chords` "": those written in the file, else estimated; `tempo_bpm` 0: the file's; `instrument` "": the file's, else
    drawn by the seed; `track` -1: the melody is found. Raises `BadMidi`, `BadChords`, `BadOption`."""
    remarks = list(piece.remarks)
    piece, faster = as_the_band_counts(piece)
    tempo_bpm *= faster
    beats_per_bar = _metre(piece.metre)
    tempo = tempo_bpm or _tempo(piece.tempo_bpm, remarks)
    melody = find_melody(piece, track)
    if len([part for part in piece.parts if not part.drums]) > 1 and track < 0:
        remarks.append(f"The melody comes from track {melody.part.track}" + _named(melody) + ".")
    player = find_instrument(instrument or _own_instrument(melody, seed))
    max_bars = max(1, int(duration_s / (beats_per_bar * 60.0 / tempo)))
    start, bars = phrase_window(melody.notes, beats_per_bar, max_bars)
    solo, octaves = fit_range(cut_window(melody.notes, start, bars * beats_per_bar), player)
    if not solo:
        raise BadMidi("There's no melody in the bars I'd play. Choose another track.")
    if octaves:
        moved = "an octave" if abs(octaves) == 1 else f"{abs(octaves)} octaves"
        remarks.append(f"I moved the melody {moved} to suit the {player.name}.")
    feel = _feel(solo, piece.notated, tempo, beats_per_bar)
    changes, estimated = _changes(piece, chords, start, bars, beats_per_bar)
    if estimated:
        remarks.append(f"I worked the chords out from the notes: {format_changes(changes, beats_per_bar)}.")
    return HumanSolo(
        solo=solo,
        changes=changes,
        sections=(Section(0.0, "A"),),
        bars=bars,
        beats_per_bar=beats_per_bar,
        tempo_bpm=tempo,
        feel=feel,
        instrument=player.name,
        key=home_key(changes),
        notated=piece.notated,
        estimated=estimated,
        track=melody.part.track,
        remarks=tuple(remarks),
    )


def as_the_band_counts(piece: Piece) -> tuple[Piece, float]:
    """The piece with its note values stretched so that it counts in four or three, and how many of its new beats make
    one of those that people count.

    2/4 is read in cut time, as bands read rags: sixteenths become eighths, which can swing. In 6/8, 9/8 and 12/8 three
    eighths are one beat, a triplet; two bars of 6/8 make one of 4/4."""
    if piece.compound:
        metre, stretch = (3.0 if piece.metre == 4.5 else 4.0), 2 / 3
    elif piece.metre == 2.0:
        metre, stretch = 4.0, 2.0
    else:
        return piece, 1.0

    def stretched(notes: tuple[Note, ...]) -> tuple[Note, ...]:
        return tuple(replace(note, onset=stretch * note.onset, duration=stretch * note.duration) for note in notes)

    counted = replace(
        piece,
        parts=tuple(replace(part, notes=stretched(part.notes)) for part in piece.parts),
        tempo_bpm=stretch * piece.tempo_bpm,
        metre=metre,
        chords=tuple(ChordSpan(stretch * span.onset, stretch * span.beats, span.symbol) for span in piece.chords),
    )
    return counted, 1.0 if piece.compound else stretch


def phrase_to_answer(piece: Piece, chords: str, max_bars: int) -> Phrase:
    """The phrase of a MIDI file, from its first bar. Raises `BadMidi`, `BadOption`."""
    if piece.metre != 2.0:  # a phrase of two beats a bar is answered at its own pace
        piece, _ = as_the_band_counts(piece)
    if piece.metre not in (2.0, 4.0):
        raise BadOption("I can only answer phrases in 4/4, 2/4, 6/8 and 12/8.")
    melody = find_melody(piece)
    start, bars = phrase_window(melody.notes, 4, max_bars)
    if melody.notes[-1].onset >= start + bars * 4:
        raise BadMidi(f"That phrase is longer than {max_bars} bars. Send a shorter one.")
    written = chords_in_window(piece.chords, start, bars * 4.0)
    own = written if not chords else ()
    text = format_changes(own) if own else ""
    tempo = min(MAX_TEMPO_BPM, max(MIN_TEMPO_BPM, piece.tempo_bpm))
    if not own and not chords:
        own = estimate_chords(piece, start, bars, 4)
        text = format_changes(own)
    return Phrase(cut_window(melody.notes, start, bars * 4.0), bars, tempo, own, text)


def with_written_dynamics(played: tuple[Note, ...], written: tuple[Note, ...]) -> tuple[Note, ...]:
    """A performance of `written`, note by note in the order of their onsets, as loud as it is written."""
    ordered = sorted(written, key=lambda note: note.onset)
    return tuple(replace(note, velocity=text.velocity) for note, text in zip(played, ordered, strict=True))


def _changes(
    piece: Piece, chords: str, start: float, bars: int, beats_per_bar: int
) -> tuple[tuple[ChordSpan, ...], bool]:
    """Chords of a window: those given, else those written in the file, else estimated ones (True)."""
    if chords.strip():
        return parse_changes(chords, bars, beats_per_bar), False
    written = chords_in_window(piece.chords, start, float(bars * beats_per_bar))
    if written:
        return written, False
    return estimate_chords(piece, start, bars, beats_per_bar), True


def _metre(metre: float) -> int:
    """Beats of the band's bar for a file's quarter notes in a bar. Raises `BadMidi` for metres that it doesn't play."""
    if metre in (4.0, 8.0):
        return 4
    if metre in (3.0, 6.0, 1.5):
        return 3
    raise BadMidi(
        "The band plays in 4/4 and 3/4, and in 2/4, 6/8, 9/8 and 12/8, which count the same way; "
        f"this file has {metre:g} quarter notes to the bar."
    )


def _tempo(tempo_bpm: float, remarks: list[str]) -> float:
    tempo = tempo_bpm
    while tempo < MIN_TEMPO_BPM:
        tempo *= 2
    while tempo > MAX_TEMPO_BPM:
        tempo /= 2
    if abs(tempo - tempo_bpm) > 0.5:
        remarks.append(
            f"The file's tempo of {tempo_bpm:.0f} bpm is outside the band's range, so the band plays at {tempo:.0f}."
        )
    return tempo


def _own_instrument(melody: Melody, seed: int) -> str:
    instrument = instrument_of_program(melody.part.program) if melody.part.program else None
    if instrument is not None:
        return instrument.name
    rng = np.random.default_rng([seed % 2**63, *b"instrument"])
    return DRAWN_INSTRUMENTS[int(rng.integers(len(DRAWN_INSTRUMENTS)))]


def _feel(solo: tuple[Note, ...], notated: bool, tempo_bpm: float, beats_per_bar: int) -> Feel:
    if beats_per_bar == 3:
        return FEELS["swing"]
    place = off_beat(solo)
    if not notated and place is not None and place < STRAIGHT_BELOW and 90 <= tempo_bpm <= 200:
        return FEELS["bossa"]
    return feel_of_tempo(tempo_bpm)


def _named(melody: Melody) -> str:
    return f" (“{melody.part.name}”)" if melody.part.name else ""
