"""Files: attachments by their signed address, and the default avatars that discord.py links to."""

from aiohttp import web

from playground.control.faults import Route, suffer
from playground.world import media
from playground.world.state import PLAYGROUND

routes = web.RouteTableDef()

MEMBERS_HEADERS = frozenset({"Sec-Fetch-Mode", "X-Playground-Member"})
"""What a browser, or the driver, sends with a download, and a bot doesn't."""

_AVATAR = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" fill="{colour}"/>'
    '<circle cx="20" cy="15" r="7" fill="#fff"/><path d="M6 38a14 14 0 0 1 28 0z" fill="#fff"/></svg>'
)
_AVATAR_COLOURS = ("#5865f2", "#747f8d", "#3ba55c", "#faa61a", "#ed4245", "#eb459e")


@routes.get(r"/{kind:attachments|ephemeral-attachments}/{channel}/{attachment}/{filename}")
async def attachment(request: web.Request) -> web.StreamResponse:
    """A file, unless a fault strikes the bot's download of it; members always get theirs."""
    is_members = not MEMBERS_HEADERS.isdisjoint(request.headers)
    fault = None if is_members else request.app[PLAYGROUND].faults.take(Route.DOWNLOAD, request.match_info)
    return await (_file(request) if fault is None else suffer(fault, request, _file))


async def _file(request: web.Request) -> web.StreamResponse:
    """Whatever a browser might run (HTML, SVG, ...) is only ever offered for download."""
    playground = request.app[PLAYGROUND]
    found = playground.attachments.get(request.match_info["attachment"])
    path = request.path.removeprefix("/")
    query = request.query
    if found is None or not playground.attachments.is_signed(
        path, query.get("ex", ""), query.get("is", ""), query.get("hm", "")
    ):
        return web.Response(status=404, text="This content is no longer available.")
    kind = media.content_type(found.filename)
    shown = kind in media.SHOWN_INLINE and "download" not in query
    return web.FileResponse(
        playground.attachments.path(found.id),
        headers={
            "Content-Type": kind if shown and kind else "application/octet-stream",
            "Content-Disposition": f'{"inline" if shown else "attachment"}; filename="{found.filename}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, max-age=3600",
        },
    )


@routes.get(r"/embed/avatars/{number:\d}.png")
async def default_avatar(request: web.Request) -> web.Response:
    """A default avatar. The address says png, as Discord's does; browsers go by the content type."""
    colour = _AVATAR_COLOURS[int(request.match_info["number"]) % len(_AVATAR_COLOURS)]
    return web.Response(body=_AVATAR.format(colour=colour).encode(), content_type="image/svg+xml")
