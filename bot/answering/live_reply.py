"""An answer that grows before the member's eyes: "thinking ...", progress, and at last the result or a sentence.

The interaction's token dies after 15 minutes. From then on the bot edits its message as any bot would, and what was
meant for the member alone goes to them as a direct message, or nowhere: private answers never become public.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import discord
import structlog

from bot.answering.delivery.courier import (
    CONNECTION_ERRORS,
    ORIGINAL,
    ChannelCarrier,
    carry_out,
    unarchive,
    undelivered,
)
from bot.answering.delivery.rules import PATIENT, PRIVATE, PUBLIC, Apology, Cargo, Delivery, Patience, Route, Verdict
from bot.answering.discord_codes import EXPIRED, UNKNOWN_MESSAGE
from bot.answering.first_answers import begin, settled
from bot.answering.parcels import Parcel, Upload, shows
from bot.answering.text import roughly
from bot.rules.open_answers import Stage
from engine.contract import engine_pb2 as pb

log = structlog.get_logger(__name__)

EXTRA = "live_reply"
"""Under this name an interaction knows its LiveReply, for the error handler."""

BAR_CELLS = 12
CANCEL_LABEL = "Cancel"
"""Of the one button under progress."""

NOT_DONE = "That didn't work."
"""What a channel sees until a failure, told to the member alone, has taken the public answer away."""


class Diary:
    """Where the stages of an answer are written down. This one remembers nothing; the store's is in open_answers.py."""

    async def reach(self, stage: Stage, message_id: int | None) -> None: ...

    async def close(self) -> None: ...


async def _let_it_run() -> None:
    """What is done for an answer that somebody deleted, where there's nothing to stop."""


