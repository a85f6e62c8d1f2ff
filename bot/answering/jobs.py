"""One answer, and one job, from place to result: what every slow command, button and form does around its own work.

async with one_job(interaction) as job:       takes the member's place, shows "thinking ..."
    request.job.CopyFrom(job.ticket)          what the engine knows it by
    file = await job.fetch(attachment, limit) on disk until the job is over
    result = await bot.engine.see(request, job.show, files={"image": file})
    await job.finish(embeds=..., uploads=...)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import discord

from bot.answering.first_answers import begun_before
from bot.answering.job_buttons import cancel_view
from bot.answering.live_reply import LiveReply
from bot.answering.open_answers import remember
from bot.answering.parcels import Upload
from bot.attachments.fetching import Attachments
from bot.attachments.spool import WaitingFile
from bot.client import Interaction, Woodshed
from bot.engine.jobs import WAITING_EVENT, StreamEvent, is_work, new_job_id
from engine.contract import engine_pb2 as pb


class Job:
    """A member's job and the answer that grows with it."""

    def __init__(self, ticket: pb.Job, reply: LiveReply, attachments: Attachments) -> None:
        self.ticket = ticket
        self._reply = reply
        self._attachments = attachments
        self._files: list[WaitingFile] = []

    async def fetch(self, attachment: discord.Attachment, limit_bytes: int, what: str = "That file") -> WaitingFile:
        """A member's file, on disk until the job is over. Raises Refused, NotHandedOver, NoRoom."""
        self._files.append(await self._attachments.fetch(attachment, limit_bytes, what))
        return self._files[-1]

    async def hold(self, content: bytes) -> WaitingFile:
        """The same with what the store has kept. Raises NoRoom."""
        self._files.append(await self._attachments.hold(content))
        return self._files[-1]

    def pass_on(self, file: WaitingFile) -> None:
        """Somebody else removes this one: it outlives the job."""
        self._files.remove(file)

    def let_go(self) -> None:
        """Remove the files: the job is over."""
        while self._files:
            self._files.pop().remove()

    async def show(self, event: StreamEvent) -> None:
        """Show an event of the engine's stream under way."""
        if is_work(event):
            await self._reply.begun()
        await self._reply.show(event)

    async def finish(
        self,
        *,
        content: str | None = None,
        embeds: Sequence[discord.Embed] = (),
        uploads: Sequence[Upload] = (),
        view: discord.ui.View | None = None,
    ) -> int:
        """Put the result in the place of the progress; returns the message's id. Raises Undelivered."""
        return await self._reply.finish(content=content, embeds=embeds, uploads=uploads, view=view)


@asynccontextmanager
async def one_answer(
    interaction: Interaction,
    *,
    private: bool = False,
    progress_view: discord.ui.View | None = None,
    on_unwanted: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[LiveReply]:
    """An answer that may take longer than 3 s, from "thinking ..." to its end.

    The store knows of it before Discord does, so the next start of the bot ends it if this one can't. What the body
    raises goes on to the error handler, which ends the answer with a sentence."""
    bot = interaction.client
    payload = bot.payloads.take(interaction.id)
    diary = await remember(bot.store, interaction, payload, private=private, now=bot.now())
    more: dict[str, Any] = {} if on_unwanted is None else {"on_unwanted": on_unwanted}
    before = begun_before(bot).get(interaction.id)
    if before is not None:
        more["message_id"] = before.message_id
    try:
        reply = await LiveReply.begin(
            interaction,
            interval_s=bot.settings.discord.progress_interval_s,
            progress_view=progress_view,
            ephemeral=private,
            patience=bot.patience,
            diary=diary,
            **more,
        )
    except Exception:
        await diary.close()
        raise
    yield reply


async def say_that_it_warms_up(bot: Woodshed, answer: LiveReply) -> None:
    """Tell whoever waits for an engine that has just started, and only then; the answer comes in its place."""
    if not await bot.engine.is_serving():
        await answer.show(WAITING_EVENT)


@asynccontextmanager
async def one_job(interaction: Interaction, *, private: bool = False) -> AsyncIterator[Job]:
    """A place for a member's job, until its answer is posted. When somebody deletes the answer, the job is cancelled.

    Raises Refused when the member has as many jobs under way as the club allows."""
    bot = interaction.client
    with bot.jobs.place(interaction.user.id):
        ticket = pb.Job(job_id=new_job_id(), member_key=bot.member_key(interaction.user.id))

        async def stop() -> None:
            bot.engine.hang_up(ticket.job_id)

        with bot.jobs.on_server(ticket.job_id, interaction.guild_id):
            async with one_answer(
                interaction, private=private, progress_view=cancel_view(ticket.job_id), on_unwanted=stop
            ) as reply:
                job = Job(ticket, reply, bot.attachments)
                try:
                    yield job
                finally:
                    job.let_go()
