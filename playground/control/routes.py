"""The control API, under the page's address: `<address>control/...`. `playground/driver.py` speaks it from Python.

POST   faults            order a fault (see faults.py); the answer has its id
GET    faults            all orders, with how many requests they saw and struck
DELETE faults[/{id}]     take one order back, or all
GET    routes            every route that a fault can name
GET    transcript        what happened, in order
GET    violations        with --openapi: what didn't fit Discord's description
POST   clock             {"advance_s": 900}: tokens and addresses grow old at once
POST   gateway           {"do": "drop" | "drop_session" | "invalidate" | "reconnect"}
POST   guild             {"do": "kick" | "invite"}
PUT    guild             {"boost_level": 2}: larger files
GET    roles             all roles
POST   roles             {"name": ...}
PATCH  roles/{id}        {"name": ...}
DELETE roles/{id}        a role; nobody has it any more
PUT    members/{slug}/roles            {"roles": [id, ...]}
PUT    members/{slug}/installed        {"installed": true}: an app of the member's own
POST   class             {"size": 12, "pace": 1.0}: a simulated class
PUT    channels/{id}/bot-permissions   {"send_messages": false, ...}
POST   channels/{id}/threads           {"name": ...}
PATCH  channels/{id}                   {"archived": true, "locked": true}: a thread
DELETE channels/{id}                   a channel or thread
DELETE channels/{id}/messages/{id}     anybody's message
"""

import math

from aiohttp import web

from playground.answers import answer
from playground.page.routes import CLASSROOM, LARGEST_CLASS
from playground.rest.forms import read_object
from playground.rules import errors
from playground.world import cast, changes
from playground.world.state import PLAYGROUND, Playground
from playground.world.talk import polls

routes = web.RouteTableDef()

BOT_ROUTES: web.AppKey[list[str]] = web.AppKey("bot_routes", list)


@routes.post("/control/faults")
async def order_fault(request: web.Request) -> web.Response:
    body = await read_object(request)
    known = request.app[BOT_ROUTES]
    if body.get("route") not in known:
        raise _wrong("route", f"Value must be one of {known}.")
    return answer(_of(request).faults.order(body).id)


@routes.get("/control/faults")
async def list_faults(request: web.Request) -> web.Response:
    return answer(_of(request).faults.all())


@routes.delete("/control/faults")
async def cancel_faults(request: web.Request) -> web.Response:
    _of(request).faults.cancel()
    return web.Response(status=204)


@routes.delete(r"/control/faults/{fault:\d+}")
async def cancel_fault(request: web.Request) -> web.Response:
    _of(request).faults.cancel(int(request.match_info["fault"]))
    return web.Response(status=204)


@routes.get("/control/routes")
async def list_routes(request: web.Request) -> web.Response:
    return answer(request.app[BOT_ROUTES])


@routes.get("/control/transcript")
async def transcript(request: web.Request) -> web.Response:
    return answer(_of(request).transcript.all())


@routes.get("/control/violations")
async def violations(request: web.Request) -> web.Response:
    """What was accepted or answered against Discord's OpenAPI file, and how much was checked."""
    description = _of(request).description
    if description is None:
        raise _wrong("openapi", "Start the playground with --openapi FILE.")
    return answer({"checked": description.checked, "violations": list(description.violations)})


@routes.post("/control/clock")
async def move_clock(request: web.Request) -> web.Response:
    """Answers how many seconds the playground is ahead of the real time."""
    playground = _of(request)
    advance_s = (await read_object(request)).get("advance_s")
    if not isinstance(advance_s, int | float) or advance_s < 0:
        raise _wrong("advance_s", "The clock goes forward by a number of seconds.")
    playground.clock.advance(float(advance_s))
    await polls.close_due(playground)
    playground.transcript.note("control", f"the clock moves on by {advance_s:g} s")
    return answer({"ahead_s": playground.clock.ahead_s, "now": playground.clock()})


@routes.post("/control/gateway")
async def disturb_gateway(request: web.Request) -> web.Response:
    playground = _of(request)
    gateway = playground.gateway
    wanted = (await read_object(request)).get("do")
    deeds = {
        "drop": gateway.drop_sockets,
        "drop_session": lambda: gateway.drop_sockets(resumable=False),
        "invalidate": gateway.invalidate,
        "reconnect": gateway.ask_to_reconnect,
    }
    if wanted not in deeds:
        raise _wrong("do", f"Value must be one of {tuple(deeds)}.")
    playground.transcript.note("control", f"gateway: {wanted}")
    await deeds[wanted]()
    return web.Response(status=204)


@routes.post("/control/guild")
async def throw_out_or_invite(request: web.Request) -> web.Response:
    playground = _of(request)
    wanted = (await read_object(request)).get("do")
    deeds = {"kick": changes.kick_bot, "invite": changes.invite_bot}
    if wanted not in deeds:
        raise _wrong("do", f"Value must be one of {tuple(deeds)}.")
    playground.transcript.note("control", f"guild: {wanted} the bot")
    deeds[wanted](playground)
    return web.Response(status=204)


