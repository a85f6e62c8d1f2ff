"""/clips: the collection of human clips for the blind polls. Staff keep it; members can hand something in."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.access import guild_id_of, require_staff
from bot.answering.durable import submit
from bot.answering.first_answers import say
from bot.answering.jobs import Job, one_answer, one_job
from bot.answering.parcels import Upload
from bot.answering.posting import require_may_post, upload_limit_bytes
from bot.answering.text import MAX_CONTENT, MAX_DESCRIPTION, counted, plain, seen, shorten
from bot.attachments.fetching import require_size
from bot.client import Interaction, Woodshed
from bot.engine.catalogue import matching
from bot.errors import Refused
from bot.library.clip_intake import Submission, piece_clip
from bot.store import clips
from bot.store.clips import Kind
from cogs.clips.describing import described, in_short, measured
from cogs.clips.drafts import LONGEST_CHORDS, ChordsForm, DraftButton, TrackMenu, hand_in, stored_lines
from cogs.clips.submitting import LICENCES, ReasonForm, SubmissionButton, show_mine, show_next, tell_late
from cogs.clips.taking_back import take_back
from engine.contract.limits import LARGEST_SEED

NO_CONSENT = "I only store a clip if its performer agrees. Please ask them first, then set `consent` to True."
BUTTONS = (DraftButton, TrackMenu, SubmissionButton)
FORMS = (ChordsForm, ReasonForm)
OPTIONS = {
    "file": "A MIDI file (the band plays it, so it's the fairer test) or a recording",
    "performer": "Who played it",
    "title": "What it's called",
    "consent": "The performer agrees to have it stored here and played in polls",
    "chords": "Its chords, like Dm7 G7 | Cmaj7; if left out, those in the MIDI file, or my guess for you to check",
    "track": "The MIDI track with the melody; if left out, I look for it",
}
"""What staff and members are asked about a clip."""
NO_TRACK = -1
"""The melody's track is looked for."""
LARGEST_SUBMISSION_BYTES = 8 * 2**20
"""Of a member's file: it waits in the database until staff decide."""


