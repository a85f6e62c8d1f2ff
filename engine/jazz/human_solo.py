"""The device turn of people's music: find the melody or the phrase, and perform what nobody has performed yet."""

from __future__ import annotations

import random
import time
from dataclasses import replace

from engine.contract import engine_pb2 as pb
from engine.errors import BadMidi, BadOption
from engine.jazz.finishing.work import Lead, Work
from engine.jazz.importing.for_the_band import HumanSolo, human_score, with_written_dynamics
from engine.jazz.importing.melody import find_melody
from engine.jazz.importing.midi_file import Piece
from engine.jazz.importing.pieces import PIECES, read_piece
from engine.jazz.plan import check_tempo
from engine.jazz.playing.request import Request
from engine.jazz.playing.soloist import Soloist
from engine.jazz.rendering import fingerprint
from engine.jazz.rendering.samples import Stereo
from engine.jazz.theory.feel import SOLOIST_FEELS
from engine.jazz.theory.harmony import format_changes
from engine.jazz.theory.instruments import find_instrument
from engine.jazz.theory.score import Note
from engine.progress import Progress
from engine.settings import JazzSettings

NOTATED = "This file is written music, not a performance: the network adds the timing and the dynamics."
ON_THE_GRID = "This file is written music, not a performance: its loudness stays, and the network adds the timing."


def perform(
    request: pb.RenderRequest, seed: int, heard: Piece | Stereo | None, soloist: Soloist, settings: JazzSettings,
    progress: Progress,
) -> Work:  # fmt: skip
    """A solo or a recording of somebody's. `heard`: the piece, or the phrase, of the uploaded file; None for a piece of
    the corpus.

    Raises `BadMidi`, `BadAudio`, `BadChords`, `BadOption`, `Cancelled`."""
    started = time.monotonic()
    duration_s = check_duration(request, settings)
    if request.WhichOneof("source") == "piece_id":
        heard = read_piece(request.piece_id)
    if heard is None:
        raise BadMidi("There's nothing to play. Attach a MIDI file or a recording, or name a piece.")
    music: Lead | Stereo
    if isinstance(heard, Piece):
        progress("finding the melody", 0.2)
        music, clip = _of_piece(request, seed, heard, duration_s, soloist)
    else:
        music = heard
        clip = pb.Clip(seed=seed, instrument=find_instrument(request.instrument).name if request.instrument else "")
    return Work(music, clip, request.max_bytes, time.monotonic() - started, request.for_trial)


def check_duration(request: pb.RenderRequest, settings: JazzSettings) -> float:
    """Seconds that the clip may last. Raises `BadOption`."""
    duration_s = request.max_duration_s or settings.clip_duration_s
    if not 1.0 < duration_s <= settings.max_import_duration_s:
        raise BadOption(f"A clip can last from 1 to {settings.max_import_duration_s:g} s, not {duration_s:g}.")
    return duration_s


def _of_piece(
    request: pb.RenderRequest, seed: int, piece: Piece, duration_s: float, soloist: Soloist
) -> tuple[Lead, pb.Clip]:
    instrument = request.instrument
    if request.WhichOneof("source") == "piece_id":
        instrument = instrument or PIECES[request.piece_id].instrument
    found = human_score(
        piece, request.chords, check_tempo(request.tempo_bpm), instrument, request.melody_track, seed, duration_s
    )
    if request.HasField("shuffle_seed"):
        found = replace(found, solo=shuffled(found.solo, request.shuffle_seed))
    solo, remarks = found.solo, found.remarks
    notated: dict[Note, float] = {}
    if found.notated:
        solo, remarks = _performed(found, seed, soloist), (*remarks, ON_THE_GRID if found.dynamics else NOTATED)
        written = sorted(found.solo, key=lambda note: note.onset)
        notated = {note: text.onset for note, text in zip(solo, written, strict=True)}
    lead = Lead(
        solo, found.changes, found.sections, found.bars, found.tempo_bpm, found.feel, found.instrument, seed,
        found.beats_per_bar, found.key, notated,
    )  # fmt: skip
    clip = pb.Clip(
        seed=seed, chords=format_changes(found.changes, found.beats_per_bar), bars=found.bars, key=found.key,
        feel=found.feel.name, chords_estimated=found.estimated, notated=found.notated, melody_track=found.track,
        tracks=[pb.Track(number=number, name=name, notes=notes) for number, name, notes in piece.tracks], notes=remarks,
    )  # fmt: skip
    if not request.for_trial:
        clip.fingerprint = fingerprint.of_notes(find_melody(piece, request.melody_track).notes)
    return lead, clip


def shuffled(solo: tuple[Note, ...], seed: int) -> tuple[Note, ...]:
    """The same notes with their pitches in another order: everything is where it was but the melody."""
    pitches = [note.pitch for note in solo]
    random.Random(seed).shuffle(pitches)
    return tuple(replace(note, pitch=pitch) for note, pitch in zip(solo, pitches, strict=True))


def _performed(found: HumanSolo, seed: int, soloist: Soloist) -> tuple[Note, ...]:
    """A notated solo as the rendition network plays it: the composer's notes, a player's time, and a player's dynamics
    where the file has none."""
    request = Request(
        changes=found.changes,
        bars=found.bars,
        tempo_bpm=found.tempo_bpm,
        instrument=found.instrument,
        beats_per_bar=found.beats_per_bar,
        feel=SOLOIST_FEELS[found.feel.name],
    )
    played = soloist.perform(request, found.solo, seed)
    return with_written_dynamics(played, found.solo) if found.dynamics else played
