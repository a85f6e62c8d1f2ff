"""Log lines of both processes: whatever stands in one, it stays one line, and no secret is in any."""

from __future__ import annotations

from typing import Any

from structlog.typing import EventDict, WrappedLogger

REDACTED = "<token>"


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


class Redaction:
    """Replaces the secrets in every text of a log line: the last line of defence, nothing logs them on purpose."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = tuple(secret for secret in secrets if secret)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        if not self._secrets:
            return event
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        if isinstance(value, int | float | bool) or value is None:
            return value
        text = value if isinstance(value, str) else repr(value)
        if not any(secret in text for secret in self._secrets):
            return value
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return text
