"""Requests with files that lie on disk. A file is read when its request is sent, and let go of once the engine has it:
a job that waits holds no file in the bot's memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

LENGTH_DELIMITED = 2
"""The wire type of bytes (protobuf.dev, "Encoding")."""


class FileOnDisk(Protocol):
    """`bot.attachments.spool.WaitingFile`."""

    async def read(self) -> bytes: ...


Files = Mapping[str, FileOnDisk]
"""By the field of the request that the file belongs in."""
NO_FILES: Files = {}


class Letter:
    """A request on its way. gRPC keeps what a call was given for as long as it runs; this lets go of the bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def take(self) -> bytes:
        """What to send, once."""
        content, self._content = self._content, b""
        return content


def with_files(request: Any, contents: Mapping[str, bytes]) -> bytes:
    """`request`, serialised, with files in its fields of bytes. A message in parts, one after the other, is the whole
    message (protobuf.dev, "Encoding", "Last One Wins"), so that no file is copied into a message first."""
    parts = [request.SerializeToString()]
    for name, content in contents.items():
        field = request.DESCRIPTOR.fields_by_name[name]
        assert field.type == field.TYPE_BYTES, f"{name} has no room for a file"
        parts += [_varint(field.number << 3 | LENGTH_DELIMITED), _varint(len(content)), content]
    return b"".join(parts)


def _varint(number: int) -> bytes:
    """Seven bits a byte, lowest first; the eighth says that more follow (protobuf.dev, "Base 128 Varints")."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
