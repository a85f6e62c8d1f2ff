"""How a series begins: drawn, rendered, written down, and only then posted."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bot.answering.access import guild_id_of
from bot.answering.jobs import Job, one_job
from bot.answering.posting import upload_limit_bytes
from bot.client import Interaction, Woodshed
from bot.errors import Refused, Undelivered
from bot.library.preparation import Preparation, collection
from bot.rules.blind_poll import SALT_BYTES, closing_time, draw_series, mixed_designs
from bot.rules.listening.judgements import trial_scores
from bot.rules.listening.planning import TYPICAL_CLASS, make_plan
from bot.store.polls import ballots, beginning, series
from bot.store.polls.beginning import NewSeries
from bot.store.polls.series import Pace, Series
from cogs.poll.posting import Poster

log = structlog.get_logger(__name__)

DISTURBED = "The poll is ready, but Discord isn't accepting it right now; I'll post it as soon as I can."
OTHER_CLIPS = "{count} of your clips were stored by an earlier version, without their score; please add them again."
BEING_PREPARED = "A poll for this channel is already being prepared; one at a time, please."
AGAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What staff ask for."""

    channel_id: int
    trials: int
    design: str
    """pair, single or mixed"""
    closes_in: int | None
    """minutes"""
    pace: Pace
    title: str
    matched: bool
    recordings: bool
    catches: bool


class Starter:
    """Starts series, and takes up again what a stopped bot had begun."""

    def __init__(self, bot: Woodshed, poster: Poster, wake_closer: Callable[[], None]) -> None:
        self.bot = bot
        self._poster = poster
        self._wake_closer = wake_closer
        self.preparing: dict[int, asyncio.Lock] = {}
        """by channel: two at once would render everything twice"""

    async def start(self, interaction: Interaction, wish: Wish, draw_seed: int) -> None:
        """Prepare a series completely, post it, and answer. Raises Refused."""
        lock = self.preparing.setdefault(wish.channel_id, asyncio.Lock())
        if lock.locked():
            raise Refused(BEING_PREPARED)
        async with lock:
            found = await series.of_request(self.bot.store, interaction.id)
            opened = await series.open_in_channel(self.bot.store, wish.channel_id)
            if opened is not None and found is None:
                raise Refused(f"{series.ONE_AT_A_TIME} {opened.link if opened.opening_message_id else ''}".strip())
            async with one_job(interaction, private=True) as job:
                remarks: list[str] = []
                if found is None:
                    found, remarks = await self._prepare(interaction, job, wish, draw_seed)
                said = await self.post(found)
                await job.finish(content="\n".join([said, *remarks, "I won't even tell you which is which."]))

    async def post(self, found: Series) -> str:
        """Post what was prepared; what to say to whoever asked for it. Raises Refused: then it is off."""
        if found.voided:
            raise Refused(ballots.CALLED_OFF)
        try:
            found = await self._poster.complete(found.id)
        except Undelivered as error:
            if error.may_have_arrived or not (error.final or error.worth_saying):
                log.warning("a series isn't posted yet", series=found.id, error=str(error))
                self._later()
                return DISTURBED
            await asyncio.shield(series.void(self.bot.store, found.id, self.bot.now()))
            raise Refused(f"{error} So the poll is off.") from error
        finally:
            self._wake_closer()
        when = "closes when you press “Reveal”" if found.closes_at is None else f"closes <t:{found.closes_at:.0f}:R>"
        return f"[Series {found.id}]({found.link}) is open and {when}."

    async def take_up_again(self) -> None:
        """Post what a stopped bot had prepared and not posted; call off what can't be posted any more."""
        for found in await series.half_posted(self.bot.store):
            try:
                await self._poster.complete(found.id)
            except (Undelivered, Refused) as error:
                passes = isinstance(error, Undelivered) and (
                    error.may_have_arrived or not (error.final or error.worth_saying)
                )
                if passes:
                    log.warning("a series isn't posted yet", series=found.id, error=str(error))
                    self._later()
                elif await ballots.has_any(self.bot.store, found.id):
                    log.warning("a series stands in part only", series=found.id, error=str(error))
                else:
                    await series.void(self.bot.store, found.id, self.bot.now())
                    log.warning("a series that can't be posted is called off", series=found.id, error=str(error))

    def _later(self) -> None:
        """Try again in a minute to post what isn't posted."""
        loop = asyncio.get_running_loop()
        loop.call_later(AGAIN_S, lambda: loop.create_task(self.take_up_again(), name="post-series"))

    async def _prepare(
        self, interaction: Interaction, job: Job, wish: Wish, draw_seed: int
    ) -> tuple[Series, list[str]]:
        """Draw, render both sides of every trial, and write it all down; returns the series and remarks."""
        store, engine, guild_id = self.bot.store, self.bot.engine, guild_id_of(interaction)
        found = await collection(engine, store, guild_id, recordings=wish.recordings)
        candidates = [source.candidate for source in found.sources.values()]
        designs = mixed_designs(wish.design, wish.trials)
        draws = draw_series(draw_seed, candidates, designs, catches=wish.catches and not wish.recordings)
        preparation = Preparation(
            engine=engine,
            store=store,
            guild_id=guild_id,
            job=job.ticket,
            max_bytes=upload_limit_bytes(interaction),
            matched=wish.matched,
            on_event=job.show,
        )
        prepared = await preparation.trials(draws, found)
        before = trial_scores(await ballots.judgements(store, guild_id))
        voters = await ballots.typical_voters(store, guild_id) or TYPICAL_CLASS
        plan = await asyncio.to_thread(make_plan, before, wish.trials, voters, random.Random(draw_seed))
        now, closes_in = self.bot.now(), wish.closes_in
        if closes_in is None and wish.pace == "days":
            closes_in = self.bot.settings.club.poll_minutes
        new = NewSeries(
            guild_id=guild_id,
            channel_id=wish.channel_id,
            started_by=interaction.user.id,
            closes_at=None if closes_in is None else closing_time(now, closes_in),
            title=wish.title,
            pace=wish.pace,
            draw_seed=draw_seed,
            recordings=wish.recordings,
            matched=wish.matched,
            plan=plan.as_json(),
            request=interaction.id,
        )
        recorded = await beginning.record(store, new, prepared, secrets.token_hex(SALT_BYTES), now)
        remarks = []
        if found.unplayable:
            remarks.append(OTHER_CLIPS.format(count=found.unplayable))
        if min(candidate.times_drawn for candidate in candidates) > 0:
            remarks.append("Every human clip has already been in a poll; use `/clips add` to add new ones.")
        return recorded, remarks
