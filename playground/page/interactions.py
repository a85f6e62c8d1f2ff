"""What the page sends when a member uses the bot: commands, autocomplete, menus, components, modals.

Every request waits for the bot's answer, at most the 3 s that it has, and says what came of it:
`{"outcome": "answered" | "failed" | "modal" | "choices", "content": ...}`.
"""

import json
from typing import Any

from aiohttp import web

from playground.answers import answer
from playground.page.routes import acting_member
from playground.rest.forms import read_form
from playground.rules import components, errors, options
from playground.rules.components import SELECTS, Kind
from playground.world import cast, commands
from playground.world.attachments import Attachment
from playground.world.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL_SUBMIT, Interaction, Outcome, named
from playground.world.state import PLAYGROUND, Playground
from playground.world.talk.messages import Message

Json = dict[str, Any]

routes = web.RouteTableDef()

LOCALES = frozenset({"en-US", "en-GB", "de", "fr", "es-ES", "zh-CN", "zh-TW", "ja", "ko"})

_SHAPE = {"options": dict, "fields": dict, "values": list, "path": list}


@routes.post("/page/channels/{channel}/interactions")
async def interact(request: web.Request) -> web.Response:
    """One use of the bot. `kind` in the body says which: command, autocomplete, menu, component or modal."""
    playground = request.app[PLAYGROUND]
    me = acting_member(request)
    channel = playground.channel(request.match_info["channel"], me.id)
    form = await read_form(request, playground.attachment_size_limit)
    body = form.body
    if not isinstance(body, dict) or any(body.get(key) and not isinstance(body[key], of) for key, of in _SHAPE.items()):
        raise errors.invalid_json()
    uploads = {
        number: await playground.attachments.add(channel.id, upload, "ephemeral-attachments")
        for number, upload in form.files.items()
    }
    outcome = await act(playground, me, channel, body, uploads)
    return answer({"outcome": outcome.kind, "content": outcome.content})


async def act(
    playground: Playground, me: cast.Member, channel: cast.Channel, body: Json, uploads: dict[int, Attachment]
) -> Outcome:
    """Sends the bot what a member did, and waits for its answer. Raises ApiError for what can't be done."""
    make = {
        "command": _command,
        "autocomplete": _command,
        "menu": _menu,
        "component": _component,
        "modal": _modal,
    }.get(str(body.get("kind")))
    if make is None:
        raise errors.invalid_json()
    interaction, message = make(playground, me, channel, body, uploads)
    payload = interaction_payload(playground, me, channel, interaction, message, body.get("locale", "en-US"))
    playground.gateway.dispatch("INTERACTION_CREATE", payload, own=True)
    used = f"{body['kind']} {named(interaction)}"
    playground.transcript.note(me.slug, used, detail=_filled_in(body))
    outcome = await playground.interactions.outcome(interaction)
    playground.transcript.note(me.slug, used, detail=f"= {outcome.kind}")
    return outcome


async def press(playground: Playground, me: cast.Member, body: Json) -> Outcome:
    """A component that a simulated member uses; the body names its channel."""
    return await act(playground, me, playground.channel(body["channel_id"], me.id), body, {})


def _filled_in(body: Json) -> str:
    """What a member chose or typed, short."""
    given = body.get("options") or body.get("values") or body.get("fields")
    return json.dumps(given, ensure_ascii=False)[:200] if given else ""


