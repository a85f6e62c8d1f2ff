"""An upload whose chords nobody wrote: played for whoever handed it in, and stored only once they agree.

The drafts lie in memory, for as long as Discord lets a private message be answered; a restart forgets them.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import discord

from bot.answering.access import Interaction
from bot.answering.durable import Durable
from bot.answering.error_handler import report
from bot.answering.live_reply import LiveReply, Upload
from bot.answering.text import MAX_CONTENT, shorten
from bot.errors import Refused
from bot.library.clip_intake import Draft

KEPT_S = 15 * 60.0
MOST_DRAFTS = 3
"""Of one member: each holds the upload and its sound."""
MOST_TRACKS = 25
LONGEST_CHORDS = 2000
GONE = "I no longer have this upload; please hand it in again."


class Drafts:
    """The drafts in hand."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Draft, asyncio.TimerHandle]] = {}

    def keep(self, draft: Draft) -> str:
        """Remember a draft for a while; returns its name."""
        member = draft.upload.added_by
        own = [name for name, (kept, _) in self._kept.items() if kept.upload.added_by == member]
        for name in own[: max(0, len(own) - MOST_DRAFTS + 1)]:
            self.drop(name)
        name = secrets.token_hex(4)
        self._kept[name] = (draft, asyncio.get_running_loop().call_later(KEPT_S, self.drop, name))
        return name

    def get(self, name: str, member_id: int) -> Draft:
        """Raises Refused when it is gone or somebody else's."""
        kept = self._kept.get(name)
        if kept is None or kept[0].upload.added_by != member_id:
            raise Refused(GONE)
        return kept[0]

    def drop(self, name: str) -> None:
        """Forget it, if it is still there."""
        kept = self._kept.pop(name, None)
        if kept is not None:
            kept[1].cancel()

    def close(self) -> None:
        for name in list(self._kept):
            self.drop(name)


@dataclass(frozen=True)
class Desk:
    """What the buttons need: the drafts, how one is stored (returns what to say), and how one is played again."""

    drafts: Drafts
    store: Callable[[Draft], Awaitable[str]]
    replay: Callable[[Interaction, Draft], Awaitable[None]]


async def offer(reply: LiveReply, drafts: Drafts, draft: Draft) -> None:
    """Show a draft to whoever handed it in: sound, piano roll, chords, and what to do with it."""
    uploads = [Upload("draft.ogg", draft.clip.audio, "The clip")]
    if draft.clip.roll:
        uploads.append(Upload("draft.png", draft.clip.roll, "Piano roll"))
    lines = [
        "**Not stored yet:** nobody wrote the chords of this file, so please listen whether mine fit.",
        *draft.clip.notes,
    ]
    name = drafts.keep(draft)
    await reply.finish(content=shorten("\n".join(lines), MAX_CONTENT), uploads=uploads, view=draft_view(name, draft))


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
            label=shorten(f"Track {track.number}: {track.name or 'no name'}", 100),
            value=str(track.number),
            description=f"{track.notes} notes",
            default=track.number == draft.clip.melody_track,
        )
        for track in draft.clip.tracks[:MOST_TRACKS]
    ]


LABELS = {"store": "Store it", "chords": "Other chords", "discard": "Discard"}
_STYLES = {"store": discord.ButtonStyle.success, "discard": discord.ButtonStyle.danger}


def _desk(interaction: Interaction) -> Desk:
    cog: Any = interaction.client.get_cog("Clips")
    desk: Desk = cog.desk
    return desk


class DraftButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"draft:(?P<draft>[0-9a-f]{8}):(?P<action>store|chords|discard)",
):
    """Stores a draft, lets its chords be corrected, or forgets it."""

    def __init__(self, name: str, action: str) -> None:
        style = _STYLES.get(action, discord.ButtonStyle.secondary)
        super().__init__(
            discord.ui.Button(label=LABELS[action], style=style, custom_id=f"draft:{name}:{action}", row=1)
        )
        self.name, self.action = name, action

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["draft"], match["action"])

    async def press(self, interaction: Interaction) -> None:
        desk = _desk(interaction)
        draft = desk.drafts.get(self.name, interaction.user.id)
        match self.action:
            case "chords":
                await interaction.response.send_modal(ChordsForm(self.name, draft))
            case "discard":
                desk.drafts.drop(self.name)
                await interaction.response.edit_message(content="Discarded.", attachments=[], view=None)
            case "store":
                desk.drafts.drop(self.name)  # first, so that a second tap finds nothing
                await interaction.response.defer()
                said = await desk.store(draft)
                await interaction.edit_original_response(content=said, attachments=[], view=None)


class TrackMenu(
    Durable,
    discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]],
    template=r"draft:(?P<draft>[0-9a-f]{8}):track",
):
    """Plays a draft again with the melody of another track."""

    def __init__(self, name: str, options: list[discord.SelectOption]) -> None:
        super().__init__(
            discord.ui.Select(
                placeholder="The melody is in another track ...",
                options=options,
                custom_id=f"draft:{name}:track",
                row=0,
            )
        )
        self.name = name

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        assert isinstance(item, discord.ui.Select)
        return cls(match["draft"], item.options)

    async def press(self, interaction: Interaction) -> None:
        desk = _desk(interaction)
        draft = desk.drafts.get(self.name, interaction.user.id)
        await desk.replay(interaction, replace(draft, upload=replace(draft.upload, track=int(self.item.values[0]))))
        desk.drafts.drop(self.name)


class ChordsForm(discord.ui.Modal, title="The chords of this clip"):
    """Takes the right chords and plays the draft over them."""

    def __init__(self, name: str, draft: Draft) -> None:
        super().__init__()
        self.name = name
        self.chords: discord.ui.TextInput[ChordsForm] = discord.ui.TextInput(
            style=discord.TextStyle.paragraph, default=draft.clip.chords[:LONGEST_CHORDS], max_length=LONGEST_CHORDS
        )
        text = "Bars between |, for example Dm7 G7 | Cmaj7"
        self.add_item(discord.ui.Label(text=text, component=self.chords))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        desk = _desk(interaction)
        draft = desk.drafts.get(self.name, interaction.user.id)
        upload = replace(draft.upload, chords=self.chords.value, track=draft.clip.melody_track)
        await desk.replay(interaction, replace(draft, upload=upload))
        desk.drafts.drop(self.name)

    async def on_error(self, interaction: discord.Interaction[Any], error: Exception, /) -> None:  # type: ignore[override]
        await report(interaction, error)
