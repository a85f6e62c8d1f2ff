"""Pieces in the public domain that come with music21's corpus, read at run time; nothing of them is kept here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import structlog

from engine.errors import BadChords, BadMidi, BadOption
from engine.jazz.importing.midi_file import MidiPart, Piece
from engine.jazz.theory.chords import parse_chord
from engine.jazz.theory.score import ChordSpan, Note

log = structlog.get_logger()

VELOCITY = 80
"""Of every note: the scores say nothing of loudness, so the player's own is heard."""


@dataclass(frozen=True, slots=True)
class CorpusPiece:
    """`path`: name in music21's corpus. `tempo_bpm`: quarter notes a minute at which the piece is usually played."""

    id: str
    title: str
    composer: str
    year: str
    path: str
    tempo_bpm: float
    instrument: str

    @property
    def source(self) -> str:
        return f"music21 corpus, {self.path}"


PIECES = {
    piece.id: piece
    for piece in (
        CorpusPiece("maple-leaf-rag", "Maple Leaf Rag", "Scott Joplin", "1899", "joplin/maple_leaf_rag", 88,
                    "clarinet"),
        CorpusPiece("alexanders-ragtime-band", "Alexander's Ragtime Band", "Irving Berlin", "1911",
                    "leadSheet/berlinAlexandersRagtime", 168, "trumpet"),
        CorpusPiece("jeanie", "Jeanie with the Light Brown Hair", "Stephen Foster", "1854", "leadSheet/fosterBrownHair",
                    104, "tenor sax"),
    )
}  # fmt: skip


@lru_cache(maxsize=8)
def read_piece(piece_id: str) -> Piece:
    """The piece as if it had been handed in as MIDI. Loads music21 (seconds, once).

    Raises `BadOption` for an unknown id, `BadMidi` if music21 has no such file."""
    if piece_id not in PIECES:
        raise BadOption(f"I don't know the piece “{piece_id}”. Choose one of these: {', '.join(PIECES)}.")
    described = PIECES[piece_id]
    from music21 import corpus  # slow to import, and only needed here
    from music21.exceptions21 import Music21Exception

    try:
        score = corpus.parse(described.path)
    except (Music21Exception, OSError) as error:
        log.warning("music21 has no %s: %s", described.path, error)
        raise BadMidi(f"I don't have the notes of “{described.title}” here; please choose another piece.") from error
    parts = tuple(_part(index, part) for index, part in enumerate(score.parts))
    signature = next(iter(score.recurse().getElementsByClass("TimeSignature")), None)
    metre = float(signature.barDuration.quarterLength) if signature else 4.0
    return Piece(
        described.title,
        tuple(part for part in parts if part.notes),
        described.tempo_bpm,
        metre,
        _written_chords(score, parts),
        notated=True,
    )


def _part(index: int, part: Any) -> MidiPart:
    notes = []
    for element in part.flatten().stripTies().notes:
        if "Harmony" in element.classes:
            continue
        for pitch in element.pitches:
            onset, length = float(element.offset), float(element.duration.quarterLength)
            if length > 0:
                notes.append(Note(onset, length, int(pitch.midi), VELOCITY))
    name = "melody" if index == 0 else "left hand"
    return MidiPart(index, name, 0, False, tuple(sorted(notes, key=lambda note: (note.onset, note.pitch))))


def _written_chords(score: Any, parts: tuple[MidiPart, ...]) -> tuple[ChordSpan, ...]:
    last = max((n.onset + n.duration for part in parts for n in part.notes), default=0.0)
    found: list[tuple[float, str]] = []
    for harmony in score.flatten().getElementsByClass("Harmony"):
        figure = str(harmony.figure).replace("-", "b")
        try:
            found.append((float(harmony.offset), parse_chord(figure).symbol))
        except BadChords:
            log.info("chord symbol %s of a corpus piece is not understood", figure)
    if not found:
        return ()
    ends = [onset for onset, _ in found[1:]] + [last]
    return tuple(
        ChordSpan(onset, end - onset, symbol) for (onset, symbol), end in zip(found, ends, strict=True) if end > onset
    )
