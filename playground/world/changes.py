"""What happens to a server while a bot is in it: threads, permissions, deletions, a kick. Everybody is told of each."""

from collections.abc import Sequence
from dataclasses import replace

from playground.rules import errors
from playground.world import cast, permissions, roles
from playground.world.cast import Channel, Json
from playground.world.intents import Intent
from playground.world.permissions import Permission
from playground.world.state import FILE_LIMITS, Playground
from playground.world.talk.wire import timestamp

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
    for hook in playground.webhooks.of(channel.id):
        playground.webhooks.remove(hook)
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
    own = next((o for o in channel.overwrites if o["id"] == cast.BOT.id), {"deny": "0", "allow": "0"})
    denied, allowed = int(own["deny"]), int(own["allow"])
    for name, is_given in wanted.items():
        bit = int(Permission[name.upper()])
        denied = denied & ~bit if is_given else denied | bit
        allowed = allowed | bit & ~permissions.BOT if is_given else allowed & ~bit
    others = [overwrite for overwrite in channel.overwrites if overwrite["id"] != cast.BOT.id]
    mine = [{"id": cast.BOT.id, "type": 1, "allow": str(allowed), "deny": str(denied)}] if denied | allowed else []
    channel.overwrites = others + mine
    playground.keep_channel(channel)


def create_role(playground: Playground, name: str, bits: int = permissions.EVERYONE) -> Json:
    """A new role at the top of the list. Raises ApiError 50035 for a name that's too long or missing."""
    _check_role_name(name)
    role = cast.new_role(playground.ids.next(), name, len(playground.roles), bits)
    playground.roles[role["id"]] = role
    _role_changed(playground, "GUILD_ROLE_CREATE", role)
    return role


def rename_role(playground: Playground, role_id: str, name: str) -> Json:
    """Raises ApiError 10011 for a role that isn't there."""
    role = _role(playground, role_id)
    _check_role_name(name)
    role["name"] = name
    _role_changed(playground, "GUILD_ROLE_UPDATE", role)
    return role


def delete_role(playground: Playground, role_id: str) -> None:
    """Takes the role from everybody and out of the channels, then deletes it. Raises ApiError 10011, or 50028 for
    `@everyone` and the bot's own."""
    role = _role(playground, role_id)
    if role["managed"] or role_id == cast.GUILD_ID:
        raise errors.invalid_role()
    for member in [m for m in playground.users.values() if role_id in m.role_ids]:
        set_roles(playground, member, [held for held in member.role_ids if held != role_id])
    for channel in playground.text_channels():
        if any(overwrite["id"] == role_id for overwrite in channel.overwrites):
            channel.overwrites = [overwrite for overwrite in channel.overwrites if overwrite["id"] != role_id]
            playground.keep_channel(channel)
    del playground.roles[role_id]
    roles.keep_deleted(playground.store, role_id)
    body = {"guild_id": cast.GUILD_ID, "role_id": role_id}
    playground.gateway.dispatch("GUILD_ROLE_DELETE", body, Intent.GUILDS)
    playground.audience.send("CHANNELS_UPDATE", {})


def set_roles(playground: Playground, member: cast.Member, role_ids: Sequence[str]) -> None:
    """Gives a member exactly these roles. Raises ApiError 10011 for one that isn't there."""
    for role_id in role_ids:
        _role(playground, role_id)
    member = replace(member, role_ids=tuple(role_ids))
    playground.users[member.id] = member
    roles.keep_held(playground.store, member)
    body = member.member() | {"user": member.user(), "guild_id": cast.GUILD_ID}
    playground.gateway.dispatch("GUILD_MEMBER_UPDATE", body, Intent.GUILD_MEMBERS)
    playground.audience.send("CHANNELS_UPDATE", {})


def set_boost_level(playground: Playground, level: int) -> None:
    """Boosts the server to a level of 0 to 3, which decides how large a file may be."""
    playground.boost_level = level
    playground.store.set("boost-level", str(level))
    playground.attachment_size_limit = FILE_LIMITS[level]
    playground.gateway.dispatch("GUILD_UPDATE", playground.guild_payload([]), Intent.GUILDS)


def _role(playground: Playground, role_id: str) -> Json:
    if role_id not in playground.roles:
        raise errors.unknown_role()
    return playground.roles[role_id]


def _check_role_name(name: str) -> None:
    faults = errors.Faults()
    faults.length(("name",), name, 1, roles.NAME)
    faults.raise_if_any()


def _role_changed(playground: Playground, event: str, role: Json) -> None:
    roles.keep(playground.store, role)
    playground.gateway.dispatch(event, {"guild_id": cast.GUILD_ID, "role": role}, Intent.GUILDS)
    playground.audience.send("CHANNELS_UPDATE", {})


def kick_bot(playground: Playground) -> None:
    """The bot is thrown out of the server: GUILD_DELETE, and from then on 50001 for its channels."""
    playground.gateway.leave_guild()
    playground.audience.send("CHANNELS_UPDATE", {})


def invite_bot(playground: Playground) -> None:
    """The bot comes back: GUILD_CREATE."""
    playground.gateway.join_guild()
    playground.audience.send("CHANNELS_UPDATE", {})
