"""What is to be delivered: text, embeds, files and buttons, in a form that can be sent more than once."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import discord

HIDDEN = "SPOILER_"
"""Discord hides a file whose name begins so behind a click."""


@dataclass(frozen=True)
class Upload:
    """A file to post. discord.File can be sent once only; this can be sent again when the first attempt fails."""

    name: str
    content: bytes
    description: str | None = None

    def hidden(self) -> Upload:
        """The same file, hidden as a spoiler."""
        return replace(self, name=HIDDEN + self.name)

    def file(self) -> discord.File:
        return discord.File(io.BytesIO(self.content), filename=self.name, description=self.description)


@dataclass(frozen=True)
class Parcel:
    """One message, whole: what it doesn't name, the message won't have."""

    content: str | None = None
    embeds: Sequence[discord.Embed] = ()
    uploads: Sequence[Upload] = ()
    view: discord.ui.View | None = None
    keeps_files: bool = False
    """of an edit: the message keeps the files that it has"""

    def files(self) -> list[discord.File]:
        """Fresh files for one attempt."""
        return [upload.file() for upload in self.uploads]


def shows(message: discord.Message, parcel: Parcel) -> bool:
    """Whether a message is what a parcel made: the same text, files and heads of embeds.

    A file that an embed shows isn't among the message's attachments any more."""
    embedded = {embed.image.url for embed in parcel.embeds}
    names = [upload.name for upload in parcel.uploads]
    plain = [name for name in names if f"attachment://{name}" not in embedded]
    return (
        (message.content or "").strip() == (parcel.content or "").strip()
        and (parcel.keeps_files or [attachment.filename for attachment in message.attachments] in (names, plain))
        and _heads(message.embeds) == _heads(parcel.embeds)
    )


def _heads(embeds: Sequence[discord.Embed]) -> list[tuple[str | None, ...]]:
    return [(embed.title, embed.description, embed.footer.text) for embed in embeds]
