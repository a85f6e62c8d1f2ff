"""What the page asks for: the page itself, the state a member sees, members' own messages, the instructor's switches.

The address says who acts (`?member=ada`): anybody at this machine may play any member, that is the point.
"""

from pathlib import Path
from typing import Any

from aiohttp import web

from playground.answers import answer
from playground.classroom.classroom import Classroom
from playground.rest.forms import number_of, read_form, read_object
from playground.rules import errors, limits
from playground.world import cast, changes
from playground.world.permissions import Permission
from playground.world.state import PLAYGROUND, Playground
from playground.world.talk import polls, reactions
from playground.world.talk.messages import VOICE_MESSAGE, Message

Json = dict[str, Any]

routes = web.RouteTableDef()

_PAGE = Path(__file__).parent
_PAGE_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_HISTORY = 50
LARGEST_CLASS = 300
CLASSROOM: web.AppKey[Classroom] = web.AppKey("classroom", Classroom)
_SWITCHES = ("rate_limits", "attachment_size_limit")


@routes.get("/")
async def index(request: web.Request) -> web.Response:
    """The page. It names all its scripts at once, or the browser would find them one import after another."""
    names = sorted(path.relative_to(_PAGE).as_posix() for path in _PAGE.glob("js/**/*.js"))
    links = "".join(f'<link rel="modulepreload" href="page/files/{name}">\n' for name in names)
    html = (_PAGE / "index.html").read_text(encoding="utf-8").replace("</head>", f"{links}</head>")
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-cache"})


@routes.get(r"/page/files/{name:(?:[a-z_]+/)*[a-z_]+\.(?:js|css|svg)}")
async def page_file(request: web.Request) -> web.Response:
    return _page_file(request.match_info["name"])


def _page_file(name: str) -> web.Response:
    path = _PAGE / name
    if not path.is_file():
        raise errors.not_found()
    return web.Response(
        body=path.read_bytes(),
        content_type=_PAGE_TYPES[path.suffix],
        charset="utf-8",
        headers={"Cache-Control": "no-cache"},
    )


def acting_member(request: web.Request) -> cast.Member:
    """The member that the address names; raises 10007 for one that nobody can play."""
    slug = request.query.get("member", "")
    for member in request.app[PLAYGROUND].users.values():
        if member.slug == slug and member.playable:
            return member
    raise errors.unknown_member()


def is_staff(member: cast.Member) -> bool:
    return cast.STAFF_ROLE_ID in member.role_ids


@routes.get("/page/events")
async def events(request: web.Request) -> web.WebSocketResponse:
    return await request.app[PLAYGROUND].audience.handle(request, acting_member(request).id)


@routes.get("/page/people")
async def people(request: web.Request) -> web.Response:
    """Whom a tab can play, and where."""
    playground = request.app[PLAYGROUND]
    playable = [_described(m) for m in playground.users.values() if m.playable and not m.simulated]
    return answer({"guild": playground.world.name, "bot": playground.bot.name, "people": playable})


@routes.get("/page/state")
async def state(request: web.Request) -> web.Response:
    """Everything the page draws before the first message."""
    playground = request.app[PLAYGROUND]
    me = acting_member(request)
    channels = [
        playground.channel_payload(channel)
        | {"bot_may_attach": playground.bot_may(channel, Permission.ATTACH_FILES)}
        | {
            "commands": playground.commands.visible_to(
                playground.permissions(me, channel),
                in_guild=not channel.is_direct,
                installs=playground.installs(me, channel),
            )
        }
        for channel in playground.channels.values()
        if channel.recipient_id in (None, me.id)
    ]
    return answer(
        {
            "guild": {"id": cast.GUILD_ID, "name": playground.world.name},
            "me": _described(me),
            "members": [
                _described(member) | {"is_here": not member.simulated or request.app[CLASSROOM].has(member.id)}
                for member in playground.users.values()
            ],
            "roles": list(playground.roles.values()),
            "channels": channels,
            "bot": {"id": cast.BOT.id, "name": playground.bot.name} | playground.bot_status(),
            "switches": {name: getattr(playground, name) for name in _SWITCHES if name != "rate_limits"}
            | {"rate_limits": playground.rate_limits.enabled, "class_size": request.app[CLASSROOM].size},
        }
    )


def _described(member: cast.Member) -> Json:
    return {
        "id": member.id,
        "slug": member.slug,
        "name": member.name,
        "colour": member.colour,
        "roles": list(member.role_ids),
        "is_bot": member.is_bot,
        "is_staff": is_staff(member),
        "playable": member.playable and not member.simulated,
        "simulated": member.simulated,
    }


@routes.get("/page/channels/{channel}/messages")
async def history(request: web.Request) -> web.Response:
    """The last messages before `before`, oldest first, private answers to this member included."""
    playground = request.app[PLAYGROUND]
    me = acting_member(request)
    channel = playground.channel(request.match_info["channel"], me.id)
    messages = playground.messages.in_channel(channel.id, me.id)
    if "before" in request.query:
        messages = [m for m in messages if int(m.id) < number_of(request, "before", 0)]
    return answer([playground.shown_message(m) for m in messages[-_HISTORY:]])


