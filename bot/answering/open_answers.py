"""Answers that are open are known to the store, and the next start of the bot ends those that were left behind."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import discord
import structlog

from bot.answering.delivery.courier import CONNECTION_ERRORS, ORIGINAL, outcome_of
from bot.answering.delivery.rules import Outcome, Patience
from bot.answering.first_answers import begun_before
from bot.answering.live_reply import CANCEL_LABEL, Diary, LiveReply
from bot.errors import Undelivered
from bot.rules.open_answers import Resolution, Sight, Stage, resolution
from bot.store import Store, open_answers
from bot.store.open_answers import OpenAnswer

log = structlog.get_logger(__name__)

INTERRUPTED = "I was restarted while I was working on this. Please ask me again."
MOST_PAYLOADS = 256
LOOKS = 5
"""Attempts to see what an answer shows before it's left for the next start."""
PAUSE_S = 2.0
STORED_WITHIN_S = 1.5
"""Discord gives 3 s for an acknowledgement. A store that needs longer (a backup holds the file) isn't waited for."""
AGAIN_WITHIN_S = 12 * 60.0
"""An answer older than this isn't begun again: its token would die under the work."""


class Payloads:
    """The latest interactions as Discord sent them: discord.py keeps no more than it parses."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, dict[str, Any]] = OrderedDict()

    def listen(self, parsers: dict[str, Callable[[Any], None]]) -> None:
        """Put an ear on discord.py's own parser of INTERACTION_CREATE."""
        parse = parsers["INTERACTION_CREATE"]

        def parse_and_keep(data: Any) -> None:
            self._kept[int(data["id"])] = data
            if len(self._kept) > MOST_PAYLOADS:
                self._kept.popitem(last=False)
            parse(data)

        parsers["INTERACTION_CREATE"] = parse_and_keep

    def take(self, interaction_id: int) -> dict[str, Any] | None:
        return self._kept.pop(interaction_id, None)


class StoreDiary(Diary):
    """Writes the stages of one answer into the store."""

    def __init__(self, store: Store, interaction_id: int) -> None:
        self._store = store
        self._interaction_id = interaction_id

    async def reach(self, stage: Stage, message_id: int | None) -> None:
        await open_answers.reach(self._store, self._interaction_id, stage, message_id)

    async def close(self) -> None:
        await open_answers.close(self._store, self._interaction_id)


class LateDiary(Diary):
    """Of an answer that the store is only just getting to know: whatever else is to be written waits for that."""

    def __init__(self, diary: Diary, adding: asyncio.Future[None]) -> None:
        self._diary = diary
        self._adding = adding

    async def reach(self, stage: Stage, message_id: int | None) -> None:
        await asyncio.shield(self._adding)
        await self._diary.reach(stage, message_id)

    async def close(self) -> None:
        await asyncio.shield(self._adding)
        await self._diary.close()


async def remember(
    store: Store, interaction: discord.Interaction[Any], payload: dict[str, Any] | None, *, private: bool, now: float
) -> Diary:
    """Have the store know of an answer before it's acknowledged, unless that takes too long; its diary from then on."""
    if payload is None:
        return Diary()
    adding = asyncio.ensure_future(
        open_answers.add(
            store, interaction.id, member_id=interaction.user.id, payload=payload, private=private, now=now
        )
    )
    diary = StoreDiary(store, interaction.id)
    await asyncio.wait([adding], timeout=STORED_WITHIN_S)
    if not adding.done():
        log.warning("the store is slow; an answer is acknowledged before it's written down", interaction=interaction.id)
        return LateDiary(diary, adding)
    adding.result()
    return diary


async def resolve(
    bot: discord.Client, store: Store, left_open: Sequence[OpenAnswer], now: float, patience: Patience
) -> None:
    """End every answer that an earlier process left open. Never raises: what can't be delivered is left for the next
    start, and what fails for a reason nobody foresaw is logged in full and given up, or it would fail at each start."""
    for answer in left_open:
        try:
            await _resolve_one(bot, store, answer, now, patience)
        except Undelivered as error:
            log.warning(
                "an interrupted answer couldn't be ended", interaction=answer.interaction_id, why=error.sentence
            )
        except Exception:
            log.exception("an interrupted answer couldn't be ended", interaction=answer.interaction_id)
            await _give_up(bot, store, answer)


