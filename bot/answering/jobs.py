"""One job from place to result: what every slow command, button and form does around its own work.

async with one_job(interaction) as job:       takes the member's place, shows "thinking ..."
    request.job.CopyFrom(job.ticket)          what the engine knows it by
    result = await bot.engine.play(request, job.show)
    await job.finish(embeds=..., uploads=...)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import discord

from bot.answering.job_buttons import cancel_view
from bot.answering.live_reply import LiveReply
from bot.answering.parcels import Upload
from bot.client import Interaction
from bot.engine.calls import StreamEvent, new_job_id
from engine.contract import engine_pb2 as pb


class Job:
    """A member's job and the answer that grows with it."""

    def __init__(self, ticket: pb.Job, reply: LiveReply) -> None:
        self.ticket = ticket
        self._reply = reply

    async def show(self, event: StreamEvent) -> None:
        """Show an event of the engine's stream under way."""
        await self._reply.show(event)

    async def finish(
        self,
        *,
        content: str | None = None,
        embeds: Sequence[discord.Embed] = (),
        uploads: Sequence[Upload] = (),
        view: discord.ui.View | None = None,
    ) -> int:
        """Put the result in the place of the progress; returns the message's id. Raises discord.HTTPException."""
        return await self._reply.finish(content=content, embeds=embeds, uploads=uploads, view=view)


@asynccontextmanager
async def one_job(interaction: Interaction, *, private: bool = False) -> AsyncIterator[Job]:
    """A place for a member's job, until its answer is posted.

    Raises Refused when the member has as many jobs under way as the club allows. What the body raises goes on to the
    error handler, which ends the answer with a sentence."""
    bot = interaction.client
    with bot.jobs.place(interaction.user.id):
        ticket = pb.Job(job_id=new_job_id(), member_key=bot.member_key(interaction.user.id))
        reply = await LiveReply.begin(
            interaction,
            interval_s=bot.settings.discord.progress_interval_s,
            progress_view=cancel_view(ticket.job_id),
            ephemeral=private,
        )
        yield Job(ticket, reply)