@routes.post("/page/channels/{channel}/messages")
async def say(request: web.Request) -> web.Response:
    """A member's own message, with files if there are any."""
    playground = request.app[PLAYGROUND]
    me = acting_member(request)
    channel = playground.channel(request.match_info["channel"], me.id)
    form = await read_form(request, playground.attachment_size_limit)
    if not isinstance(form.body, dict):
        raise errors.invalid_json()
    body = {key: form.body[key] for key in ("content", "message_reference", "attachments") if key in form.body}
    flags = (form.body.get("flags") or 0) & VOICE_MESSAGE
    limits.check_message(body | {"flags": flags}, len(form.files))
    changes.open_for_writing(playground, channel, me)
    message = await playground.messages.create(channel.id, me.id, body, form.files.values(), flags=flags)
    playground.transcript.note(me.slug, f"says in #{channel.name}", detail=message.content[:200])
    return answer(playground.messages.payload(message))


def _message_of(request: web.Request) -> tuple[Playground, cast.Member, Message]:
    """Whom the address names, and the message. Raises 10008 for one that this member can't see."""
    playground = request.app[PLAYGROUND]
    me = acting_member(request)
    channel = playground.channel(request.match_info["channel"], me.id)
    message = playground.messages.get(channel.id, request.match_info["message"])
    if message.visible_to not in (None, me.id):
        raise errors.unknown_message()
    return playground, me, message


@routes.delete("/page/channels/{channel}/messages/{message}")
async def delete(request: web.Request) -> web.Response:
    """Deletes a message (one's own, or anybody's for staff), or dismisses a private answer."""
    playground, me, message = _message_of(request)
    channel = playground.channel(message.channel_id, me.id)
    may = playground.permissions(me, channel) & Permission.MANAGE_MESSAGES
    if message.author_id != me.id and message.visible_to != me.id and not may:
        raise errors.missing_permissions()
    playground.messages.delete(message)
    return web.Response(status=204)


@routes.put("/page/channels/{channel}/messages/{message}/reactions/{emoji}")
@routes.delete("/page/channels/{channel}/messages/{message}/reactions/{emoji}")
async def react(request: web.Request) -> web.Response:
    """Puts a member's emoji under a message, or takes it away."""
    playground, me, message = _message_of(request)
    if message.visible_to is not None:  # nobody reacts to a private answer
        raise errors.unknown_message()
    change = reactions.add if request.method == "PUT" else reactions.remove
    change(playground, message, me, request.match_info["emoji"])
    return web.Response(status=204)


@routes.put("/page/channels/{channel}/messages/{message}/votes")
async def vote(request: web.Request) -> web.Response:
    """A member's votes in a poll: `{"answers": [1]}`; an empty list takes them back."""
    playground, me, message = _message_of(request)
    answers = (await read_object(request)).get("answers")
    if not isinstance(answers, list) or not all(isinstance(number, int) for number in answers):
        raise errors.invalid_json()
    polls.vote(playground, message, me, answers)
    return web.Response(status=204)


@routes.post("/page/channels/{channel}/threads")
async def start_thread(request: web.Request) -> web.Response:
    """A thread of a member's, at a message or by itself: `{"name": ..., "message_id": ...}`."""
    playground = request.app[PLAYGROUND]
    me = acting_member(request)
    channel = playground.channel(request.match_info["channel"], me.id)
    body = await read_object(request)
    message_id = str(body.get("message_id") or "")
    if message_id:
        playground.messages.get(channel.id, message_id)
    return answer(changes.create_thread(playground, channel, str(body.get("name") or ""), me.id, message_id).payload())


@routes.post("/page/channels/{channel}/typing")
async def typing(request: web.Request) -> web.Response:
    playground = request.app[PLAYGROUND]
    me = acting_member(request)
    channel = playground.channel(request.match_info["channel"], me.id)
    if not channel.is_direct:
        body = {"channel_id": channel.id, "user_id": me.id}
        playground.audience.send("TYPING_START", body, without=me.id)
    return web.Response(status=204)


@routes.put("/page/channels/{channel}/bot-permissions")
async def bot_permissions(request: web.Request) -> web.Response:
    """Gives or takes the bot's permissions in a channel: `{"attach_files": false}`. Staff only."""
    playground = _staff_only(request)
    channel = playground.channels.get(request.match_info["channel"])
    if channel is None:
        raise errors.unknown_channel()
    changes.set_bot_permissions(playground, channel, await read_object(request))
    return web.Response(status=204)


@routes.put("/page/switches")
async def switches(request: web.Request) -> web.Response:
    """Sets `rate_limits`, `attachment_size_limit` in bytes, or `class_size`, how many simulated members. Staff only."""
    playground = _staff_only(request)
    body = await read_object(request)
    if isinstance(body.get("rate_limits"), bool):
        playground.rate_limits.enabled = body["rate_limits"]
    class_size = body.get("class_size")
    if isinstance(class_size, int) and 0 <= class_size <= LARGEST_CLASS:
        request.app[CLASSROOM].bring(class_size)
    size = body.get("attachment_size_limit")
    if isinstance(size, int) and 0 < size <= 25 * 1024 * 1024:
        playground.attachment_size_limit = size
    return web.Response(status=204)


@routes.post("/page/gateway/drop")
async def drop_gateway(request: web.Request) -> web.Response:
    """Cuts the bot's connection, to see it come back. Staff only."""
    playground = _staff_only(request)
    await playground.gateway.drop_sockets()
    return web.Response(status=204)


def _staff_only(request: web.Request) -> Playground:
    if not is_staff(acting_member(request)):
        raise errors.missing_permissions()
    return request.app[PLAYGROUND]
