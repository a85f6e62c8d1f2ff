"""A bot's WebSocket, and how the frames on it are packed: as text, or as one zlib or zstd stream.

https://discord.com/developers/docs/events/gateway#encoding-and-compression: one compression context lasts as long as
the connection, and each message ends with a flush, so that it can be read at once.
"""

import json
import zlib
from collections.abc import Callable
from typing import Any

from aiohttp import web

try:
    import zstandard
except ImportError:  # it comes with the tests' environment; a bot that lacks it asks for zlib
    zstandard = None  # type: ignore[assignment]

Json = dict[str, Any]
Pack = Callable[[bytes], bytes]


class UnknownCompression(Exception):
    """The connection asks for a compression that isn't here."""


class Line:
    """One WebSocket, written to from one event loop."""

    def __init__(self, socket: web.WebSocketResponse, compression: str = "") -> None:
        """`compression` is the address's `compress`: nothing, `zlib-stream` or `zstd-stream`."""
        if compression and compression not in PACKERS:
            raise UnknownCompression(compression)
        self.socket = socket
        self._pack = PACKERS[compression]() if compression else None

    async def send(self, text: str) -> None:
        """Sends one message; raises ConnectionError when nobody is there any more."""
        if self._pack is None:
            await self.socket.send_str(text)
        else:
            await self.socket.send_bytes(self._pack(text.encode()))

    async def send_frame(self, opcode: int, data: object = None) -> None:
        await self.send(json.dumps({"op": opcode, "d": data}))

    async def close(self, code: int, message: bytes = b"") -> None:
        await self.socket.close(code=code, message=message)


def _zlib() -> Pack:
    stream = zlib.compressobj()
    return lambda data: stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)


def _zstd() -> Pack:
    stream = zstandard.ZstdCompressor().compressobj()
    return lambda data: stream.compress(data) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


PACKERS: dict[str, Callable[[], Pack]] = {"zlib-stream": _zlib}
"""What can be asked for, and what packs a new connection's messages."""
if zstandard is not None:
    PACKERS["zstd-stream"] = _zstd
