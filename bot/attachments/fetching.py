"""The one way by which the bot reads a member's file.

    async with one_job(interaction) as job:
        file = await job.fetch(attachment, limit_bytes, "The picture")     # on disk until the job is over
    content = await bot.attachments.read(attachment, limit_bytes)          # small ones, at once

Whatever comes is counted while it comes: neither the size that Discord names nor a Content-Length is trusted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import aiohttp
import discord
import structlog

from bot.attachments.addresses import may_fetch
from bot.attachments.spool import Spool, WaitingFile
from bot.errors import NotHandedOver, Refused
from engine.contract.limits import MIB

log = structlog.get_logger(__name__)

Content = TypeVar("Content")

NOT_HANDED_OVER = "Discord didn't give me the file; please try again."
PIECE_BYTES = 256 * 1024
FOUND = 200
GONE = frozenset({403, 404, 410})


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a download may take: to connect, between two pieces, in all; and how often it's tried."""

    connect_s: float = 10.0
    silence_s: float = 15.0
    total_s: float = 90.0
    attempts: int = 2
    pause_s: float = 0.5


LIMITS = Limits()


class Gone(Exception):
    """Discord has no such file any more."""


@contextlib.asynccontextmanager
async def open_download(address: str, limits: Limits) -> AsyncIterator[AsyncIterator[bytes]]:
    """The pieces of the file at `address`, as they come. Follows no redirect, and unpacks nothing.

    Raises Gone, aiohttp.ClientError for any other answer than the file, TimeoutError."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=limits.connect_s, sock_read=limits.silence_s)
    async with (
        # A session a file: no cookies, and no connection that a broken download left half read.
        aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as session,
        session.get(address, allow_redirects=False, headers={"Accept-Encoding": "identity"}) as response,
    ):
        if response.status in GONE:
            raise Gone(str(response.status))
        if response.status != FOUND:
            raise aiohttp.ClientPayloadError(f"answered with {response.status}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise aiohttp.ClientPayloadError("packed, though nobody asked for that")
        yield response.content.iter_chunked(PIECE_BYTES)


class Attachments:
    """Members' files, fetched."""

    def __init__(self, api_base: str, spool: Spool, limits: Limits = LIMITS) -> None:
        self.spool = spool
        self.limits = limits
        self._api_base = api_base

    async def read(self, attachment: discord.Attachment, limit_bytes: int, what: str = "That file") -> bytes:
        """A file that a member posted, whole in memory. For small ones that are used at once.

        Raises Refused when it is empty, larger than `limit_bytes` or no longer there, and NotHandedOver."""

        async def once() -> bytes:
            return b"".join([piece async for piece in self._pieces(attachment, limit_bytes)])

        return await self._patiently(attachment, limit_bytes, what, once)

    async def fetch(self, attachment: discord.Attachment, limit_bytes: int, what: str = "That file") -> WaitingFile:
        """The same, to disk. Whoever calls removes the file. Raises NoRoom, too."""

        async def once() -> WaitingFile:
            return await self.spool.take(self._pieces(attachment, limit_bytes))

        return await self._patiently(attachment, limit_bytes, what, once)

    async def hold(self, content: bytes) -> WaitingFile:
        """What the store has kept, on disk as well while its job waits. Raises NoRoom."""

        async def pieces() -> AsyncGenerator[bytes, None]:
            yield content

        return await self.spool.take(pieces())

    async def _patiently(
        self, attachment: discord.Attachment, limit_bytes: int, what: str, once: Callable[[], Awaitable[Content]]
    ) -> Content:
        """Try once more what broke off: most hiccups are over by then."""
        require_size(attachment, limit_bytes, what)
        if not may_fetch(attachment.url, self._api_base):
            log.error("an attachment somewhere else", address=attachment.url.partition("?")[0])
            raise NotHandedOver(NOT_HANDED_OVER)
        try:
            async with asyncio.timeout(self.limits.total_s):
                for attempt in range(self.limits.attempts):
                    if attempt:
                        await asyncio.sleep(self.limits.pause_s)
                    try:
                        return await once()
                    except (aiohttp.ClientError, OSError) as error:  # TimeoutError of a silence is an OSError
                        failure: Exception = error
                        log.info("a download broke off", error=repr(error), attempt=attempt + 1)
        except Gone as error:
            raise Refused(f"{what} isn't there any more. Please post it again.") from error
        except TimeoutError as error:
            failure = error
        raise NotHandedOver(NOT_HANDED_OVER) from failure

    async def _pieces(self, attachment: discord.Attachment, limit_bytes: int) -> AsyncGenerator[bytes, None]:
        received = 0
        async with open_download(attachment.url, self.limits) as pieces:
            async for piece in pieces:
                received += len(piece)
                if received > limit_bytes:
                    raise aiohttp.ClientPayloadError(
                        f"more than {limit_bytes} bytes, though {attachment.size} were named"
                    )
                yield piece


def require_size(attachment: discord.Attachment, limit_bytes: int, what: str = "That file") -> None:
    """Raises Refused for an empty file or one larger than `limit_bytes`, from what Discord says about it."""
    if attachment.size == 0:
        raise Refused(f"{what} is empty. Please choose another one.")
    if attachment.size > limit_bytes:
        raise Refused(f"{what} is {attachment.size / MIB:.1f} MiB, but I only read up to {limit_bytes / MIB:.0f} MiB.")
