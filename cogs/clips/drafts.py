"""From a file that staff or a member send to a stored clip; a file whose chords nobody wrote is played for them first.

What they hear is a draft: it's stored once they agree, and until then forgotten by a restart (bot/library/drafts.py).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

import discord

from bot.answering.access import guild_id_of
from bot.answering.durable import Durable, DurableForm, fields_of
from bot.answering.first_answers import open_form
from bot.answering.first_answers import replace as replace_message
from bot.answering.jobs import Job, one_job
from bot.answering.parcels import Upload
from bot.answering.posting import upload_limit_bytes
from bot.answering.text import MAX_CHOICE, MAX_CONTENT, plain, shorten
from bot.client import Interaction, Woodshed
from bot.library.clip_intake import Draft, Submission, play_submission, store_draft
from bot.library.drafts import DISCARDED, REPLACED, STORED
from bot.library.likeness import alike_in
from bot.store.clips import Clip, Kind
from cogs.clips.describing import described, in_short, measured
from cogs.clips.submitting import leave_with_staff

MOST_TRACKS = 25
LONGEST_CHORDS = 2000
LABELS = {"store": "Store it", "chords": "Change the chords", "discard": "Discard it"}
_STYLES = {"store": discord.ButtonStyle.success, "discard": discord.ButtonStyle.danger}


async def hand_in(
    interaction: Interaction, read: Callable[[Job], Awaitable[Submission]], seed: int, consent_at: float
) -> None:
    """Have the engine play what `read` brings; store it, or leave it with staff where a member sends it. Where the
    engine had to guess its chords, or staff have the same music already, ask first.

    Raises Refused, and what `read` and the engine raise."""
    bot = interaction.client
    async with one_job(interaction, private=True) as job:
        draft = await play_submission(
            bot.engine,
            bot.store,
            await read(job),
            guild_id=guild_id_of(interaction),
            job=job.ticket,
            seed=seed,
            max_bytes=upload_limit_bytes(interaction),
            now=consent_at,
            on_event=job.show,
        )
        alike = None
        if not draft.submission.by_member:  # staff see it in their queue; members aren't told what's in the collection
            alike = await alike_in(bot.store, draft.guild_id, draft.clip.fingerprint)
        if draft.clip.chords_estimated or alike is not None:
            await offer(bot, job, draft, alike)
        else:
            await job.finish(content=await store(bot, draft))


async def hand_in_again(interaction: Interaction, name: str, changed: Draft) -> None:
    """Play a draft with other chords or another track; it takes the place of the draft called `name`."""

    async def read(job: Job) -> Submission:  # a copy of the file: the old draft takes its own away
        content = await changed.submission.file.read()
        return replace(changed.submission, file=await job.hold(content))

    await hand_in(interaction, read, changed.seed, changed.consent_at)
    interaction.client.drafts.drop(name, REPLACED)


async def store(bot: Woodshed, draft: Draft) -> str:
    """Put a draft into the collection, or into the queue of staff where a member sends it; returns what to say."""
    if draft.submission.by_member:
        return shorten("\n".join([await leave_with_staff(bot, draft), *draft.clip.notes]), MAX_CONTENT)
    clip = await store_draft(bot.store, draft, bot.now())
    return shorten("\n".join([*stored_lines(clip), *draft.clip.notes]), MAX_CONTENT)


def stored_lines(clip: Clip) -> list[str]:
    """What staff read of a clip that has just been stored."""
    lines = [f"Stored as clip {clip.id}: {described(clip)}", measured(clip)]
    if clip.kind is Kind.AUDIO:
        lines.append(
            "A recording sounds different from the band and would give itself away, so polls only use recordings if "
            "you start them with `/poll start recordings:True`. A MIDI file makes a fairer test."
        )
    return lines


async def offer(bot: Woodshed, job: Job, draft: Draft, alike: Clip | None = None) -> None:
    """Show a draft to whoever sent it: sound, piano roll, chords, and what to do with it. `alike`: the same music in
    the collection."""
    uploads = [Upload("draft.ogg", draft.clip.audio, "The clip")]
    if draft.clip.roll:
        uploads.append(Upload("draft.png", draft.clip.roll, "Piano roll"))
    lines = []
    if alike is not None:
        lines.append(
            f"**Not stored yet.** It sounds like clip {alike.id}, which you already have: {in_short(alike)}. If you "
            "keep both, "
            "people may recognise the second one."
        )
    if draft.clip.chords_estimated:
        lines.append(
            "**Not stored yet.** This file came without chords, so I worked them out by ear. Please listen: do they "
            "fit?"
        )
    lines += draft.clip.notes
    job.pass_on(draft.file)
    name = bot.drafts.keep(draft)
    await job.finish(content=shorten("\n".join(lines), MAX_CONTENT), uploads=uploads, view=draft_view(name, draft))


def draft_view(name: str, draft: Draft) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    if len(draft.clip.tracks) > 1:
        view.add_item(TrackMenu(name, track_options(draft)))
    for action in LABELS:
        view.add_item(DraftButton(name, action))
    return view


def track_options(draft: Draft) -> list[discord.SelectOption]:
    return [
        discord.SelectOption(
            label=shorten(f"Track {track.number}: {plain(track.name).strip() or 'no name'}", MAX_CHOICE),
            value=str(track.number),
            description=f"{track.notes} notes",
            default=track.number == draft.clip.melody_track,
        )
        for track in draft.clip.tracks[:MOST_TRACKS]
    ]


class DraftButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"draft:(?P<name>[0-9a-f]{8}):(?P<action>store|chords|discard)",
):
    """Stores a draft, lets its chords be changed, or forgets it."""

    def __init__(self, name: str, action: str) -> None:
        style = _STYLES.get(action, discord.ButtonStyle.secondary)
        super().__init__(
            discord.ui.Button(label=LABELS[action], style=style, custom_id=f"draft:{name}:{action}", row=1)
        )
        self.name, self.action = name, action

    async def press(self, interaction: Interaction) -> None:
        drafts = interaction.client.drafts
        draft = drafts.get(self.name, interaction.user.id)
        match self.action:
            case "chords":
                await open_form(interaction, ChordsForm(self.name, draft))
            case "discard":
                drafts.drop(self.name, DISCARDED)
                await replace_message(interaction, "Discarded.")
            case "store":
                drafts.take(self.name, STORED)  # first, so that a second tap finds nothing
                try:
                    await replace_message(interaction, await store(interaction.client, draft))
                finally:
                    draft.file.remove()


class TrackMenu(
    Durable,
    discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]],
    template=r"draft:(?P<name>[0-9a-f]{8}):track",
):
    """Plays a draft again with the melody of another track."""

    def __init__(self, name: str, options: list[discord.SelectOption] | None = None) -> None:
        super().__init__(
            discord.ui.Select(
                placeholder="The melody is on another track ...",
                options=options or [],
                custom_id=f"draft:{name}:track",
                row=0,
            )
        )
        self.name = name

    async def press(self, interaction: Interaction) -> None:
        draft = interaction.client.drafts.get(self.name, interaction.user.id)
        submission = replace(draft.submission, track=int(self.item.values[0]))
        await hand_in_again(interaction, self.name, replace(draft, submission=submission))


class ChordsForm(DurableForm, title="The chords of this clip", template=r"draft-chords:(?P<name>[0-9a-f]{8})"):
    """Takes the right chords and plays the draft over them."""

    def __init__(self, name: str, draft: Draft) -> None:
        super().__init__(custom_id=f"draft-chords:{name}")
        chords: discord.ui.TextInput[ChordsForm] = discord.ui.TextInput(
            custom_id="chords",
            style=discord.TextStyle.paragraph,
            default=draft.clip.chords[:LONGEST_CHORDS],
            max_length=LONGEST_CHORDS,
        )
        self.add_item(discord.ui.Label(text="Bars between |, for example Dm7 G7 | Cmaj7", component=chords))

    @classmethod
    async def submitted(cls, interaction: Interaction, match: re.Match[str]) -> None:
        name = match["name"]
        draft = interaction.client.drafts.get(name, interaction.user.id)
        chords = fields_of(interaction).get("chords", "")
        submission = replace(draft.submission, chords=chords, track=draft.clip.melody_track)
        await hand_in_again(interaction, name, replace(draft, submission=submission))
