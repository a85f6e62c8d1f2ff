"""REST: the guild, its channels, and messages that the bot sends as itself."""

from aiohttp import web

from playground.answers import answer
from playground.rest.audit import note
from playground.rest.forms import Form, number_of, read_form
from playground.rules import errors, limits
from playground.world import cast, changes
from playground.world.audit import Action
from playground.world.permissions import Permission
from playground.world.state import PLAYGROUND, Playground
from playground.world.talk.messages import COMPONENTS_V2, Message

routes = web.RouteTableDef()

_MOST_MESSAGES = 100


@routes.get("/guilds/{guild}")
async def guild(request: web.Request) -> web.Response:
    _check_guild(request)
    playground = request.app[PLAYGROUND]
    return answer(playground.guild_payload([]))


@routes.get("/guilds/{guild}/channels")
async def guild_channels(request: web.Request) -> web.Response:
    _check_guild(request)
    return answer([channel.payload() for channel in request.app[PLAYGROUND].text_channels()])


@routes.get("/guilds/{guild}/roles")
async def guild_roles(request: web.Request) -> web.Response:
    _check_guild(request)
    return answer(list(request.app[PLAYGROUND].roles.values()))


@routes.get("/guilds/{guild}/members/{user}")
async def guild_member(request: web.Request) -> web.Response:
    _check_guild(request)
    member = request.app[PLAYGROUND].users.get(request.match_info["user"])
    if member is None:
        raise errors.unknown_member()
    return answer(member.member() | {"user": member.user()})


@routes.get("/channels/{channel}")
async def channel(request: web.Request) -> web.Response:
    return answer(request.app[PLAYGROUND].channel_payload(checked_channel(request, Permission.VIEW_CHANNEL)))


@routes.post("/channels/{channel}/typing")
async def typing(request: web.Request) -> web.Response:
    found = checked_channel(request, Permission.SEND_MESSAGES)
    body = {"channel_id": found.id, "user_id": cast.BOT.id}
    request.app[PLAYGROUND].audience.send("TYPING_START", body, only=found.recipient_id)
    return web.Response(status=204)


@routes.get("/channels/{channel}/messages")
async def list_messages(request: web.Request) -> web.Response:
    """Newest first, at most 100, before or after a message."""
    playground = request.app[PLAYGROUND]
    found = checked_channel(request, Permission.READ_MESSAGE_HISTORY)
    messages = [m for m in playground.messages.in_channel(found.id, cast.BOT.id) if m.visible_to is None]
    limit = min(number_of(request, "limit", 50), _MOST_MESSAGES)
    if "before" in request.query:
        messages = [m for m in messages if int(m.id) < number_of(request, "before", 0)]
    if "after" in request.query:
        messages = [m for m in messages if int(m.id) > number_of(request, "after", 0)][:limit]
    return answer([playground.messages.payload(m) for m in reversed(messages[-limit:])])


@routes.post("/channels/{channel}/messages")
async def create_message(request: web.Request) -> web.Response:
    playground = request.app[PLAYGROUND]
    found = checked_channel(request, Permission.SEND_MESSAGES)
    form = await read_message(request)
    check_may_send(playground, found, form)
    limits.check_message(form.body, len(form.files))
    reference = (form.body.get("message_reference") or {}).get("message_id")
    if reference and playground.messages.find(str(reference)) is None:
        message = "Unknown message"
        tree = {"message_reference": {"_errors": [{"code": "REPLIES_UNKNOWN_MESSAGE", "message": message}]}}
        raise errors.ApiError(400, 50035, "Invalid Form Body", tree)
    if form.body.get("enforce_nonce"):
        already = playground.messages.with_nonce(found.id, cast.BOT.id, form.body.get("nonce"))
        if already is not None:
            return answer(playground.messages.payload(already))
    changes.open_for_writing(playground, found, cast.BOT)
    flags = form.body.get("flags") or 0
    sent = await playground.messages.create(
        found.id, cast.BOT.id, form.body, form.files.values(), flags=flags & ~limits.EPHEMERAL
    )
    return answer(playground.messages.payload(sent))


