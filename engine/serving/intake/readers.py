"""The readers of intake by name. What is imported here runs in the child: no torch, no files opened later."""

from __future__ import annotations

from engine.errors import BadAudio, BadMidi, BadPicture, CallerError
from engine.stylize.pictures.film_reading import read_picture_or_film
from engine.uploads import PICTURE, Reader

READERS: dict[str, Reader] = {PICTURE: read_picture_or_film}
FAULTS: dict[str, type[CallerError]] = {PICTURE: BadPicture, "sound": BadAudio, "midi": BadMidi}
"""What a file is called that its reader didn't survive."""
