"""A member without a browser: speaks to the page's interface as the page does, and can wait for what turns up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp

Json = dict[str, Any]

WAIT_S = 10.0


class MemberClient:
    """One member, by the slug in the page's address."""

    def __init__(self, session: aiohttp.ClientSession, slug: str) -> None:
        self._session = session
        self._slug = slug

    async def request(self, method: str, path: str, body: Any = None, files: dict[str, bytes] | None = None) -> Any:
        """The answer's JSON; raises AssertionError with the server's words for a refusal."""
        status, answer = await self.raw(method, path, body, files)
        assert status < 300, answer
        return answer

    async def raw(
        self, method: str, path: str, body: Any = None, files: dict[str, bytes] | None = None
    ) -> tuple[int, Any]:
        """Status and JSON."""
        data: Any = None
        if files:
            data = aiohttp.FormData(quote_fields=False)
            data.add_field("payload_json", json.dumps(body))
            for number, (name, content) in enumerate(files.items()):
                data.add_field(f"files[{number}]", content, filename=name)
        elif body is not None:
            data = json.dumps(body)
        async with self._session.request(method, f"/page/{path}", params={"member": self._slug}, data=data) as response:
            return response.status, (await response.json() if response.content_type == "application/json" else None)

    async def channel(self, name: str = "gallery") -> Json:
        state = await self.request("GET", "state")
        found: Json = next(c for c in state["channels"] if c.get("name") == name)
        return found

    async def use(
        self,
        command: str,
        *,
        channel: str = "gallery",
        files: dict[str, bytes] | None = None,
        **options: Any,
    ) -> Json:
        """Uses `/command` (with its subcommands, "poll start"); a value that names a file of `files` becomes it."""
        place = await self.channel(channel)
        name, *path = command.split()
        names = list(files or {})
        given = {key: {"upload": names.index(value)} if value in names else value for key, value in options.items()}
        body = {"kind": "command", "command_id": _id(place, name, 1), "path": path, "options": given}
        answer: Json = await self.request("POST", f"channels/{place['id']}/interactions", body, files)
        return answer

    async def complete(self, command: str, option: str, typed: str) -> Json:
        """Types into an option with autocomplete."""
        place = await self.channel()
        name, *path = command.split()
        body = {"kind": "autocomplete", "command_id": _id(place, name, 1), "path": path, "focused": option}
        body |= {"options": {option: typed}}
        answer: Json = await self.request("POST", f"channels/{place['id']}/interactions", body)
        return answer

    async def menu(self, command: str, target: str, kind: int = 3, channel: str = "gallery") -> Json:
        """A message menu (kind 3) or user menu (2)."""
        place = await self.channel(channel)
        body = {"kind": "menu", "command_id": _id(place, command, kind), "target_id": target}
        answer: Json = await self.request("POST", f"channels/{place['id']}/interactions", body)
        return answer

    async def press(self, message: Json, custom_id: str, values: list[str] | None = None) -> Json:
        """Uses a button or select."""
        body = {"kind": "component", "message_id": message["id"], "custom_id": custom_id, "values": values}
        answer: Json = await self.request("POST", f"channels/{message['channel_id']}/interactions", body)
        return answer

    async def submit(self, modal: Json, fields: Json, files: dict[str, bytes] | None = None) -> Json:
        """Sends a modal that an earlier answer opened."""
        place = await self.channel()
        body = {"kind": "modal", "interaction_id": modal["content"]["interaction_id"], "fields": fields}
        answer: Json = await self.request("POST", f"channels/{place['id']}/interactions", body, files)
        return answer

    async def say(self, content: str, *, channel: str = "gallery", files: dict[str, bytes] | None = None) -> Json:
        place = await self.channel(channel)
        answer: Json = await self.request("POST", f"channels/{place['id']}/messages", {"content": content}, files)
        return answer

    async def messages(self, channel: str = "gallery") -> list[Json]:
        place = await self.channel(channel)
        answer: list[Json] = await self.request("GET", f"channels/{place['id']}/messages")
        return answer

    async def sees(
        self, wanted: Callable[[Json], object], *, channel: str = "gallery", within_s: float = WAIT_S, after: int = 0
    ) -> Json:
        """Waits until a message for which `wanted` holds is there, younger than the id `after`."""
        async with asyncio.timeout(within_s):
            while True:
                for message in await self.messages(channel):
                    if int(message["id"]) > after and wanted(message):
                        return message
                await asyncio.sleep(0.05)

    async def newest(self, channel: str = "gallery") -> int:
        """The id of the last message, 0 in an empty channel."""
        return max((int(message["id"]) for message in await self.messages(channel)), default=0)

    async def misses(self, unwanted: Callable[[Json], object], *, channel: str = "gallery") -> None:
        """Waits until no message is there for which `unwanted` holds."""
        async with asyncio.timeout(WAIT_S):
            while True:
                if not any(unwanted(message) for message in await self.messages(channel)):
                    return
                await asyncio.sleep(0.05)

    async def download(self, url: str) -> tuple[int, bytes, str]:
        """Status, content and content type of a file."""
        async with self._session.get(url) as response:
            return response.status, await response.read(), response.headers["Content-Type"]


def _id(channel: Json, name: str, kind: int) -> str:
    found: str = next(c["id"] for c in channel["commands"] if c["name"] == name and c["type"] == kind)
    return found
