"""How a series comes to stand in its channel: the opening with plan and seal, a thread, the trials.

Everything was made and written down before. So whatever stops the posting, a kill, a full disk, Discord, it goes on
where it stopped: what may stand there already is looked for first.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import structlog

from bot.client import Woodshed
from bot.store.polls import ballots, series
from bot.store.polls.series import Series, Trial
from cogs.poll import wording
from cogs.poll.steps import Step, StepButton
from cogs.poll.voting import trial_buttons

log = structlog.get_logger(__name__)

COLOUR = discord.Colour.gold()
LOOKED_THROUGH = 100
"""Messages of a channel among which one's own is looked for."""
LATE_S = 60.0
"""After so long the posting is being taken up again: then what stands there has to be looked for."""
THREAD_EXISTS = 160004


class Poster:
    """Posts what isn't there yet. Calling it again does no harm."""

    def __init__(self, bot: Woodshed, show_question: Callable[[Series, Trial], Awaitable[dict[str, Any]]]) -> None:
        self.bot = bot
        self._show_question = show_question
        self._locks: dict[int, asyncio.Lock] = {}

    async def complete(self, number: int) -> Series:
        """Let a series stand: its opening and, over days, all its trials. Raises discord.HTTPException."""
        async with self._locks.setdefault(number, asyncio.Lock()):
            found = await series.get(self.bot.store, number)
            assert found is not None
            trials = await series.trials(self.bot.store, number)
            if found.opening_message_id is None:
                await self._open(found, trials)
            if found.kind == "listening" and found.pace == "days":
                await self._thread(number, len(trials))
                for trial in trials:
                    await self._show(number, trial, trials)
            refreshed = await series.get(self.bot.store, number)
        assert refreshed is not None
        return refreshed

    async def next_trial(self, number: int, place: int) -> Trial | None:
        """Live: let the trial at `place` (from 1) stand; None when it stands already or there is none.

        Raises discord.HTTPException."""
        async with self._locks.setdefault(number, asyncio.Lock()):
            trials = await series.trials(self.bot.store, number)
            trial = next((trial for trial in trials if trial.number == place), None)
            if trial is None or trial.message_id is not None:
                return None
            await self._show(number, trial, trials)
            return trial

    async def refresh(self, found: Series, trial: Trial, trials: list[Trial]) -> None:
        """Show how many have voted. What Discord doesn't take now comes with the next vote."""
        if trial.message_id is None:
            return
        voters = (await ballots.voters(self.bot.store, found.id)).get(trial.id, 0)
        embed = trial_embed(found, trial, len(trials), voters)
        if found.kind == "question":
            shown = await self._show_question(found, trial)
            embed = shown["embed"]
        try:
            await self._channel(found.trials_channel, found).get_partial_message(trial.message_id).edit(embed=embed)
        except discord.HTTPException as error:
            log.info("the number of voters stays as it was", trial=trial.id, code=error.code)

    async def _open(self, found: Series, trials: list[Trial]) -> None:
        store = self.bot.store
        channel = self._channel(found.channel_id, found)
        message: discord.Message | None = None
        if found.posting_at is not None:
            message = await self.find(channel, found.posting_at, lambda one: is_opening(one, found.id, trials))
        await series.set_posting(store, found.id, self.bot.now())
        if message is None:
            if found.kind == "question":
                message = await channel.send(**await self._show_question(found, trials[0]), nonce=f"series-{found.id}")
            else:
                view = discord.ui.View(timeout=None)
                if found.pace == "live":
                    view.add_item(StepButton(found.id, Step.NEXT, 1))
                embed = opening_embed(found, trials)
                message = await channel.send(embed=embed, view=view, nonce=f"series-{found.id}")
        await series.set_opened(store, found.id, message.id)
        if found.kind == "question":
            await series.set_shown(store, trials[0].id, message.id, self.bot.now())

    async def _thread(self, number: int, trials: int) -> None:
        """A thread for several trials, where the channel allows one; else they stand in the channel."""
        found = await series.get(self.bot.store, number)
        assert found is not None
        if trials < 2 or found.thread_id is not None or not _can_have_threads(self.bot, found):
            return
        assert found.opening_message_id is not None
        message = self._channel(found.channel_id, found).get_partial_message(found.opening_message_id)
        try:
            thread_id = (await message.create_thread(name=thread_name(found), auto_archive_duration=10080)).id
        except discord.HTTPException as error:
            if error.code != THREAD_EXISTS:
                log.info("no thread for a series", series=number, code=error.code)
                return
            thread_id = message.id
        await series.set_thread(self.bot.store, number, thread_id)

    async def _show(self, number: int, trial: Trial, trials: list[Trial]) -> None:
        if trial.message_id is not None:
            return
        store = self.bot.store
        found = await series.get(store, number)
        assert found is not None
        channel = self._channel(found.trials_channel, found)
        since = found.posting_at or found.prepared_at
        message = (
            await self.find(channel, since, lambda one: is_trial(one, trial.id))
            if self.bot.now() - since > LATE_S
            else None
        )
        if message is None:
            message = await channel.send(
                embed=trial_embed(found, trial, len(trials), 0),
                files=trial_files(trial, await series.sounds(store, trial)),
                view=trial_view(found, trial, len(trials)),
                nonce=f"trial-{trial.id}",
            )
        await series.set_shown(store, trial.id, message.id, self.bot.now())

    async def find(
        self, channel: discord.PartialMessageable, since: float, is_it: Callable[[discord.Message], bool]
    ) -> discord.Message | None:
        """One's own message, posted since `since` without our knowing; None also where the history can't be read."""
        after = datetime.fromtimestamp(since, UTC) - timedelta(minutes=5)
        assert self.bot.user is not None
        try:
            async for message in channel.history(limit=LOOKED_THROUGH, after=after, oldest_first=False):
                if message.author.id == self.bot.user.id and is_it(message):
                    return message
        except discord.Forbidden:
            log.warning("the channel's history can't be read", channel=channel.id)
        return None

    def _channel(self, channel_id: int, found: Series) -> discord.PartialMessageable:
        return self.bot.get_partial_messageable(channel_id, guild_id=found.guild_id)


