"""REST: reactions."""

from aiohttp import web

from playground.answers import answer
from playground.rest.channels import checked_message
from playground.rest.forms import page_of_users
from playground.rules import errors
from playground.world import cast, changes
from playground.world.permissions import Permission
from playground.world.state import PLAYGROUND
from playground.world.talk import reactions

routes = web.RouteTableDef()

_REACTIONS = "/channels/{channel}/messages/{message}/reactions"


@routes.put(_REACTIONS + "/{emoji}/@me")
async def add_reaction(request: web.Request) -> web.Response:
    playground = request.app[PLAYGROUND]
    message = checked_message(request, Permission.ADD_REACTIONS)
    changes.require_not_archived(playground.channels[message.channel_id])
    reactions.add(playground, message, cast.BOT, request.match_info["emoji"])
    return web.Response(status=204)


@routes.delete(_REACTIONS + "/{emoji}/{user}")
async def remove_reaction(request: web.Request) -> web.Response:
    """The bot's own (`@me`), or somebody else's with Manage Messages."""
    playground = request.app[PLAYGROUND]
    user_id = request.match_info["user"]
    needed = Permission.READ_MESSAGE_HISTORY if user_id == "@me" else Permission.MANAGE_MESSAGES
    message = checked_message(request, needed)
    member = cast.BOT if user_id == "@me" else playground.users.get(user_id)
    if member is None:
        raise errors.unknown_user()
    reactions.remove(playground, message, member, request.match_info["emoji"])
    return web.Response(status=204)


@routes.get(_REACTIONS + "/{emoji}")
async def list_reactions(request: web.Request) -> web.Response:
    """Who reacted with one emoji."""
    playground = request.app[PLAYGROUND]
    message = checked_message(request, Permission.READ_MESSAGE_HISTORY)
    users = page_of_users(request, message.reactions.get(request.match_info["emoji"], []))
    return answer([playground.users.get(user_id, cast.FORMER_MEMBER).user() for user_id in users])
