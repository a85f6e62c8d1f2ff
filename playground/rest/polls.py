"""REST: native polls."""

from aiohttp import web

from playground.answers import answer
from playground.rest.channels import checked_message
from playground.rest.forms import page_of_users
from playground.rules import errors
from playground.rules import polls as rules
from playground.world import cast
from playground.world.permissions import Permission
from playground.world.state import PLAYGROUND
from playground.world.talk import polls

routes = web.RouteTableDef()

_POLL = "/channels/{channel}/polls/{message}"


@routes.get(_POLL + r"/answers/{answer}")
async def voters(request: web.Request) -> web.Response:
    """Who chose one answer."""
    playground = request.app[PLAYGROUND]
    message = checked_message(request, Permission.READ_MESSAGE_HISTORY)
    if message.poll is None:
        raise rules.not_a_poll()
    chosen = page_of_users(request, message.poll["votes"].get(request.match_info["answer"], []))
    return answer({"users": [playground.users.get(user_id, cast.FORMER_MEMBER).user() for user_id in chosen]})


@routes.post(_POLL + "/expire")
async def expire(request: web.Request) -> web.Response:
    """Ends one of the bot's own polls at once."""
    playground = request.app[PLAYGROUND]
    message = checked_message(request, Permission.VIEW_CHANNEL)
    if message.author_id != cast.BOT.id:
        raise errors.not_your_message()
    await polls.close(playground, message)
    return answer(playground.messages.payload(message))
