"""What is to be delivered: text, embeds, files and buttons, in a form that can be sent more than once."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import discord


@dataclass(frozen=True)
class Upload:
    """A file to post. discord.File can be sent once only; this can be sent again when the first attempt fails."""

    name: str
    content: bytes
    description: str | None = None

    def file(self) -> discord.File:
        return discord.File(io.BytesIO(self.content), filename=self.name, description=self.description)


@dataclass(frozen=True)
class Parcel:
    """One message, whole: what it doesn't name, the message won't have."""

    content: str | None = None
    embeds: Sequence[discord.Embed] = ()
    uploads: Sequence[Upload] = ()
    view: discord.ui.View | None = None

    def files(self) -> list[discord.File]:
        """Fresh files for one attempt."""
        return [upload.file() for upload in self.uploads]
