"""Where every request of a bot comes through: its token, faults on order, rate limits, and the transcript."""

import json
import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from playground.answers import answer
from playground.control.faults import Fault, suffer
from playground.control.openapi import Description
from playground.rest.forms import BODY
from playground.rules import errors
from playground.world.state import PLAYGROUND, Playground

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PREFIX = "/api/v10"
_OWN_TOKEN = re.compile(r"/(interactions/|webhooks/[^/]+/.|gateway)")


@web.middleware
async def doorway(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Checks the bot's token, unless the route carries its own; then a fault or the handler answers."""
    playground = request.app[PLAYGROUND]
    path = request.path.removeprefix(PREFIX)
    if not _OWN_TOKEN.match(path) and request.headers.get("Authorization") != f"Bot {playground.token}":
        raise errors.unauthorized()
    route = route_of(request)
    fault = playground.faults.take(route, request.match_info)

    async def handled(request: web.Request) -> web.StreamResponse:
        return await _within_limits(playground, request, path, handler)

    response = await (handled(request) if fault is None else suffer(fault, request, handled))
    note(playground, request, route, response, fault)
    if playground.description is not None and fault is None:
        compare(playground.description, request, route, response)
    return response


def compare(description: Description, request: web.Request, route: str, response: web.StreamResponse) -> None:
    """Holds what was accepted, and what was answered, against Discord's description."""
    if response.status < 300 and request.get(BODY):
        description.check_request(route, request[BODY])
    # The description wants a `code` in a 429, which Discord itself leaves out.
    is_json = isinstance(response, web.Response) and response.content_type == "application/json"
    if isinstance(response, web.Response) and is_json and response.body and response.status != 429:
        description.check_answer(route, response.status, json.loads(bytes(response.body)))  # type: ignore[arg-type]


def route_of(request: web.Request) -> str:
    """The request's method and the template of its path, as faults name a route."""
    resource = request.match_info.route.resource
    template = resource.canonical if resource is not None else request.path
    return f"{request.method} {template.removeprefix(PREFIX)}"


def note(
    playground: Playground, request: web.Request, route: str, response: web.StreamResponse, fault: Fault | None
) -> None:
    """Writes the request down; tokens stay out of it."""
    parts = {key: value for key, value in request.match_info.items() if key != "token"}
    what = route.split(" ")[0] + " " + route.split(" ")[1].format_map({"token": "…", **parts})
    cut = fault is not None and fault.kind == "cut"
    struck = "" if fault is None else f"{fault.kind}{' after acceptance' if fault.accepted else ''}"
    playground.transcript.note("bot", what, status=0 if cut else response.status, fault=struck)


async def _within_limits(
    playground: Playground, request: web.Request, path: str, handler: Handler
) -> web.StreamResponse:
    headers, refusal = playground.rate_limits.take(request.method, path)
    if refusal is not None:
        response: web.StreamResponse = answer(refusal, status=429)
    else:
        try:
            response = await handler(request)
        except errors.ApiError as error:
            response = answer(error.body(), status=error.status)
    response.headers.update(headers)
    return response
