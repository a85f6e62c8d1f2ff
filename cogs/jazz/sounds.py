"""What the recorded instruments of a clip are called, for people: a SoundFont by its name and its makers."""

from __future__ import annotations

import re

KNOWN = {
    "timgm6mb": "TimGM, by Tim Brechbill",
    "musescoregeneral": "MuseScore General, by Frank Wen, Michael Cowgill and S. Christian Collins",
    "fluidr3": "Fluid R3, by Frank Wen",
    "defaultgm": "the General MIDI set of this machine",
}
"""By how the file's name begins, without case and signs. Their makers are named by the licences that come with them."""


def sound_name(file_name: str) -> str:
    """ "TimGM6mb.sf2" -> "TimGM, by Tim Brechbill"; a file that isn't known by its own name, without the extension."""
    stem = re.sub(r"\.\w{2,4}$", "", file_name)
    key = re.sub(r"[\W_]+", "", stem).casefold()
    known = next((name for start, name in KNOWN.items() if key.startswith(start)), None)
    return known or re.sub(r"[\s_-]+", " ", stem).strip()
