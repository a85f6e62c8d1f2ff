"""From a file of notes to passages with their headings. Runs in intake: a file may be made to do harm.

What each kind of file calls a heading: Markdown its `#` lines, a notebook those of its Markdown cells, Python its
functions and classes, a PDF its bookmarks and page numbers, plain text nothing."""

from __future__ import annotations

import itertools
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
            found += [
                [heading, piece] for piece in itertools.islice(pieces(section.text), MAX_PASSAGES + 1 - len(found))
            ]
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
    for paragraph in (part.strip("\n").rstrip() for part in _paragraphs(text)):
        if not paragraph.strip():
            continue
        if held and len(held) + len(paragraph) + 2 > MAX_PASSAGE:
            yield held
            held = ""
        held = f"{held}\n\n{paragraph}" if held else paragraph
        at = 0  # a long text is cut where it is: copying the rest for each piece takes the square of its length
        while len(held) - at > MAX_PASSAGE:
            middle, end = at + MAX_PASSAGE // 2, at + MAX_PASSAGE
            cut = max(held.rfind("\n", middle, end), held.rfind(". ", middle, end)) + 1 or end
            yield held[at:cut].rstrip()
            at = cut
            while held[at : at + 1] in ("\n", " "):
                at += 1
        held = held[at:]
    if held:
        yield held


def _paragraphs(text: str) -> Iterator[str]:
    """`text.split("\\n\\n")`, one part at a time: most of a long file isn't kept."""
    at = 0
    while (end := text.find("\n\n", at)) >= 0:
        yield text[at:end]
        at = end + 2
    yield text[at:]
