"""Faults on order: what Discord, or the way to it, does to a bot's requests now and then.

A fault waits for requests to one route, lets the first `skip` of them through, and then strikes `times` of them:

    cut           the connection breaks; the bot gets no answer
    delay         the answer comes `delay_s` later
    rate_limit    429 with Discord's headers and a JSON body (`is_global`: for every route)
    blocked       429 from the proxy before Discord: no `Via` header, HTML, `Retry-After`
    server_error  `status` 500 to 504, as the proxy answers it (HTML)
    refuse        one of Discord's own refusals, by its `code` (50013, 10062, 10008, 50027, 50083 ...)
    endless       a body that never ends, as fast as it's read
    drip          a body of a byte every `delay_s`, for ever
    half          less of a body than its Content-Length says, and then the connection breaks
    redirect      302 to `location`

`accepted` says whether the request takes effect all the same: the message is posted, and the bot doesn't know it.
"""

import asyncio
import itertools
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web

from playground.answers import answer
from playground.rules import errors

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

KINDS = ("cut", "delay", "rate_limit", "blocked", "server_error", "refuse", "endless", "drip", "half", "redirect")
ANY_ROUTE = "*"
PIECE_BYTES = 64 * 1024
VIA = "1.1 playground"
"""discord.py takes a 429 without a `Via` header for a ban by the proxy before Discord, and doesn't try again."""


class Route:
    """The routes that a bot's answers travel on, as a fault names them: the method and the path's template."""

    CALLBACK = "POST /interactions/{interaction}/{token}/callback"
    FOLLOW_UP = "POST /webhooks/{application}/{token}"
    GET_ANSWER = "GET /webhooks/{application}/{token}/messages/{message}"
    EDIT_ANSWER = "PATCH /webhooks/{application}/{token}/messages/{message}"
    DELETE_ANSWER = "DELETE /webhooks/{application}/{token}/messages/{message}"
    SEND = "POST /channels/{channel}/messages"
    GET_MESSAGES = "GET /channels/{channel}/messages"
    GET_MESSAGE = "GET /channels/{channel}/messages/{message}"
    EDIT = "PATCH /channels/{channel}/messages/{message}"
    DELETE = "DELETE /channels/{channel}/messages/{message}"
    GET_CHANNEL = "GET /channels/{channel}"
    EDIT_CHANNEL = "PATCH /channels/{channel}"
    OPEN_DIRECT = "POST /users/@me/channels"
    SYNC_COMMANDS = "PUT /applications/{application}/commands"
    LIST_COMMANDS = "GET /applications/{application}/commands"
    LOGIN = "GET /users/@me"
    DOWNLOAD = "GET /{kind}/{channel}/{attachment}/{filename}"
    ANY = ANY_ROUTE


@dataclass
class Fault:
    """One order. `where` narrows the route by its parts, e.g. `{"message": "@original"}`; `times` None: for ever."""

    route: str
    kind: str
    accepted: bool = False
    times: int | None = 1
    skip: int = 0
    where: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    retry_after_s: float = 1.0
    is_global: bool = False
    status: int = 503
    code: int = 0
    location: str = ""
    reset: bool = True
    """Whether a cut is a reset (errno 104) or the connection just ends."""
    id: int = 0
    seen: int = 0
    hits: int = 0

    def strikes(self, route: str, parts: Mapping[str, str]) -> bool:
        """Counts a request and says whether this fault takes it."""
        if self.route not in (ANY_ROUTE, route) or any(parts.get(key) != value for key, value in self.where.items()):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True


