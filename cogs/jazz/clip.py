"""A clip on its way: from a request to the answer with its buttons, whichever command, menu or button asked.

The buttons know the answer's number; the store knows the rest, also after a restart.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import discord

from bot.answering.creations import delete, find
from bot.answering.creations import keep as creation_keep
from bot.answering.durable import MOST_OPTIONS, ChoiceMenu, Durable
from bot.answering.jobs import one_answer, one_job
from bot.answering.parcels import Upload
from bot.answering.posting import require_may_post, upload_limit_bytes
from bot.answering.text import MAX_FIELD, shorten
from bot.client import Interaction
from bot.errors import Refused
from bot.library import contest
from bot.store import creations
from cogs.jazz.sounds import sound_name
from engine.contract import engine_pb2 as pb
from engine.contract.limits import SHORTEST_COPIED_RUN

TEMPO_STEP = 1.15
"""Slower and faster: by 15 %, enough to be felt at any tempo."""

PHRASE_KEPT = b"kept"
"""Stands in a kept request for the phrase, which is a file of its own."""

LABELS = {
    "another": "Another take",
    "slower": "Slower",
    "faster": "Faster",
    "midi": "MIDI",
    "lead-sheet": "Lead sheet",
    "delete": "Delete",
}
_ROW = {"another": 1, "slower": 1, "faster": 1, "midi": 2, "lead-sheet": 2, "delete": 2}


@dataclass(frozen=True, slots=True)
class Phrase:
    """A MIDI phrase that the soloist answers."""

    content: bytes
    owner: int
    """Discord id of whoever posted it"""


PhraseSource = Callable[[Interaction], Awaitable[Phrase]]


def posted(attachment: discord.Attachment, limit_bytes: int, owner: int) -> PhraseSource:
    """A phrase that came with a command."""

    async def read(interaction: Interaction) -> Phrase:
        return Phrase(await interaction.client.attachments.read(attachment, limit_bytes, "The phrase"), owner)

    return read


async def play(interaction: Interaction, request: pb.PlayRequest, phrase: PhraseSource | None = None) -> None:
    """Have the engine play, post the clip with its buttons, and keep what they need.

    `phrase` reads the MIDI phrase that the soloist answers. Raises what it and the engine raise."""
    bot = interaction.client
    require_may_post(interaction, "attach_files", "embed_links")
    async with one_job(interaction) as job:
        request.job.CopyFrom(job.ticket)
        answered = None if phrase is None else await phrase(interaction)
        request.continue_from = answered.content if answered else b""
        request.max_bytes = upload_limit_bytes(interaction)
        request.model_version = request.model_version or await contest.champion(bot.engine, bot.store)
        clip = await bot.engine.play(request, job.show)
        creation_id = await keep(interaction, request, clip, answered)
        options = await bot.catalogue.jazz.get()
        message_id = await job.finish(
            embeds=[embed(clip)], uploads=uploads(clip), view=clip_view(creation_id, clip, options.instruments)
        )
        await creations.posted(bot.store, creation_id, message_id)


async def again(interaction: Interaction, creation: creations.Creation, request: pb.PlayRequest) -> None:
    """Play a changed request of an earlier clip, over the same phrase if there was one."""

    async def kept(interaction: Interaction) -> Phrase:
        file = await creations.file(interaction.client.store, creation.id, "phrase")
        if file is None:
            days = interaction.client.settings.store.picture_days
            raise Refused(f"I keep phrases for {days:.0f} days, and this one is gone. Please post it again.")
        return Phrase(file.content, file.owner)

    async def in_request(interaction: Interaction) -> Phrase:  # as older versions kept it
        return Phrase(pb.PlayRequest.FromString(creation.request).continue_from, creation.member_id)

    if request.continue_from and request.continue_from != PHRASE_KEPT:
        await play(interaction, request, in_request)
    else:
        await play(interaction, request, kept if request.continue_from else None)


async def keep(interaction: Interaction, request: pb.PlayRequest, clip: pb.Clip, phrase: Phrase | None) -> int:
    """Record what the buttons will need: the request as it turned out, the phrase, MIDI and lead sheet, and what the
    clip is."""
    made = pb.Clip()
    made.CopyFrom(clip)
    for name in ("audio", "midi", "roll", "lead_sheet"):
        made.ClearField(name)
    own = interaction.user.id
    files: dict[creations.Role, creations.File] = {}
    if clip.midi:
        files["midi"] = creations.File(own, clip.midi)
    if clip.lead_sheet:
        files["lead_sheet"] = creations.File(own, clip.lead_sheet)
    full = pinned(request, clip)
    if phrase:
        files["phrase"] = creations.File(phrase.owner, phrase.content)
        full.continue_from = PHRASE_KEPT
    return await creation_keep(
        interaction, "clip", request=full.SerializeToString(), result=made.SerializeToString(), files=files
    )


def pinned(request: pb.PlayRequest, clip: pb.Clip) -> pb.PlayRequest:
    """The request with everything that the engine drew written out, so that a change of one thing changes only that."""
    full = pb.PlayRequest()
    full.CopyFrom(request)
    for name in ("job", "max_bytes"):
        full.ClearField(name)
    full.bars = clip.bars
    full.tempo_bpm = clip.tempo_bpm
    full.instrument = clip.instrument
    full.seed = clip.seed
    full.feel = clip.feel
    full.takes = clip.takes
    full.style = clip.style
    full.beats_per_bar = clip.beats_per_bar
    full.model_version = clip.model_version
    if not full.chords:
        full.form, full.key = clip.form, clip.key
    return full


def embed(clip: pb.Clip) -> discord.Embed:
    """The piano roll, with everything needed to play it again and to judge it."""
    shown = discord.Embed(
        title=f"{clip.instrument}, {clip.tempo_bpm:.0f} bpm", description="\n".join(clip.notes) or None
    )
    shown.add_field(name="Chords", value=shorten(clip.chords, MAX_FIELD), inline=False)
    for name, value in (
        ("Form", clip.form),
        ("Key", clip.key),
        ("Feel", clip.feel),
        ("Style", clip.style),
        ("Metre", "3/4" if clip.beats_per_bar == 3 else ""),
        ("Bars", str(clip.bars)),
        ("Seed", str(clip.seed)),
        ("Picked from", f"{clip.takes} takes" if clip.takes > 1 else ""),
        ("Time", f"{clip.compute_s:.1f} s for {clip.duration_s:.0f} s of music"),
        ("Longest run copied from a training solo", copied(clip) if clip.model_version else ""),
    ):
        if value:
            shown.add_field(name=name, value=value)
    if clip.roll:
        shown.set_image(url="attachment://piano-roll.png")
    if sounds := sound_name(clip.soundfont):
        shown.set_footer(text=f"Instruments: {sounds}")
    return shown


def uploads(clip: pb.Clip) -> list[Upload]:
    """The sound as an ordinary attachment, which Discord plays inline, and the roll inside the embed."""
    files = [Upload("woodshed.ogg", clip.audio, "The clip")]
    if clip.roll:
        files.append(Upload("piano-roll.png", clip.roll, "Piano roll: solo, bass, comping and drums under the chords"))
    return files


class ClipButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"take:(?P<creation>\d+):(?P<action>another|slower|faster|midi|lead-sheet|delete)",
):
    """One of the things to do with a clip."""

    def __init__(self, creation: int, action: str) -> None:
        style = discord.ButtonStyle.danger if action == "delete" else discord.ButtonStyle.secondary
        super().__init__(
            discord.ui.Button(
                label=LABELS[action], style=style, custom_id=f"take:{creation}:{action}", row=_ROW[action]
            )
        )
        self.creation_id = creation
        self.action = action

    async def press(self, interaction: Interaction) -> None:
        creation = await find(interaction, self.creation_id, "clip")
        request = over_its_changes(creation)
        match self.action:
            case "another":
                for name in ("seed", "solo_seed", "solo_instrument", "solo_tempo_bpm"):
                    request.ClearField(name)
                await again(interaction, creation, request)
            case "slower" | "faster":
                keep_solo(request)
                request.tempo_bpm = round(request.tempo_bpm * TEMPO_STEP ** (1 if self.action == "faster" else -1))
                await again(interaction, creation, request)
            case "midi":
                await send_file(interaction, creation, "midi", "mid")
            case "lead-sheet":
                await send_file(interaction, creation, "lead_sheet", "musicxml")
            case "delete":
                await delete(interaction, creation)


class InstrumentMenu(ChoiceMenu, template=r"take:(?P<creation>\d+):instrument"):
    """Plays the same solo on the chosen instrument."""

    async def press(self, interaction: Interaction) -> None:
        creation = await find(interaction, self.creation_id, "clip")
        request = over_its_changes(creation)
        keep_solo(request)
        request.instrument = self.chosen
        await again(interaction, creation, request)


def clip_view(creation_id: int, clip: pb.Clip, instruments: Sequence[str]) -> discord.ui.View:
    """All that can be done with a clip."""
    view = discord.ui.View(timeout=None)
    others = [name for name in instruments if name != clip.instrument][:MOST_OPTIONS]
    if others:
        options = [discord.SelectOption(label=name) for name in others]
        placeholder = "The same solo on another instrument ..."
        view.add_item(InstrumentMenu.of(creation_id, f"take:{creation_id}:instrument", placeholder, options))
    absent = {"midi": not clip.midi, "lead-sheet": not clip.lead_sheet}
    for action in LABELS:
        if not absent.get(action, False):
            view.add_item(ClipButton(creation_id, action))
    return view


def copied(clip: pb.Clip) -> str:
    """How much of the solo is in a training solo, note for note."""
    run = clip.longest_copied_run
    return f"{run} notes" if run else f"under {SHORTEST_COPIED_RUN} notes"


def over_its_changes(creation: creations.Creation) -> pb.PlayRequest:
    """What a clip was made from, with the very changes that it has: a form's changes are drawn, and another seed or a
    later version would draw others."""
    request = pb.PlayRequest.FromString(creation.request)
    if request.form:
        request.form_chords = pb.Clip.FromString(creation.result).chords
    return request


def keep_solo(request: pb.PlayRequest) -> None:
    """Keep the solo while something else in the request changes, by writing down what it was improvised from."""
    if not request.HasField("solo_seed"):
        request.solo_seed = request.seed
        request.solo_instrument = request.instrument
        request.solo_tempo_bpm = request.tempo_bpm


async def send_file(
    interaction: Interaction, creation: creations.Creation, role: creations.Role, extension: str
) -> None:
    """Send the member a file of the clip, privately."""
    require_may_post(interaction, "attach_files")
    async with one_answer(interaction, private=True) as answer:
        files = await creations.files(interaction.client.store, creation.id)
        if role not in files:
            raise Refused("I don't have that file any more. Please order a new clip with `/jazz`.")
        seed = pb.Clip.FromString(creation.result).seed
        await answer.finish(uploads=[Upload(f"woodshed-{seed}.{extension}", files[role])])
