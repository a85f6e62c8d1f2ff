"""REST: webhooks of channels. Whatever an interaction's token does under the same addresses is in interactions.py."""

from aiohttp import web

from playground.answers import answer
from playground.rest.audit import note
from playground.rest.channels import checked_channel, edit, read_message
from playground.rest.forms import read_object
from playground.rules import errors, limits
from playground.world import cast, changes
from playground.world.audit import Action
from playground.world.permissions import Permission
from playground.world.state import PLAYGROUND, Playground
from playground.world.talk.messages import Message
from playground.world.webhooks import NAME, Webhook

routes = web.RouteTableDef()

_FIELDS = frozenset({"name"})
_ONE = "/webhooks/{webhook}"


@routes.post("/channels/{channel}/webhooks")
async def create(request: web.Request) -> web.Response:
    playground = request.app[PLAYGROUND]
    channel = checked_channel(request, Permission.MANAGE_WEBHOOKS)
    if channel.is_direct or channel.is_thread:
        raise errors.ApiError(400, 50024, "Cannot execute action on this channel type")
    hook = playground.webhooks.create(channel.id, (await read_object(request, _FIELDS)).get("name"))
    note(request, Action.WEBHOOK_CREATE, hook.id)
    return answer(hook.payload(playground.origin))


@routes.get("/channels/{channel}/webhooks")
async def of_channel(request: web.Request) -> web.Response:
    playground = request.app[PLAYGROUND]
    channel = checked_channel(request, Permission.MANAGE_WEBHOOKS)
    return answer([hook.payload(playground.origin) for hook in playground.webhooks.of(channel.id)])


@routes.get("/guilds/{guild}/webhooks")
async def of_guild(request: web.Request) -> web.Response:
    """The webhooks of the channels in which the bot may manage them."""
    if request.match_info["guild"] != cast.GUILD_ID:
        raise errors.unknown_guild()
    playground = request.app[PLAYGROUND]
    return answer([hook.payload(playground.origin) for hook in playground.webhooks.of() if _may(playground, hook)])


@routes.get(_ONE)
async def get(request: web.Request) -> web.Response:
    return answer(_managed(request).payload(request.app[PLAYGROUND].origin))


@routes.patch(_ONE)
async def rename(request: web.Request) -> web.Response:
    hook = _managed(request)
    request.app[PLAYGROUND].webhooks.rename(hook, (await read_object(request, _FIELDS)).get("name", hook.name))
    note(request, Action.WEBHOOK_UPDATE, hook.id)
    return answer(hook.payload(request.app[PLAYGROUND].origin))


@routes.delete(_ONE)
async def delete(request: web.Request) -> web.Response:
    hook = _managed(request)
    request.app[PLAYGROUND].webhooks.remove(hook)
    note(request, Action.WEBHOOK_DELETE, hook.id)
    return web.Response(status=204)


async def get_with_token(request: web.Request) -> web.Response:
    return answer(_by_token(request).payload(request.app[PLAYGROUND].origin, with_user=False))


async def delete_with_token(request: web.Request) -> web.Response:
    request.app[PLAYGROUND].webhooks.remove(_by_token(request))
    return web.Response(status=204)


# The part is called as in interactions.py, where it's an application's id: one route serves both, as on Discord.
routes.get("/webhooks/{application}/{token}")(get_with_token)
routes.delete("/webhooks/{application}/{token}")(delete_with_token)


async def execute(request: web.Request) -> web.Response:
    """A message under the webhook's name, or under the one that the request gives; 204 unless it asks to `wait`."""
    playground = request.app[PLAYGROUND]
    hook = _by_token(request)
    channel = playground.channels[hook.channel_id]
    form = await read_message(request)
    name = form.body.pop("username", None) or hook.name
    faults = errors.Faults()
    faults.length(("username",), name, 1, NAME)
    faults.raise_if_any()
    limits.check_message(form.body, len(form.files))
    changes.open_for_writing(playground, channel, cast.BOT)
    message = await playground.messages.create(
        channel.id, hook.id, form.body, form.files.values(), flags=form.body.get("flags") or 0, sender=name
    )
    if request.query.get("wait", "").lower() not in ("1", "true"):
        return web.Response(status=204)
    return answer(playground.messages.payload(message))


async def get_message(request: web.Request) -> web.Response:
    return answer(request.app[PLAYGROUND].messages.payload(_message(request)))


async def edit_message(request: web.Request) -> web.Response:
    playground, message = request.app[PLAYGROUND], _message(request)
    await edit(playground, message, await read_message(request))
    return answer(playground.messages.payload(message))


async def delete_message(request: web.Request) -> web.Response:
    request.app[PLAYGROUND].messages.delete(_message(request))
    return web.Response(status=204)


def _by_token(request: web.Request) -> Webhook:
    parts = request.match_info
    return request.app[PLAYGROUND].webhooks.with_token(parts["application"], parts["token"])


def _message(request: web.Request) -> Message:
    hook = _by_token(request)
    message = request.app[PLAYGROUND].messages.get(hook.channel_id, request.match_info["message"])
    if message.author_id != hook.id:
        raise errors.unknown_message()
    return message


def _may(playground: Playground, hook: Webhook) -> bool:
    channel = playground.channels.get(hook.channel_id)
    return channel is not None and playground.bot_may(channel, Permission.MANAGE_WEBHOOKS)


def _managed(request: web.Request) -> Webhook:
    hook = request.app[PLAYGROUND].webhooks.get(request.match_info["webhook"])
    if not _may(request.app[PLAYGROUND], hook):
        raise errors.missing_permissions()
    return hook
