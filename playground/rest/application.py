"""REST: who the bot is, and its commands."""

import logging

from aiohttp import web

from playground.answers import answer
from playground.rest.forms import read_form, read_object
from playground.rules import errors
from playground.world import cast
from playground.world.state import PLAYGROUND

routes = web.RouteTableDef()
_log = logging.getLogger(__name__)

_SCOPE = "/applications/{application}/guilds/{guild}/commands"
_GLOBAL = "/applications/{application}/commands"


async def no_such_route(request: web.Request) -> web.Response:
    """Says in the log what a bot asked for that this small Discord doesn't know."""
    _log.warning("The bot called %s %s, which the playground does not have.", request.method, request.path)
    raise errors.not_found()


@routes.get("/users/@me")
async def current_user(request: web.Request) -> web.Response:
    return answer(
        request.app[PLAYGROUND].bot.user() | {"verified": True, "mfa_enabled": False, "email": None, "locale": "en-US"}
    )


@routes.get("/users/{user}")
async def user(request: web.Request) -> web.Response:
    found = request.app[PLAYGROUND].users.get(request.match_info["user"])
    if found is None:
        raise errors.unknown_user()
    return answer(found.user())


@routes.post("/users/@me/channels")
async def open_direct_channel(request: web.Request) -> web.Response:
    playground = request.app[PLAYGROUND]
    recipient = playground.users.get(str((await read_object(request)).get("recipient_id")))
    if recipient is None:
        raise errors.unknown_user()
    if recipient.is_bot:
        raise errors.cannot_send_to_user()
    return answer(playground.channel_payload(playground.direct_channel(recipient.id)))


@routes.get("/users/@me/guilds")
async def current_guilds(request: web.Request) -> web.Response:
    playground = request.app[PLAYGROUND]
    bits = playground.permissions(cast.BOT, playground.text_channels()[0])
    guild = {"id": cast.GUILD_ID, "name": playground.world.name, "icon": None, "owner": False, "permissions": str(bits)}
    return answer([guild | {"features": []}])


@routes.get("/oauth2/applications/@me")
@routes.get("/applications/@me")
async def application(request: web.Request) -> web.Response:
    return answer(cast.application(request.app[PLAYGROUND].bot, request.app[PLAYGROUND].world.application_owner()))


@routes.get("/gateway")
async def gateway(request: web.Request) -> web.Response:
    return answer({"url": request.app[PLAYGROUND].gateway.url})


@routes.get("/gateway/bot")
async def gateway_bot(request: web.Request) -> web.Response:
    playground = request.app[PLAYGROUND]
    limit = {"total": 1000, "remaining": 1000, "reset_after": 14_400_000, "max_concurrency": 1}
    return answer({"url": playground.gateway.url, "shards": playground.options.shards, "session_start_limit": limit})


def _scope(request: web.Request) -> str | None:
    """The guild of a command route, or None for the global one; raises for another's application or guild."""
    if request.match_info["application"] != cast.APPLICATION_ID:
        raise errors.ApiError(404, 10002, "Unknown Application")
    guild = request.match_info.get("guild")
    if guild not in (None, cast.GUILD_ID):
        raise errors.missing_access()
    return guild


@routes.get(_GLOBAL)
@routes.get(_SCOPE)
async def list_commands(request: web.Request) -> web.Response:
    return answer(request.app[PLAYGROUND].commands.all(_scope(request)))


@routes.put(_GLOBAL)
@routes.put(_SCOPE)
async def replace_commands(request: web.Request) -> web.Response:
    form = await read_form(request, 0)
    return answer(request.app[PLAYGROUND].commands.replace_all(form.body, _scope(request)))


@routes.post(_GLOBAL)
@routes.post(_SCOPE)
async def upsert_command(request: web.Request) -> web.Response:
    body = await read_object(request)
    return answer(request.app[PLAYGROUND].commands.upsert(body, _scope(request)), status=201)


@routes.get(_GLOBAL + "/{command}")
@routes.get(_SCOPE + "/{command}")
async def get_command(request: web.Request) -> web.Response:
    return answer(request.app[PLAYGROUND].commands.get(request.match_info["command"], _scope(request)))


@routes.patch(_GLOBAL + "/{command}")
@routes.patch(_SCOPE + "/{command}")
async def edit_command(request: web.Request) -> web.Response:
    body = await read_object(request)
    return answer(request.app[PLAYGROUND].commands.edit(request.match_info["command"], body, _scope(request)))


@routes.delete(_GLOBAL + "/{command}")
@routes.delete(_SCOPE + "/{command}")
async def delete_command(request: web.Request) -> web.Response:
    request.app[PLAYGROUND].commands.delete(request.match_info["command"], _scope(request))
    return web.Response(status=204)
