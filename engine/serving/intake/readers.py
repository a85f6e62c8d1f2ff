"""The readers of intake by name. What is imported here runs in the child: no torch, no files opened later."""

from __future__ import annotations

from engine.errors import BadAudio, BadMidi, BadNotes, BadOption, BadPicture, CallerError
from engine.jazz.importing.intake import read_midi_upload, read_sound_upload
from engine.stylize.pictures.film_reading import read_picture_or_film
from engine.teach.calculator.answering import read_calculation
from engine.teach.notes.reading import read_notes
from engine.uploads import CALCULATION, MIDI, NOTES, PICTURE, SOUND, Reader

READERS: dict[str, Reader] = {
    PICTURE: read_picture_or_film, SOUND: read_sound_upload, MIDI: read_midi_upload,
    CALCULATION: read_calculation, NOTES: read_notes,
}  # fmt: skip
FAULTS: dict[str, type[CallerError]] = {
    PICTURE: BadPicture, SOUND: BadAudio, MIDI: BadMidi, CALCULATION: BadOption, NOTES: BadNotes,
}  # fmt: skip
"""What a file is called that its reader didn't survive."""
