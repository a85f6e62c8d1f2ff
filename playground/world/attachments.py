"""Uploaded files: kept on disk under their id, described on the wire by a signed address that expires.

Discord signs attachment addresses and lets them die after a day (`ex`, `is`, `hm`), so a bot that keeps an address
instead of a message id is found out here too.
"""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playground.world import media
from playground.world.snowflake import Snowflakes, created_at_s
from playground.world.store import Store

Json = dict[str, Any]

MIB = 1024 * 1024

ADDRESS_LIFETIME_S = 24 * 3600
_HEAD_BYTES = 256 * 1024
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class Attachment:
    """One file. `kind` is `attachments`, or `ephemeral-attachments` for files of options and private answers."""

    id: str
    channel_id: str
    filename: str
    size: int
    kind: str = "attachments"
    content_type: str | None = None
    width: int | None = None
    height: int | None = None
    description: str | None = None
    duration_s: float | None = None
    waveform: str | None = None
    """Of a voice message: its loudness over time, one byte for each of up to 256 bars, in Base64."""


@dataclass(frozen=True)
class Upload:
    """A file of a request that has not been stored yet."""

    filename: str
    content: bytes
    description: str | None = None
    duration_s: float | None = None
    waveform: str | None = None


def safe_filename(name: str) -> str:
    """The name as Discord would keep it: letters, digits, `.`, `_` and `-`."""
    cleaned = _UNSAFE.sub("_", name.replace("\\", "/").rpartition("/")[2]).lstrip(".")
    return cleaned[-100:] or "unknown"


class Attachments:
    """Stores, finds and describes attachments."""

    def __init__(self, store: Store, ids: Snowflakes, clock: Callable[[], float]) -> None:
        self._store = store
        self._ids = ids
        self._clock = clock
        self._key = store.secret("cdn").encode()
        self._known = {row["id"]: Attachment(**row) for row in store.all("attachment")}
        self.base_url = ""
        self._remove_expired()

    async def add(self, channel_id: str, upload: Upload, kind: str = "attachments") -> Attachment:
        """Writes the file to disk, then its record."""
        size = media.picture_size(upload.content[:_HEAD_BYTES])
        attachment = Attachment(
            id=self._ids.next(),
            channel_id=channel_id,
            filename=safe_filename(upload.filename),
            size=len(upload.content),
            kind=kind,
            content_type=media.content_type(upload.filename),
            width=size[0] if size else None,
            height=size[1] if size else None,
            description=upload.description,
            duration_s=upload.duration_s,
            waveform=upload.waveform,
        )
        await asyncio.to_thread(self.path(attachment.id).write_bytes, upload.content)
        self._known[attachment.id] = attachment
        self._store.put("attachment", attachment.id, asdict(attachment))
        return attachment

    def get(self, attachment_id: str) -> Attachment | None:
        return self._known.get(attachment_id)

    def remove(self, attachment_id: str) -> None:
        """Forgets the attachment and deletes its file."""
        if self._known.pop(attachment_id, None) is not None:
            self._store.remove("attachment", attachment_id)
            self.path(attachment_id).unlink(missing_ok=True)

    def _remove_expired(self) -> None:
        """Files of command options and private answers outlive neither their address nor a restart after it."""
        limit_s = self._clock() - ADDRESS_LIFETIME_S
        for attachment in list(self._known.values()):
            if attachment.kind == "ephemeral-attachments" and created_at_s(attachment.id) < limit_s:
                self.remove(attachment.id)

    def path(self, attachment_id: str) -> Path:
        return self._store.files / attachment_id

    def url(self, attachment: Attachment) -> str:
        """A signed address, good for a day."""
        issued = int(self._clock())
        expires = issued + ADDRESS_LIFETIME_S
        path = f"{attachment.kind}/{attachment.channel_id}/{attachment.id}/{attachment.filename}"
        signature = self._signature(path, f"{expires:x}", f"{issued:x}")
        return f"{self.base_url}/{path}?ex={expires:x}&is={issued:x}&hm={signature}&"

    def is_signed(self, path: str, expires: str, issued: str, signature: str) -> bool:
        """Whether an address is one that was given out and has not expired."""
        try:
            expired = int(expires, 16) < self._clock()
        except ValueError:
            return False
        return not expired and hmac.compare_digest(self._signature(path, expires, issued), signature)

    def payload(self, attachment: Attachment) -> Json:
        """The wire's attachment object."""
        url = self.url(attachment)
        body: Json = {
            "id": attachment.id,
            "filename": attachment.filename,
            "size": attachment.size,
            "url": url,
            "proxy_url": url,
        }
        if attachment.content_type is not None:
            body["content_type"] = attachment.content_type
        if attachment.width is not None:
            body |= {"width": attachment.width, "height": attachment.height, "placeholder_version": 1}
        if attachment.description is not None:
            body["description"] = attachment.description
        if attachment.duration_s is not None:
            body |= {"duration_secs": attachment.duration_s, "waveform": attachment.waveform}
        if attachment.kind == "ephemeral-attachments":
            body["ephemeral"] = True
        return body

    def _signature(self, path: str, expires: str, issued: str) -> str:
        return hmac.new(self._key, f"{path}?{expires}&{issued}".encode(), hashlib.sha256).hexdigest()
