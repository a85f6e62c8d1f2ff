"""Notes in PDF, read by PDFium (pypdfium2), page by page."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pypdfium2

from engine.errors import BadNotes
from engine.progress import Progress
from engine.teach.notes.sections import Section, cleaned

MAX_PAGES = 1000
MAX_BOOKMARKS = 2000
MAX_PAGE = 20_000
"""Characters of one page: a dense one has 6,000."""


def pages(data: bytes, progress: Progress) -> Iterator[Section]:
    """A section for each page with text; its heading is the bookmark that it falls under, and its number.

    Raises `BadNotes`."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise BadNotes("That PDF is damaged or needs a password; please print it to a new PDF.") from error
    with document:
        if len(document) > MAX_PAGES:
            raise BadNotes(f"That PDF has {len(document)} pages, but I only read up to {MAX_PAGES}; please split it.")
        titles = _bookmarks(document)
        title = ""
        for number in range(len(document)):
            progress("reading the PDF", number / len(document))
            title = titles.get(number, title)
            text = _text(document, number)
            if text.strip():
                yield Section(f"{title}, page {number + 1}" if title else f"page {number + 1}", text)


def _bookmarks(document: pypdfium2.PdfDocument) -> dict[int, str]:
    """Page index -> the last bookmark that points to it."""
    titles = {}
    try:
        for bookmark in itertools.islice(document.get_toc(), MAX_BOOKMARKS):
            target = bookmark.get_dest()
            index = target.get_index() if target else None
            if index is not None:
                titles[index] = cleaned(bookmark.get_title())[:150]
    except (pypdfium2.PdfiumError, ValueError):  # a broken table of contents costs the headings only
        return titles
    return titles


def _text(document: pypdfium2.PdfDocument, number: int) -> str:
    try:
        page = document[number]
        text_page = page.get_textpage()
        text = text_page.get_text_range(count=min(MAX_PAGE, text_page.count_chars()))
        text_page.close()
        page.close()
    except (pypdfium2.PdfiumError, UnicodeDecodeError):  # one broken page doesn't spoil the others
        return ""
    text = re.sub("\ufffe\n?", "", text.replace("\r\n", "\n"))  # PDFium's sign for a hyphen at a line's end
    return cleaned(text)
