"""Closes polls at their deadlines and announces what they came to.

The deadlines live in the database; here is only an alarm for the next one. The close is committed first and announced
after, so a bot that dies in between announces on its next start, and never closes twice.
"""

from __future__ import annotations

import asyncio

import aiohttp
import discord
import structlog

from bot.client import Woodshed
from bot.rules.blind_poll import Origin, tally
from bot.store import clips, polls
from bot.store.polls import Poll
from cogs.poll import results

log = structlog.get_logger(__name__)

RETRY_S = 60.0
"""Pause before an announcement that Discord did not take is tried again."""
LONGEST_SLEEP_S = 24 * 3600.0


class PollCloser:
    """One alarm, set to the next deadline."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot
        self._lock = asyncio.Lock()
        self._alarm: asyncio.TimerHandle | None = None
        self._running: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look now, behind the scenes, what is to be closed and announced, and set the alarm for what comes next."""
        task = asyncio.create_task(self._work(), name="close-due-polls")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def stop(self) -> None:
        self._set_alarm(None)
        for task in self._running:
            task.cancel()

    async def _work(self) -> None:
        async with self._lock:
            try:
                wake_at = await self._close_due()
            except Exception:
                log.exception("closing polls failed", retry_s=RETRY_S)
                wake_at = _now() + RETRY_S
            self._set_alarm(wake_at)

    async def _close_due(self) -> float | None:
        """Close what is overdue, announce what is not announced yet; returns when to look again."""
        store = self.bot.store
        await polls.close_overdue(store, _now())
        announced = [await self._announce(poll) for poll in await polls.unannounced(store)]
        deadline = await polls.next_deadline(store)
        if all(announced):
            return deadline
        retry_at = _now() + RETRY_S
        return retry_at if deadline is None else min(deadline, retry_at)

    def _set_alarm(self, at: float | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if at is not None:
            delay_s = min(max(0.0, at - _now()), LONGEST_SLEEP_S)
            self._alarm = asyncio.get_running_loop().call_later(delay_s, self.wake)

    async def _announce(self, poll: Poll) -> bool:
        """Post the result below the poll and remember that; False when it should be tried again."""
        try:
            result = await self._post_result(poll)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            if not isinstance(error, discord.HTTPException) or error.status >= 500:
                log.warning("result not taken, trying again", poll=poll.id, error=str(error), retry_s=RETRY_S)
                return False
            # the channel is gone, or closed to the bot
            log.warning("result cannot be told", poll=poll.id, channel=poll.channel_id, code=error.code)
            result = None
        await polls.set_announced(self.bot.store, poll.id, result, _now())
        try:
            await self._message(poll).edit(embed=results.closed_embed(poll), view=None)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.info("the poll's message stays as it was", poll=poll.id, error=str(error))
        return True

    async def _post_result(self, poll: Poll) -> int:
        """Post the result, with the model's clip after a human one where that can be uploaded; its message's id."""
        store = self.bot.store
        counted = tally(await polls.votes(store, poll.id))
        clip = await clips.get(store, poll.posted_clip)
        assert clip is not None
        counterpart = await clips.audio(store, poll.ai_clip) if poll.answer is Origin.HUMAN else None

        async def post(attached: bytes | None) -> int:
            message = await self._message(poll).channel.send(
                embed=results.result_embed(poll, counted, clip, attached is not None),
                files=[] if attached is None else [results.counterpart_file(poll, attached)],
                reference=self._message(poll).to_reference(fail_if_not_exists=False),
                # If the bot dies between this and its commit, Discord knows the second message as the first.
                nonce=f"poll-result-{poll.id}",
            )
            return message.id

        if counterpart is None:
            return await post(None)
        try:
            return await post(counterpart)
        except discord.HTTPException as error:
            if error.status >= 500 or error.status == 404:
                raise
            log.info("result goes without the model's clip", poll=poll.id, status=error.status, code=error.code)
            return await post(None)

    def _message(self, poll: Poll) -> discord.PartialMessage:
        assert poll.message_id is not None
        channel = self.bot.get_partial_messageable(poll.channel_id, guild_id=poll.guild_id)
        return channel.get_partial_message(poll.message_id)


def _now() -> float:
    return discord.utils.utcnow().timestamp()