async def _give_up(bot: discord.Client, store: Store, answer: OpenAnswer) -> None:
    """Never raises. The member still reads a sentence in the place of "thinking ...", sent in the plainest way."""
    try:
        hook = discord.Webhook.partial(int(answer.payload["application_id"]), answer.payload["token"], client=bot)
        if sight_of(await hook.fetch_message(ORIGINAL)) is Sight.UNFINISHED:
            await hook.edit_message(ORIGINAL, content=INTERRUPTED, embeds=[], attachments=[], view=None)
    except Exception as error:  # noqa: BLE001 -- of whatever kind: the others wait for their end, too
        log.warning("nor could its member be told", interaction=answer.interaction_id, error=repr(error))
    try:
        await open_answers.close(store, answer.interaction_id)
    except sqlite3.Error as error:
        log.warning("nor could it be forgotten", interaction=answer.interaction_id, error=str(error))


async def _resolve_one(bot: discord.Client, store: Store, answer: OpenAnswer, now: float, patience: Patience) -> None:
    state = bot._connection  # discord.py has no public way to make an interaction from its payload
    interaction: discord.Interaction[Any] = discord.Interaction(data=answer.payload, state=state)  # type: ignore[arg-type]
    sight = await _sight(interaction, answer)
    if sight is None:
        return
    token_lives = not interaction.is_expired() and now - answer.opened_at < AGAIN_WITHIN_S
    todo = resolution(answer.stage, sight, token_lives)
    if todo is Resolution.AGAIN and answer.payload["type"] == discord.InteractionType.modal_submit.value:
        todo = Resolution.SENTENCE  # its form lives in the memory of the process that opened it
    log.info("left open by an earlier process", interaction=answer.interaction_id, sight=sight.name, todo=todo.name)
    match todo:
        case Resolution.NOTHING:
            await open_answers.close(store, answer.interaction_id)
        case Resolution.AGAIN:
            begun_before(bot)[answer.interaction_id] = answer
            state.parsers["INTERACTION_CREATE"](answer.payload)
        case Resolution.SENTENCE:
            reply = LiveReply(
                interaction,
                0.0,
                ephemeral=answer.private,
                message_id=answer.message_id,
                patience=patience,
                diary=StoreDiary(store, answer.interaction_id),
            )
            await reply.put(INTERRUPTED, may_be_there=True)


async def _sight(interaction: discord.Interaction[Any], answer: OpenAnswer) -> Sight | None:
    """What the answer's message shows; None when Discord doesn't say."""
    for attempt in range(LOOKS):
        if attempt:
            await asyncio.sleep(PAUSE_S * attempt)
        try:
            if not interaction.is_expired():
                return sight_of(await interaction.followup.fetch_message(ORIGINAL))
            if answer.private or answer.message_id is None or interaction.channel_id is None:
                return Sight.UNKNOWN
            channel = interaction.client.get_partial_messageable(interaction.channel_id, guild_id=interaction.guild_id)
            return sight_of(await channel.fetch_message(answer.message_id))
        except (discord.HTTPException, *CONNECTION_ERRORS) as error:
            match outcome_of(error)[0]:
                case Outcome.GONE:
                    return Sight.DELETED
                case Outcome.EXPIRED | Outcome.FORBIDDEN | Outcome.REFUSED:
                    return Sight.UNKNOWN
    return None


def sight_of(message: discord.Message) -> Sight:
    """Whether a message still says "thinking ..." or shows progress, which comes with a button "Cancel"."""
    if message.flags.loading:
        return Sight.UNFINISHED
    items = [item for row in message.components for item in getattr(row, "children", [row])]
    labels = [getattr(item, "label", None) for item in items]
    return Sight.UNFINISHED if labels == [CANCEL_LABEL] else Sight.FINISHED