def interaction_payload(
    playground: Playground,
    member: cast.Member,
    channel: cast.Channel,
    interaction: Interaction,
    message: Message | None,
    locale: str,
) -> Json:
    """The wire's interaction object."""
    bits = str(playground.permissions(member, channel))
    payload: Json = {
        "id": interaction.id,
        "application_id": cast.APPLICATION_ID,
        "type": interaction.kind,
        "token": interaction.token,
        "version": 1,
        "data": interaction.data,
        "channel_id": channel.id,
        "channel": playground.channel_payload(channel) | {"permissions": bits},
        "locale": locale if locale in LOCALES else "en-US",
        "app_permissions": str(playground.permissions(cast.BOT, channel)),
        "entitlements": [],
        "authorizing_integration_owners": interaction.owners,
        "attachment_size_limit": playground.attachment_size_limit,
    }
    if channel.is_direct:
        payload |= {"context": 1, "user": member.user()}
    else:
        payload |= {
            "context": 0,
            "guild_id": cast.GUILD_ID,
            "guild": {"id": cast.GUILD_ID, "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "member": member.member() | {"user": member.user(), "permissions": bits},
        }
    if message is not None:
        payload["message"] = playground.messages.payload(message)
    return payload


Made = tuple[Interaction, Message | None]


def _usable(playground: Playground, me: cast.Member, channel: cast.Channel, command_id: object) -> Json:
    command = playground.commands.find(str(command_id))
    if command is None:
        raise errors.unknown_command()
    installs = playground.installs(me, channel)
    bits = playground.permissions(me, channel)
    if not commands.may_use(command, bits, in_guild=not channel.is_direct, installs=installs):
        raise errors.missing_permissions()
    return command


def _used(
    playground: Playground, kind: int, me: cast.Member, channel: cast.Channel, command: Json, data: Json
) -> Interaction:
    """The interaction of a command, on behalf of whoever has installed the bot for it."""
    interaction = playground.interactions.create(kind, channel.id, me.id, data)
    installs = playground.installs(me, channel)
    interaction.owners = {by: who for by, who in installs.items() if int(by) in command["integration_types"]}
    return interaction


def _command(
    playground: Playground, me: cast.Member, channel: cast.Channel, body: Json, uploads: dict[int, Attachment]
) -> Made:
    command = _usable(playground, me, channel, body.get("command_id"))
    is_autocomplete = body["kind"] == "autocomplete"
    data = options.command_data(
        command,
        list(body.get("path") or []),
        dict(body.get("options") or {}),
        uploads,
        playground.directory,
        focused=str(body.get("focused")) if is_autocomplete else None,
    )
    kind = AUTOCOMPLETE if is_autocomplete else COMMAND
    return _used(playground, kind, me, channel, command, data), None


def _menu(playground: Playground, me: cast.Member, channel: cast.Channel, body: Json, _: dict[int, Attachment]) -> Made:
    command = _usable(playground, me, channel, body.get("command_id"))
    target = str(body.get("target_id"))
    resolved: Json = {}
    if command["type"] == commands.MESSAGE:
        message = _visible(playground, me, channel, target)
        resolved["messages"] = {target: playground.messages.payload(message)}
    elif not playground.directory.resolve(resolved, commands.USER_OPTION, target):
        raise errors.unknown_user()
    data = options.menu_data(command, target, resolved)
    return _used(playground, COMMAND, me, channel, command, data), None


def _component(
    playground: Playground, me: cast.Member, channel: cast.Channel, body: Json, _: dict[int, Attachment]
) -> Made:
    message = _visible(playground, me, channel, str(body.get("message_id")))
    component = components.find(message.components, str(body.get("custom_id")))
    if component is None or component.get("disabled"):
        raise errors.ApiError(400, 50035, "Invalid Form Body", {"custom_id": {"_errors": [_NO_COMPONENT]}})
    data: Json = {"custom_id": component["custom_id"], "component_type": component["type"], "id": component["id"]}
    if component["type"] in SELECTS:
        values = [str(value) for value in body.get("values") or []]
        resolved = options.check_selected(component, values, playground.directory)
        data |= {"values": values} | ({"resolved": resolved} if resolved else {})
    interaction = playground.interactions.create(COMPONENT, channel.id, me.id, data, message.id)
    interaction.owners = (message.interaction or {}).get("owners", interaction.owners)
    return interaction, message


_NO_COMPONENT = {"code": "COMPONENT_VALIDATION_FAILED", "message": "Component validation failed"}


def _modal(
    playground: Playground, me: cast.Member, channel: cast.Channel, body: Json, uploads: dict[int, Attachment]
) -> Made:
    opened_by = playground.interactions.find(str(body.get("interaction_id")))
    if opened_by is None or opened_by.modal is None or opened_by.user_id != me.id:
        raise errors.unknown_interaction()
    given = dict(body.get("fields") or {})
    for field in components.walk(opened_by.modal["components"]):
        if field["type"] == Kind.FILE_UPLOAD:
            chosen = given.get(field["custom_id"]) or []
            given[field["custom_id"]] = [uploads[n["upload"]].id for n in chosen if n.get("upload") in uploads]
    data = options.modal_data(opened_by.modal, given, playground.directory)
    message = playground.messages.find(opened_by.message_id)
    interaction = playground.interactions.create(MODAL_SUBMIT, channel.id, me.id, data, message.id if message else None)
    interaction.triggered_by, interaction.owners = playground.interactions.metadata(opened_by), opened_by.owners
    return interaction, message


def _visible(playground: Playground, me: cast.Member, channel: cast.Channel, message_id: str) -> Message:
    message = playground.messages.get(channel.id, message_id)
    if message.visible_to not in (None, me.id):
        raise errors.unknown_message()
    return message
