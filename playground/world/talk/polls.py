"""Native polls: made with a message, voted in on the page, closed by their author or by the clock.

https://discord.com/developers/docs/resources/poll. A poll is kept in its message, with the ids of who chose what.
"""

import asyncio
from typing import Any

from playground.rules import polls as rules
from playground.world import cast
from playground.world.cast import Member
from playground.world.intents import Intent
from playground.world.state import Playground
from playground.world.talk.messages import POLL_RESULT, Message
from playground.world.talk.wire import timestamp

Json = dict[str, Any]

_LOOK_EVERY_S = 1.0


def vote(playground: Playground, message: Message, member: Member, chosen: list[int]) -> None:
    """A member's votes are these from now on; none takes them back. Raises ApiError 520001 or 520006."""
    poll = _open(playground, message)
    known = {answer["answer_id"] for answer in poll["answers"]}
    if not set(chosen) <= known or (len(set(chosen)) > 1 and not poll["allow_multiselect"]):
        raise rules.ApiError(400, 50035, "Invalid Form Body", {"answers": {"_errors": [_NO_SUCH_ANSWER]}})
    for answer_id in sorted(known):
        voters: list[str] = poll["votes"].setdefault(str(answer_id), [])
        if answer_id in chosen and member.id not in voters:
            voters.append(member.id)
            _tell(playground, "MESSAGE_POLL_VOTE_ADD", message, member, answer_id)
        elif answer_id not in chosen and member.id in voters:
            voters.remove(member.id)
            _tell(playground, "MESSAGE_POLL_VOTE_REMOVE", message, member, answer_id)
    playground.messages.keep(message)
    playground.show_message("MESSAGE_UPDATE", message)


_NO_SUCH_ANSWER = {"code": "BASE_TYPE_CHOICES", "message": "The poll doesn't take these answers."}


async def close(playground: Playground, message: Message) -> None:
    """Ends a poll: its votes are counted for good, and a message says how it went. Raises ApiError."""
    poll = _open(playground, message)
    poll["is_finalized"] = True
    poll["expiry"] = min(poll["expiry"], timestamp(playground.clock()))
    await playground.messages.edit(message, {}, silent=True)
    await playground.messages.create(
        message.channel_id,
        message.author_id,
        {"embeds": [_result(poll)], "message_reference": {"message_id": message.id}},
        kind=POLL_RESULT,
    )


async def close_due(playground: Playground) -> None:
    """Ends every poll whose time is over."""
    now = timestamp(playground.clock())
    for message in playground.messages.with_open_polls():
        if message.poll is not None and message.poll["expiry"] <= now:
            await close(playground, message)


async def keep_time(playground: Playground) -> None:
    """Ends polls when their time is over, for as long as it runs."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        await close_due(playground)


def _open(playground: Playground, message: Message) -> Json:
    if message.poll is None:
        raise rules.not_a_poll()
    if message.poll["is_finalized"]:
        raise rules.expired()
    return message.poll


def _result(poll: Json) -> Json:
    """The embed of the message that says how a poll went. A draw has no victor."""
    counts = {answer["answer_id"]: len(poll["votes"].get(str(answer["answer_id"]), [])) for answer in poll["answers"]}
    most = max(counts.values())
    first = [answer for answer in poll["answers"] if counts[answer["answer_id"]] == most]
    told = {
        "poll_question_text": poll["question"]["text"],
        "victor_answer_votes": str(most),
        "total_votes": str(sum(counts.values())),
    }
    if len(first) == 1 and most:
        told["victor_answer_id"] = str(first[0]["answer_id"])
        told["victor_answer_text"] = first[0]["poll_media"].get("text", "")
    return {"type": "poll_result", "fields": [{"name": name, "value": value} for name, value in told.items()]}


def _tell(playground: Playground, event: str, message: Message, member: Member, answer_id: int) -> None:
    channel = playground.channels[message.channel_id]
    body: Json = {
        "user_id": member.id,
        "channel_id": message.channel_id,
        "message_id": message.id,
        "answer_id": answer_id,
    }
    if not channel.is_direct:
        body["guild_id"] = cast.GUILD_ID
    intent = Intent.DIRECT_MESSAGE_POLLS if channel.is_direct else Intent.GUILD_MESSAGE_POLLS
    playground.gateway.dispatch(event, body, intent, own=True)
