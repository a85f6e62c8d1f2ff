"""REST: threads, and the channels that hold them."""

from aiohttp import web

from playground.answers import answer
from playground.rest.audit import note
from playground.rest.channels import checked_channel, checked_message
from playground.rest.forms import read_object
from playground.rules import errors, fields
from playground.world import cast, changes
from playground.world.audit import Action
from playground.world.permissions import Permission
from playground.world.state import PLAYGROUND

routes = web.RouteTableDef()


@routes.post("/channels/{channel}/threads")
async def create_thread(request: web.Request) -> web.Response:
    """A public thread that starts at no message."""
    playground = request.app[PLAYGROUND]
    parent = checked_channel(request, Permission.CREATE_PUBLIC_THREADS)
    body = await read_object(request, fields.THREAD)
    thread = changes.create_thread(playground, parent, body.get("name", ""), cast.BOT.id)
    note(request, Action.THREAD_CREATE, thread.id)
    return answer(thread.payload(), status=201)


@routes.post("/channels/{channel}/messages/{message}/threads")
async def create_thread_at_message(request: web.Request) -> web.Response:
    playground = request.app[PLAYGROUND]
    message = checked_message(request, Permission.CREATE_PUBLIC_THREADS)
    body = await read_object(request, fields.THREAD)
    parent = playground.channels[message.channel_id]
    thread = changes.create_thread(playground, parent, body.get("name", ""), cast.BOT.id, message.id)
    note(request, Action.THREAD_CREATE, thread.id)
    return answer(thread.payload(), status=201)


@routes.patch("/channels/{channel}")
async def edit_channel(request: web.Request) -> web.Response:
    """Renames, archives or locks a thread. Anybody who writes in it may open an archived one that isn't locked."""
    playground = request.app[PLAYGROUND]
    thread = checked_channel(request, Permission.VIEW_CHANNEL)
    if not thread.is_thread:
        raise errors.missing_permissions()
    body = await read_object(request, fields.THREAD_EDIT)
    may_manage = playground.bot_may(thread, Permission.MANAGE_THREADS) or thread.owner_id == cast.BOT.id
    reopens = body == {"archived": False} and not thread.locked
    if not may_manage and not reopens:
        raise errors.missing_permissions()
    changes.set_thread(
        playground,
        thread,
        archived=bool(body.get("archived", thread.archived)),
        locked=bool(body.get("locked", thread.locked)),
        name=str(body.get("name") or ""),
    )
    note(request, Action.THREAD_UPDATE, thread.id)
    return answer(thread.payload())


@routes.delete("/channels/{channel}")
async def delete_channel(request: web.Request) -> web.Response:
    playground = request.app[PLAYGROUND]
    channel = checked_channel(request, Permission.MANAGE_THREADS if _is_thread(request) else Permission.MANAGE_CHANNELS)
    payload = channel.payload()
    changes.delete_channel(playground, channel)
    note(request, Action.THREAD_DELETE if channel.is_thread else Action.CHANNEL_DELETE, channel.id)
    return answer(payload)


def _is_thread(request: web.Request) -> bool:
    channel = request.app[PLAYGROUND].channels.get(request.match_info["channel"])
    return channel is not None and channel.is_thread


@routes.put("/channels/{channel}/thread-members/@me")
@routes.delete("/channels/{channel}/thread-members/@me")
async def thread_membership(request: web.Request) -> web.Response:
    """Joins or leaves a thread; here everybody sees every thread, so nothing else changes."""
    changes.require_not_archived(checked_channel(request, Permission.VIEW_CHANNEL))
    return web.Response(status=204)


@routes.get("/guilds/{guild}/threads/active")
async def active_threads(request: web.Request) -> web.Response:
    if request.match_info["guild"] != cast.GUILD_ID:
        raise errors.unknown_guild()
    return answer({"threads": [thread.payload() for thread in request.app[PLAYGROUND].threads()], "members": []})
