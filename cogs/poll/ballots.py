"""What members vote with: the open poll's message, its buttons, and the private answer to a press.

Nothing here shows an answer or a tally."""

from __future__ import annotations

import io
import re
from typing import Any, Self

import discord

from bot.answering.access import Interaction
from bot.answering.durable import Durable
from bot.errors import Refused
from bot.rules.blind_poll import Origin
from bot.store import polls
from bot.store.polls import Ballot, Poll
from cogs.poll.results import COLOUR

GONE = "I don't have this poll any more."


def clip_file(poll: Poll, audio: bytes) -> discord.File:
    """The sound under a name that says nothing but the poll's number, whichever side it is."""
    return discord.File(io.BytesIO(audio), filename=f"poll-{poll.id}.ogg")


def poll_embed(poll: Poll) -> discord.Embed:
    """What everybody sees while the poll is open."""
    closes = f"<t:{poll.closes_at:.0f}:R>"
    embed = discord.Embed(
        title=f"Poll {poll.id}: human or AI?",
        description=(
            "Listen, then choose. Your vote stays private, and you can change it until the poll closes "
            f"{closes}. If you know the piece, say so: then your vote is left out of the figures."
        ),
        colour=COLOUR,
    )
    embed.set_footer(text="Nobody sees the tally before the close.")
    return embed


def poll_view(poll: int) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for choice in (Origin.HUMAN, Origin.AI):
        view.add_item(VoteButton(poll, choice))
    view.add_item(KnowsButton(poll))
    return view


def ballot_sentence(ballot: Ballot, poll: Poll) -> str:
    """The private confirmation: said only after the vote is committed."""
    vote, before = ballot.vote, ballot.before
    closes = f"<t:{poll.closes_at:.0f}:R>"
    if vote.choice is None:
        said = "You haven't chosen yet."
    elif before is None or before.choice is None:
        said = f"Your vote: **{_spoken(vote.choice)}**."
    elif before.choice is vote.choice:
        said = f"Your vote is **{_spoken(vote.choice)}**."
    else:
        said = f"Changed to **{_spoken(vote.choice)}**."
    if vote.knows:
        said += " You know the piece, so it is left out of the figures; press “I know this piece” again to undo that."
    elif before is not None and before.knows:
        said += " You don't know the piece after all, so your vote counts."
    return f"{said} You can change it until the poll closes {closes}."


def _spoken(choice: Origin) -> str:
    return "human" if choice is Origin.HUMAN else "AI"


async def open_poll(interaction: Interaction, number: int) -> Poll:
    """The poll behind a button. Raises Refused when it is gone, called off or closed."""
    poll = await polls.get(interaction.client.store, number)
    if poll is None:
        raise Refused(GONE)
    if poll.voided:
        raise Refused("This poll was called off.")
    if poll.closed:
        raise Refused(polls.CLOSED)
    return poll


class VoteButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"vote:(?P<poll>\d+):(?P<choice>human|ai)",
):
    """Gives or changes a vote."""

    def __init__(self, poll: int, choice: Origin) -> None:
        label = "Human" if choice is Origin.HUMAN else "AI"
        super().__init__(
            discord.ui.Button(label=label, style=discord.ButtonStyle.primary, custom_id=f"vote:{poll}:{choice.value}")
        )
        self.poll = poll
        self.choice = choice

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["poll"]), Origin(match["choice"]))

    async def press(self, interaction: Interaction) -> None:
        poll = await open_poll(interaction, self.poll)
        now = discord.utils.utcnow().timestamp()
        ballot = await polls.choose(interaction.client.store, poll.id, interaction.user.id, self.choice, now)
        await interaction.response.send_message(ballot_sentence(ballot, poll), ephemeral=True)


class KnowsButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"vote:(?P<poll>\d+):known"
):
    """Says that the piece is known, or takes that back."""

    def __init__(self, poll: int) -> None:
        super().__init__(
            discord.ui.Button(
                label="I know this piece", style=discord.ButtonStyle.secondary, custom_id=f"vote:{poll}:known"
            )
        )
        self.poll = poll

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["poll"]))

    async def press(self, interaction: Interaction) -> None:
        poll = await open_poll(interaction, self.poll)
        now = discord.utils.utcnow().timestamp()
        ballot = await polls.toggle_knows(interaction.client.store, poll.id, interaction.user.id, now)
        await interaction.response.send_message(ballot_sentence(ballot, poll), ephemeral=True)
