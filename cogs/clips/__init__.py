"""/clips: the staff's collection of human clips for the blind polls."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.access import guild_id_of, require_staff
from bot.answering.first_answers import say
from bot.answering.jobs import one_answer
from bot.answering.parcels import Upload
from bot.answering.posting import read_attachment, require_may_post, require_size
from bot.answering.text import MAX_CONTENT, MAX_DESCRIPTION, counted, shorten
from bot.client import Interaction, Woodshed
from bot.engine.catalogue import matching
from bot.errors import Refused
from bot.hosting.staff_roles import SHOWN_TO
from bot.library.clip_intake import Submission
from bot.store import clips
from bot.store.clips import Kind
from cogs.clips.describing import described, in_short, measured
from cogs.clips.drafts import LONGEST_CHORDS, DraftButton, TrackMenu, hand_in
from cogs.clips.taking_back import take_back
from engine.contract.limits import LARGEST_SEED

NO_CONSENT = "I only store a clip if its performer agrees. Please ask them first, then set `consent` to True."
BUTTONS = (DraftButton, TrackMenu)


@app_commands.guild_only()
@app_commands.default_permissions(SHOWN_TO)
class Clips(commands.GroupCog, group_name="clips", group_description="Staff: human clips for the blind polls"):
    """Everything here is for staff, and private: a list in the channel would tell what the polls are about."""

    def __init__(self, bot: Woodshed, draw_seed: Callable[[], int] = lambda: secrets.randbelow(LARGEST_SEED)) -> None:
        self.bot = bot
        self.draw_seed = draw_seed

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*BUTTONS)

    async def cog_unload(self) -> None:
        self.bot.remove_dynamic_items(*BUTTONS)

    @app_commands.command(description="Staff: store a clip played by a human")
    @app_commands.describe(
        file="A MIDI file (the band plays it, so it's the fairer test) or a recording",
        performer="Who played it",
        title="What it's called",
        consent="The performer agrees to have it stored here and played in polls",
        chords="Its chords, like Dm7 G7 | Cmaj7; if left out, those in the MIDI file, or my guess for you to check",
        track="The MIDI track with the melody; if left out, I look for it",
    )
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
        require_size(file, limit_bytes)

        async def read() -> Submission:
            return Submission(
                content=await read_attachment(file, limit_bytes),
                title=title,
                performer=performer,
                chords=chords,
                added_by=interaction.user.id,
                track=-1 if track is None else track,
            )

        await hand_in(interaction, read, self.draw_seed(), self.bot.now())

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


def _no_clip(number: int) -> str:
    return f"There's no clip {number} in the collection. `/clips list` shows what there is."


async def setup(bot: Woodshed) -> None:
    await bot.add_cog(Clips(bot))
