"""REST: the audit log, and the header with which a bot gives its reason."""

import urllib.parse

from aiohttp import web

from playground.answers import answer
from playground.rest.forms import number_of
from playground.rules import errors
from playground.world import audit, cast
from playground.world.audit import Action
from playground.world.permissions import Permission
from playground.world.state import PLAYGROUND

routes = web.RouteTableDef()

_REASON = "X-Audit-Log-Reason"
_MOST = 100


def note(request: web.Request, action: Action, target_id: str, **options: str) -> None:
    """Writes a request's deed down, with the reason in its header."""
    reason = urllib.parse.unquote(request.headers.get(_REASON, ""))
    audit.note(request.app[PLAYGROUND], action, target_id, reason, options)


@routes.get("/guilds/{guild}/audit-logs")
async def audit_log(request: web.Request) -> web.Response:
    """The newest entries first; `action_type`, `user_id`, `before` and `limit` narrow them."""
    playground = request.app[PLAYGROUND]
    if request.match_info["guild"] != cast.GUILD_ID or not playground.gateway.is_in_guild:
        raise errors.unknown_guild()
    if not any(playground.bot_may(channel, Permission.VIEW_AUDIT_LOG) for channel in playground.text_channels()):
        raise errors.missing_permissions()
    kind, before = number_of(request, "action_type", 0), number_of(request, "before", 0)
    limit = min(number_of(request, "limit", 50), _MOST)
    found = [
        entry.payload()
        for entry in audit.entries(playground)
        if kind in (0, entry.action_type) and (not before or int(entry.id) < before)
    ]
    if request.query.get("user_id", cast.BOT.id) != cast.BOT.id:
        found = []
    others = ("application_commands", "auto_moderation_rules", "guild_scheduled_events", "integrations", "threads")
    body: dict[str, list[object]] = {name: [] for name in (*others, "webhooks")}
    return answer(body | {"audit_log_entries": found[:limit], "users": [playground.bot.user()] if found else []})
