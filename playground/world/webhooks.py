"""Webhooks of channels: addresses by which anything may post under a name of its own.

https://discord.com/developers/docs/resources/webhook
"""

import secrets
from dataclasses import asdict, dataclass
from typing import Any

from playground.rules import errors
from playground.world import cast
from playground.world.snowflake import Snowflakes
from playground.world.store import Store

Json = dict[str, Any]

MOST = 15
NAME = 80
_INCOMING = 1
_KIND = "webhook"


@dataclass
class Webhook:
    """One incoming webhook; `token` is all that its user needs."""

    id: str
    token: str
    channel_id: str
    name: str

    def payload(self, origin: str, *, with_user: bool = True) -> Json:
        """The wire's webhook object; whoever comes with the token alone isn't told who made it."""
        body: Json = {
            "id": self.id,
            "type": _INCOMING,
            "name": self.name,
            "avatar": None,
            "channel_id": self.channel_id,
            "guild_id": cast.GUILD_ID,
            "application_id": cast.APPLICATION_ID,
            "token": self.token,
            "url": f"{origin}/api/v10/webhooks/{self.id}/{self.token}",
        }
        return body | {"user": cast.BOT.user()} if with_user else body


class Webhooks:
    """All webhooks of the server."""

    def __init__(self, store: Store, ids: Snowflakes) -> None:
        self._store = store
        self._ids = ids
        self._by_id = {row["id"]: Webhook(**row) for row in store.all(_KIND)}

    def of(self, channel_id: str | None = None) -> list[Webhook]:
        """The webhooks of one channel, or all."""
        return [hook for hook in self._by_id.values() if channel_id in (None, hook.channel_id)]

    def get(self, webhook_id: str) -> Webhook:
        """Raises ApiError 10015."""
        if webhook_id not in self._by_id:
            raise errors.unknown_webhook()
        return self._by_id[webhook_id]

    def with_token(self, webhook_id: str, token: str) -> Webhook:
        """Raises ApiError 10015 for one that isn't there, 50027 for a wrong token."""
        found = self.get(webhook_id)
        if not secrets.compare_digest(found.token, token):
            raise errors.invalid_webhook_token()
        return found

    def create(self, channel_id: str, name: Any) -> Webhook:
        """Raises ApiError 50035 for a bad name, 30007 when the channel has as many as it may."""
        _check_name(name)
        if len(self.of(channel_id)) >= MOST:
            raise errors.ApiError(400, 30007, f"Maximum number of webhooks reached ({MOST})")
        hook = Webhook(self._ids.next(), secrets.token_urlsafe(51), channel_id, name)
        self._by_id[hook.id] = hook
        self._store.put(_KIND, hook.id, asdict(hook))
        return hook

    def rename(self, hook: Webhook, name: Any) -> None:
        _check_name(name)
        hook.name = name
        self._store.put(_KIND, hook.id, asdict(hook))

    def remove(self, hook: Webhook) -> None:
        del self._by_id[hook.id]
        self._store.remove(_KIND, hook.id)


def _check_name(name: Any) -> None:
    faults = errors.Faults()
    faults.length(("name",), name, 1, NAME)
    if isinstance(name, str) and ("clyde" in name.lower() or "discord" in name.lower()):
        faults.add(("name",), "USERNAME_INVALID_CONTAINS", 'Username cannot contain "discord" or "clyde"')
    faults.raise_if_any()
