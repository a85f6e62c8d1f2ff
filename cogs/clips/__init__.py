"""/clips: the staff's collection of human clips for the blind polls."""

from __future__ import annotations

import io
import secrets
from collections.abc import Awaitable, Callable

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.access import Interaction, guild_id_of, require_staff
from bot.answering.job_buttons import cancel_view
from bot.answering.live_reply import LiveReply
from bot.answering.posting import read_attachment, require_may_post, require_size, upload_limit_bytes
from bot.answering.text import MAX_CONTENT, MAX_DESCRIPTION, counted, shorten
from bot.client import Woodshed
from bot.engine.calls import new_job_id
from bot.engine.catalogue import matching
from bot.errors import Refused
from bot.library.clip_intake import Draft, Upload, play_upload, store_draft
from bot.rules.blind_poll import LARGEST_SEED
from bot.store import clips
from bot.store.clips import Clip, Kind
from cogs.clips.describing import described
from cogs.clips.drafts import LONGEST_CHORDS, Desk, DraftButton, Drafts, TrackMenu, offer
from cogs.clips.taking_back import take_back
from engine.contract import engine_pb2 as pb

NO_CONSENT = "I only store a clip when whoever played it agrees; ask them, then set `consent` to True."


@app_commands.guild_only()
class Clips(commands.GroupCog, group_name="clips", group_description="Staff: human clips for the blind polls"):
    """Everything here is for staff, and private: a list in the channel would tell what the polls are about."""

    def __init__(self, bot: Woodshed, draw_seed: Callable[[], int] = lambda: secrets.randbelow(LARGEST_SEED)) -> None:
        self.bot = bot
        self.draw_seed = draw_seed
        self.desk = Desk(Drafts(), self._store, self._play_again)

    async def cog_unload(self) -> None:
        self.desk.drafts.close()

    @app_commands.command(description="Staff: store a clip that a human played")
    @app_commands.describe(
        file="MIDI (played by the same band as the model's clips, so the fairer test) or a recording",
        performer="Who played it",
        title="What it is called",
        consent="Whoever played it agrees that it is stored here and played in polls",
        chords="Its chords, such as Dm7 G7 | Cmaj7; those in the MIDI if left out, else estimated and shown to you",
        track="The MIDI track that has the melody; found if left out",
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

        async def upload() -> Upload:
            return Upload(
                content=await read_attachment(file, limit_bytes),
                title=title,
                performer=performer,
                chords=chords,
                added_by=interaction.user.id,
                track=-1 if track is None else track,
            )

        await self._play(interaction, upload, self.draw_seed(), discord.utils.utcnow().timestamp())

    async def _play(
        self, interaction: Interaction, upload: Callable[[], Awaitable[Upload]], seed: int, consent_at: float
    ) -> None:
        """Have the engine play an upload; store it, or ask first where the engine had to guess its chords."""
        job = pb.Job(job_id=new_job_id(), member_key=self.bot.member_key(interaction.user.id))
        with self.bot.jobs.place(interaction.user.id):
            reply = await LiveReply.begin(
                interaction,
                interval_s=self.bot.settings.discord.progress_interval_s,
                progress_view=cancel_view(job.job_id),
                ephemeral=True,
            )
            draft = await play_upload(
                self.bot.engine,
                self.bot.store,
                await upload(),
                guild_id=guild_id_of(interaction),
                job=job,
                seed=seed,
                max_bytes=upload_limit_bytes(interaction),
                now=consent_at,
                on_event=reply.show,
            )
        if draft.clip.chords_estimated:
            await offer(reply, self.desk.drafts, draft)
        else:
            await reply.finish(content=await self._store(draft))

    async def _play_again(self, interaction: Interaction, draft: Draft) -> None:
        """A draft with other chords or another track."""

        async def upload() -> Upload:
            return draft.upload

        await self._play(interaction, upload, draft.seed, draft.consent_at)

    async def _store(self, draft: Draft) -> str:
        clip = await store_draft(self.bot.store, draft, discord.utils.utcnow().timestamp())
        lines = [f"Stored as clip {clip.id}: {described(clip)}", _measured(clip), *draft.clip.notes]
        if clip.kind is Kind.AUDIO:
            lines.append(
                "Its sound differs from the band's and would give it away, so polls draw it only with "
                "`/poll start recordings:True`. MIDI makes the fairer test."
            )
        return shorten("\n".join(lines), MAX_CONTENT)

    @app_commands.command(name="list", description="Staff: what is in the collection")
    async def list_clips(self, interaction: Interaction) -> None:
        require_staff(interaction)
        collection = await clips.human_clips(self.bot.store, guild_id_of(interaction))
        lines = [f"`{clip.id}` {_short(clip)}; heard in {counted(clip.times_heard, 'poll')}" for clip in collection]
        text = (
            "\n".join(lines) or "The collection is empty. `/clips add` stores a clip; the first poll adds a few pieces."
        )
        embed = discord.Embed(title="Human clips", description=shorten(text, MAX_DESCRIPTION))
        await interaction.response.send_message(embed=embed, ephemeral=True)

    @app_commands.command(description="Staff: hear a clip, for yourself alone")
    @app_commands.describe(clip="Which one")
    async def play(self, interaction: Interaction, clip: int) -> None:
        require_staff(interaction)
        require_may_post(interaction, "attach_files")
        found = await clips.get(self.bot.store, clip)
        audio = await clips.audio(self.bot.store, clip)
        if found is None or found.guild_id != guild_id_of(interaction) or found.kind is Kind.MODEL or audio is None:
            raise Refused(f"There is no clip {clip} in the collection.")
        if found.in_open_series:
            raise Refused(f"Clip {clip} is in an open poll, so nobody hears it until the reveal.")
        file = discord.File(io.BytesIO(audio), filename=f"clip-{clip}.ogg")
        await interaction.response.send_message(f"{described(found)}\n{_measured(found)}", file=file, ephemeral=True)

    @app_commands.command(description="Staff: delete a clip's sound; past polls keep its title")
    @app_commands.describe(
        clip="Which one", forget_name="Also forget who played it, here and in past polls; works on removed clips, too"
    )
    async def remove(self, interaction: Interaction, clip: int, forget_name: bool = False) -> None:
        require_staff(interaction)
        now = discord.utils.utcnow().timestamp()
        guild_id = guild_id_of(interaction)
        removed = await clips.remove(self.bot.store, guild_id, clip, now, forget_name=forget_name)
        if removed is None:
            raise Refused(f"There is no clip {clip} in the collection.")
        await interaction.response.defer(ephemeral=True, thinking=True)
        lines = [f"Removed: {_short(removed)}. Its sound is deleted; past polls keep its title."]
        lines += await take_back(self.bot, clip)
        await interaction.edit_original_response(content=shorten("\n".join(lines), MAX_CONTENT))

    @play.autocomplete("clip")
    @remove.autocomplete("clip")
    async def complete_clip(self, interaction: Interaction, current: str) -> list[app_commands.Choice[int]]:
        if not self.bot.is_staff(interaction.user):
            return []
        collection = await clips.human_clips(self.bot.store, guild_id_of(interaction))
        labels = [(f"{clip.id}: {clip.title}, {clip.performer}", str(clip.id)) for clip in reversed(collection)]
        return [app_commands.Choice(name=choice.name, value=int(choice.value)) for choice in matching(current, labels)]


def _short(clip: Clip) -> str:
    escape = discord.utils.escape_markdown
    year = f", {clip.year}" if clip.year else ""
    kind = "recording" if clip.kind is Kind.AUDIO else clip.kind.value
    return f"**{escape(clip.title)}**, {escape(clip.performer)}{year} ({kind}, {clip.conditions.duration_s:.0f} s)"


def _measured(clip: Clip) -> str:
    conditions = clip.conditions
    return (
        f"{conditions.duration_s:.1f} s, {conditions.loudness_lufs:.1f} LUFS, "
        f"true peak {conditions.true_peak_dbtp:.1f} dBTP"
    )


BUTTONS = (DraftButton, TrackMenu)


async def setup(bot: Woodshed) -> None:
    bot.add_dynamic_items(*BUTTONS)
    await bot.add_cog(Clips(bot))


async def teardown(bot: Woodshed) -> None:
    bot.remove_dynamic_items(*BUTTONS)
