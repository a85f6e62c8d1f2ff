"""Messages: what is kept of one, how it looks on the wire, and how it is created, edited and deleted."""

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from playground.rules import errors
from playground.world import cast
from playground.world.attachments import Attachment, Attachments, Upload
from playground.world.snowflake import Snowflakes, created_at_s
from playground.world.store import Store
from playground.world.talk import wire
from playground.world.talk.wire import timestamp

Json = dict[str, Any]
Publish = Callable[[str, "Message"], None]

EPHEMERAL = 1 << 6
LOADING = 1 << 7
COMPONENTS_V2 = 1 << 15
SUPPRESS_EMBEDS = 1 << 2
SUPPRESS_NOTIFICATIONS = 1 << 12
VOICE_MESSAGE = 1 << 13

DEFAULT, REPLY, CHAT_INPUT_COMMAND, CONTEXT_MENU_COMMAND, POLL_RESULT = 0, 19, 20, 23, 46

_ROLE_MENTION = re.compile(r"<@&(\d+)>")
_KEPT = "kept:"
NONCE_LIFETIME_S = 5 * 60


@dataclass
class Message:
    """A message as it is kept. Addresses of our own files stand in it as `kept:<attachment id>`, so that they
    survive another port and can be signed afresh each time."""

    id: str
    channel_id: str
    author_id: str
    content: str = ""
    type: int = DEFAULT
    flags: int = 0
    edited_at: str | None = None
    attachment_ids: list[str] = field(default_factory=list)
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    mentioned: list[str] = field(default_factory=list)
    reference: str | None = None
    interaction: Json | None = None
    visible_to: str | None = None
    nonce: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    """Ids of users by emoji, in the order in which they reacted."""
    sender: str | None = None
    """The name under which a webhook said it; its id is `author_id`."""
    poll: Json | None = None
    """As on the wire, but with the ids of who chose which answer as `votes`."""

    @property
    def is_ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)


