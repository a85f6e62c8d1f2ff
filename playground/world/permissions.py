"""Discord's permission bits and how roles and a channel's overwrites add up.

https://discord.com/developers/docs/topics/permissions#permission-overwrites
"""

from collections.abc import Iterable
from enum import IntFlag
from typing import Any


class Permission(IntFlag):
    """The bits that this server gives, takes or checks."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_AUDIT_LOG = 1 << 7
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    MANAGE_ROLES = 1 << 28
    MANAGE_WEBHOOKS = 1 << 29
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38
    MODERATE_MEMBERS = 1 << 40
    SEND_POLLS = 1 << 49


ALL = (1 << 53) - 1
EVERYONE = int(
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.ADD_REACTIONS
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.SEND_POLLS
)
BOT = int(
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.SEND_POLLS
)
STAFF = int(
    EVERYONE
    | Permission.MANAGE_MESSAGES
    | Permission.MANAGE_GUILD
    | Permission.MANAGE_CHANNELS
    | Permission.MANAGE_THREADS
    | Permission.MENTION_EVERYONE
    | Permission.MODERATE_MEMBERS
)


def in_channel(
    *,
    user_id: str,
    guild_id: str,
    is_owner: bool,
    role_permissions: Iterable[int],
    role_ids: Iterable[str],
    overwrites: Iterable[dict[str, Any]],
) -> int:
    """The bits a member has in a channel: roles, then the channel's overwrites for everyone, roles and the member."""
    if is_owner:
        return ALL
    bits = 0
    for permission in role_permissions:
        bits |= permission
    if bits & Permission.ADMINISTRATOR:
        return ALL
    by_id = {overwrite["id"]: overwrite for overwrite in overwrites}
    everyone = by_id.get(guild_id)
    if everyone is not None:
        bits = bits & ~int(everyone["deny"]) | int(everyone["allow"])
    allow = deny = 0
    for role_id in role_ids:
        overwrite = by_id.get(role_id)
        if overwrite is not None and role_id != guild_id:
            allow |= int(overwrite["allow"])
            deny |= int(overwrite["deny"])
    bits = bits & ~deny | allow
    own = by_id.get(user_id)
    if own is not None:
        bits = bits & ~int(own["deny"]) | int(own["allow"])
    return bits if bits & Permission.VIEW_CHANNEL else 0
