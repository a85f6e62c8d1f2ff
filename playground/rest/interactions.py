"""REST: the bot's answers to interactions, and what it does with their tokens afterwards."""

from typing import Any

from aiohttp import web

from playground.answers import answer
from playground.rest import webhooks
from playground.rest.channels import check_may_send, read_message
from playground.rest.forms import Form
from playground.rules import errors, limits
from playground.world import cast, changes
from playground.world.interactions import (
    MESSAGE,
    PONG,
    UPDATE_MESSAGE,
    Interaction,
    check_answer,
)
from playground.world.state import PLAYGROUND, Playground
from playground.world.talk.messages import EPHEMERAL, LOADING, Message

Json = dict[str, Any]

routes = web.RouteTableDef()

_WEBHOOK = "/webhooks/{application}/{token}"


@routes.post("/interactions/{interaction}/{token}/callback")
async def callback(request: web.Request) -> web.Response:
    """The first answer. With `with_response` the reply says which message came of it."""
    playground = request.app[PLAYGROUND]
    interactions = playground.interactions
    interactions.waiting(request.match_info["interaction"], request.match_info["token"])
    form = await read_message(request)
    # Asked again: reading the files took time, in which another answer may have come, or the 3 s have passed.
    interaction = interactions.waiting(request.match_info["interaction"], request.match_info["token"])
    kind = form.body.get("type")
    data = form.body.get("data") or {}
    check_answer(kind, data)
    message: Message | None = None
    if kind in (MESSAGE, UPDATE_MESSAGE):
        inner = Form(data, form.files)
        check_may_send(playground, _place(playground, interaction), inner)
        edited = playground.messages.find(interaction.message_id) if kind == UPDATE_MESSAGE else None
        limits.check_message(data, len(form.files), existing=playground.messages.payload(edited) if edited else None)
    if kind != PONG:
        message = await interactions.reply(interaction, kind, data, list(form.files.values()))
    if request.query.get("with_response", "").lower() not in ("1", "true"):
        return web.Response(status=204)
    return answer(_callback_response(playground, interaction, kind, message))


@routes.post(_WEBHOOK)
async def follow_up(request: web.Request) -> web.Response:
    if request.match_info["application"] != cast.APPLICATION_ID:
        return await webhooks.execute(request)
    playground = request.app[PLAYGROUND]
    interaction = _interaction(request)
    form = await _read_checked(request, playground, interaction)
    changes.open_for_writing(playground, _place(playground, interaction), cast.BOT)
    thinking = playground.messages.find(interaction.original_id)
    limits.check_message(form.body, len(form.files))
    message = await playground.interactions.follow_up(interaction, form.body, list(form.files.values()))
    assert message is thinking or not message.flags & LOADING
    return answer(playground.messages.payload(message))


@routes.get(_WEBHOOK + "/messages/{message}")
async def get_message(request: web.Request) -> web.Response:
    if request.match_info["application"] != cast.APPLICATION_ID:
        return await webhooks.get_message(request)
    playground = request.app[PLAYGROUND]
    message = playground.interactions.message(_interaction(request), request.match_info["message"])
    return answer(playground.messages.payload(message))


@routes.patch(_WEBHOOK + "/messages/{message}")
async def edit_message(request: web.Request) -> web.Response:
    if request.match_info["application"] != cast.APPLICATION_ID:
        return await webhooks.edit_message(request)
    playground = request.app[PLAYGROUND]
    interaction = _interaction(request)
    message = playground.interactions.message(interaction, request.match_info["message"])
    changes.require_not_archived(_place(playground, interaction))
    form = await _read_checked(request, playground, interaction)
    limits.check_message(form.body, len(form.files), existing=playground.messages.payload(message))
    await playground.interactions.edit(interaction, message, form.body, list(form.files.values()))
    return answer(playground.messages.payload(message))


@routes.delete(_WEBHOOK + "/messages/{message}")
async def delete_message(request: web.Request) -> web.Response:
    if request.match_info["application"] != cast.APPLICATION_ID:
        return await webhooks.delete_message(request)
    playground = request.app[PLAYGROUND]
    playground.messages.delete(playground.interactions.message(_interaction(request), request.match_info["message"]))
    return web.Response(status=204)


def _interaction(request: web.Request) -> Interaction:
    return request.app[PLAYGROUND].interactions.alive(request.match_info["token"])


async def _read_checked(request: web.Request, playground: Playground, interaction: Interaction) -> Form:
    form = await read_message(request)
    check_may_send(playground, _place(playground, interaction), form)
    return form


def _place(playground: Playground, interaction: Interaction) -> cast.Channel:
    """Where the interaction was used. A token outlives a kick, but not its channel (10003)."""
    channel = playground.channels.get(interaction.channel_id)
    if channel is None:
        raise errors.unknown_channel()
    return channel


def _callback_response(playground: Playground, interaction: Interaction, kind: int, message: Message | None) -> Json:
    about: Json = {"id": interaction.id, "type": interaction.kind}
    if message is None:
        return {"interaction": about}
    about |= {
        "response_message_id": message.id,
        "response_message_loading": bool(message.flags & LOADING),
        "response_message_ephemeral": bool(message.flags & EPHEMERAL),
    }
    if kind not in (MESSAGE, UPDATE_MESSAGE):
        return {"interaction": about}
    return {"interaction": about, "resource": {"type": kind, "message": playground.messages.payload(message)}}
