"""Telling what a series came to: the reveal, results on request, exports, and a word to staff."""

from __future__ import annotations

import asyncio

import discord

from bot.answering.parcels import Parcel, Upload
from bot.answering.posts import post
from bot.charts import Chart
from bot.client import Woodshed
from bot.library import contest
from bot.rules.blind_poll import tally
from bot.rules.listening.judgements import clip_results, trial_scores
from bot.rules.listening.verdict import MARGIN, Verdict, verdict
from bot.store import clips
from bot.store.polls import ballots, series
from bot.store.polls.export import export_files
from bot.store.polls.series import Series
from cogs.poll import results
from cogs.poll.figures import Figures, with_chart
from cogs.poll.posting import Poster
from cogs.poll.question import question_result_embed

REMINDER = "This poll closes <t:{closes_at:.0f}:R>: {link}"


class Announcer:
    """Works from the store alone."""

    def __init__(self, bot: Woodshed, figures: Figures, poster: Poster) -> None:
        self.bot = bot
        self.figures = figures
        self._poster = poster
        self._lock = asyncio.Lock()

    async def announce(self, found: Series) -> int:
        """Tell the result below the opening message and close the trials' messages; returns the result's message.

        An attempt of before may have been taken without our knowing: it is looked for first. Raises Undelivered."""
        async with self._lock:
            latest = await series.get(self.bot.store, found.id)
            assert latest is not None
            if latest.result_message_id is not None:  # staff were faster
                return latest.result_message_id
            await series.set_announcing(self.bot.store, found.id, self.bot.now())
            message_id = await self._post(
                latest, f"result-{found.id}", since=latest.announcing_at, newer_than=latest.opening_message_id or 0
            )
        await self._close_messages(found)
        return message_id

    async def announce_again(self, found: Series, request: int) -> int:
        """Tell it once more, because staff ask for it by an interaction of the id `request`. Raises Undelivered."""
        async with self._lock:
            message_id = await self._post(found, f"again-{request}"[-25:], newer_than=request)
            await series.set_announced(self.bot.store, found.id, message_id, self.bot.now())
        await self._close_messages(found)
        return message_id

    async def result(self, found: Series) -> tuple[discord.Embed, list[Upload]]:
        """What a closed series came to."""
        if found.kind == "question":
            (trial,) = await series.trials(self.bot.store, found.id)
            names = await ballots.voters_by_choice(self.bot.store, trial.id) if trial.is_open else []
            return question_result_embed(found, trial, await ballots.of_trial(self.bot.store, trial.id), names), []
        rows = await self.trial_results(found)
        judgements = await ballots.judgements(self.bot.store, found.guild_id, series=found.id)
        drawn = await self.figures.of(judgements, Chart.TRIALS)
        missed = await ballots.missed_catches(self.bot.store, found.id)
        simulated = await ballots.of_simulated(self.bot.store, found.id)
        embed = results.reveal_embed(found, rows, drawn.summary, missed, simulated)
        if not found.recordings:
            results.verdict_field(embed, await self._all_before(found))
        return embed, with_chart(embed, drawn, f"series-{found.id}")

    async def statistics(self, guild_id: int) -> tuple[discord.Embed, list[Upload]]:
        """All closed series of a server."""
        drawn = await self.figures.of(await ballots.judgements(self.bot.store, guild_id), Chart.VERDICT)
        embed = results.stats_embed(drawn.summary)
        results.clips_field(embed, await self._closed_trials(guild_id))
        return embed, with_chart(embed, drawn, "verdict")

    async def seasons(self, guild_id: int) -> tuple[discord.Embed, list[Upload]]:
        """The versions of the model, in order, and the race of the two that play."""
        drawn = await self.figures.of(await ballots.judgements(self.bot.store, guild_id), Chart.SEASONS)
        # An engine that is still warming up isn't waited for: how the versions did is known without it.
        race = await contest.standing(await self.bot.catalogue.jazz.get(), self.bot.store)
        embed = results.seasons_embed(drawn.summary.versions, race)
        return embed, with_chart(embed, drawn, "seasons")

    async def heard(self, guild_id: int) -> discord.Embed:
        """Each clip of the closed series, and what listeners went by who weren't fooled."""
        judgements = await ballots.judgements(self.bot.store, guild_id)
        return results.clips_embed(clip_results(judgements), await self._closed_trials(guild_id))

    async def export(self, guild_id: int, number: int | None, *, same_names: bool) -> list[Upload]:
        """Votes, a small database, the dictionary, plans and verdicts."""
        judgements = await ballots.judgements(self.bot.store, guild_id, series=number)
        drawn = await self.figures.of(judgements, Chart.VERDICT)
        files = await export_files(self.bot.store, guild_id, number, drawn.summary, same_names=same_names)
        return [Upload(name, content) for name, content in files.items()]

    async def remind(self, found: Series) -> None:
        """Raises Undelivered."""
        assert found.closes_at is not None
        parcel = Parcel(REMINDER.format(closes_at=found.closes_at, link=found.link))
        nonce = f"reminder-{found.id}-{found.reminded}"
        await post(
            self.bot,
            found.trials_channel,
            parcel,
            guild_id=found.guild_id,
            nonce=nonce,
            since=self.bot.now(),
            patience=self.bot.patience,
        )

    async def tell_staff(self, found: Series, sentence: str) -> None:
        """In the channel that the settings name, and in the log."""
        self.bot.notices.report(f"series {found.id}", sentence, guild_id=found.guild_id)

    async def trial_results(self, found: Series) -> list[results.TrialResult]:
        store = self.bot.store
        rows = []
        for trial in await series.trials(store, found.id):
            assert trial.human_clip is not None
            assert trial.ai_clip is not None
            human, model = await clips.get(store, trial.human_clip), await clips.get(store, trial.ai_clip)
            assert human is not None
            assert model is not None
            counted = tally(await ballots.of_trial(store, trial.id), trial.answer)
            rows.append(results.TrialResult(trial, human, model, counted))
        return rows

    async def _closed_trials(self, guild_id: int) -> list[results.TrialResult]:
        rows = []
        for found in await series.of_guild(self.bot.store, guild_id, limit=100):
            if found.closed and not found.recordings:
                rows += await self.trial_results(found)
        return rows

    async def _all_before(self, found: Series) -> Verdict:
        """All that had closed when this series had: a result told again says what it said the first time."""
        judgements = await ballots.judgements(self.bot.store, found.guild_id)
        assert found.closed_at is not None
        before = [judgement for judgement in judgements if judgement.closed_at <= found.closed_at]
        return await asyncio.to_thread(verdict, trial_scores(before), found.plan.get("margin", MARGIN))

    async def _post(self, found: Series, nonce: str, *, newer_than: int, since: float | None = None) -> int:
        """`since` when an attempt may have been taken; messages' ids grow with time."""
        embed, uploads = await self.result(found)
        footer = results.result_footer(found.id)
        channel = self.bot.get_partial_messageable(found.channel_id, guild_id=found.guild_id)
        assert found.opening_message_id is not None
        opening = channel.get_partial_message(found.opening_message_id)
        return await post(
            self.bot,
            found.channel_id,
            Parcel(embeds=[embed], uploads=uploads),
            guild_id=found.guild_id,
            nonce=nonce,
            reference=opening.to_reference(fail_if_not_exists=False),
            may_be_there=since is not None,
            is_it=lambda message: message.id > newer_than and any(e.footer.text == footer for e in message.embeds),
            since=since or self.bot.now(),
            patience=self.bot.patience,
        )

    async def _close_messages(self, found: Series) -> None:
        """Say in each trial's message what it was."""
        changes: list[tuple[int, int, discord.Embed]] = []
        assert found.opening_message_id is not None
        if found.kind == "listening":
            changes.append((found.channel_id, found.opening_message_id, results.closed_opening_embed(found)))
            rows = await self.trial_results(found)
            changes += [
                (found.trials_channel, row.trial.message_id, results.closed_trial_embed(found, row, len(rows)))
                for row in rows
                if row.trial.message_id is not None
            ]
        else:
            (trial,) = await series.trials(self.bot.store, found.id)
            embed = discord.Embed(title=trial.question[:256], description="This vote has closed.")
            changes.append((found.channel_id, found.opening_message_id, embed))
        await self._poster.end(found, changes)
