"""Who can talk to the server: programs on this machine and its own page, but no other site in the same browser.

The Host header must name this machine, or a foreign name that resolves to 127.0.0.1 could read everything (DNS
rebinding); a browser's Origin header must be the page's own, or any site could act for a member. Other accounts on this
machine are kept out by the key in the page's address (see server.py) and by the bot's token, both random per world.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost"})
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' blob: data:; media-src 'self' blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuses foreign hosts and origins, and puts the protective headers on every answer."""
    name = request.host.rpartition(":")[0] or request.host
    if name not in _LOCAL_NAMES:
        raise web.HTTPForbidden(text="This server answers only to 127.0.0.1.")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        raise web.HTTPForbidden(text="This server answers only its own page.")
    response = await handler(request)
    if not response.prepared:
        for header, value in _HEADERS.items():
            response.headers.setdefault(header, value)
    return response
