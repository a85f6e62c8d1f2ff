"""Submissions whose chords nobody wrote, until whoever handed them in has listened and decided.

Their sound lies in memory and their files on disk, for as long as Discord lets a private message be answered; a
restart forgets them.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict

from bot.errors import Refused
from bot.library.clip_intake import Draft

KEPT_S = 15 * 60.0
MOST_DRAFTS = 3
"""Of one member: each holds the file and its sound."""
MOST_ENDINGS = 200
GONE = "I don't have this file any more. Please send it again."
REPLACED = "You've changed this one since: please use the newer version below."
STORED = "This one has already been stored."
DISCARDED = "You've discarded this one."


class Drafts:
    """The drafts in hand, by name; of those that have left, why."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Draft, asyncio.TimerHandle]] = {}
        self._endings: OrderedDict[str, str] = OrderedDict()

    def keep(self, draft: Draft) -> str:
        """Remember a draft for a while; returns its name."""
        member = draft.submission.added_by
        own = [name for name, (kept, _) in self._kept.items() if kept.submission.added_by == member]
        for name in own[: max(0, len(own) - MOST_DRAFTS + 1)]:
            self.drop(name)
        name = secrets.token_hex(4)
        self._kept[name] = (draft, asyncio.get_running_loop().call_later(KEPT_S, self.drop, name))
        return name

    def get(self, name: str, member_id: int) -> Draft:
        """Raises Refused when it's gone or somebody else's."""
        kept = self._kept.get(name)
        if kept is None or kept[0].submission.added_by != member_id:
            raise Refused(self._endings.get(name, GONE))
        return kept[0]

    def drop(self, name: str, ending: str = GONE) -> None:
        """Forget it with its file, if it's still there; `ending` is what a later press on its buttons is told."""
        if draft := self.take(name, ending):
            draft.file.remove()

    def take(self, name: str, ending: str) -> Draft | None:
        """The same, and hand it over with its file; None if it's gone. Whoever calls removes the file."""
        kept = self._kept.pop(name, None)
        if kept is None:
            return None
        kept[1].cancel()
        self._endings[name] = ending
        if len(self._endings) > MOST_ENDINGS:
            self._endings.popitem(last=False)
        return kept[0]

    def forget(self, member_id: int) -> None:
        """Forget all that a member has handed in."""
        for name in [name for name, (kept, _) in self._kept.items() if kept.submission.added_by == member_id]:
            self.drop(name)

    def close(self) -> None:
        for name in list(self._kept):
            self.drop(name)
