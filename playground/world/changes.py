"""What happens to a server while a bot is in it: threads, permissions, deletions, a kick. Everybody is told of each."""

from playground.rules import errors
from playground.world import cast
from playground.world.cast import Channel, Json
from playground.world.intents import Intent
from playground.world.messages import timestamp
from playground.world.permissions import Permission
from playground.world.state import Playground

THREAD_NAME = 100


def create_thread(playground: Playground, parent: Channel, name: str, owner_id: str, thread_id: str = "") -> Channel:
    """A public thread in a text channel; one that starts at a message has that message's id. Raises ApiError."""
    if parent.is_direct or parent.is_thread:
        raise errors.ApiError(400, 50024, "Cannot execute action on this channel type")
    faults = errors.Faults()
    faults.length(("name",), name, 1, THREAD_NAME)
    faults.raise_if_any()
    if thread_id in playground.channels:
        raise errors.ApiError(400, 160004, "A thread has already been created for this message")
    thread = Channel(
        thread_id or playground.ids.next(),
        name,
        parent_id=parent.id,
        owner_id=owner_id,
        archive_changed_at=timestamp(playground.clock()),
    )
    playground.channels[thread.id] = thread
    playground.write_channel(thread)
    playground.gateway.dispatch("THREAD_CREATE", thread.payload() | {"newly_created": True}, Intent.GUILDS)
    playground.audience.send("CHANNELS_UPDATE", {})
    return thread


def set_thread(playground: Playground, thread: Channel, *, archived: bool, locked: bool, name: str = "") -> None:
    """Archives or locks a thread, or takes that back."""
    if archived != thread.archived:
        thread.archive_changed_at = timestamp(playground.clock())
    thread.archived, thread.locked, thread.name = archived, locked, name or thread.name
    playground.write_channel(thread)
    playground.gateway.dispatch("THREAD_UPDATE", thread.payload(), Intent.GUILDS)
    playground.audience.send("CHANNELS_UPDATE", {})


def open_for_writing(playground: Playground, channel: Channel, member: cast.Member) -> None:
    """What a new message does to an archived thread: opens it, or meets the lock (50083; 160005 while it is open)."""
    if not channel.is_thread or not (channel.archived or channel.locked):
        return
    if channel.locked and not playground.permissions(member, channel) & Permission.MANAGE_THREADS:
        raise errors.archived_thread() if channel.archived else errors.locked_thread()
    if channel.archived:
        set_thread(playground, channel, archived=False, locked=channel.locked)


def require_not_archived(channel: Channel) -> None:
    """Old messages of an archived thread can't be changed: raises 50083."""
    if channel.is_thread and channel.archived:
        raise errors.archived_thread()


def delete_channel(playground: Playground, channel: Channel) -> None:
    """Deletes a channel or thread with its messages, and a channel's threads with it."""
    for thread in [c for c in playground.channels.values() if c.parent_id == channel.id]:
        delete_channel(playground, thread)
    playground.messages.forget_channel(channel.id)
    del playground.channels[channel.id]
    channel.deleted = True
    playground.write_channel(channel)
    if channel.is_thread:
        body: Json = {"id": channel.id, "guild_id": cast.GUILD_ID, "parent_id": channel.parent_id, "type": 11}
        playground.gateway.dispatch("THREAD_DELETE", body, Intent.GUILDS)
    else:
        playground.gateway.dispatch("CHANNEL_DELETE", channel.payload(), Intent.GUILDS)
    playground.audience.send("CHANNELS_UPDATE", {})


def set_bot_permissions(playground: Playground, channel: Channel, wanted: dict[str, bool]) -> None:
    """Gives or takes the bot's permissions in one channel, by name: `{"attach_files": False}`. Raises 50035."""
    faults = errors.Faults()
    for name in wanted:
        if name.upper() not in Permission.__members__:
            faults.add((name,), "BASE_TYPE_CHOICES", "There is no such permission.")
    faults.raise_if_any()
    own = next((o for o in channel.overwrites if o["id"] == cast.BOT.id), {"deny": "0"})
    denied = int(own["deny"])
    for name, is_given in wanted.items():
        bit = int(Permission[name.upper()])
        denied = denied & ~bit if is_given else denied | bit
    others = [overwrite for overwrite in channel.overwrites if overwrite["id"] != cast.BOT.id]
    mine = [{"id": cast.BOT.id, "type": 1, "allow": "0", "deny": str(denied)}] if denied else []
    channel.overwrites = others + mine
    playground.keep_channel(channel)


def kick_bot(playground: Playground) -> None:
    """The bot is thrown out of the server: GUILD_DELETE, and from then on 50001 for its channels."""
    playground.gateway.leave_guild()
    playground.audience.send("CHANNELS_UPDATE", {})


def invite_bot(playground: Playground) -> None:
    """The bot comes back: GUILD_CREATE."""
    playground.gateway.join_guild()
    playground.audience.send("CHANNELS_UPDATE", {})
