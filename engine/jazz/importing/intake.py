"""MIDI files and recordings on their way through intake: read to plain facts and arrays, then checked and rebuilt.

The readers run in a process of their own, without torch, that may open nothing; what comes out of it isn't trusted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.errors import BadAudio, BadChords, BadMidi
from engine.jazz.importing.midi_file import MidiPart, Piece, read_midi
from engine.jazz.importing.recording import cut_phrase
from engine.jazz.importing.smf import MAX_NAME_LENGTH, MAX_NOTES, MAX_TEXTS
from engine.jazz.rendering.codec import decode
from engine.jazz.rendering.samples import RATE_HZ, Stereo
from engine.jazz.theory.chords import parse_chord
from engine.jazz.theory.score import ChordSpan, Note
from engine.progress import Progress
from engine.uploads import Reading

MAX_BEATS = 1e6
MAX_PARTS = 16 * 1024
MAX_REMARKS, MAX_REMARK_LENGTH = 16, 400


def read_midi_upload(data: bytes, options: Mapping[str, Any], progress: Progress) -> Reading:
    """The reader of kind "midi". Options: `max_duration_s`. One array: (notes, 4) of onset and duration in beats, pitch
    and velocity, part after part. Raises `BadMidi`."""
    progress("reading the MIDI file", 0.0)
    piece = read_midi(data, float(options["max_duration_s"]))
    notes = [(n.onset, n.duration, n.pitch, n.velocity) for part in piece.parts for n in part.notes]
    facts = {
        "title": piece.title,
        "tempo_bpm": piece.tempo_bpm,
        "metre": piece.metre,
        "notated": piece.notated,
        "compound": piece.compound,
        "remarks": list(piece.remarks),
        "chords": [[span.onset, span.beats, span.symbol] for span in piece.chords],
        "parts": [[part.track, part.name, part.program, part.drums, len(part.notes)] for part in piece.parts],
    }
    return Reading(facts, (np.array(notes, dtype=np.float64).reshape(-1, 4),))


def piece_of(reading: Reading) -> Piece:
    """What `read_midi_upload` read. Raises `BadMidi` for anything that it can't have said."""
    try:
        return _piece(reading)
    except (KeyError, TypeError, ValueError, OverflowError, BadChords) as error:
        raise BadMidi("That MIDI file couldn't be read safely. Export it again, or send another one.") from error


def _piece(reading: Reading) -> Piece:
    facts, (notes,) = reading.facts, reading.arrays
    table = np.asarray(notes)
    _must(table.dtype == np.float64 and table.ndim == 2 and table.shape[1] == 4 and len(table) <= MAX_NOTES)
    onset, duration, pitch, velocity = table.T
    _must(np.isfinite(table).all() and (onset > -64).all() and (onset < MAX_BEATS).all())
    _must((duration > 0).all() and (duration < MAX_BEATS).all())
    _must(((pitch >= 0) & (pitch <= 127) & (velocity >= 1) & (velocity <= 127)).all())
    _must(len(facts["parts"]) <= MAX_PARTS and len(facts["chords"]) <= MAX_TEXTS)
    parts: list[MidiPart] = []
    at = 0
    for track, name, program, drums, count in facts["parts"]:
        rows = table[at : at + int(count)].tolist()
        _must(len(rows) == count > 0 and 0 <= int(track) < MAX_PARTS and 0 <= int(program) <= 127)
        at += len(rows)
        own = tuple(Note(begin, length, int(height), int(touch)) for begin, length, height, touch in rows)
        parts.append(MidiPart(int(track), str(name)[:MAX_NAME_LENGTH], int(program), bool(drums), own))
    _must(at == len(table) and any(not part.drums for part in parts))
    chords = tuple(
        ChordSpan(_within(begin, -64, MAX_BEATS), _within(beats, 0, MAX_BEATS), parse_chord(str(symbol)).symbol)
        for begin, beats, symbol in facts["chords"]
    )
    return Piece(
        str(facts["title"])[:MAX_NAME_LENGTH],
        tuple(parts),
        _within(facts["tempo_bpm"], 0.1, 1e8),
        _within(facts["metre"], 0, 1e6),
        chords,
        bool(facts["notated"]),
        bool(facts["compound"]),
        tuple(str(remark)[:MAX_REMARK_LENGTH] for remark in facts["remarks"][:MAX_REMARKS]),
    )


def read_sound_upload(data: bytes, options: Mapping[str, Any], progress: Progress) -> Reading:
    """The reader of kind "sound". Options: `max_duration_s` of the recording, `phrase_s` of the phrase that is cut from
    it. One array: (N, 2) float32 at 48 kHz, the phrase. Raises `BadAudio`."""
    signal = decode(data, float(options["max_duration_s"]), lambda stage, share: progress(stage, 0.9 * share))
    progress("finding the phrase", 0.9)
    return Reading({}, (np.ascontiguousarray(cut_phrase(signal, float(options["phrase_s"]))),))


def phrase_of(reading: Reading, phrase_s: float) -> Stereo:
    """What `read_sound_upload` read. Raises `BadAudio` for anything that it can't have said."""
    if len(reading.arrays) == 1:
        signal = np.asarray(reading.arrays[0])
        most = int((phrase_s + 1.0) * RATE_HZ)
        if signal.dtype == np.float32 and signal.ndim == 2 and signal.shape[1] == 2 and 0 < len(signal) <= most:
            heard: Stereo = np.nan_to_num(signal, posinf=1.0, neginf=-1.0)
            return heard
    raise BadAudio("That recording couldn't be read safely. Export it again, or send another one.")


def _must(true: bool | np.bool_) -> None:
    if not true:
        raise ValueError("not what the reader says")


def _within(value: Any, low: float, high: float) -> float:
    number = float(value)
    _must(math.isfinite(number) and low <= number <= high)
    return number
