"""Where a picture to paint comes from, and whose it is: from an attachment, or from behind an earlier answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import discord

from bot.answering.jobs import Job
from bot.attachments.spool import WaitingFile
from bot.client import Woodshed
from bot.errors import Refused
from bot.store import creations


@dataclass(frozen=True, slots=True)
class Found:
    """A picture on disk until its job is over."""

    file: WaitingFile
    owner: int
    """Discord id: when they ask to be forgotten, it goes, whoever has painted it"""
    digest: str = ""
    """of what the store keeps of it already"""

    def to_keep(self, copy: bytes) -> creations.File | None:
        """What to keep for buttons: what's kept already, else the engine's copy, but never what a member sent."""
        if self.digest:
            return creations.File(self.owner, digest=self.digest)
        return creations.File(self.owner, copy) if copy else None


Source = Callable[[Job], Awaitable[Found]]


def posted(attachment: discord.Attachment, limit_bytes: int, what: str, owner: int) -> Source:
    """A picture that `owner` posted. The source raises Refused, NotHandedOver, NoRoom."""

    async def find(job: Job) -> Found:
        return Found(await job.fetch(attachment, limit_bytes, what), owner)

    return find


def kept(bot: Woodshed, creation_id: int, role: creations.Role) -> Source:
    """A picture behind an earlier answer. The source raises Refused when it is no longer kept."""

    async def find(job: Job) -> Found:
        file = await creations.file(bot.store, creation_id, role)
        if file is None:
            raise Refused(gone(bot))
        return Found(await job.hold(file.content), file.owner, file.digest)

    return find


def gone(bot: Woodshed) -> str:
    """What a button without its picture says."""
    store = bot.settings.store
    return (
        f"I don't have this picture any more: I keep pictures for {store.picture_days:.0f} days, and only the newest "
        f"{store.member_mb} MB per member. Please post it again."
    )
