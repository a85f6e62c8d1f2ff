"""Notes that are text: Markdown, plain, Python, and notebooks."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

from engine.errors import BadNotes
from engine.progress import Progress
from engine.teach.notes.sections import Section, cleaned, text_of

MAX_CELLS = 5000
MAX_CODE = 1_000_000
"""Characters of a Python file that is taken apart."""

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*")


class Outline:
    """The headings above the current line."""

    def __init__(self) -> None:
        self._above: list[tuple[int, str]] = []

    def enter(self, level: int, title: str) -> None:
        self._above = [(other, name) for other, name in self._above if other < level]
        self._above.append((level, re.sub(r"[*_`]", "", title)))

    def __str__(self) -> str:
        return " > ".join(title for _, title in self._above)


def plain(data: bytes, progress: Progress) -> Iterator[Section]:
    yield Section("", text_of(data))


def markdown(data: bytes, progress: Progress) -> Iterator[Section]:
    yield from markdown_sections(text_of(data), Outline())


def markdown_sections(text: str, outline: Outline) -> Iterator[Section]:
    """A section for each heading; lines in a fence are no headings."""
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = re.match(r"\s*(`{3,}|~{3,})", line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1][:3]
        found = None if fence else _HEADING.fullmatch(line)
        if found:
            if "".join(lines).strip():
                yield Section(str(outline), "\n".join(lines))
            lines = []
            outline.enter(len(found[1]), found[2])
        else:
            lines.append(line)
    if "".join(lines).strip():
        yield Section(str(outline), "\n".join(lines))


def python(data: bytes, progress: Progress) -> Iterator[Section]:
    """What stands before the first definition, then every function and class. The code is read, never run."""
    text = text_of(data)
    tree = None
    if len(text) <= MAX_CODE:
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            tree = None  # half a program is still worth quoting
    lines = text.split("\n")
    definitions = [
        node
        for node in (tree.body if tree else ())
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    ]
    at = 0
    for node in definitions:
        start = min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1
        yield from _code("", lines[at:start])
        at = node.end_lineno or node.lineno
        yield from _code(node.name, lines[start:at])
    yield from _code("", lines[at:])


def _code(heading: str, lines: list[str]) -> Iterator[Section]:
    code = "\n".join(lines).strip("\n")
    if code.strip():
        yield Section(heading, code)


def notebook(data: bytes, progress: Progress) -> Iterator[Section]:
    """Markdown and code of a Jupyter notebook (nbformat 3 and 4); its outputs are left out. Raises `BadNotes`."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadNotes("That file isn't a notebook that I can read; please save it again from Jupyter.") from error
    outline = Outline()
    for cell in _cells(document)[:MAX_CELLS]:
        if not isinstance(cell, dict):
            continue
        source = cell.get("source", cell.get("input", ""))
        if isinstance(source, list):
            source = "".join(line for line in source if isinstance(line, str))
        if not isinstance(source, str):
            continue
        if cell.get("cell_type") == "markdown":
            yield from markdown_sections(cleaned(source), outline)
        elif cell.get("cell_type") == "code":
            yield from _code(str(outline), cleaned(source).split("\n"))


def _cells(document: Any) -> list[Any]:
    sheets = document.get("worksheets") if isinstance(document, dict) else None
    holder = sheets[0] if isinstance(sheets, list) and sheets else document
    cells = holder.get("cells") if isinstance(holder, dict) else None
    if not isinstance(cells, list):
        raise BadNotes("That file isn't a notebook that I can read; please save it again from Jupyter.")
    return cells
