"""How many jobs a member has in hand, so that nobody fills the engine's queue alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from bot.answering.text import counted
from bot.errors import Refused


class JobDesk:
    """Counts a member's jobs from the command until its answer is posted."""

    def __init__(self, places_per_member: int) -> None:
        self._places_per_member = places_per_member
        self._taken: Counter[int] = Counter()
        self._closed_because = ""

    @property
    def total(self) -> int:
        """Jobs that anybody has in hand now."""
        return self._taken.total()

    def close(self, because: str) -> None:
        """From now on refuse every new job with this sentence."""
        self._closed_because = because

    def taken(self, member_id: int) -> int:
        """Jobs that this member has in hand now."""
        return self._taken[member_id]

    @contextmanager
    def place(self, member_id: int) -> Iterator[None]:
        """Take a place for as long as the body runs. Raises Refused when the member holds all of theirs."""
        if self._closed_because:
            raise Refused(self._closed_because)
        if self._taken[member_id] >= self._places_per_member:
            raise Refused(
                f"You already have {counted(self._places_per_member, 'job')} running. "
                "Please wait until one is done, or cancel one with `/queue`."
            )
        self._taken[member_id] += 1
        try:
            yield
        finally:
            self._taken[member_id] -= 1
            if not self._taken[member_id]:
                del self._taken[member_id]
