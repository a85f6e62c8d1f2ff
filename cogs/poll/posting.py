"""How a series comes to stand in its channel: the opening with plan and seal, a thread, the trials.

Everything was made and written down before. So whatever stops the posting, a kill, a full disk, Discord, it goes on
where it stopped: what may stand there already is looked for first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import discord
import structlog

from bot.answering.delivery.courier import CONNECTION_ERRORS
from bot.answering.parcels import Parcel, Upload
from bot.answering.posts import edit, post
from bot.client import Woodshed
from bot.errors import Undelivered
from bot.store.polls import ballots, series
from bot.store.polls.series import Series, Trial
from cogs.poll import wording
from cogs.poll.question import question_parcel
from cogs.poll.steps import Step, StepButton
from cogs.poll.voting import trial_buttons

log = structlog.get_logger(__name__)

COLOUR = discord.Colour.gold()
LATE_S = 60.0
"""After so long the posting is being taken up again: then what stands there has to be looked for."""
EDIT_PATIENCE_S = 20.0
"""For a message that stands already and only says more than it did."""
THREAD_EXISTS = 160004


@dataclass(frozen=True, slots=True)
class NextTrial:
    """What a step of a live series came to. `trial`: the one that stands now, None where none is left; `is_new`: it
    didn't stand before; `skipped`: the places passed over, because their clips were removed."""

    trial: Trial | None
    is_new: bool
    skipped: Sequence[int]


