"""Interactions: a member uses a command, a button, a select or a modal, and the bot has 3 s to answer.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playground.rules import components, errors, fields
from playground.rules.errors import Faults
from playground.world import cast
from playground.world.attachments import Upload
from playground.world.snowflake import Snowflakes
from playground.world.store import Store
from playground.world.talk.messages import (
    CHAT_INPUT_COMMAND,
    CONTEXT_MENU_COMMAND,
    DEFAULT,
    EPHEMERAL,
    LOADING,
    Message,
    Messages,
)

Json = dict[str, Any]

_log = logging.getLogger(__name__)

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
PONG, MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE_MESSAGE, CHOICES, MODAL = 1, 4, 5, 6, 7, 8, 9
TOKEN_LIFETIME_S = 15 * 60
_SLASH, _USER_MENU, _MESSAGE_MENU = 1, 2, 3

_ALLOWED_ANSWERS = {
    COMMAND: {MESSAGE, DEFERRED_MESSAGE, MODAL},
    COMPONENT: {MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE_MESSAGE, MODAL},
    AUTOCOMPLETE: {CHOICES},
    MODAL_SUBMIT: {MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE_MESSAGE},
}


@dataclass
class Interaction:
    """One use of the bot. `state` is waiting, answered or lost (not answered within 3 s)."""

    id: str
    token: str
    kind: int
    channel_id: str
    user_id: str
    created_at: float
    data: Json
    message_id: str | None = None
    state: str = "waiting"
    answer: int | None = None
    original_id: str | None = None
    modal: Json | None = field(default=None)
    owners: dict[str, str] = field(default_factory=lambda: {"0": cast.GUILD_ID})
    """Who installed what was used: `authorizing_integration_owners`."""
    triggered_by: Json | None = None
    """Of a submitted modal: the metadata of the interaction that opened it."""


@dataclass(frozen=True)
class Outcome:
    """What the member who acted gets to see at once: `answered`, `failed`, a `modal` or `choices`."""

    kind: str
    content: Any = None


class Interactions:
    """All interactions whose token may still live."""

    def __init__(
        self,
        store: Store,
        ids: Snowflakes,
        clock: Callable[[], float],
        messages: Messages,
        answer_within_s: float,
    ) -> None:
        self._store = store
        self._ids = ids
        self._clock = clock
        self._messages = messages
        self.answer_within_s = answer_within_s
        self._by_token: dict[str, Interaction] = {}
        self._waiting: dict[str, asyncio.Future[Outcome]] = {}
        for row in store.all("interaction"):
            interaction = Interaction(**row)
            if interaction.created_at > clock() - TOKEN_LIFETIME_S:
                self._by_token[interaction.token] = interaction
            else:
                store.remove("interaction", interaction.id)

    def create(
        self, kind: int, channel_id: str, user_id: str, data: Json, message_id: str | None = None
    ) -> Interaction:
        """A new interaction, waiting for its answer."""
        interaction = Interaction(
            id=self._ids.next(),
            token=secrets.token_urlsafe(64),
            kind=kind,
            channel_id=channel_id,
            user_id=user_id,
            created_at=self._clock(),
            data=data,
            message_id=message_id,
        )
        self._forget_expired()
        self._by_token[interaction.token] = interaction
        self._waiting[interaction.id] = asyncio.get_running_loop().create_future()
        return interaction

    async def outcome(self, interaction: Interaction) -> Outcome:
        """Waits for the bot's answer, as long as Discord would."""
        future = self._waiting[interaction.id]
        try:
            return await asyncio.wait_for(asyncio.shield(future), self.answer_within_s)
        except TimeoutError:
            if interaction.state == "answered":  # its files are still being written
                return await future
            interaction.state = "lost"
            _log.warning("The bot did not answer within %.3g s: %s", self.answer_within_s, named(interaction))
            return Outcome("failed")
        finally:
            self._waiting.pop(interaction.id, None)

    def find(self, interaction_id: str) -> Interaction | None:
        return next((i for i in self._by_token.values() if i.id == interaction_id), None)

    def waiting(self, interaction_id: str, token: str) -> Interaction:
        """The interaction that a callback answers; raises 10062 or 40060."""
        interaction = self._by_token.get(token)
        if interaction is None or interaction.id != interaction_id or interaction.state == "lost":
            raise errors.unknown_interaction()
        if interaction.state == "answered":
            raise errors.already_acknowledged()
        return interaction

    def alive(self, token: str) -> Interaction:
        """The interaction whose webhook is used; raises 10015 for one never answered, 50027 after 15 minutes."""
        interaction = self._by_token.get(token)
        if interaction is None or interaction.state != "answered":
            raise errors.unknown_webhook()
        if self._clock() > interaction.created_at + TOKEN_LIFETIME_S:
            raise errors.invalid_webhook_token()
        return interaction

    async def reply(self, interaction: Interaction, kind: int, data: Json, files: list[Upload]) -> Message | None:
        """Carries out an already validated callback of type `kind`; returns the message that it made or changed."""
        if kind not in _ALLOWED_ANSWERS[interaction.kind] or (
            kind in (DEFERRED_UPDATE, UPDATE_MESSAGE) and interaction.message_id is None
        ):
            raise errors.ApiError(
                400,
                50035,
                "Invalid Form Body",
                {"type": {"_errors": [{"code": "BASE_TYPE_CHOICES", "message": "This answer does not fit here."}]}},
            )
        interaction.state, interaction.answer = "answered", kind
        outcome = Outcome("answered")
        message: Message | None = None
        if kind in (MESSAGE, DEFERRED_MESSAGE):
            message = await self._first_message(interaction, kind, data, files)
        elif kind in (DEFERRED_UPDATE, UPDATE_MESSAGE):
            interaction.original_id = interaction.message_id
            message = self._messages.find(interaction.message_id)
            if kind == UPDATE_MESSAGE and message is not None:
                await self._messages.edit(message, data, files, silent=message.edited_at is None)
        elif kind == CHOICES:
            outcome = Outcome("choices", data.get("choices") or [])
        elif kind == MODAL:
            interaction.modal = data
            outcome = Outcome("modal", {"interaction_id": interaction.id} | data)
        self._store.put("interaction", interaction.id, vars(interaction))
        waiting = self._waiting.get(interaction.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(outcome)
        return message

    async def follow_up(self, interaction: Interaction, body: Json, files: list[Upload]) -> Message:
        """A further message; the first one after "thinking ..." takes that one's place, and its privacy."""
        original = self._messages.find(interaction.original_id)
        if original is not None and original.flags & LOADING:
            await self.edit(interaction, original, body, files)
            return original
        flags = body.get("flags") or 0
        reference = {"message_reference": {"message_id": interaction.original_id}} if original is not None else {}
        return await self._messages.create(
            interaction.channel_id,
            cast.APPLICATION_ID,
            body | reference,
            files,
            flags=flags,
            visible_to=interaction.user_id if flags & EPHEMERAL else None,
            interaction=self.metadata(interaction) | {"original_response_message_id": interaction.original_id},
        )

    def message(self, interaction: Interaction, message_id: str) -> Message:
        """A message of this interaction by its id, or by `@original`; raises 10008."""
        wanted = interaction.original_id if message_id == "@original" else message_id
        message = self._messages.find(wanted)
        if message is None or message.author_id != cast.APPLICATION_ID:
            raise errors.unknown_message()
        if wanted != interaction.original_id and (message.interaction or {}).get("id") != interaction.id:
            raise errors.unknown_message()
        return message

    async def edit(self, interaction: Interaction, message: Message, body: Json, files: list[Upload]) -> None:
        """Edits a message of this interaction; "thinking ..." ends with the first edit, without an "(edited)" mark."""
        was_loading = bool(message.flags & LOADING)
        sent = (body.get("flags") or 0) & ~(EPHEMERAL | LOADING)
        message.flags = (message.flags | sent) & ~LOADING
        await self._messages.edit(message, body, files, silent=was_loading)

    async def _first_message(self, interaction: Interaction, kind: int, data: Json, files: list[Upload]) -> Message:
        flags = data.get("flags") or 0
        if kind == DEFERRED_MESSAGE:
            flags = flags & EPHEMERAL | LOADING
            data, files = {}, []
        message = await self._messages.create(
            interaction.channel_id,
            cast.APPLICATION_ID,
            data if interaction.kind == COMMAND else data | _answering(interaction),
            files,
            kind=self._message_type(interaction),
            flags=flags,
            visible_to=interaction.user_id if flags & EPHEMERAL else None,
            interaction=self.metadata(interaction),
        )
        interaction.original_id = message.id
        return message

    @staticmethod
    def _message_type(interaction: Interaction) -> int:
        if interaction.kind != COMMAND:
            return DEFAULT
        return CHAT_INPUT_COMMAND if interaction.data.get("type", _SLASH) == _SLASH else CONTEXT_MENU_COMMAND

    @staticmethod
    def metadata(interaction: Interaction) -> Json:
        """What a message keeps of the interaction that it answers."""
        metadata: Json = {"id": interaction.id, "type": interaction.kind, "user_id": interaction.user_id}
        metadata["owners"] = interaction.owners
        if interaction.kind == COMMAND:
            metadata["name"] = named(interaction)
        if interaction.triggered_by is not None:
            metadata["triggered_by"] = interaction.triggered_by
        elif interaction.message_id is not None:
            metadata["interacted_message_id"] = interaction.message_id
        return metadata

    def _forget_expired(self) -> None:
        """Drops interactions an hour old; until then an expired token is told apart from an unknown one."""
        limit = self._clock() - 4 * TOKEN_LIFETIME_S
        while self._by_token:
            oldest = next(iter(self._by_token.values()))  # in the order in which they came
            if oldest.created_at >= limit:
                return
            del self._by_token[oldest.token]
            self._store.remove("interaction", oldest.id)


def check_answer(kind: Any, data: Json) -> None:
    """Validates the callbacks that are no messages: choices and modals."""
    faults = Faults()
    if kind not in (PONG, MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE_MESSAGE, CHOICES, MODAL):
        faults.add(("type",), "BASE_TYPE_CHOICES", "Value must be one of (1, 4, 5, 6, 7, 8, 9).")
    if kind == MODAL:
        components.check_modal(faults, data)
        fields.check_components(faults, ("data", "components"), data.get("components"))
    if kind == CHOICES:
        choices = data.get("choices") or []
        faults.count(("data", "choices"), choices, 0, 25)
        for number, choice in enumerate(choices):
            faults.length(("data", "choices", number, "name"), choice.get("name"), 1, 100)
            if isinstance(choice.get("value"), str):
                faults.length(("data", "choices", number, "value"), choice["value"], 1, 100)
    faults.raise_if_any()


def _answering(interaction: Interaction) -> Json:
    """A new message in answer to a component shows as a reply to the component's message."""
    return {"message_reference": {"message_id": interaction.message_id}} if interaction.message_id else {}


def named(interaction: Interaction) -> str:
    """The command's name with its subcommand, or the component's id."""
    data = interaction.data
    parts = [str(data.get("name") or data.get("custom_id"))]
    options = data.get("options") or []
    while options and options[0]["type"] in (1, 2):
        parts.append(options[0]["name"])
        options = options[0].get("options") or []
    return " ".join(parts)
