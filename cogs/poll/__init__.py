"""/poll: a clip by a human or by the model, a blind vote, and an honest result."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable

import discord
import structlog
from discord import app_commands
from discord.ext import commands

from bot.answering.access import Interaction, guild_id_of, require_own_message, require_staff
from bot.answering.live_reply import LiveReply
from bot.answering.posting import upload_limit_bytes
from bot.client import Woodshed
from bot.errors import MissingPermission, Refused
from bot.library.clip_intake import play_beside, take_in_pieces
from bot.rules.blind_poll import LARGEST_SEED, MAX_MINUTES, MIN_MINUTES, closing_time, draw, drawable, tally
from bot.rules.listening import balanced_accuracy, bootstrap_interval, count_calls
from bot.store import clips, polls
from bot.store.clips import Clip
from bot.store.polls import Poll
from cogs.poll import ballots, results
from cogs.poll.closer import PollCloser
from engine.contract import engine_pb2 as pb

log = structlog.get_logger(__name__)


@app_commands.guild_only()
class Polls(commands.GroupCog, group_name="poll", group_description="Human or AI? Blind listening polls"):
    """Whoever starts a poll learns as little about the clip as everybody else."""

    def __init__(self, bot: Woodshed, draw_seed: Callable[[], int] = lambda: secrets.randbelow(LARGEST_SEED)) -> None:
        self.bot = bot
        self.draw_seed = draw_seed
        self.closer = PollCloser(bot)

    async def cog_load(self) -> None:
        voided = await polls.void_unposted(self.bot.store, discord.utils.utcnow().timestamp())
        if voided:
            log.warning("polls called off that were drawn and never posted", polls=voided)

    async def cog_unload(self) -> None:
        self.closer.stop()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        self.closer.wake()

    # ------------------------------------------------------------ start

    @app_commands.command(description="Staff: post a clip, human or AI by lot, and let everybody vote")
    @app_commands.describe(
        minutes="How long it stays open",
        chords="What the model plays over when the lot falls on it; the human clip's own if left out",
        seed="Seed of the model's clip, drawn if left out; with it you could play that clip yourself and know it",
        recordings="Draw from uploaded recordings too, though their sound may give them away",
    )
    async def start(
        self,
        interaction: Interaction,
        minutes: app_commands.Range[int, MIN_MINUTES, MAX_MINUTES] | None = None,
        chords: app_commands.Range[str, 1, 300] = "",
        seed: app_commands.Range[int, 0, LARGEST_SEED] | None = None,
        recordings: bool = False,
    ) -> None:
        require_staff(interaction)
        require_own_message(interaction, "attach_files", "embed_links", "read_message_history")
        channel = interaction.channel
        assert isinstance(channel, discord.abc.Messageable)
        assert interaction.channel_id is not None
        opened = await polls.open_in_channel(self.bot.store, interaction.channel_id)
        if opened is not None:
            raise Refused(f"{polls.ONE_AT_A_TIME} {opened.link if opened.message_id else ''}".strip())
        minutes = minutes or self.bot.settings.club.poll_minutes
        with self.bot.jobs.place(interaction.user.id):
            reply = await LiveReply.begin(
                interaction, interval_s=self.bot.settings.discord.progress_interval_s, ephemeral=True
            )
            poll, audio, remarks = await self._draw(interaction, reply, minutes, chords, seed, recordings)
            poll = await self._post(channel, poll, audio)
        self.closer.wake()
        opened_line = f"[Poll {poll.id}]({poll.link}) is open and closes <t:{poll.closes_at:.0f}:R>."
        await reply.finish(content="\n".join([opened_line, *remarks, "I don't tell you either what it is."]))

    async def _draw(
        self,
        interaction: Interaction,
        reply: LiveReply,
        minutes: int,
        chords: str,
        seed: int | None,
        recordings: bool,
    ) -> tuple[Poll, bytes, list[str]]:
        """Draw, let the model play, and write it all down; returns the poll, the sound to post, and remarks.

        The model plays whichever side the lot falls on: the time until the clip appears tells nothing."""
        store = self.bot.store
        assert interaction.channel_id is not None
        collection, remarks = await self._collection(interaction, reply, recordings)
        candidates = drawable([clip.candidate for clip in collection], recordings)
        drawn = draw(self.draw_seed(), candidates)
        human = next(clip for clip in collection if clip.id == drawn.human_clip)
        model_clip, model_audio = await play_beside(
            self.bot.engine,
            human,
            chords=chords,
            job=pb.Job(member_key=self.bot.member_key(interaction.user.id)),
            seed=drawn.model_seed if seed is None else seed,
            max_bytes=upload_limit_bytes(interaction),
            on_event=reply.show,
        )
        human_audio = await clips.audio(store, human.id)
        if human_audio is None:
            raise Refused("A clip was removed while the poll was being prepared; please start it again.")
        now = discord.utils.utcnow().timestamp()
        poll = await polls.record_draw(
            store,
            drawn,
            model_clip,
            model_audio,
            channel_id=interaction.channel_id,
            started_by=interaction.user.id,
            now=now,
            closes_at=closing_time(now, minutes),
        )
        if all(candidate.times_drawn for candidate in candidates):
            remarks.append("Every human clip has been in a draw before; add new ones with `/clips add`.")
        return poll, human_audio if poll.posted_clip == human.id else model_audio, remarks

    async def _collection(
        self, interaction: Interaction, reply: LiveReply, recordings: bool
    ) -> tuple[list[Clip], list[str]]:
        """The server's human clips; where there are none to draw, the engine's pieces are taken in first.

        Returns remarks, too: one that says so."""
        store, guild_id = self.bot.store, guild_id_of(interaction)
        collection = await clips.human_clips(store, guild_id)
        if drawable([clip.candidate for clip in collection], recordings):
            return collection, []
        added = await take_in_pieces(
            self.bot.engine,
            store,
            guild_id=guild_id,
            member_key=self.bot.member_key(interaction.user.id),
            draw_seed=self.draw_seed,
            max_bytes=upload_limit_bytes(interaction),
            now=discord.utils.utcnow().timestamp(),
            on_event=reply.show,
        )
        collection = await clips.human_clips(store, guild_id)
        if not drawable([clip.candidate for clip in collection], recordings):
            raise Refused("There is no clip by a human to draw from; add one with `/clips add`.")
        remark = f"There was no clip by a human yet, so I first added those that come with me ({added})."
        return collection, [remark]

    async def _post(self, channel: discord.abc.Messageable, poll: Poll, audio: bytes) -> Poll:
        """Post what was drawn; the poll is open from then on. Whatever goes wrong calls it off.

        Raises MissingPermission when the permission was taken away while the clip was being prepared."""
        store = self.bot.store
        try:
            message = await channel.send(
                embed=ballots.poll_embed(poll), file=ballots.clip_file(poll, audio), view=ballots.poll_view(poll.id)
            )
        except BaseException as error:
            await asyncio.shield(polls.void(store, poll.id, discord.utils.utcnow().timestamp()))
            if isinstance(error, discord.Forbidden):
                raise MissingPermission("I may not post in this channel any more, so the poll is off.") from error
            raise
        await polls.set_message(store, poll.id, message.id)
        posted = await polls.get(store, poll.id)
        assert posted is not None
        return posted

    # ------------------------------------------------------------ the rest

    @app_commands.command(description="Staff: close a poll now")
    @app_commands.describe(poll="Its number; the one that is open in this channel if left out")
    async def close(self, interaction: Interaction, poll: int | None = None) -> None:
        require_staff(interaction)
        store = self.bot.store
        assert interaction.channel_id is not None
        found = await (polls.open_in_channel(store, interaction.channel_id) if poll is None else polls.get(store, poll))
        if found is None or found.guild_id != guild_id_of(interaction) or found.message_id is None:
            raise Refused("No poll is open in this channel." if poll is None else f"There is no poll {poll} here.")
        await interaction.response.defer(ephemeral=True, thinking=True)
        if not await polls.close(store, found.id, discord.utils.utcnow().timestamp()):
            raise Refused(f"Poll {found.id} has closed already: {found.link}")
        self.closer.wake()
        await interaction.edit_original_response(content=f"Poll {found.id} is closed: {found.link}")

    @app_commands.command(name="list", description="The latest polls of this server")
    async def list_polls(self, interaction: Interaction) -> None:
        store = self.bot.store
        latest = await polls.of_guild(store, guild_id_of(interaction))
        rows = [(poll, tally(await polls.votes(store, poll.id))) for poll in latest]
        await interaction.response.send_message(embed=results.list_embed(rows), ephemeral=True)

    @app_commands.command(description="What all closed polls come to")
    async def stats(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        judgements = await polls.judgements(self.bot.store, guild_id_of(interaction))
        # A thread: 1000 resamples of a few thousand votes take seconds. The seed is fixed, the votes decide.
        interval = await asyncio.to_thread(bootstrap_interval, judgements, balanced_accuracy, random.Random(0))
        embed = results.stats_embed(
            count_calls(judgements),
            listeners=len({judgement.listener for judgement in judgements}),
            clips=len({judgement.clip for judgement in judgements}),
            interval=interval,
        )
        await interaction.edit_original_response(embed=embed)


BUTTONS = (ballots.VoteButton, ballots.KnowsButton)


async def setup(bot: Woodshed) -> None:
    bot.add_dynamic_items(*BUTTONS)
    await bot.add_cog(Polls(bot))


async def teardown(bot: Woodshed) -> None:
    bot.remove_dynamic_items(*BUTTONS)