class Poster:
    """Posts what isn't there yet. Calling it again does no harm."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot
        self._locks: dict[int, asyncio.Lock] = {}

    async def complete(self, number: int) -> Series:
        """Let a series stand: its opening and, over days, all its trials. Raises Undelivered."""
        async with self._lock(number):
            found = await series.get(self.bot.store, number)
            assert found is not None
            trials = await series.trials(self.bot.store, number)
            if found.opening_message_id is None:
                await self._open(found, trials)
            if found.kind == "listening" and found.pace == "days":
                await self._thread(number, len(trials))
                for trial in trials:
                    if trial.is_withdrawn and trial.message_id is None:
                        self.bot.notices.report(
                            f"trial {trial.id}", wording.skipped_for_staff(found, trial), guild_id=found.guild_id
                        )
                    else:
                        await self._show(number, trial, trials)
            refreshed = await series.get(self.bot.store, number)
        assert refreshed is not None
        return refreshed

    async def next_trial(self, number: int, place: int) -> NextTrial:
        """Live: let the trial at `place` (from 1) stand, or the first one after it whose sound is still there.

        Raises Undelivered."""
        async with self._lock(number):
            trials = await series.trials(self.bot.store, number)
            left = [trial for trial in trials if trial.number >= place]
            playable = [trial for trial in left if not trial.is_withdrawn]
            trial = playable[0] if playable else None
            skipped = [other.number for other in left if trial is None or other.number < trial.number]
            if trial is None or trial.message_id is not None:
                return NextTrial(trial, False, skipped)
            await self._show(number, trial, trials)
            return NextTrial(trial, True, skipped)

    async def show_reveal(self, number: int) -> None:
        """Live: all that can be played has been, for the last clips were removed; the latest trial's message gets the
        button that reveals."""
        shown = [trial for trial in await series.trials(self.bot.store, number) if trial.message_id is not None]
        if shown:
            await self.refresh(number, shown[-1].id)

    async def refresh(self, number: int, trial_id: int) -> None:
        """Show how many have voted on an open trial. What Discord doesn't take now comes with the next vote."""
        async with self._lock(number):
            found = await series.get(self.bot.store, number)
            trials = await series.trials(self.bot.store, number)
            trial = next((trial for trial in trials if trial.id == trial_id), None)
            if found is None or found.closed or trial is None or trial.message_id is None:
                return
            voters = (await ballots.voters(self.bot.store, number)).get(trial_id, 0)
            if found.kind == "question":
                parcel = question_parcel(found, trial, voters)
            else:
                parcel = Parcel(
                    embeds=[trial_embed(found, trial, len(trials), voters)], view=trial_view(found, trial, trials)
                )
            await self._change(found, found.trials_channel, trial.message_id, parcel)

    async def end(self, found: Series, embeds: Sequence[tuple[int, int, discord.Embed]]) -> None:
        """Take the buttons away from messages, given by channel and id, and say something else in them; their files
        stay. What Discord doesn't take stays as it is: the buttons answer that the series has closed."""
        async with self._lock(found.id):  # a number of voters on its way would bring the buttons back
            for channel_id, message_id, embed in embeds:
                await self._change(found, channel_id, message_id, Parcel(embeds=[embed]))

    async def _change(self, found: Series, channel_id: int, message_id: int, parcel: Parcel) -> None:
        patience = replace(self.bot.patience, total_s=min(EDIT_PATIENCE_S, self.bot.patience.total_s))
        try:
            kept = replace(parcel, keeps_files=True)
            await edit(self.bot, channel_id, message_id, kept, guild_id=found.guild_id, patience=patience)
        except Undelivered as error:
            log.info("a message stays as it was", message=message_id, error=str(error))

    async def _open(self, found: Series, trials: list[Trial]) -> None:
        store = self.bot.store
        is_question = found.kind == "question"
        await series.set_posting(store, found.id, self.bot.now())
        message_id = await post(
            self.bot,
            found.channel_id,
            question_parcel(found, trials[0], 0) if is_question else opening_parcel(found, trials),
            guild_id=found.guild_id,
            nonce=f"series-{found.id}",
            may_be_there=found.posting_at is not None,
            is_it=lambda message: is_opening(message, found.id, trials),
            since=found.posting_at or self.bot.now(),
            patience=self.bot.patience,
        )
        await series.set_opened(store, found.id, message_id)
        if is_question:
            await series.set_shown(store, trials[0].id, message_id, self.bot.now())

    async def _thread(self, number: int, trials: int) -> None:
        """A thread for several trials, where the channel allows one; else they stand in the channel."""
        found = await series.get(self.bot.store, number)
        assert found is not None
        if trials < 2 or found.thread_id is not None or not _can_have_threads(self.bot, found):
            return
        assert found.opening_message_id is not None
        channel = self.bot.get_partial_messageable(found.channel_id, guild_id=found.guild_id)
        message = channel.get_partial_message(found.opening_message_id)
        try:
            thread_id = (await message.create_thread(name=thread_name(found), auto_archive_duration=10080)).id
        except (discord.HTTPException, *CONNECTION_ERRORS) as error:
            if not isinstance(error, discord.HTTPException) or error.status >= 429:
                # Nobody knows; when it's asked for again, Discord says whether it exists.
                raise Undelivered(
                    "Discord wouldn't open the thread.", final=False, may_have_arrived=True, worth_saying=False
                ) from error
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
        since = found.posting_at or found.prepared_at
        parcel = Parcel(
            embeds=[trial_embed(found, trial, len(trials), 0)],
            uploads=trial_uploads(trial, await series.sounds(store, trial)),
            view=trial_view(found, trial, trials),
        )
        message_id = await post(
            self.bot,
            found.trials_channel,
            parcel,
            guild_id=found.guild_id,
            nonce=f"trial-{trial.id}",
            may_be_there=self.bot.now() - since > LATE_S,
            is_it=lambda message: is_trial(message, trial.id),
            since=since,
            patience=self.bot.patience,
        )
        await series.set_shown(store, trial.id, message_id, self.bot.now())

    def _lock(self, number: int) -> asyncio.Lock:
        return self._locks.setdefault(number, asyncio.Lock())


def opening_parcel(found: Series, trials: list[Trial]) -> Parcel:
    view = None
    if found.pace == "live":
        view = discord.ui.View(timeout=None)
        view.add_item(StepButton(found.id, Step.NEXT, 1))
    return Parcel(embeds=[opening_embed(found, trials)], view=view)


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
    text = series.WITHDRAWN if trial.is_withdrawn else wording.trial_text(trial)
    embed = discord.Embed(title=wording.trial_title(found, trial, trials), description=text, colour=COLOUR)
    embed.set_footer(text=wording.voters_text(voters))
    return embed


def trial_uploads(trial: Trial, sounds: list[bytes]) -> list[Upload]:
    """The sounds under names that say nothing but the trial's number and the side."""
    names = ["A", "B"] if trial.design == "pair" else [""]
    return [Upload(f"clip-{trial.id}{name}.ogg", sound) for name, sound in zip(names, sounds, strict=True)]


def trial_view(found: Series, trial: Trial, trials: Sequence[Trial]) -> discord.ui.View:
    """Live, the last one that can be played has the button that reveals."""
    view = discord.ui.View(timeout=None)
    for item in trial_buttons(trial):
        view.add_item(item)
    if found.pace == "live":
        is_last = all(other.is_withdrawn for other in trials if other.number > trial.number)
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