class LiveReply:
    """One answer to one interaction. `begin` sends Discord's "thinking ..." and has to come within 3 s."""

    def __init__(
        self,
        interaction: discord.Interaction[Any],
        interval_s: float,
        progress_view: discord.ui.View | None = None,
        ephemeral: bool = False,
        *,
        message_id: int | None = None,
        patience: Patience = PATIENT,
        diary: Diary | None = None,
        on_unwanted: Callable[[], Awaitable[None]] = _let_it_run,
    ) -> None:
        self._interaction = interaction
        self._interval_s = interval_s
        self._progress_view = progress_view
        self._ephemeral = ephemeral
        self._message_id = message_id
        self._patience = patience
        self._diary = diary or Diary()
        self._on_unwanted = on_unwanted
        self._is_unwanted = False
        self._has_begun = False
        self._has_ended = False
        self._latest = self._shown = ""
        # What is done within one interval never shows progress: that spares Discord an edit and the member a flicker.
        self._shown_at = asyncio.get_running_loop().time()
        self._showing: asyncio.Task[None] | None = None
        self._is_editing = False
        self._is_settled = False

    @classmethod
    async def begin(
        cls,
        interaction: discord.Interaction[Any],
        *,
        interval_s: float = 1.5,
        progress_view: discord.ui.View | None = None,
        ephemeral: bool = False,
        **more: Any,
    ) -> LiveReply:
        """Acknowledge the interaction. The answer to a button or a menu is a message of its own, too.

        `progress_view` stands under the progress until the result comes."""
        message_id = await begin(interaction, private=ephemeral)
        reply = cls(interaction, interval_s, progress_view, ephemeral, **({"message_id": message_id} | more))
        interaction.extras[EXTRA] = reply
        return reply

    async def show(self, event: Any) -> None:
        """Show a `queued` or `progress` event of the engine as soon as an interval has passed since the last edit; of
        several in one interval, the last. Never waits for Discord: the engine's stream must flow on."""
        self._latest = progress_text(event)
        if self._showing is None or self._showing.done():
            self._showing = asyncio.create_task(self._show_latest())

    async def finish(
        self,
        *,
        content: str | None = None,
        embeds: Sequence[discord.Embed] = (),
        uploads: Sequence[Upload] = (),
        view: discord.ui.View | None = None,
    ) -> int:
        """Put the result in the place of the progress, however long Discord takes to accept it; returns its message's
        id, 0 for a private one that isn't known. Raises Undelivered."""
        await self._deliver(Parcel(content, tuple(embeds), tuple(uploads), view))
        return self._message_id or 0

    async def fail(self, sentence: str) -> None:
        """Take the progress away and tell the member alone. Raises Undelivered."""
        if self._has_ended:
            return
        if self._is_unwanted:
            await self._settle()
            await self._diary.close()
            return
        if self._ephemeral:
            await self._deliver(Parcel(sentence))
            return
        self._has_ended = True
        await self._settle()
        await self._diary.reach(Stage.DELIVERING, self._message_id)
        carrier = AnswerCarrier(self._interaction, Parcel(sentence), self._ephemeral, self._message_id)
        now = asyncio.get_running_loop().time()
        await self._end(*await carry_out(Apology(now, random.Random(), self._patience), carrier))

    async def put(self, sentence: str, *, may_be_there: bool = False) -> None:
        """Put a sentence in the place of the progress, for everybody who sees it. Raises Undelivered."""
        await self._deliver(Parcel(sentence), may_be_there=may_be_there)

    async def begun(self) -> None:
        """Work has begun: the next start of the bot won't do it again."""
        if not self._has_begun:
            self._has_begun = True
            await self._diary.reach(Stage.STARTED, self._message_id)

    async def _deliver(self, parcel: Parcel, *, may_be_there: bool = False) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        await self._settle()
        await self._diary.reach(Stage.DELIVERING, self._message_id)
        carrier = AnswerCarrier(self._interaction, parcel, self._ephemeral, self._message_id)
        delivery = Delivery(
            PRIVATE if self._ephemeral else PUBLIC,
            asyncio.get_running_loop().time(),
            random.Random(),
            patience=self._patience,
            may_be_there=may_be_there,
        )
        verdict, error = await carry_out(delivery, carrier)
        self._message_id = carrier.message_id
        await self._end(verdict, error)

    async def _end(self, verdict: Verdict, error: Exception | None) -> None:
        if verdict in (Verdict.FORBIDDEN, Verdict.ARCHIVED, Verdict.REFUSED):
            self._has_ended = False  # a sentence may still say so
        elif verdict is not Verdict.UNREACHABLE:  # that one is left to the next start
            await self._diary.close()
        if verdict is Verdict.UNWANTED:
            log.info("somebody deleted the answer")
        elif verdict is not Verdict.DELIVERED:
            raise undelivered(verdict, error) from error

    async def _show_latest(self) -> None:
        loop = asyncio.get_running_loop()
        while self._latest != self._shown and not self._is_settled:
            pause_s = self._shown_at + self._interval_s - loop.time()
            if pause_s > 0:
                await asyncio.sleep(pause_s)
            self._shown, self._is_editing = self._latest, True
            try:
                await self._put_progress(self._shown)
            except (discord.HTTPException, *CONNECTION_ERRORS) as error:  # the result will still be tried
                log.info("progress not shown", error=repr(error))
                if isinstance(error, discord.HTTPException) and error.code == UNKNOWN_MESSAGE:
                    self._is_unwanted = self._is_settled = True
                    await self._on_unwanted()
            finally:
                self._is_editing = False
                self._shown_at = loop.time()

    async def _put_progress(self, text: str) -> None:
        """One attempt: the next progress comes soon enough."""
        parcel = Parcel(text, view=self._progress_view)
        if not self._interaction.is_expired():
            try:
                message = await self._interaction.edit_original_response(
                    content=text, embeds=[], attachments=[], view=self._progress_view
                )
            except discord.HTTPException as error:
                if error.code not in EXPIRED:
                    raise
            else:
                self._message_id = message.id
                return
        if not self._ephemeral and self._message_id is not None:  # nobody wants progress as direct messages
            await AnswerCarrier(self._interaction, parcel, False, self._message_id).send(Route.BOT_EDIT, Cargo.PARCEL)

    async def _settle(self) -> None:
        """No more progress. An edit under way is let end, so that it can't overwrite what comes next."""
        self._is_settled = True
        if self._showing is not None:
            if not self._is_editing:
                self._showing.cancel()
            await asyncio.gather(self._showing, return_exceptions=True)


