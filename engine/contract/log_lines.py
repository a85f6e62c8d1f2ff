"""Log lines that people read, of both processes: whatever stands in one, it stays one line."""

from __future__ import annotations

from structlog.typing import EventDict, WrappedLogger


def visible(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A processor for structlog. What a member typed or wrote into a file can't begin a line that looks like the log's
    own, colour the terminal, or turn the direction of writing: such signs are shown by their escapes (CWE-117). A
    traceback keeps its lines, each of them indented."""
    return {name: _shown(value, is_traceback=name == "exception") for name, value in event.items()}


def _shown(value: object, *, is_traceback: bool) -> object:
    if not isinstance(value, str):
        return value
    if is_traceback:
        return "\n".join(f"    {_escaped(line)}" for line in value.split("\n"))
    return _escaped(value)


def _escaped(text: str) -> str:
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
