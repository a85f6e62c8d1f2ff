"""Members' files on disk while their jobs wait: sixty-four of them in memory would be gigabytes.

They lie in a folder that only the bot's user can look into, under names that nobody chose. A file goes with its job,
the folder with the bot; what a killed bot left behind goes at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.errors import NoRoom

log = structlog.get_logger(__name__)

RESERVE_BYTES = 200 * 1000 * 1000
"""Left free on the disk for votes and answers, which share it: a file that needs this room isn't taken in."""
WRITTEN_AT_ONCE = 512 * 1024
NO_ROOM = "I don't have room for your file right now. Please try again later."


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A member's file on disk, for as long as its job runs."""

    path: Path
    size: int

    async def read(self) -> bytes:
        return await asyncio.to_thread(self.path.read_bytes)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


class Spool:
    """The folder of the files that wait."""

    def __init__(self, folder: Path, reserve_bytes: int = RESERVE_BYTES) -> None:
        self.folder = folder
        self._reserve_bytes = reserve_bytes

    async def open(self) -> None:
        """Make a new folder, empty and private. Raises OSError."""
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        self.close()
        self.folder.mkdir(mode=0o700)
        self.folder.chmod(0o700)  # whatever the umask and the file system think

    def close(self) -> None:
        """Remove the folder with all that's in it. A link in its place is removed, not followed."""
        if self.folder.is_symlink():
            self.folder.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def take(self, chunks: AsyncGenerator[bytes, None]) -> WaitingFile:
        """Write down what comes, piece by piece; nothing is left behind when it breaks off.

        Raises NoRoom when the disk is full, or nearly, and whatever `chunks` raises."""
        path = self.folder / uuid.uuid4().hex
        size, held, how = 0, bytearray(), os.O_EXCL
        try:
            async with contextlib.aclosing(chunks):
                async for chunk in chunks:
                    held += chunk
                    if len(held) >= WRITTEN_AT_ONCE:  # a network's pieces are small, and each way to a thread costs
                        await asyncio.to_thread(self._write, path, bytes(held), how)
                        size, held, how = size + len(held), bytearray(), os.O_APPEND
            await asyncio.to_thread(self._write, path, bytes(held), how)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return WaitingFile(path, size + len(held))

    def _write(self, path: Path, chunk: bytes, how: int) -> None:
        try:
            if shutil.disk_usage(self.folder).free - len(chunk) < self._reserve_bytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(chunk)
        except OSError as error:
            log.exception("a member's file can't be kept", folder=str(self.folder))
            raise NoRoom(NO_ROOM) from error