class FaultOrders:
    """All faults that are on order."""

    def __init__(self) -> None:
        self._orders: dict[int, Fault] = {}
        self._numbers = itertools.count(1)

    def order(self, body: Json) -> Fault:
        """Orders a fault from its JSON; raises ApiError 50035 for one that makes no sense."""
        unknown = body.keys() - Fault.__dataclass_fields__.keys() | ({"id", "seen", "hits"} & body.keys())
        faults = errors.Faults()
        for name in unknown:
            faults.add((name,), "UNKNOWN_FIELD", "A fault has no such field.")
        if body.get("kind") not in KINDS:
            faults.add(("kind",), "BASE_TYPE_CHOICES", f"Value must be one of {KINDS}.")
        if body.get("kind") == "refuse" and body.get("code") not in errors.REFUSALS:
            faults.add(("code",), "BASE_TYPE_CHOICES", f"Value must be one of {sorted(errors.REFUSALS)}.")
        faults.raise_if_any()
        fault = Fault(**body)
        fault.id = next(self._numbers)
        self._orders[fault.id] = fault
        return fault

    def all(self) -> list[Json]:
        """Every order with how many requests it saw and struck."""
        return [asdict(fault) for fault in self._orders.values()]

    def cancel(self, fault_id: int | None = None) -> None:
        """Takes back one order, or all of them."""
        if fault_id is None:
            self._orders.clear()
        else:
            self._orders.pop(fault_id, None)

    def take(self, route: str, parts: Mapping[str, str]) -> Fault | None:
        """The fault that strikes this request, if any. The oldest order goes first."""
        return next((fault for fault in self._orders.values() if fault.strikes(route, parts)), None)


async def suffer(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Handles a request as the fault wants it."""
    if fault.kind == "delay":
        if fault.accepted:
            response = await handler(request)
            await asyncio.sleep(fault.delay_s)
            return response
        await asyncio.sleep(fault.delay_s)
        return await handler(request)
    if fault.accepted:
        await handler(request)
    if fault.kind == "cut":
        return _cut(request, reset=fault.reset)
    if fault.kind == "redirect":
        return web.Response(status=302, headers={"Location": fault.location})
    if fault.kind in ("endless", "drip", "half"):
        return await _odd_body(fault, request)
    if fault.kind == "refuse":
        refusal = errors.REFUSALS[fault.code]()
        return answer(refusal.body(), status=refusal.status, headers={"Via": VIA})
    return _from_the_way(fault)


def _cut(request: web.Request, *, reset: bool) -> web.Response:
    transport = request.transport
    if transport is not None:
        if reset:  # closing with a linger of 0 s sends RST instead of FIN
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)  # goes nowhere


async def _odd_body(fault: Fault, request: web.Request) -> web.StreamResponse:
    """A body that isn't what it should be."""
    response = web.StreamResponse()
    if fault.kind == "half":
        response.content_length = 2 * PIECE_BYTES
    await response.prepare(request)
    while True:
        try:
            await response.write(bytes(1 if fault.kind == "drip" else PIECE_BYTES))
        except ConnectionError:  # the bot has had enough
            return response
        if fault.kind == "half":
            return _cut(request, reset=False)
        await asyncio.sleep(fault.delay_s if fault.kind == "drip" else 0)


def _from_the_way(fault: Fault) -> web.Response:
    """Answers that bear the marks of a rate limit or of the proxy before Discord."""
    wait = f"{fault.retry_after_s:.3f}"
    if fault.kind == "rate_limit":
        headers = {"Via": VIA, "Retry-After": wait, "X-RateLimit-Scope": "global" if fault.is_global else "user"}
        headers |= {"X-RateLimit-Global": "true"} if fault.is_global else {}
        headers |= {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": wait}
        body = {"message": "You are being rate limited.", "retry_after": fault.retry_after_s}
        return answer(body | {"global": fault.is_global}, status=429, headers=headers)
    if fault.kind == "blocked":
        page = "<html><title>Access denied | discord.com used Cloudflare to restrict access</title></html>"
        return web.Response(status=429, text=page, content_type="text/html", headers={"Retry-After": wait})
    page = f"<html><title>{fault.status}</title></html>"
    return web.Response(status=fault.status, text=page, content_type="text/html", headers={"Via": VIA})
