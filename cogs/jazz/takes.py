"""A clip on its way: from a request to the answer with its buttons, whichever command, menu or button asked.

The buttons know the answer's number; the store knows the rest, also after a restart.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

import discord

from bot.answering.creations import delete, find
from bot.answering.durable import Durable
from bot.answering.job_buttons import cancel_view
from bot.answering.live_reply import LiveReply, Upload
from bot.answering.menus import MOST_OPTIONS, ChoiceMenu
from bot.answering.posting import require_may_post, upload_limit_bytes
from bot.client import Woodshed
from bot.engine.calls import new_job_id
from bot.errors import Refused
from bot.store import creations
from engine.contract import engine_pb2 as pb
from engine.contract.limits import SHORTEST_COPIED_RUN

TEMPO_STEP = 1.15
"""Slower and faster: by 15 %, enough to be felt at any tempo."""
FIELD_TEXT = 1024

LABELS = {
    "another": "Another take",
    "slower": "Slower",
    "faster": "Faster",
    "midi": "MIDI",
    "lead-sheet": "Lead sheet",
    "delete": "Delete",
}
_ROW = {"another": 1, "slower": 1, "faster": 1, "midi": 2, "lead-sheet": 2, "delete": 2}


async def play(
    interaction: discord.Interaction[Woodshed],
    request: pb.PlayRequest,
    phrase: Callable[[], Awaitable[bytes]] | None = None,
) -> None:
    """Acknowledge, have the engine play, post the clip with its buttons, and keep what they need.

    `phrase` reads the MIDI phrase that the soloist answers. Raises what it and the engine raise."""
    bot = interaction.client
    require_may_post(interaction, "attach_files", "embed_links")
    with bot.jobs.place(interaction.user.id):
        request.job.job_id = new_job_id()
        request.job.member_key = bot.member_key(interaction.user.id)
        reply = await LiveReply.begin(
            interaction,
            interval_s=bot.settings.discord.progress_interval_s,
            progress_view=cancel_view(request.job.job_id),
        )
        if phrase is not None:
            request.continue_from = await phrase()
        request.max_bytes = upload_limit_bytes(interaction)
        clip = await bot.engine.play(request, reply.show)
        creation_id = await keep(interaction, request, clip)
        options = await bot.catalogue.jazz.get()
        message_id = await reply.finish(
            embeds=[embed(clip)], uploads=uploads(clip), view=clip_view(creation_id, clip, options.instruments)
        )
        await creations.posted(bot.store, creation_id, message_id)


async def keep(interaction: discord.Interaction[Woodshed], request: pb.PlayRequest, clip: pb.Clip) -> int:
    """Record what the buttons will need: the request as it turned out, MIDI and lead sheet, and what the clip is."""
    assert interaction.channel_id is not None
    made = pb.Clip()
    made.CopyFrom(clip)
    for name in ("audio", "midi", "roll", "lead_sheet"):
        made.ClearField(name)
    files: dict[creations.Role, bytes] = {}
    if clip.midi:
        files["midi"] = clip.midi
    if clip.lead_sheet:
        files["lead_sheet"] = clip.lead_sheet
    return await creations.add(
        interaction.client.store,
        "clip",
        member_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id,
        request=pinned(request, clip).SerializeToString(),
        result=made.SerializeToString(),
        files=files,
        now=time.time(),
    )


def pinned(request: pb.PlayRequest, clip: pb.Clip) -> pb.PlayRequest:
    """The request with everything that the engine drew written out, so that a change of one thing changes only that."""
    told = pb.PlayRequest()
    told.CopyFrom(request)
    for name in ("job", "max_bytes"):
        told.ClearField(name)
    told.bars = clip.bars
    told.tempo_bpm = clip.tempo_bpm
    told.instrument = clip.instrument
    told.seed = clip.seed
    told.feel = clip.feel
    told.takes = clip.takes
    told.style = clip.style
    told.beats_per_bar = clip.beats_per_bar
    if not told.chords:
        told.form, told.key = clip.form, clip.key
    return told


def embed(clip: pb.Clip) -> discord.Embed:
    """The piano roll, with everything that it takes to play it again and to judge it."""
    shown = discord.Embed(
        title=f"{clip.instrument}, {clip.tempo_bpm:.0f} bpm", description="\n".join(clip.notes) or None
    )
    shown.add_field(name="Chords", value=_shortened(clip.chords), inline=False)
    for name, value in (
        ("Form", clip.form),
        ("Key", clip.key),
        ("Feel", clip.feel),
        ("Style", clip.style),
        ("Metre", "3/4" if clip.beats_per_bar == 3 else ""),
        ("Bars", str(clip.bars)),
        ("Seed", str(clip.seed)),
        ("Chosen from", f"{clip.takes} takes" if clip.takes > 1 else ""),
        ("Time", f"{clip.compute_s:.1f} s for {clip.duration_s:.0f} s of music"),
        ("Longest run of a training solo", copied(clip) if clip.model_version else ""),
    ):
        if value:
            shown.add_field(name=name, value=value)
    if clip.roll:
        shown.set_image(url="attachment://piano-roll.png")
    shown.set_footer(text=f"model {clip.model_version} · {clip.soundfont} · {clip.loudness_lufs:.1f} LUFS")
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

    def __init__(self, creation_id: int, action: str) -> None:
        style = discord.ButtonStyle.danger if action == "delete" else discord.ButtonStyle.secondary
        super().__init__(
            discord.ui.Button(
                label=LABELS[action], style=style, custom_id=f"take:{creation_id}:{action}", row=_ROW[action]
            )
        )
        self.creation_id = creation_id
        self.action = action

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["creation"]), match["action"])

    async def press(self, interaction: discord.Interaction[Woodshed]) -> None:
        creation = await find(interaction.client, self.creation_id, "clip")
        request = over_its_changes(creation)
        match self.action:
            case "another":
                for name in ("seed", "solo_seed", "solo_instrument", "solo_tempo_bpm"):
                    request.ClearField(name)
                await play(interaction, request)
            case "slower" | "faster":
                keep_solo(request)
                request.tempo_bpm = round(request.tempo_bpm * TEMPO_STEP ** (1 if self.action == "faster" else -1))
                await play(interaction, request)
            case "midi":
                await send_file(interaction, creation, "midi", "mid")
            case "lead-sheet":
                await send_file(interaction, creation, "lead_sheet", "musicxml")
            case "delete":
                await delete(interaction, creation)


class InstrumentMenu(ChoiceMenu, template=r"take:(?P<creation>\d+):instrument"):
    """Plays the same solo on the chosen instrument."""

    async def press(self, interaction: discord.Interaction[Woodshed]) -> None:
        creation = await find(interaction.client, self.creation_id, "clip")
        request = over_its_changes(creation)
        keep_solo(request)
        request.instrument = self.chosen
        await play(interaction, request)


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
    """How much of the solo stands just so in a training solo."""
    run = clip.longest_copied_run
    return f"{run} notes" if run else f"under {SHORTEST_COPIED_RUN} notes"


def over_its_changes(creation: creations.Creation) -> pb.PlayRequest:
    """What a clip was made from, with the changes that it has: those of a form are drawn, by another seed or a later
    version as others."""
    request = pb.PlayRequest.FromString(creation.request)
    if request.form:
        request.form_chords = pb.Clip.FromString(creation.result).chords
    return request


def keep_solo(request: pb.PlayRequest) -> None:
    """Hold the solo still while something else of the request changes: what it was improvised from stays written."""
    if not request.HasField("solo_seed"):
        request.solo_seed = request.seed
        request.solo_instrument = request.instrument
        request.solo_tempo_bpm = request.tempo_bpm


async def send_file(
    interaction: discord.Interaction[Woodshed], creation: creations.Creation, role: creations.Role, extension: str
) -> None:
    """Hand the member a file of the clip, alone."""
    require_may_post(interaction, "attach_files")
    await interaction.response.defer(ephemeral=True, thinking=True)
    files = await creations.files(interaction.client.store, creation.id)
    if role not in files:
        raise Refused("That file is no longer kept.")
    seed = pb.Clip.FromString(creation.result).seed
    upload = Upload(f"woodshed-{seed}.{extension}", files[role])
    await interaction.edit_original_response(attachments=[upload.file()])


def _shortened(chords: str) -> str:
    return chords if len(chords) <= FIELD_TEXT else chords[: FIELD_TEXT - 4].rsplit(" ", 1)[0] + " ..."