@routes.put("/control/guild")
async def boost(request: web.Request) -> web.Response:
    level = (await read_object(request)).get("boost_level")
    if not isinstance(level, int) or not 0 <= level < len(cast.BOOSTS):
        raise _wrong("boost_level", f"The levels are 0 to {len(cast.BOOSTS) - 1}.")
    changes.set_boost_level(_of(request), level)
    return web.Response(status=204)


@routes.get("/control/roles")
async def list_roles(request: web.Request) -> web.Response:
    return answer(list(_of(request).roles.values()))


@routes.post("/control/roles")
async def create_role(request: web.Request) -> web.Response:
    return answer(changes.create_role(_of(request), (await read_object(request)).get("name", "")))


@routes.patch("/control/roles/{role}")
async def rename_role(request: web.Request) -> web.Response:
    name = (await read_object(request)).get("name", "")
    return answer(changes.rename_role(_of(request), request.match_info["role"], name))


@routes.delete("/control/roles/{role}")
async def delete_role(request: web.Request) -> web.Response:
    changes.delete_role(_of(request), request.match_info["role"])
    return web.Response(status=204)


@routes.put("/control/members/{member}/roles")
async def set_roles(request: web.Request) -> web.Response:
    wanted = (await read_object(request)).get("roles")
    if not isinstance(wanted, list):
        raise _wrong("roles", "A list of role ids.")
    changes.set_roles(_of(request), _member(request), [str(role_id) for role_id in wanted])
    return web.Response(status=204)


@routes.put("/control/members/{member}/installed")
async def install(request: web.Request) -> web.Response:
    """`{"installed": true}`: the member has the bot as an app of their own."""
    wanted = (await read_object(request)).get("installed")
    if not isinstance(wanted, bool):
        raise _wrong("installed", "true or false.")
    _of(request).install(_member(request), is_installed=wanted)
    return web.Response(status=204)


@routes.post("/control/class")
async def bring_class(request: web.Request) -> web.Response:
    """A simulated class: `{"size": 12, "pace": 1.0}`; a pace of 0 answers at once."""
    body = await read_object(request)
    size, pace = body.get("size"), body.get("pace", 1.0)
    keeps_pace = isinstance(pace, int | float) and 0 <= pace < math.inf
    if not isinstance(size, int) or not 0 <= size <= LARGEST_CLASS or not keeps_pace:
        raise _wrong("size", f"A class has 0 to {LARGEST_CLASS} members, and its pace is 0 or more.")
    request.app[CLASSROOM].bring(size, float(pace))
    return web.Response(status=204)


@routes.put("/control/channels/{channel}/bot-permissions")
async def bot_permissions(request: web.Request) -> web.Response:
    playground, channel = _of(request), _channel(request)
    changes.set_bot_permissions(playground, channel, await read_object(request))
    return web.Response(status=204)


@routes.post("/control/channels/{channel}/threads")
async def create_thread(request: web.Request) -> web.Response:
    name = (await read_object(request)).get("name", "")
    return answer(changes.create_thread(_of(request), _channel(request), name, cast.GUILD_OWNER_ID).payload())


@routes.patch("/control/channels/{channel}")
async def set_thread(request: web.Request) -> web.Response:
    thread = _channel(request)
    if not thread.is_thread:
        raise _wrong("channel", "Only a thread can be archived or locked.")
    body = await read_object(request)
    archived, locked = bool(body.get("archived", thread.archived)), bool(body.get("locked", thread.locked))
    changes.set_thread(_of(request), thread, archived=archived, locked=locked)
    return answer(thread.payload())


@routes.delete("/control/channels/{channel}")
async def delete_channel(request: web.Request) -> web.Response:
    changes.delete_channel(_of(request), _channel(request))
    return web.Response(status=204)


@routes.delete("/control/channels/{channel}/messages/{message}")
async def delete_message(request: web.Request) -> web.Response:
    """Deletes any message, private answers too (as their member would dismiss them)."""
    messages = _of(request).messages
    messages.delete(messages.get(_channel(request).id, request.match_info["message"]))
    return web.Response(status=204)


def _of(request: web.Request) -> Playground:
    return request.app[PLAYGROUND]


def _member(request: web.Request) -> cast.Member:
    for member in _of(request).users.values():
        if member.slug == request.match_info["member"]:
            return member
    raise errors.unknown_member()


def _channel(request: web.Request) -> cast.Channel:
    channel = _of(request).channels.get(request.match_info["channel"])
    if channel is None:
        raise errors.unknown_channel()
    return channel


def _wrong(field: str, message: str) -> errors.ApiError:
    return errors.ApiError(
        400, 50035, "Invalid Form Body", {field: {"_errors": [{"code": "INVALID", "message": message}]}}
    )
