"""The audit log: what the bot did to the server, and the reason that it gave.

https://discord.com/developers/docs/resources/audit-log
"""

from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any

from playground.world import cast
from playground.world.intents import Intent
from playground.world.state import Playground

Json = dict[str, Any]

LONGEST_REASON = 512
_KIND = "audit"


class Action(IntEnum):
    """What is written down here, by Discord's numbers."""

    CHANNEL_DELETE = 12
    WEBHOOK_CREATE = 50
    WEBHOOK_UPDATE = 51
    WEBHOOK_DELETE = 52
    MESSAGE_DELETE = 72
    THREAD_CREATE = 110
    THREAD_UPDATE = 111
    THREAD_DELETE = 112


@dataclass(frozen=True)
class Entry:
    """One line of the log."""

    id: str
    action_type: int
    target_id: str
    reason: str
    options: dict[str, str] = field(default_factory=dict)

    def payload(self) -> Json:
        """The wire's audit log entry."""
        body: Json = {
            "id": self.id,
            "user_id": cast.BOT.id,
            "target_id": self.target_id,
            "action_type": self.action_type,
        }
        body |= {"reason": self.reason} if self.reason else {}
        return body | {"options": self.options} if self.options else body


def note(playground: Playground, action: Action, target_id: str, reason: str, options: dict[str, str]) -> None:
    """Writes down what the bot did, and tells it to whoever asked for moderation events."""
    entry = Entry(playground.ids.next(), action, target_id, reason[:LONGEST_REASON], options)
    playground.store.put(_KIND, entry.id, asdict(entry))
    body = entry.payload() | {"guild_id": cast.GUILD_ID}
    playground.gateway.dispatch("GUILD_AUDIT_LOG_ENTRY_CREATE", body, Intent.GUILD_MODERATION)


def entries(playground: Playground) -> list[Entry]:
    """All lines, the newest first."""
    return [Entry(**row) for row in reversed(playground.store.all(_KIND))]