@routes.get("/channels/{channel}/messages/{message}")
async def get_message(request: web.Request) -> web.Response:
    return answer(request.app[PLAYGROUND].messages.payload(checked_message(request, Permission.READ_MESSAGE_HISTORY)))


@routes.patch("/channels/{channel}/messages/{message}")
async def edit_message(request: web.Request) -> web.Response:
    playground = request.app[PLAYGROUND]
    message = checked_message(request, Permission.VIEW_CHANNEL)
    if message.author_id != cast.BOT.id:
        raise errors.not_your_message()
    channel = playground.channels[message.channel_id]
    changes.require_not_archived(channel)
    form = await read_message(request)
    check_may_send(playground, channel, form)
    await edit(playground, message, form)
    return answer(playground.messages.payload(message))


@routes.delete("/channels/{channel}/messages/{message}")
async def delete_message(request: web.Request) -> web.Response:
    playground = request.app[PLAYGROUND]
    message = checked_message(request, Permission.VIEW_CHANNEL)
    channel = playground.channels[message.channel_id]
    changes.require_not_archived(channel)
    if message.author_id != cast.BOT.id and not playground.bot_may(channel, Permission.MANAGE_MESSAGES):
        raise errors.missing_permissions()
    playground.messages.delete(message)
    if message.author_id != cast.BOT.id:
        note(request, Action.MESSAGE_DELETE, message.author_id, channel_id=channel.id, count="1")
    return web.Response(status=204)


async def read_message(request: web.Request) -> Form:
    """The body of a request that sends or edits a message."""
    form = await read_form(request, request.app[PLAYGROUND].attachment_size_limit)
    if not isinstance(form.body, dict):
        raise errors.invalid_json()
    return form


def check_may_send(playground: Playground, channel: cast.Channel, form: Form) -> None:
    """Raises 50013 when the message has files, embeds or a poll that the bot may not send there."""
    needs = {
        Permission.ATTACH_FILES: bool(form.files),
        Permission.EMBED_LINKS: bool(form.body.get("embeds")),
        Permission.SEND_POLLS: bool(form.body.get("poll")),
    }
    for permission, needed in needs.items():
        if needed and not playground.bot_may(channel, permission):
            raise errors.missing_permissions()


async def edit(playground: Playground, message: Message, form: Form) -> None:
    """Checks the edit of a message and carries it out."""
    limits.check_message(form.body, len(form.files), existing=playground.messages.payload(message))
    message.flags |= (form.body.get("flags") or 0) & COMPONENTS_V2
    await playground.messages.edit(message, form.body, form.files.values())


def _check_guild(request: web.Request) -> None:
    if request.match_info["guild"] != cast.GUILD_ID or not request.app[PLAYGROUND].gateway.is_in_guild:
        raise errors.unknown_guild()


def checked_channel(request: web.Request, needed: Permission) -> cast.Channel:
    """The route's channel; raises 10003, 50001 if the bot can't see it, 50013 if it lacks `needed` there."""
    playground = request.app[PLAYGROUND]
    found = playground.channel(request.match_info["channel"], cast.BOT.id)
    if found.is_thread and needed == Permission.SEND_MESSAGES:
        needed = Permission.SEND_MESSAGES_IN_THREADS
    if not playground.bot_may(found, Permission.VIEW_CHANNEL):
        raise errors.missing_access()
    if not playground.bot_may(found, needed):
        raise errors.missing_permissions()
    return found


def checked_message(request: web.Request, needed: Permission) -> Message:
    message = request.app[PLAYGROUND].messages.get(checked_channel(request, needed).id, request.match_info["message"])
    if message.visible_to is not None:
        raise errors.unknown_message()
    return message
