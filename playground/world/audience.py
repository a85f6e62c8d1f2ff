"""The open tabs: each is a member looking at the page, fed over a WebSocket with what that member may see."""

import asyncio
import json
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

Json = dict[str, Any]

_PING_S = 30.0


class Audience:
    """Sends events to tabs."""

    def __init__(self) -> None:
        self._tabs: dict[web.WebSocketResponse, tuple[str, asyncio.Queue[str]]] = {}

    def send(self, event: str, body: Json, *, only: str | None = None, without: str | None = None) -> None:
        """Queues an event for every tab, or for those of one member."""
        text = json.dumps({"event": event, "body": body})
        for member_id, outbox in self._tabs.values():
            if only in (None, member_id) and member_id != without:
                outbox.put_nowait(text)

    async def handle(self, request: web.Request, member_id: str) -> web.WebSocketResponse:
        """One tab, until it closes."""
        socket = web.WebSocketResponse(heartbeat=_PING_S, max_msg_size=1024)
        await socket.prepare(request)
        outbox: asyncio.Queue[str] = asyncio.Queue()
        self._tabs[socket] = (member_id, outbox)
        writer = asyncio.create_task(self._write(socket, outbox))
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
        finally:
            del self._tabs[socket]
            writer.cancel()
        return socket

    async def close(self) -> None:
        for socket in list(self._tabs):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    @staticmethod
    async def _write(socket: web.WebSocketResponse, outbox: asyncio.Queue[str]) -> None:
        while True:
            try:
                await socket.send_str(await outbox.get())
            except ConnectionError:
                return