@app_commands.guild_only()
class Clips(commands.GroupCog, group_name="clips", group_description="Human clips for the blind polls"):
    """Everything here is private: a list in the channel would tell what the polls are about. All but `submit` and
    `mine` is for staff."""

    def __init__(self, bot: Woodshed, draw_seed: Callable[[], int] = lambda: secrets.randbelow(LARGEST_SEED)) -> None:
        self.bot = bot
        self.draw_seed = draw_seed

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*BUTTONS)

    async def cog_unload(self) -> None:
        self.bot.remove_dynamic_items(*BUTTONS)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        await tell_late(self.bot)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Interaction) -> None:
        """A form was filled in."""
        await submit(interaction, FORMS)

    @app_commands.command(description="Staff: store a clip played by a human")
    @app_commands.describe(**OPTIONS)
    async def add(
        self,
        interaction: Interaction,
        file: discord.Attachment,
        performer: app_commands.Range[str, 1, 100],
        title: app_commands.Range[str, 1, 150],
        consent: bool,
        chords: app_commands.Range[str, 1, LONGEST_CHORDS] = "",
        track: app_commands.Range[int, 0, 1000] | None = None,
    ) -> None:
        require_staff(interaction)
        if not consent:
            raise Refused(NO_CONSENT)
        require_may_post(interaction, "attach_files")
        limit_bytes = self.bot.settings.discord.max_attachment_bytes
        await self._take(interaction, file, limit_bytes, title, performer, chords, track)

    @app_commands.command(description="Hand in a clip that a human played; staff decide whether polls use it")
    @app_commands.describe(licence="Whose it is, or the licence that lets you share it", **OPTIONS)
    @app_commands.choices(licence=[app_commands.Choice(name=name, value=name) for name in LICENCES])
    async def submit(
        self,
        interaction: Interaction,
        file: discord.Attachment,
        performer: app_commands.Range[str, 1, 100],
        title: app_commands.Range[str, 1, 150],
        consent: bool,
        licence: str,
        chords: app_commands.Range[str, 1, LONGEST_CHORDS] = "",
        track: app_commands.Range[int, 0, 1000] | None = None,
    ) -> None:
        guild_id_of(interaction)
        if not consent:
            raise Refused(NO_CONSENT)
        if licence not in LICENCES:
            raise Refused("Please choose one of the licences in the list.")
        limit_bytes = min(LARGEST_SUBMISSION_BYTES, self.bot.settings.discord.max_attachment_bytes)
        await self._take(interaction, file, limit_bytes, title, performer, chords, track, licence)

    async def _take(
        self,
        interaction: Interaction,
        file: discord.Attachment,
        limit_bytes: int,
        title: str,
        performer: str,
        chords: str,
        track: int | None,
        licence: str = "",
    ) -> None:
        """Have a file played and stored, or, where it comes with a licence, left with staff."""
        require_size(file, limit_bytes)

        async def read(job: Job) -> Submission:
            return Submission(
                file=await job.fetch(file, limit_bytes),
                title=readable(title, "title"),
                performer=readable(performer, "performer's name"),
                chords=chords,
                added_by=interaction.user.id,
                track=NO_TRACK if track is None else track,
                licence=licence,
            )

        await hand_in(interaction, read, self.draw_seed(), self.bot.now())

    @app_commands.command(description="What you've handed in, what came of it, and how to take it back")
    async def mine(self, interaction: Interaction) -> None:
        await show_mine(interaction)

    @app_commands.command(description="Staff: listen to what members have handed in, and decide")
    async def queue(self, interaction: Interaction) -> None:
        require_staff(interaction)
        require_may_post(interaction, "attach_files")
        await show_next(interaction)

    @app_commands.command(description="Staff: add one of the pieces that come with me")
    @app_commands.describe(piece="Which piece")
    async def piece(self, interaction: Interaction, piece: str) -> None:
        require_staff(interaction)
        pieces = {one.id: one for one in (await self.bot.engine.list_jazz_options()).pieces}
        if piece not in pieces:
            names = ", ".join(one.title for one in pieces.values()) or "none"
            raise Refused(f"I don't know that piece. The ones I know: {names}.")
        guild_id = guild_id_of(interaction)
        async with one_job(interaction, private=True) as job:
            new, audio = await piece_clip(
                self.bot.engine,
                guild_id,
                pieces[piece],
                job=job.ticket,
                seed=self.draw_seed(),
                max_bytes=upload_limit_bytes(interaction),
                added_by=interaction.user.id,
                on_event=job.show,
            )
            clip = await clips.get(self.bot.store, await clips.add(self.bot.store, new, audio, self.bot.now()))
            assert clip is not None
            await job.finish(content=shorten("\n".join(stored_lines(clip)), MAX_CONTENT))

    @piece.autocomplete("piece")
    async def complete_piece(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        if not self.bot.is_staff(interaction.user):
            return []
        pieces = (await self.bot.engine.list_jazz_options()).pieces
        return matching(typed, [(f"{one.title}, {one.composer}", one.id) for one in pieces])

    @app_commands.command(name="list", description="Staff: what's in the collection")
    async def list_clips(self, interaction: Interaction) -> None:
        require_staff(interaction)
        collection = await clips.human_clips(self.bot.store, guild_id_of(interaction))
        lines = [f"`{clip.id}` {in_short(clip)}, played in {counted(clip.times_heard, 'poll')}" for clip in collection]
        text = (
            "\n".join(lines)
            or "The collection is empty. Add a clip with `/clips add`. The first poll brings a few pieces of its own."
        )
        embed = discord.Embed(title="Human clips", description=shorten(text, MAX_DESCRIPTION))
        await say(interaction, embed=embed)

    @app_commands.command(description="Staff: listen to a clip; only you hear it")
    @app_commands.describe(clip="Which clip")
    async def play(self, interaction: Interaction, clip: int) -> None:
        require_staff(interaction)
        require_may_post(interaction, "attach_files")
        found = await clips.get(self.bot.store, clip)
        audio = await clips.audio(self.bot.store, clip)
        if found is None or found.guild_id != guild_id_of(interaction) or found.kind is Kind.MODEL or audio is None:
            raise Refused(_no_clip(clip))
        if found.in_open_series:
            raise Refused(f"Clip {clip} is in an open poll, so nobody hears it until the reveal.")
        file = Upload(f"clip-{clip}.ogg", audio)
        async with one_answer(interaction, private=True) as answer:
            await answer.finish(content=f"{described(found)}\n{measured(found)}", uploads=[file])

    @app_commands.command(description="Staff: delete a clip's audio; past polls keep its title")
    @app_commands.describe(
        clip="Which clip", forget_name="Also forget who played it, here and in past polls; works on removed clips too"
    )
    async def remove(self, interaction: Interaction, clip: int, forget_name: bool = False) -> None:
        require_staff(interaction)
        guild_id = guild_id_of(interaction)
        removed = await clips.remove(self.bot.store, guild_id, clip, self.bot.now(), forget_name=forget_name)
        if removed is None:
            raise Refused(_no_clip(clip))
        async with one_answer(interaction, private=True) as answer:
            lines = [f"Removed: {in_short(removed)}. Its audio has been deleted; past polls keep its title."]
            lines += await take_back(self.bot, clip)
            await answer.finish(content=shorten("\n".join(lines), MAX_CONTENT))

    @play.autocomplete("clip")
    @remove.autocomplete("clip")
    async def complete_clip(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[int]]:
        if not self.bot.is_staff(interaction.user):
            return []
        collection = await clips.human_clips(self.bot.store, guild_id_of(interaction))
        labels = [(f"{clip.id}: {clip.title}, {clip.performer}", str(clip.id)) for clip in reversed(collection)]
        return [app_commands.Choice(name=choice.name, value=int(choice.value)) for choice in matching(typed, labels)]


def readable(typed: str, what: str) -> str:
    """A name without what nobody sees of it. Raises Refused where nothing is left."""
    if not seen(typed):
        raise Refused(f"There's nothing to read in the {what}; please type it again.")
    return " ".join(plain(typed).split())


def _no_clip(number: int) -> str:
    return f"There's no clip {number} in the collection. `/clips list` shows what there is."


async def setup(bot: Woodshed) -> None:
    await bot.add_cog(Clips(bot))
