"""Reactions: who put which emoji under a message."""

from playground.rules import errors
from playground.world import cast
from playground.world.cast import Json, Member
from playground.world.intents import Intent
from playground.world.state import Playground
from playground.world.talk.messages import Message

MOST_KINDS = 20
_LONGEST_EMOJI = 32


def add(playground: Playground, message: Message, member: Member, emoji: str) -> None:
    """Puts a member's emoji under a message; a second time changes nothing. Raises ApiError 10014 or 30010."""
    if not 0 < len(emoji) <= _LONGEST_EMOJI or emoji.isascii():
        raise errors.ApiError(400, 10014, "Unknown Emoji")
    if emoji not in message.reactions and len(message.reactions) >= MOST_KINDS:
        raise errors.ApiError(400, 30010, "Maximum number of reactions reached (20)")
    users = message.reactions.setdefault(emoji, [])
    if member.id not in users:
        users.append(member.id)
        _tell(playground, "MESSAGE_REACTION_ADD", message, member, emoji)


def remove(playground: Playground, message: Message, member: Member, emoji: str) -> None:
    """Takes a member's emoji away; raises ApiError 10014 for one that nobody put there."""
    users = message.reactions.get(emoji)
    if users is None:
        raise errors.ApiError(404, 10014, "Unknown Emoji")
    if member.id in users:
        users.remove(member.id)
        if not users:
            del message.reactions[emoji]
        _tell(playground, "MESSAGE_REACTION_REMOVE", message, member, emoji)


def _tell(playground: Playground, event: str, message: Message, member: Member, emoji: str) -> None:
    channel = playground.channels[message.channel_id]
    playground.messages.keep(message)
    body: Json = {
        "user_id": member.id,
        "channel_id": message.channel_id,
        "message_id": message.id,
        "emoji": {"id": None, "name": emoji},
        "burst": False,
        "type": 0,
    }
    if not channel.is_direct:
        body["guild_id"] = cast.GUILD_ID
    if event == "MESSAGE_REACTION_ADD":
        body["message_author_id"] = message.author_id
        if not channel.is_direct:
            body["member"] = member.member() | {"user": member.user()}
    intent = Intent.DIRECT_MESSAGE_REACTIONS if channel.is_direct else Intent.GUILD_MESSAGE_REACTIONS
    playground.gateway.dispatch(event, body, intent, own=True)
    playground.show_message("MESSAGE_UPDATE", message)
