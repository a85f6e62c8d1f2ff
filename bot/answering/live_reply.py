"""An answer that grows before the member's eyes: "thinking ...", progress, and at last the result or a sentence.

The interaction's token dies after 15 minutes. From then on the bot edits its message as any bot would, and what was
meant for the member alone goes to them as a direct message, or nowhere: private answers never become public.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import discord
import structlog

from bot.answering.discord_codes import EXPIRED, UNKNOWN_MESSAGE
from bot.answering.parcels import Upload
from engine.contract import engine_pb2 as pb

log = structlog.get_logger(__name__)

EXTRA = "live_reply"
"""Under this name an interaction knows its LiveReply, for the error handler."""

BAR_CELLS = 12

NOT_DONE = "That didn't work."
"""What a channel sees for the moment until a failure, told to the member alone, has taken the public answer away."""


class LiveReply:
    """One answer to one interaction. `begin` sends Discord's "thinking ..." and has to come within 3 s."""

    def __init__(
        self,
        interaction: discord.Interaction[Any],
        interval_s: float,
        progress_view: discord.ui.View | None = None,
        ephemeral: bool = False,
    ) -> None:
        self._interaction = interaction
        self._interval_s = interval_s
        self._progress_view = progress_view
        self._ephemeral = ephemeral
        self._message_id: int | None = None
        self._is_mentioned = False
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
    ) -> LiveReply:
        """Acknowledge the interaction. The answer to a button or a menu is a message of its own, too.

        `progress_view` stands under the progress until the result comes."""
        await interaction.response.defer(thinking=True, ephemeral=ephemeral)
        reply = cls(interaction, interval_s, progress_view, ephemeral)
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
        """Replace the progress by the result; returns the message's id, 0 where a private result came too late and the
        member takes no direct messages. Raises discord.HTTPException."""
        await self._settle()
        return await self._put(content=content, embeds=list(embeds), uploads=uploads, view=view)

    async def fail(self, sentence: str) -> None:
        """Take the progress away and tell the member alone. Raises discord.HTTPException."""
        await self._settle()
        interaction = self._interaction
        if not interaction.is_expired():
            try:
                shown = sentence if self._ephemeral else NOT_DONE
                await interaction.edit_original_response(content=shown, embeds=[], attachments=[], view=None)
                if not self._ephemeral:
                    # A follow-up to "thinking ..." would take its place, and be as public: hence the word before.
                    await interaction.followup.send(sentence, ephemeral=True)
                    await interaction.delete_original_response()
            except discord.HTTPException as error:
                if error.code not in EXPIRED | {UNKNOWN_MESSAGE}:
                    raise
            else:
                return
        if await self._put_privately(content=sentence, embeds=[], uploads=(), view=None):
            await self._remove_as_bot()
        elif not self._ephemeral:
            await self._put_as_bot(content=sentence, embeds=[], uploads=(), view=None)

    async def _show_latest(self) -> None:
        loop = asyncio.get_running_loop()
        while self._latest != self._shown and not self._is_settled:
            pause_s = self._shown_at + self._interval_s - loop.time()
            if pause_s > 0:
                await asyncio.sleep(pause_s)
            self._shown, self._is_editing = self._latest, True
            try:
                await self._put(content=self._shown, embeds=[], uploads=(), view=self._progress_view, final=False)
            except discord.HTTPException as error:  # the result will still be tried
                log.info("progress not shown", status=error.status, code=error.code)
            finally:
                self._is_editing = False
                self._shown_at = loop.time()

    async def _settle(self) -> None:
        """No more progress. An edit under way is let end, so that it cannot overwrite what comes next."""
        self._is_settled = True
        if self._showing is not None:
            if not self._is_editing:
                self._showing.cancel()
            await asyncio.gather(self._showing, return_exceptions=True)

    async def _put(
        self,
        *,
        content: str | None,
        embeds: list[discord.Embed],
        uploads: Sequence[Upload],
        view: discord.ui.View | None,
        final: bool = True,
    ) -> int:
        if not self._interaction.is_expired():
            try:
                message = await self._interaction.edit_original_response(
                    content=content, embeds=embeds, attachments=[upload.file() for upload in uploads], view=view
                )
            except discord.HTTPException as error:
                if error.code not in EXPIRED:
                    raise
            else:
                self._message_id = message.id
                return message.id
        if not self._ephemeral:
            return await self._put_as_bot(content=content, embeds=embeds, uploads=uploads, view=view)
        if not final:  # nobody wants progress as direct messages
            return 0
        return await self._put_privately(content=content, embeds=embeds, uploads=uploads, view=view)

    async def _put_privately(
        self,
        *,
        content: str | None,
        embeds: list[discord.Embed],
        uploads: Sequence[Upload],
        view: discord.ui.View | None,
    ) -> int:
        """A direct message; its id, or 0 where the member takes none."""
        interaction = self._interaction
        where = f"<#{interaction.channel_id}>" if interaction.guild_id is not None else "earlier"
        text = f"Your answer from {where}: {content or ''}".rstrip(": ")
        extra: dict[str, Any] = {} if view is None else {"view": view}
        files = [upload.file() for upload in uploads]
        try:
            return (await interaction.user.send(text, embeds=embeds, files=files, **extra)).id
        except discord.Forbidden as error:
            log.warning("a private answer came too late and couldn't be delivered", code=error.code)
            return 0

    async def _remove_as_bot(self) -> None:
        """Take the public progress away, if there is one left."""
        if self._message_id is None or self._ephemeral:
            return
        try:
            await self._channel().get_partial_message(self._message_id).delete()
        except discord.HTTPException as error:
            log.info("progress stays as it was", status=error.status, code=error.code)

    def _channel(self) -> discord.PartialMessageable:
        assert self._interaction.channel_id is not None
        return self._interaction.client.get_partial_messageable(
            self._interaction.channel_id, guild_id=self._interaction.guild_id
        )

    async def _put_as_bot(
        self,
        *,
        content: str | None,
        embeds: list[discord.Embed],
        uploads: Sequence[Upload],
        view: discord.ui.View | None,
    ) -> int:
        channel = self._channel()
        files = [upload.file() for upload in uploads]
        if self._message_id is None or self._is_mentioned:  # no answer that names whose it is
            content, self._is_mentioned = f"{self._interaction.user.mention} {content or ''}".strip(), True
        if self._message_id is not None:
            message = channel.get_partial_message(self._message_id)
            await message.edit(content=content, embeds=embeds, attachments=files, view=view)
            return self._message_id
        extra: dict[str, Any] = {} if view is None else {"view": view}
        self._message_id = (await channel.send(content, embeds=embeds, files=files, **extra)).id
        return self._message_id


def progress_text(event: Any) -> str:
    """`queued` and `progress` events of the contract in a member's words."""
    match event.WhichOneof("event"):
        case "queued":
            ahead = event.queued.position - 1
            return "You're next in the queue ..." if ahead <= 0 else f"In the queue, {ahead} ahead of you ..."
        case "progress":
            progress: pb.Progress = event.progress
            fraction = min(1.0, max(0.0, progress.fraction))
            filled = round(BAR_CELLS * fraction)
            stage = progress.stage[:1].upper() + progress.stage[1:]
            return f"{stage} ... {'▰' * filled}{'▱' * (BAR_CELLS - filled)} {fraction:.0%}"
    raise ValueError(f"not an event of a running job: {event!r}")