class Messages:
    """All messages of all channels. Private answers live in memory only, as they do in Discord's client."""

    def __init__(
        self,
        store: Store,
        ids: Snowflakes,
        clock: Callable[[], float],
        attachments: Attachments,
        channels: dict[str, cast.Channel],
        users: dict[str, cast.Member],
    ) -> None:
        self._store = store
        self._ids = ids
        self._clock = clock
        self._attachments = attachments
        self._channels = channels
        self._users = users
        self._by_id: dict[str, Message] = {row["id"]: Message(**row) for row in store.all("message")}
        self.listeners: list[Publish] = []
        for message in self._by_id.values():
            if message.channel_id in channels:
                channels[message.channel_id].last_message_id = message.id

    def get(self, channel_id: str, message_id: str) -> Message:
        """The message, or ApiError 10008."""
        message = self._by_id.get(message_id)
        if message is None or message.channel_id != channel_id:
            raise errors.unknown_message()
        return message

    def find(self, message_id: str | None) -> Message | None:
        return self._by_id.get(message_id) if message_id else None

    def with_nonce(self, channel_id: str, author_id: str, nonce: object) -> Message | None:
        """The author's message of the last minutes that was sent with this nonce, or None."""
        since_s = self._clock() - NONCE_LIFETIME_S
        for message in reversed(self._by_id.values()):
            if created_at_s(message.id) < since_s:
                return None
            if (message.channel_id, message.author_id, message.nonce) == (channel_id, author_id, str(nonce)):
                return message
        return None

    def in_channel(self, channel_id: str, viewer_id: str) -> list[Message]:
        """The channel's messages that `viewer_id` may see, oldest first."""
        return [
            message
            for message in self._by_id.values()
            if message.channel_id == channel_id and message.visible_to in (None, viewer_id)
        ]

    async def create(
        self,
        channel_id: str,
        author_id: str,
        body: Json,
        files: Iterable[Upload] = (),
        *,
        kind: int = DEFAULT,
        flags: int = 0,
        visible_to: str | None = None,
        interaction: Json | None = None,
        sender: str | None = None,
    ) -> Message:
        """Keeps a new message from an already validated body, and tells everybody who may see it."""
        message = Message(
            id=self._ids.next(),
            channel_id=channel_id,
            author_id=author_id,
            type=kind,
            flags=flags,
            visible_to=visible_to,
            interaction=interaction,
            sender=sender,
            nonce=None if body.get("nonce") is None else str(body["nonce"]),
        )
        reference = body.get("message_reference") or {}
        if reference.get("message_id") and kind in (DEFAULT, POLL_RESULT):
            message.type, message.reference = kind or REPLY, str(reference["message_id"])
        if body.get("poll"):
            message.poll = wire.new_poll(body["poll"], self._clock())
        await self._write(message, body, files)
        if channel_id not in self._channels:  # deleted while the files were being written
            for attachment_id in message.attachment_ids:
                self._attachments.remove(attachment_id)
            raise errors.unknown_channel()
        self._by_id[message.id] = message
        self._channels[channel_id].last_message_id = message.id
        self.keep(message)
        self._publish("MESSAGE_CREATE", message)
        return message

    async def edit(self, message: Message, body: Json, files: Iterable[Upload] = (), *, silent: bool = False) -> None:
        """Changes what `body` names and nothing else; `silent` leaves the "(edited)" mark off."""
        await self._write(message, body, files)
        if message.id not in self._by_id:
            raise errors.unknown_message()
        if not silent:
            message.edited_at = timestamp(self._clock())
        self.keep(message)
        self._publish("MESSAGE_UPDATE", message)

    def delete(self, message: Message) -> None:
        """Removes the message and its files, and tells everybody who could see it."""
        del self._by_id[message.id]
        self._store.remove("message", message.id)
        for attachment_id in message.attachment_ids:
            self._attachments.remove(attachment_id)
        self._publish("MESSAGE_DELETE", message)

    def with_open_polls(self) -> list[Message]:
        """The messages with a poll that still runs."""
        return [message for message in self._by_id.values() if message.poll and not message.poll["is_finalized"]]

    def recent(self, count: int = 50) -> list[Message]:
        """The last messages of all channels, oldest first."""
        return list(self._by_id.values())[-count:]

    def forget_channel(self, channel_id: str) -> None:
        """Removes everything that was said in a channel that is deleted; nobody is told of each message."""
        for message in [m for m in self._by_id.values() if m.channel_id == channel_id]:
            del self._by_id[message.id]
            self._store.remove("message", message.id)
            for attachment_id in message.attachment_ids:
                self._attachments.remove(attachment_id)

    def payload(self, message: Message) -> Json:
        """The wire's message object."""
        kept = [a for a in map(self._attachments.get, message.attachment_ids) if a is not None]
        in_embeds = {url.removeprefix(_KEPT) for url in wire.addresses(message.embeds) if url.startswith(_KEPT)}
        body: Json = {
            "id": message.id,
            "channel_id": message.channel_id,
            "author": self._author(message),
            "content": message.content,
            "timestamp": timestamp(created_at_s(message.id)),
            "edited_timestamp": message.edited_at,
            "tts": False,
            "mention_everyone": False,
            "mentions": [self._users[u].user() for u in message.mentioned if u in self._users],
            "mention_roles": _ROLE_MENTION.findall(message.content),
            # A file that an embed shows isn't listed a second time.
            "attachments": [self._attachments.payload(a) for a in kept if a.id not in in_embeds],
            "embeds": [
                self._resolved(embed) | {"type": "poll_result" if message.type == POLL_RESULT else "rich"}
                for embed in message.embeds
            ],
            "components": [self._resolved(component) for component in message.components],
            "pinned": False,
            "type": message.type,
            "flags": message.flags,
        }
        if message.sender is not None:
            body |= {"application_id": cast.APPLICATION_ID, "webhook_id": message.author_id}
        if message.interaction is not None:
            body |= {"application_id": cast.APPLICATION_ID, "webhook_id": cast.APPLICATION_ID}
            body |= self._interaction_payload(message.interaction)
        if message.reactions:
            body["reactions"] = [wire.reaction(emoji, users) for emoji, users in message.reactions.items()]
        if message.poll is not None:
            body["poll"] = wire.shown_poll(message.poll)
        if message.nonce is not None:
            body["nonce"] = message.nonce
        if message.reference is not None:
            body["message_reference"] = {"type": 0, "channel_id": message.channel_id, "message_id": message.reference}
            target = self._by_id.get(message.reference)
            body["referenced_message"] = (
                None if target is None else {k: v for k, v in self.payload(target).items() if k != "referenced_message"}
            )
        return body

    def _author(self, message: Message) -> Json:
        if message.sender is None:
            return self._users.get(message.author_id, cast.FORMER_MEMBER).user()
        return cast.Member(message.author_id, "", message.sender, (), "", is_bot=True).user()

    def event(self, name: str, message: Message) -> Json:
        """The body of a gateway event on this message."""
        place: Json = {} if self._channels[message.channel_id].is_direct else {"guild_id": cast.GUILD_ID}
        if name == "MESSAGE_DELETE":
            return {"id": message.id, "channel_id": message.channel_id} | place
        body = self.payload(message) | place
        if place and message.sender is None:
            body["member"] = self._users.get(message.author_id, cast.FORMER_MEMBER).member()
        return body

    def _interaction_payload(self, interaction: Json) -> Json:
        """`interaction_metadata`, and the older `interaction` for commands."""
        user = self._users.get(interaction["user_id"], cast.FORMER_MEMBER).user()
        metadata: Json = {
            "id": interaction["id"],
            "type": interaction["type"],
            "user": user,
            "authorizing_integration_owners": interaction.get("owners", {"0": cast.GUILD_ID}),
        }
        for key in ("original_response_message_id", "interacted_message_id"):
            if interaction.get(key):
                metadata[key] = interaction[key]
        if interaction.get("triggered_by"):
            opener = self._interaction_payload(interaction["triggered_by"])
            metadata["triggering_interaction_metadata"] = opener["interaction_metadata"]
        body: Json = {"interaction_metadata": metadata}
        if interaction.get("name"):
            metadata["name"] = interaction["name"]
            body["interaction"] = {"id": interaction["id"], "type": 2, "name": interaction["name"], "user": user}
        return body

    async def _write(self, message: Message, body: Json, files: Iterable[Upload]) -> None:
        """Puts a body's fields into the message."""
        kind = "ephemeral-attachments" if message.is_ephemeral else "attachments"
        added = [await self._attachments.add(message.channel_id, upload, kind) for upload in files]
        old = [a for a in map(self._attachments.get, message.attachment_ids) if a is not None]
        by_name = {a.filename: a for a in [*old, *added]}
        if "content" in body:
            message.content = body["content"] or ""
            message.mentioned = wire.mentioned(message.content, body.get("allowed_mentions"))
        if "embeds" in body:
            message.embeds = [self._kept(wire.with_inline(embed), by_name) for embed in body["embeds"] or []]
        if "components" in body:
            numbers = iter(range(1, 1000))
            message.components = [wire.numbered(self._kept(c, by_name), numbers) for c in body["components"] or []]
        listed = body.get("attachments")
        shown = {url.removeprefix(_KEPT) for url in wire.addresses([*message.embeds, *message.components])}
        staying = {str(entry.get("id")) for entry in listed} if isinstance(listed, list) else {a.id for a in old}
        for attachment in old:
            if attachment.id not in staying | shown:
                self._attachments.remove(attachment.id)
        message.attachment_ids = [a.id for a in old if a.id in staying | shown] + [a.id for a in added]

    def _kept(self, value: Any, by_name: dict[str, Attachment]) -> Any:
        """A copy in which `attachment://name` and addresses of our own files are `kept:<id>`."""
        if isinstance(value, dict):
            return {key: self._kept(item, by_name) for key, item in value.items()}
        if isinstance(value, list):
            return [self._kept(item, by_name) for item in value]
        if not isinstance(value, str):
            return value
        if value.startswith("attachment://"):
            attachment = by_name.get(value.removeprefix("attachment://"))
            return value if attachment is None else _KEPT + attachment.id
        if self._attachments.base_url and value.startswith(self._attachments.base_url + "/"):
            parts = value.removeprefix(self._attachments.base_url).split("/")
            if len(parts) >= 5 and self._attachments.get(parts[3]) is not None:
                return _KEPT + parts[3]
        return value

    def _resolved(self, value: Any) -> Any:
        """A copy in which `kept:<id>` is a signed address, with the picture's size beside it."""
        if isinstance(value, list):
            return [self._resolved(item) for item in value]
        if not isinstance(value, dict):
            return value
        resolved = {key: self._resolved(item) for key, item in value.items()}
        url = value.get("url")
        if isinstance(url, str) and url.startswith(_KEPT):
            attachment = self._attachments.get(url.removeprefix(_KEPT))
            if attachment is not None:
                described = self._attachments.payload(attachment)
                resolved |= {k: described[k] for k in ("url", "proxy_url", "width", "height") if k in described}
                resolved |= {"content_type": attachment.content_type, "attachment_id": attachment.id}
                resolved |= {"filename": attachment.filename, "size": attachment.size, "loading_state": 2}
                resolved.setdefault("id", attachment.id)
        return resolved

    def keep(self, message: Message) -> None:
        """Writes the message down; private ones live in memory only."""
        if message.visible_to is None:
            self._store.put("message", message.id, asdict(message))

    def _publish(self, name: str, message: Message) -> None:
        for listener in self.listeners:
            listener(name, message)
