"""What happened, in order: what members did, what the bot sent, what became of it. Read it when a test fails."""

import collections
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

_KEPT = 5000


@dataclass(frozen=True)
class Entry:
    """One line: `who` is a member's name, "bot", or "gateway"; `fault` names what struck a request."""

    at: float
    who: str
    what: str
    status: int = 0
    fault: str = ""
    detail: str = ""

    def line(self, start: float) -> str:
        """One readable line, in seconds since `start`."""
        parts = [f"{self.at - start:9.3f}", f"{self.who:<9}", self.what]
        parts += [f"-> {self.status}"] if self.status else []
        parts += [f"[{self.fault}]"] if self.fault else []
        return " ".join([*parts, self.detail]).rstrip()


class Transcript:
    """The last 5000 things that happened."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: collections.deque[Entry] = collections.deque(maxlen=_KEPT)

    def note(self, who: str, what: str, *, status: int = 0, fault: str = "", detail: str = "") -> None:
        self._entries.append(Entry(self._clock(), who, what, status, fault, detail))

    def all(self) -> list[dict[str, Any]]:
        return [asdict(entry) for entry in self._entries]

    @staticmethod
    def lines(entries: Iterable[Entry]) -> str:
        """Entries as text, in seconds since the first."""
        kept = list(entries)
        return "\n".join(entry.line(kept[0].at) for entry in kept)
