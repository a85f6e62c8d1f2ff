"""From a file of notes to passages with their headings. Runs in intake: a file may be made to do harm.

What each kind of file calls a heading: Markdown its `#` lines, a notebook those of its Markdown cells, Python its
functions and classes, a PDF its bookmarks and page numbers, plain text nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from engine.errors import BadNotes
from engine.progress import Progress
from engine.teach.notes import pdf, sources
from engine.teach.notes.sections import Section
from engine.uploads import NOTES, Reading, Upload

MAX_BYTES = 25 * 1024 * 1024
MAX_PASSAGES = 3000
MAX_PASSAGE, MAX_HEADING = 900, 200
"""Characters: what fits into an answer, and still holds a whole thought."""

READERS: dict[str, Callable[[bytes, Progress], Iterable[Section]]] = {
    ".md": sources.markdown,
    ".txt": sources.plain,
    ".py": sources.python,
    ".ipynb": sources.notebook,
    ".pdf": pdf.pages,
}
UNKNOWN = "I read .md, .txt, .py, .ipynb and .pdf files; please save it as one of those."
UNSAFE = "I couldn't read that file safely; please save it again, or as plain text."


@dataclass(frozen=True)
class Passage:
    heading: str
    text: str


def notes_upload(data: bytes, filename: str) -> Upload:
    """What intake is handed. Raises `BadNotes` for a kind of file that isn't read, and for one that is too large."""
    ending = PurePath(filename).suffix.lower()
    if ending not in READERS:
        raise BadNotes(UNKNOWN)
    if len(data) > MAX_BYTES:
        raise BadNotes(f"I read notes of up to {MAX_BYTES // 2**20} MiB; please split the file.")
    return Upload(NOTES, data, {"ending": ending})


def read_notes(data: bytes, options: Mapping[str, Any], progress: Progress) -> Reading:
    """The reader of kind "notes". Facts: `cut`. One array: the bytes of a JSON list of [heading, text].

    Raises `BadNotes`."""
    found: list[list[str]] = []
    cut = False
    try:
        for section in READERS[options["ending"]](data, progress):
            heading = " ".join(section.heading.split())[:MAX_HEADING]
            found.extend([heading, piece] for piece in pieces(section.text))
            if len(found) > MAX_PASSAGES:
                found, cut = found[:MAX_PASSAGES], True
                break
    except (ValueError, RecursionError, OverflowError) as error:
        raise BadNotes(UNSAFE) from error
    if not found:
        raise BadNotes("There is no text in that file; please send one whose text you can select and copy.")
    text = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
    return Reading({"cut": cut}, (np.frombuffer(text, np.uint8),))


def passages_of(reading: Reading) -> tuple[list[Passage], bool]:
    """What `read_notes` read, and whether the file was longer.

    Raises `BadNotes` for anything that it can't have said."""
    try:
        found = json.loads(reading.arrays[0].tobytes())
        if not isinstance(found, list) or len(found) > MAX_PASSAGES:
            raise TypeError
        passages = [Passage(heading[:MAX_HEADING], text[:MAX_PASSAGE]) for heading, text in found]
        if not all(isinstance(part, str) for passage in passages for part in (passage.heading, passage.text)):
            raise TypeError
        return passages, reading.facts["cut"] is True
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise BadNotes(UNSAFE) from error


def pieces(text: str) -> Iterator[str]:
    """`text` in pieces of at most `MAX_PASSAGE` characters, cut between paragraphs, or lines, or anywhere."""
    held = ""
    for paragraph in (part.strip("\n").rstrip() for part in text.split("\n\n")):
        if not paragraph.strip():
            continue
        if held and len(held) + len(paragraph) + 2 > MAX_PASSAGE:
            yield held
            held = ""
        held = f"{held}\n\n{paragraph}" if held else paragraph
        while len(held) > MAX_PASSAGE:
            cut = max(held.rfind("\n", MAX_PASSAGE // 2, MAX_PASSAGE), held.rfind(". ", MAX_PASSAGE // 2, MAX_PASSAGE))
            cut = cut + 1 if cut > 0 else MAX_PASSAGE
            yield held[:cut].rstrip()
            held = held[cut:].lstrip("\n ")
    if held:
        yield held
