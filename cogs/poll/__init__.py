"""/poll: series of blind trials, human or AI, sealed before the first vote and honest about what they show."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Literal

import discord
import structlog
from discord import app_commands
from discord.ext import commands

from bot.answering.access import guild_id_of, require_own_message, require_staff, take_turn
from bot.answering.first_answers import say
from bot.answering.jobs import one_answer
from bot.answering.posting import require_may_post
from bot.client import Interaction, Woodshed
from bot.errors import MissingPermission, Refused
from bot.rules.blind_poll import MAX_MINUTES, MIN_MINUTES, MOST_TRIALS, seal, sealed_text
from bot.rules.listening.judgements import share_of
from bot.rules.listening.summary import best_ears
from bot.rules.quotas import Quota
from bot.store.polls import ballots, listeners, series
from bot.store.polls.ballots import Stored
from bot.store.polls.listeners import Listener
from bot.store.polls.series import Series
from cogs.poll import results, wording
from cogs.poll.announcing import Announcer
from cogs.poll.board import EarsButton
from cogs.poll.closer import Closer
from cogs.poll.counter import VoterCounter
from cogs.poll.figures import Figures
from cogs.poll.posting import Poster
from cogs.poll.question import PickButton, PickMenu
from cogs.poll.starting import Starter, Wish
from cogs.poll.steps import StepButton
from cogs.poll.voting import ConfidenceMenu, KnowsButton, ReasonMenu, VoteButton
from engine.contract.limits import LARGEST_SEED

log = structlog.get_logger(__name__)

BUTTONS = (VoteButton, KnowsButton, ConfidenceMenu, ReasonMenu, StepButton, PickButton, PickMenu, EarsButton)
FIGURES = (9, 60.0)
"""How often in how many seconds a member may ask for figures, which take a while to compute."""
EXPORTS = (4, 60.0)


@app_commands.guild_only()
class Polls(commands.GroupCog, group_name="poll", group_description="Human or AI? Blind listening polls"):
    """Whoever starts a series learns as little about its clips as everybody else."""

    def __init__(self, bot: Woodshed, draw_seed: Callable[[], int] = lambda: secrets.randbelow(LARGEST_SEED)) -> None:
        self.bot = bot
        self.draw_seed = draw_seed
        self.poster = Poster(bot)
        self.announcer = Announcer(bot, Figures(), self.poster)
        self.closer = Closer(bot, self.announcer.announce, self.announcer.remind, self.announcer.tell_staff)
        self.starter = Starter(bot, self.poster, self.closer.wake)
        self.counter = VoterCounter(bot, self.poster)
        self.figures_quota = Quota(*FIGURES)
        self.export_quota = Quota(*EXPORTS)

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*BUTTONS)
        self.bot.services.series = self

    async def cog_unload(self) -> None:
        self.bot.remove_dynamic_items(*BUTTONS)
        self.closer.stop()
        self.counter.stop()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        await self.starter.take_up_again()
        self.closer.wake()

    @commands.Cog.listener()
    async def on_resumed(self) -> None:
        self.closer.wake()

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        ended = await series.leave(self.bot.store, guild.id, self.bot.now())
        log.warning("thrown out of a server", guild=guild.id, series_ended=ended)

    @commands.Cog.listener()
    async def on_ballot(self, stored: Stored) -> None:
        if stored.before is None or not stored.before.choice:
            self.counter.changed(stored.series, stored.trial)

    # ------------------------------------------------------------ start

    @app_commands.command(description="Staff: start a series of blind trials: human or AI, at random")
    @app_commands.describe(
        trials="How many clips or pairs (5 if left out)",
        design="Pairs (two clips, which one is the human?), single clips, or both",
        closes_in="Minutes until it closes by itself; if left out, the usual time, or when you say so if it's live",
        pace="Over days: all at once, in a thread. Live: you step through with a button",
        title="Its title",
        channel="Where it is posted; here if left out",
        matched="The model plays under the human clip's conditions (the default), or under its own",
        recordings="Use only uploaded recordings; their sound may give them away, so they stay out of the statistics",
        catches="Add catch trials, which show who isn't listening",
    )
    async def start(
        self,
        interaction: Interaction,
        trials: app_commands.Range[int, 1, MOST_TRIALS] = 5,
        design: Literal["pair", "single", "mixed"] = "pair",
        closes_in: app_commands.Range[int, MIN_MINUTES, MAX_MINUTES] | None = None,
        pace: Literal["days", "live"] = "days",
        title: app_commands.Range[str, 1, 100] = "",
        channel: discord.TextChannel | None = None,
        matched: bool = True,
        recordings: bool = False,
        catches: bool = False,
    ) -> None:
        require_staff(interaction)
        place = channel or interaction.channel
        assert place is not None
        _require_may_post_in(interaction, channel)
        wish = Wish(place.id, trials, design, closes_in, pace, title, matched, recordings, catches)
        await self.starter.start(interaction, wish, self.draw_seed())

    async def post(self, found: Series) -> str:
        """Post a vote that was written down; what to say to whoever asked. Raises Refused."""
        return await self.starter.post(found)

    async def show_next(self, number: int, place: int) -> str:
        """Live: let the trial at `place` stand; what to say to who pressed. Raises Refused."""
        found = await series.get(self.bot.store, number)
        if found is None or found.voided:
            raise Refused(ballots.GONE)
        if found.closed:
            raise Refused("This poll has closed.")
        found_next = await self.poster.next_trial(number, place)
        if found_next.trial is None:
            await self.poster.show_reveal(number)
        return wording.step_text(found_next.trial, found_next.is_new, found_next.skipped)

    async def close_series(self, number: int) -> str:
        """Close now; what to say to who asked. Raises Refused."""
        found = await series.get(self.bot.store, number)
        if found is None or found.opening_message_id is None:
            raise Refused(ballots.GONE)
        if not await series.close(self.bot.store, number, self.bot.now()):
            raise Refused(f"Series {number} has already closed: {found.link}")
        self.closer.wake()
        return f"Series {number} is closed; the result is on its way: {found.link}"

    # ------------------------------------------------------------ the end

    @app_commands.command(description="Staff: close a poll now and reveal the answers")
    @app_commands.describe(number="Its number; if left out, the one open in this channel")
    @app_commands.rename(number="series")
    async def close(self, interaction: Interaction, number: int | None = None) -> None:
        require_staff(interaction)
        assert interaction.channel_id is not None
        store = self.bot.store
        if number is None:
            found = await series.open_in_channel(store, interaction.channel_id)
            if found is None:
                raise Refused("No poll is open in this channel. For a /vote, give its number; /poll list has it.")
        else:
            found = await self._here(interaction, number)
        async with one_answer(interaction, private=True) as reply:
            await reply.finish(content=await self.close_series(found.id))

    @app_commands.command(description="Staff: post the result of a closed poll again")
    @app_commands.describe(number="Its number")
    @app_commands.rename(number="series")
    async def announce(self, interaction: Interaction, number: int) -> None:
        require_staff(interaction)
        found = await self._closed(interaction, number)
        async with one_answer(interaction, private=True) as reply:
            await reply.begun()
            await self.announcer.announce_again(found, interaction.id)
            await reply.finish(content=f"The result of series {number} has been posted again.")

    # ------------------------------------------------------------ what came of it

    @app_commands.command(name="list", description="This server's latest polls")
    async def list_polls(self, interaction: Interaction) -> None:
        store, guild_id = self.bot.store, guild_id_of(interaction)
        rows = []
        for found in await series.of_guild(store, guild_id):
            trials = await series.trials(store, found.id)
            share = share_of(await ballots.judgements(store, guild_id, series=found.id)) if found.closed else None
            rows.append((found, len(trials), share))
        await say(interaction, embed=results.list_embed(rows))

    @app_commands.command(name="results", description="The result of a closed poll; only you see it")
    @app_commands.describe(number="Its number; the latest closed one if left out")
    @app_commands.rename(number="series")
    async def show_results(self, interaction: Interaction, number: int | None = None) -> None:
        take_turn(self.figures_quota, interaction)
        store = self.bot.store
        if number is None:
            latest = await series.of_guild(store, guild_id_of(interaction))
            number = next((found.id for found in latest if found.closed), None)
            if number is None:
                raise Refused("No poll has closed yet.")
        found = await self._closed(interaction, number)
        async with one_answer(interaction, private=True) as reply:
            embed, uploads = await self.announcer.result(found)
            await reply.finish(embeds=[embed], uploads=uploads)

    @app_commands.command(description="The combined result of all closed polls")
    async def stats(self, interaction: Interaction) -> None:
        take_turn(self.figures_quota, interaction)
        async with one_answer(interaction, private=True) as reply:
            embed, uploads = await self.announcer.statistics(guild_id_of(interaction))
            await reply.finish(embeds=[embed], uploads=uploads)

    @app_commands.command(description="Each clip of the closed polls: how many it fooled, and what gave it away")
    async def clips(self, interaction: Interaction) -> None:
        take_turn(self.figures_quota, interaction)
        async with one_answer(interaction, private=True) as reply:
            await reply.finish(embeds=[await self.announcer.heard(guild_id_of(interaction))])

    @app_commands.command(description="How each version of the model did, and which one is ahead")
    async def seasons(self, interaction: Interaction) -> None:
        take_turn(self.figures_quota, interaction)
        async with one_answer(interaction, private=True) as reply:
            embed, uploads = await self.announcer.seasons(guild_id_of(interaction))
            await reply.finish(embeds=[embed], uploads=uploads)

    @app_commands.command(description="Best ears, of those who chose to be shown")
    async def board(self, interaction: Interaction) -> None:
        store, guild_id = self.bot.store, guild_id_of(interaction)
        names = await listeners.shown_ears(store, guild_id)
        judgements = await ballots.judgements(store, guild_id)
        embed = results.board_embed(best_ears(judgements, list(names)), names)
        view = discord.ui.View(timeout=None)
        view.add_item(EarsButton("off" if interaction.user.id in names.values() else "on"))
        await say(interaction, embed=embed, view=view)

    @app_commands.command(description="Check that nobody has changed a poll's answers since it opened")
    @app_commands.describe(number="Its number")
    @app_commands.rename(number="series")
    async def verify(self, interaction: Interaction, number: int) -> None:
        found = await self._closed(interaction, number)
        if not found.seal:
            raise Refused(f"Series {number} was never sealed: it comes from an earlier version.")
        answers = [trial.answer for trial in await series.trials(self.bot.store, number)]
        text = sealed_text(answers, found.salt)
        verdict = "It matches the seal" if seal(answers, found.salt) == found.seal else "**It does NOT match the seal**"
        content = (
            f"Sealed text: `{text}`\nIts SHA-256: `{seal(answers, found.salt)}`\n{verdict} in the opening message "
            f"({found.link}). To check without me:\n```sh\nprintf '%s' '{text}' | sha256sum\n```"
        )
        await say(interaction, content)

    @app_commands.command(description="Staff: the votes as files, with the plan and the verdict")
    @app_commands.describe(
        number="One series; all closed ones if left out",
        same_names="Give each voter the same pseudonym in every export; otherwise it changes each time",
    )
    @app_commands.rename(number="series")
    async def export(self, interaction: Interaction, number: int | None = None, same_names: bool = False) -> None:
        require_staff(interaction)
        require_may_post(interaction, "attach_files")
        take_turn(self.export_quota, interaction)
        if number is not None:
            await self._closed(interaction, number)
        async with one_answer(interaction, private=True) as reply:
            uploads = await self.announcer.export(guild_id_of(interaction), number, same_names=same_names)
            await reply.finish(
                content="These are the closed polls. `dictionary.md` says what each column means.", uploads=uploads
            )

    # ------------------------------------------------------------ listeners

    @app_commands.command(description="Tell the experiment about yourself; it's all optional and kept separate")
    @app_commands.describe(
        instrument="What you play or sing; a dash takes it back",
        years="For how many years",
        hearing_aid="Whether you listen with a hearing aid",
        forget="Delete what you've told me; your votes stay",
    )
    async def me(
        self,
        interaction: Interaction,
        instrument: app_commands.Range[str, 1, 60] | None = None,
        years: app_commands.Range[int, 0, 80] | None = None,
        hearing_aid: bool | None = None,
        forget: bool = False,
    ) -> None:
        store, user = self.bot.store, interaction.user.id
        if forget:
            was_there = await listeners.drop(store, user)
            said = "Deleted." if was_there else "You hadn't told me anything."
        elif instrument is None and years is None and hearing_aid is None:
            said = _listener_sentence(await listeners.get(store, user))
        else:
            known = await listeners.get(store, user) or Listener()
            updated = Listener(
                instrument=known.instrument if instrument is None else instrument.strip(" -"),
                years=known.years if years is None else years,
                hearing_aid=known.hearing_aid if hearing_aid is None else hearing_aid,
            )
            await listeners.put(store, user, updated, self.bot.now())
            said = _listener_sentence(updated)
        await say(interaction, said)

    async def _here(self, interaction: Interaction, number: int) -> Series:
        """A series of this server. Raises Refused."""
        found = await series.get(self.bot.store, number)
        if found is None or found.guild_id != guild_id_of(interaction) or found.opening_message_id is None:
            raise Refused(f"There is no series {number} here; `/poll list` shows the ones there are.")
        return found

    async def _closed(self, interaction: Interaction, number: int) -> Series:
        """A closed one. Raises Refused."""
        found = await self._here(interaction, number)
        if found.voided:
            raise Refused(ballots.CALLED_OFF)
        if not found.closed:
            raise Refused(f"Series {number} is still open; its result comes with the reveal.")
        return found


def _listener_sentence(listener: Listener | None) -> str:
    if listener is None:
        return (
            "You haven't told me anything about yourself yet. If you like, do so with `/poll me instrument: years: "
            "hearing_aid:`; the results can then compare musicians with everyone else. Nobody sees your answers."
        )
    said = [f"you play {listener.instrument}" if listener.instrument else "you play no instrument"]
    if listener.years is not None:
        said.append(f"for {listener.years} years")
    if listener.hearing_aid is not None:
        said.append("you listen with a hearing aid" if listener.hearing_aid else "you listen without a hearing aid")
    return f"I've noted: {', '.join(said)}. `/poll me forget:True` deletes it; nobody sees it."


def _require_may_post_in(interaction: Interaction, channel: discord.TextChannel | None) -> None:
    """Raises MissingPermission unless the bot may post a series in the channel."""
    needed = ("attach_files", "embed_links", "read_message_history")
    if channel is None or channel.id == interaction.channel_id:
        require_own_message(interaction, *needed)
        return
    permissions = channel.permissions_for(channel.guild.me)
    missing = [name for name in ("view_channel", "send_messages", *needed) if not getattr(permissions, name)]
    if missing:
        names = " and ".join(name.replace("_", " ") for name in missing)
        raise MissingPermission(f"I'm not allowed to {names} in {channel.mention}, so I can't post a poll there.")


async def setup(bot: Woodshed) -> None:
    await bot.add_cog(Polls(bot))