class AnswerCarrier:
    """Takes the steps that bring a parcel to whoever started an interaction."""

    def __init__(
        self, interaction: discord.Interaction[Any], parcel: Parcel, private: bool, message_id: int | None
    ) -> None:
        self._interaction = interaction
        self._parcel = parcel
        self._private = private
        self.message_id = message_id

    async def send(self, route: Route, cargo: Cargo) -> bool:
        parcel = self._cargo(cargo)
        interaction = self._interaction
        match route:
            case Route.EDIT | Route.FOLLOW_UP if interaction.is_expired():
                return False
            case Route.EDIT:
                message = await interaction.edit_original_response(
                    content=parcel.content, embeds=list(parcel.embeds), attachments=parcel.files(), view=parcel.view
                )
                self.message_id = message.id
            case Route.FOLLOW_UP:
                extra: dict[str, Any] = {} if parcel.view is None else {"view": settled(parcel.view)}
                await interaction.followup.send(
                    parcel.content or "", embeds=list(parcel.embeds), files=parcel.files(), ephemeral=True, **extra
                )
            case Route.BOT_EDIT:
                return not self._private and await self._channel_carrier(parcel).send(route, cargo)
            case Route.POST:
                await self._post(parcel)
            case Route.DIRECT:
                await self._direct(parcel)
        return True

    async def look(self, route: Route, cargo: Cargo) -> bool | None:
        parcel = self._cargo(cargo)
        interaction = self._interaction
        match route:
            case Route.EDIT:
                if interaction.is_expired():
                    return None
                return shows(await interaction.followup.fetch_message(ORIGINAL), parcel)
            case Route.BOT_EDIT:
                return None if self._private else await self._channel_carrier(parcel).look(route, cargo)
            case Route.POST:
                posted = self._channel_carrier(self._addressed(parcel))
                is_there = await posted.look(route, cargo)
                if is_there:
                    await self._stand_in(posted.message_id)
                return is_there
            case Route.DIRECT:
                channel = await interaction.user.create_dm()
                return await self._direct_carrier(channel.id, parcel).look(Route.POST, cargo)
        return None

    async def unarchive(self) -> None:
        assert self._interaction.channel_id is not None
        await unarchive(self._interaction.client, self._interaction.channel_id)

    async def remove(self) -> None:
        """Take the public answer away."""
        try:
            await self._interaction.delete_original_response()
        except discord.HTTPException:
            await self._channel_carrier(self._parcel).remove()

    def _cargo(self, cargo: Cargo) -> Parcel:
        return Parcel(NOT_DONE) if cargo is Cargo.COVER else self._parcel

    async def _post(self, parcel: Parcel) -> None:
        """In a message of the bot's own, which has to name whose it is; what's left of the answer goes."""
        posting = self._channel_carrier(self._addressed(parcel))
        await posting.send(Route.POST, Cargo.PARCEL)
        await self._stand_in(posting.message_id)

    async def _stand_in(self, message_id: int | None) -> None:
        """Another message holds the answer now: what still says "thinking ..." goes."""
        old, self.message_id = self.message_id, message_id
        if old is not None and old != message_id:
            try:
                await self._channel_carrier(self._parcel, old).remove()
            except (discord.HTTPException, *CONNECTION_ERRORS) as error:
                log.info("progress stays as it was", error=repr(error))

    async def _direct(self, parcel: Parcel) -> None:
        """What's left of the private answer goes; a public one is taken away by whoever covered it."""
        channel = await self._interaction.user.create_dm()
        await self._direct_carrier(channel.id, parcel).send(Route.POST, Cargo.PARCEL)
        if self._private and not self._interaction.is_expired():
            try:
                await self._interaction.delete_original_response()
            except (discord.HTTPException, *CONNECTION_ERRORS) as error:
                log.info("progress stays as it was", error=repr(error))

    def _addressed(self, parcel: Parcel) -> Parcel:
        return replace(parcel, content=f"{self._interaction.user.mention} {parcel.content or ''}".strip())

    def _direct_carrier(self, channel_id: int, parcel: Parcel) -> ChannelCarrier:
        interaction = self._interaction
        where = f"<#{interaction.channel_id}>" if interaction.guild_id is not None else "earlier"
        text = f"Your answer from {where}: {parcel.content or ''}".rstrip(": ")
        nonce = f"direct-{interaction.id}"[-25:]
        return ChannelCarrier(interaction.client, channel_id, replace(parcel, content=text), guild_id=None, nonce=nonce)

    def _channel_carrier(self, parcel: Parcel, message_id: int | None = None) -> ChannelCarrier:
        interaction = self._interaction
        assert interaction.channel_id is not None
        return ChannelCarrier(
            interaction.client,
            interaction.channel_id,
            parcel,
            guild_id=interaction.guild_id,
            nonce=f"answer-{interaction.id}"[-25:],
            message_id=message_id or self.message_id,
        )


def progress_text(event: Any) -> str:
    """`queued` and `progress` events of the contract in a member's words."""
    match event.WhichOneof("event"):
        case "queued":
            ahead = event.queued.position - 1
            eta = f", about {roughly(event.queued.eta_s)}" if event.queued.eta_s else ""
            return (
                f"You're next in the queue{eta} ..." if ahead <= 0 else f"In the queue, {ahead} ahead of you{eta} ..."
            )
        case "progress":
            progress: pb.Progress = event.progress
            fraction = min(1.0, max(0.0, progress.fraction))
            filled = round(BAR_CELLS * fraction)
            stage = progress.stage[:1].upper() + progress.stage[1:]
            return f"{stage} ... {'▰' * filled}{'▱' * (BAR_CELLS - filled)} {fraction:.0%}"
    raise ValueError(f"not an event of a running job: {event!r}")
