"""A `Score` as a Standard MIDI File that a musician can open, and back.

Format 1: a conductor track (tempo, metre, chord symbols as text events at their beats, sections as markers), then the
tracks `solo`, `bass`, `comping` and `drums`. Bar 1 starts at tick 0, so bars and beats line up in any notation program.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable

import mido

from engine.jazz.theory.instruments import BASS_PROGRAM, find_instrument
from engine.jazz.theory.instruments import comping_program as _comping_program
from engine.jazz.theory.score import PARTS, Note, Score

TICKS_PER_BEAT = 960
CHANNELS = {"solo": 0, "bass": 1, "comping": 2, "drums": 9}

_Timed = tuple[int, int, mido.Message | mido.MetaMessage]  # tick, order within the tick, message


def write_midi(score: Score, kit: int = 0) -> bytes:
    """The file's bytes. `kit`: the drum kit's program. Notes that start before beat 0 are cut to start there."""
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    file.tracks.append(_track("", _conductor(score)))
    programs = {
        "solo": find_instrument(score.instrument).program,
        "bass": BASS_PROGRAM,
        "comping": _comping_program(find_instrument(score.instrument)),
        "drums": kit,
    }
    for part in PARTS:
        channel = CHANNELS[part]
        opening: list[_Timed] = [(0, 0, mido.Message("program_change", channel=channel, program=programs[part]))]
        file.tracks.append(_track(part, [*opening, *_notes(score.parts.get(part, ()), channel)]))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _conductor(score: Score) -> list[_Timed]:
    events: list[_Timed] = [
        (0, 0, mido.MetaMessage("time_signature", numerator=score.beats_per_bar, denominator=4)),
        (0, 0, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(score.tempo_bpm))),
    ]
    events += [(_tick(s.onset), 1, mido.MetaMessage("marker", text=_latin(s.name))) for s in score.sections]
    events += [(_tick(c.onset), 2, mido.MetaMessage("text", text=_latin(c.symbol))) for c in score.chords]
    return events


def _notes(notes: Iterable[Note], channel: int) -> list[_Timed]:
    """Note-ons and note-offs; a pitch struck again is released first."""
    ordered = sorted(notes, key=lambda note: (note.onset, note.pitch))
    next_strike: dict[int, int] = {}
    spans: list[tuple[int, int, Note]] = []
    for note in reversed(ordered):
        start = max(0, _tick(note.onset))
        stop = max(start + 1, _tick(note.onset + note.duration))
        if note.pitch in next_strike:
            stop = max(start + 1, min(stop, next_strike[note.pitch]))
        next_strike[note.pitch] = start
        spans.append((start, stop, note))
    events: list[_Timed] = []
    for start, stop, note in spans:
        events.append((start, 2, mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)))
        events.append((stop, 1, mido.Message("note_off", channel=channel, note=note.pitch, velocity=0)))
    return events


def _track(name: str, events: list[_Timed]) -> mido.MidiTrack:
    track = mido.MidiTrack()
    if name:
        track.append(mido.MetaMessage("track_name", name=name))
    now = 0
    for tick, _, message in sorted(events, key=lambda event: (event[0], event[1], str(event[2]))):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track"))
    return track


def _tick(beat: float) -> int:
    return round(beat * TICKS_PER_BEAT)


def _latin(text: str) -> str:
    """MIDI text is Latin-1 to some programs and UTF-8 to others: `ø`, `ø7` and `ø9` are written `m7b5` and `m9b5`."""
    spelled = re.sub("ø7?(9|11|13)?", lambda match: f"m{match.group(1) or 7}b5", text)
    return spelled.encode("latin-1", "replace").decode("latin-1")
