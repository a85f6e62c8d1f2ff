"""Which jobs are in hand: how many of a member, so that nobody fills the engine's queue alone, and on which server."""

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
        self._servers: dict[str, int] = {}

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

    def is_on(self, job_id: str, guild_id: int | None) -> bool:
        """Whether a job was asked for on this server: its staff may cancel it, and no other server's."""
        return guild_id is not None and self._servers.get(job_id) == guild_id

    @contextmanager
    def on_server(self, job_id: str, guild_id: int | None) -> Iterator[None]:
        """Remember for as long as the body runs where a job was asked for; None: in a direct message."""
        if guild_id is not None:
            self._servers[job_id] = guild_id
        try:
            yield
        finally:
            self._servers.pop(job_id, None)

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