def opening_embed(found: Series, trials: list[Trial]) -> discord.Embed:
    embed = discord.Embed(
        title=wording.series_title(found), description=wording.opening_text(found, trials), colour=COLOUR
    )
    if plan := wording.plan_text(found.plan):
        embed.add_field(name="The plan, fixed before the first vote", value=plan, inline=False)
    if found.seal:
        embed.add_field(name="Sealed", value=wording.seal_text(found), inline=False)
    embed.set_footer(text=opening_footer(found.id))
    return embed


def trial_embed(found: Series, trial: Trial, trials: int, voters: int) -> discord.Embed:
    """A trial while it is open. Nothing here depends on the answer."""
    embed = discord.Embed(
        title=wording.trial_title(found, trial, trials), description=wording.trial_text(trial), colour=COLOUR
    )
    embed.set_footer(text=wording.voters_text(voters))
    return embed


def trial_files(trial: Trial, sounds: list[bytes]) -> list[discord.File]:
    """The sounds under names that say nothing but the trial's number and the side."""
    names = ["A", "B"] if trial.design == "pair" else [""]
    return [
        discord.File(io.BytesIO(sound), filename=f"clip-{trial.id}{name}.ogg")
        for name, sound in zip(names, sounds, strict=True)
    ]


def trial_view(found: Series, trial: Trial, trials: int) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for item in trial_buttons(trial):
        view.add_item(item)
    if found.pace == "live":
        is_last = trial.number == trials
        view.add_item(StepButton(found.id, Step.REVEAL if is_last else Step.NEXT, trial.number + 1))
    return view


def opening_footer(number: int) -> str:
    return f"Series {number}"


def thread_name(found: Series) -> str:
    return wording.series_title(found)[:100]


def is_opening(message: discord.Message, number: int, trials: list[Trial]) -> bool:
    """By its footer; a question's by its buttons."""
    if any(embed.footer.text == opening_footer(number) for embed in message.embeds):
        return True
    return trials[0].design == "question" and is_trial(message, trials[0].id)


def is_trial(message: discord.Message, trial: int) -> bool:
    """By the ids of its buttons."""
    return any(
        str(getattr(item, "custom_id", "")).startswith((f"vote:{trial}:", f"pick:{trial}"))
        for row in message.components
        for item in getattr(row, "children", [])
    )


def _can_have_threads(bot: Woodshed, found: Series) -> bool:
    channel = bot.get_channel(found.channel_id)
    if not isinstance(channel, discord.TextChannel):
        return False
    permissions = channel.permissions_for(channel.guild.me)
    return permissions.create_public_threads and permissions.send_messages_in_threads
